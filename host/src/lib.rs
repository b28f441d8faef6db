//! An embeddable OAuth 2.1 authorization server.
//!
//! [`Server`] answers on the calling thread, [`AsyncServer`] on tokio; both are built by the same [`Builder`], drive the
//! same core and give the same answers. A [`store::Store`] keeps the records: five calls on single records.
#![forbid(unsafe_code)]

#[cfg(feature = "tokio")]
mod async_server;
#[cfg(feature = "axum")]
pub mod axum;
mod builder;
mod calls;
mod clock;
mod entropy;
mod future;
mod keys;
mod reads;
mod server;
mod shared;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod users;
mod work;

#[cfg(feature = "tokio")]
pub use async_server::AsyncServer;
pub use builder::Builder;
pub use clock::{Clock, SystemClock};
pub use entropy::{NoEntropy, generate_client_secret, system_entropy};
pub use future::BoxFuture;
pub use keys::{KEY_VARIABLES, Keys};
pub use proofkey_core as core;
pub use proofkey_core::{
    AccessToken, AdminError, ApiMisuse, ApplicationType, AuthMethod, Authentication, Client, ClientCredentials,
    ClientSecret, CodeExchange, Config, ErrorCode, Event, EventKind, GrantSummary, GrantType, Introspection,
    InvalidField, KeyError, KeyId, Pending, Pkce, Problem, RecordView, Refusal, Request, Requirement, Response, Scope,
    ScopeText, Secret, SessionSummary, Settings, StoreError, Texts, Tokens, UnixTime, User, UserAnswer, UserChange,
    UserQuestion, UserSummary,
};
pub use server::Server;
#[cfg(feature = "tokio")]
pub use users::{AsyncAuthenticator, AsyncUsers};
pub use users::{Authenticator, Users};

/// The example of the README runs as it stands there.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
