//! What the pages know of a browser: its cookies, its sign-in, the request that it is on its way with.

pub(crate) mod cookie;
pub(crate) mod forms;
pub(crate) mod keys;
pub(crate) mod listing;
pub(crate) mod session;
pub(crate) mod travel;
pub(crate) mod visitor;
