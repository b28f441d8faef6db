//! The parsers and transitions of the core one by one, for fuzz targets: what a whole request reaches only after much
//! else was right.

mod parsers;
mod records;
mod sealed;
mod walk;

pub use parsers::{Basic, basic, challenge, challenge_of, client_address, form, form_target, json, verifies};
pub use records::{LETTERS, RecordRead};
pub use sealed::{Sealed, Unopened};
pub use walk::{Attempt, GrantWalk, Happened, Refresh, Standing};
