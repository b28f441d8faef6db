//! What a host and its operator ask of a server by a call, each once: for tests that let something go wrong in the
//! middle of it.

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE};
use proofkey::{
    AdminError, AsyncServer, Authentication, Client, ClientCredentials, CodeExchange, Refusal, Request, Requirement,
    Response, Secret, Server, Tokens, UnixTime, User, UserChange,
};

use crate::kept::{Kept, OLD_KEY};
use crate::world::keys;
use crate::{NEW_PASSWORD, PASSWORD, REDIRECT_URI, Reply, START, SignedIn, VERIFIER, secret_of};

/// Where the client `stored` is called back after it was updated.
pub const NEXT_URI: &str = "https://next.example/cb";

macro_rules! errands {
    ($($(#[$doc:meta])+ $errand:ident = $call:literal,)+) => {
        /// One call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(clippy::exhaustive_enums, reason = "tests match on all of them")]
        pub enum Errand {
            $($(#[$doc])+ $errand,)+
        }

        impl Errand {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$errand,)+];

            /// The name of the call, in every face.
            #[must_use]
            pub const fn call(self) -> &'static str {
                match self {
                    $(Self::$errand => $call,)+
                }
            }
        }
    };
}

errands! {
    /// The host has signed Ada in, on the way to a client.
    Approve = "approve",
    /// Ada gets another password.
    ChangePassword = "change_user",
    /// A bearer token is checked.
    CheckAccess = "check_access",
    /// The server starts.
    CheckIn = "check_in",
    /// A client is registered.
    CreateClient = "create_client",
    /// A user is made.
    CreateUser = "create_user",
    /// The client `stored` is deleted.
    DeleteClient = "delete_client",
    /// Ada is deleted.
    DeleteUser = "delete_user",
    /// The host has signed nobody in.
    Deny = "deny",
    /// Ada may no longer sign in.
    DisableUser = "change_user",
    /// Eve may sign in again.
    EnableUser = "change_user",
    /// Ada's sign-in in one browser ends.
    EndSession = "end_session",
    /// What has access to Ada's account.
    GrantsOf = "grants_of",
    /// What a client has access to.
    GrantsOfClient = "grants_of_client",
    /// A client asks about its own token.
    Introspect = "introspect",
    /// A browser comes to the host's page, on the way to a client that is stored.
    Pending = "pending",
    /// A client cannot make its own pair.
    Pkce = "pkce",
    /// A look at the record of a client.
    Record = "record",
    /// A code is redeemed.
    Redeem = "redeem",
    /// A token is refreshed.
    Refresh = "refresh",
    /// Ada has forgotten her password.
    ResetLink = "reset_link",
    /// The key that the client `kept` is sealed under is to go.
    RetireKey = "retire_key",
    /// A refresh token is revoked.
    Revoke = "revoke",
    /// A client's access to Ada's account is taken back.
    RevokeAccess = "revoke_access",
    /// Ada is signed out everywhere.
    RevokeAll = "revoke_all",
    /// All that a client has is taken back.
    RevokeClient = "revoke_client",
    /// One grant is taken back.
    RevokeGrant = "revoke_grant",
    /// Where Ada is signed in.
    SessionsOf = "sessions_of",
    /// The client `stored` is looked at.
    StoredClient = "stored_client",
    /// All clients are looked at.
    StoredClients = "stored_clients",
    /// Ada is looked at.
    StoredUser = "stored_user",
    /// All users are looked at.
    StoredUsers = "stored_users",
    /// The user `locked` has guessed too often.
    UnlockUser = "unlock_user",
    /// The client `stored` is called back elsewhere.
    UpdateClient = "update_client",
}

/// What a call brought.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "tests match on all of them")]
pub enum Brought {
    /// An answer for a browser.
    Response(Box<Reply>),
    /// Anything else, as it prints itself.
    Said(String),
    /// Tokens.
    Tokens(SignedIn),
}

/// What became of a call.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "tests match on all of them")]
pub enum Ended {
    /// It was done.
    Done(Brought),
    /// It was refused as requests are.
    Refused(Box<Refusal>),
    /// The operator was told something to mend.
    Told(AdminError),
}

impl Ended {
    /// Whether it was done.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

impl From<Refusal> for Ended {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<AdminError> for Ended {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Refused(refusal) => refusal.into(),
            other => Self::Told(other),
        }
    }
}

fn said<T: std::fmt::Debug, E: Into<Ended>>(outcome: Result<T, E>) -> Ended {
    outcome.map_or_else(Into::into, |value| Ended::Done(Brought::Said(format!("{value:?}"))))
}

fn tokens(outcome: Result<Tokens, Refusal>) -> Ended {
    let text = |secret: Option<&Secret>| secret.and_then(Secret::expose_text).unwrap_or_default().to_owned();
    outcome.map_or_else(Into::into, |tokens| {
        let (access, refresh) = (text(Some(tokens.access_token())), text(tokens.refresh_token()));
        Ended::Done(Brought::Tokens(SignedIn { access, refresh }))
    })
}

/// A response is an answer as it would be to a request: that the store failed stands in it.
fn response(outcome: Result<Response, Refusal>) -> Ended {
    outcome.map_or_else(Into::into, |response| Ended::Done(Brought::Response(Box::new(response.into()))))
}

fn portal() -> ClientCredentials {
    ClientCredentials::secret("portal", Secret::from(&*secret_of("portal")))
}

fn get(target: &str, cookies: &str) -> Request {
    let request = http::Request::get(target).header(COOKIE, cookies).body(Bytes::new());
    Request::new(request.unwrap_or_else(|error| panic!("a request: {error}")), None)
}

fn bearer(token: &str) -> Request {
    let request = http::Request::get("/things").header(AUTHORIZATION, format!("Bearer {token}")).body(Bytes::new());
    Request::new(request.unwrap_or_else(|error| panic!("a request: {error}")), None)
}

/// The same for both servers, of which one is waited for.
macro_rules! run {
    ($errand:expr, $server:expr, $kept:expr, $($wait:tt)*) => {{
        let (server, kept): (_, &Kept) = ($server, $kept);
        let web = || ClientCredentials::public("web");
        match $errand {
            Errand::Approve => match server.pending(get(&kept.arrived, &kept.arriving)) $($wait)* {
                Ok(pending) => {
                    let ada = Authentication::new(&*kept.subject, UnixTime::from_seconds(START));
                    response(server.approve(pending, ada.username("ada@example.com")) $($wait)*)
                }
                Err(refusal) => refusal.into(),
            },
            Errand::ChangePassword => {
                let change = UserChange::Password(Secret::from(NEW_PASSWORD));
                said(server.change_user("ada@example.com", change) $($wait)*)
            }
            Errand::CheckAccess => said(server.check_access(bearer(&kept.web.access), Requirement::any()) $($wait)*),
            Errand::CheckIn => said(server.check_in() $($wait)*),
            Errand::CreateClient => {
                said(server.create_client(Client::public("new").redirect_uri(REDIRECT_URI)) $($wait)*)
            }
            Errand::CreateUser => said(server.create_user(User::new("new"), Secret::from(PASSWORD)) $($wait)*),
            Errand::DeleteClient => said(server.delete_client("stored") $($wait)*),
            Errand::DeleteUser => said(server.delete_user("ada@example.com") $($wait)*),
            Errand::Deny => match server.pending(get(&kept.arrived, &kept.arriving)) $($wait)* {
                Ok(pending) => response(server.deny(pending) $($wait)*),
                Err(refusal) => refusal.into(),
            },
            Errand::DisableUser => said(server.change_user("ada@example.com", UserChange::Disable) $($wait)*),
            Errand::EnableUser => said(server.change_user("eve", UserChange::Enable) $($wait)*),
            Errand::EndSession => said(server.end_session(&kept.subject, &kept.session) $($wait)*),
            Errand::GrantsOf => said(server.grants_of(&kept.subject) $($wait)*),
            Errand::GrantsOfClient => said(server.grants_of_client("web") $($wait)*),
            Errand::Introspect => said(server.introspect(portal(), Secret::from(&*kept.portal.access)) $($wait)*),
            Errand::Pending => said(server.pending(get(&kept.arrived_for_stored, &kept.arriving)) $($wait)*),
            Errand::Pkce => said(server.pkce() $($wait)*),
            Errand::Record => said(server.record("client:stored") $($wait)*),
            Errand::Redeem => {
                let exchange = CodeExchange::new(Secret::from(&*kept.code), Secret::from(VERIFIER));
                tokens(server.redeem(web(), exchange.redirect_uri(REDIRECT_URI)) $($wait)*)
            }
            Errand::Refresh => tokens(server.refresh(web(), Secret::from(&*kept.web.refresh), None) $($wait)*),
            Errand::ResetLink => said(server.reset_link("ada@example.com") $($wait)*),
            Errand::RetireKey => said(server.retire_key(keys(OLD_KEY).ids()[0]) $($wait)*),
            Errand::Revoke => said(server.revoke(web(), Secret::from(&*kept.web.refresh)) $($wait)*),
            Errand::RevokeAccess => said(server.revoke_access(&kept.subject, "web") $($wait)*),
            Errand::RevokeAll => said(server.revoke_all(&kept.subject) $($wait)*),
            Errand::RevokeClient => said(server.revoke_client("web") $($wait)*),
            Errand::RevokeGrant => said(server.revoke_grant(&kept.grant) $($wait)*),
            Errand::SessionsOf => said(server.sessions_of(&kept.subject) $($wait)*),
            Errand::StoredClient => said(server.stored_client("stored") $($wait)*),
            Errand::StoredClients => said(server.stored_clients() $($wait)*),
            Errand::StoredUser => said(server.stored_user("ada@example.com") $($wait)*),
            Errand::StoredUsers => said(server.stored_users() $($wait)*),
            Errand::UnlockUser => said(server.unlock_user("locked") $($wait)*),
            Errand::UpdateClient => {
                said(server.update_client(Client::public("stored").redirect_uri(NEXT_URI).first_party()) $($wait)*)
            }
        }
    }};
}

impl Errand {
    /// Those that ask the store for something.
    pub fn at_the_store() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|errand| !matches!(errand, Self::Deny | Self::Pkce))
    }

    /// Whether it is of a host that signs people in on a page of its own.
    #[must_use]
    pub const fn is_of_own_login(self) -> bool {
        matches!(self, Self::Approve | Self::Deny | Self::Pending)
    }

    /// Whether it changes nothing.
    #[must_use]
    pub const fn only_looks(self) -> bool {
        matches!(
            self,
            Self::CheckAccess
                | Self::CheckIn
                | Self::Deny
                | Self::GrantsOf
                | Self::GrantsOfClient
                | Self::Introspect
                | Self::Pending
                | Self::Pkce
                | Self::Record
                | Self::ResetLink
                | Self::SessionsOf
                | Self::StoredClient
                | Self::StoredClients
                | Self::StoredUser
                | Self::StoredUsers
        )
    }

    /// Runs it.
    pub fn run(self, server: &Server, kept: &Kept) -> Ended {
        run!(self, server, kept,)
    }

    /// Runs it at a server that is waited for.
    pub async fn run_async(self, server: &AsyncServer, kept: &Kept) -> Ended {
        run!(self, server, kept, .await)
    }
}
