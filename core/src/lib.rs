//! The pure core of proofkey, an embeddable OAuth 2.1 authorization server.
//!
//! A request becomes a value, a flow is started with the current time and 32 bytes of entropy, and the flow hands out
//! owned [`Step`]s until it is done. Nothing in here touches a socket, a clock, a thread, the environment or a file.

// Told of the crate whatever it is told of; `disallowed_types` still holds every file but `planted` to it.
#![cfg_attr(
    proofkey_planted,
    expect(clippy::disallowed_macros, reason = "`planted` keeps state of the thread, in builds that are no server")
)]

#[macro_use]
mod site;

mod access;
mod admin;
mod api;
mod attempt;
mod basic;
mod browser;
mod bytes;
mod client_auth;
mod config;
mod endpoint;
mod entropy;
mod event;
mod fernet;
mod flow;
mod form;
#[cfg(feature = "testing")]
pub mod fuzzing;
mod grants;
#[cfg(feature = "testing")]
mod inside;
mod io;
mod json;
mod keys;
mod limit;
mod login;
mod look;
mod mac;
mod name;
mod new_password;
mod page;
mod password;
mod pending;
mod pkce;
#[cfg(proofkey_planted)]
pub mod planted;
mod record;
mod redirect;
mod refusal;
mod reply;
mod request;
mod reset;
mod router;
mod scope;
mod seal;
mod secret;
mod server;
mod step;
mod store;
mod time;
mod token;
mod tokens;
mod user;
mod work;

pub use access::{AccessToken, Requirement};
pub use admin::{AdminError, UserChange, UserSummary};
pub use api::{ClientCredentials, CodeExchange};
pub use browser::keys::SessionKeys;
pub use browser::listing::SessionSummary;
pub use config::{
    Alias, ApiMisuse, Config, Limit, Pages, Problem, Rotation, SETTINGS, ScopeText, Setting, Settings, Unit,
    UserSource, is_true, text as setting_text,
};
pub use endpoint::challenge::Pkce;
pub use endpoint::introspect::Introspection;
pub use endpoint::logo::Logo;
pub use entropy::Entropy;
pub use event::{Event, EventKind};
pub use fernet::{FernetKey, FernetRing, InvalidFernetKey, InvalidFernetToken};
pub use grants::GrantSummary;
#[cfg(feature = "testing")]
pub use inside::fits_challenge;
pub use keys::{KeyError, KeyId, KeyRing, MAX_KEYS, parse_session_key};
pub use look::RecordView;
pub use page::Texts;
pub use password::PasswordError;
pub use pending::{Authentication, Pending};
pub use record::{AuthMethod, Client, ClientSecret, GrantType, InvalidClient, InvalidField};
pub use redirect::{ApplicationType, InvalidRedirectUri, RedirectUri};
pub use refusal::{ErrorCode, Refusal};
pub use reply::{Reply, Response, StoreCalls};
pub use request::Request;
pub use scope::{InvalidScope, Scope};
pub use secret::{Secret, SecretDigest};
pub use server::Core;
pub use step::{Delete, Find, Get, Put, Step, UserStep, Waiting, Work};
pub use store::{
    InvalidText, Key, MAX_BODY, MAX_KEY, MAX_OWNERS, MAX_VERSION, Owner, Query, Record, StoreError, Version, Write,
};
pub use time::UnixTime;
pub use token::MAX_TOKEN;
pub use tokens::Tokens;
pub use user::{User, UserAnswer, UserQuestion};
pub use work::{Job, Memo, Worked};
