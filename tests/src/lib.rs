//! What the tests of whole servers share.

#![forbid(unsafe_code)]
