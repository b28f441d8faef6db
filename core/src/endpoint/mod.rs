//! One endpoint, one file.

pub(crate) mod authorize;
pub(crate) mod challenge;
pub(crate) mod introspect;
pub(crate) mod metadata;
pub(crate) mod revoke;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod userinfo;
