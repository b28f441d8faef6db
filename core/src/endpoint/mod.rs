//! One endpoint, one file.

pub(crate) mod applications;
pub(crate) mod authorize;
pub(crate) mod challenge;
pub(crate) mod consent;
pub(crate) mod forgot;
pub(crate) mod introspect;
pub(crate) mod login;
pub(crate) mod logo;
pub(crate) mod logout;
pub(crate) mod metadata;
pub(crate) mod pages;
pub(crate) mod password;
pub(crate) mod reset;
pub(crate) mod revoke;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod userinfo;
