//! The typed calls of both servers, written once: the names are the same in every language.

use proofkey_core::{
    AccessToken, AdminError, Authentication, Client, ClientCredentials, CodeExchange, GrantSummary, Introspection,
    KeyId, Pending, Pkce, RecordView, Refusal, Request, Requirement, Response, Scope, Secret, SessionSummary, Tokens,
    User, UserChange, UserSummary,
};

#[cfg(feature = "tokio")]
use crate::async_server::{AsyncServer, Patience};
use crate::server::Server;

macro_rules! calls {
    ($patience:ident, $error:ty, $finish:expr; $($(#[$doc:meta])+ $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)+) => {
        impl Server {
            $($(#[$doc])+
            pub fn $name(&self, $($argument: $kind),*) -> Result<$answer, $error> {
                $finish(self.call(|core, now, entropy| core.$name($($argument,)* now, entropy)))
            })+
        }

        #[cfg(feature = "tokio")]
        impl AsyncServer {
            $($(#[$doc])+
            pub async fn $name(&self, $($argument: $kind),*) -> Result<$answer, $error> {
                let call = self.call(Patience::$patience, |core, now, entropy| core.$name($($argument,)* now, entropy));
                $finish(call.await)
            })+
        }
    };
}

/// Operators' calls tell what the operator can mend from what the store did.
fn flatten<T>(outcome: Result<Result<T, AdminError>, Refusal>) -> Result<T, AdminError> {
    outcome?
}

calls! {
    Client, Refusal, std::convert::identity;

    /// Code for tokens (RFC 6749 section 4.1.3).
    ///
    /// # Errors
    /// [`Refusal`]: for the client, or the store failed.
    redeem(client: ClientCredentials, exchange: CodeExchange) -> Tokens;

    /// A new access token for a refresh token (RFC 6749 section 6); `scope` narrows it.
    ///
    /// # Errors
    /// [`Refusal`]: for the client, or the store failed.
    refresh(client: ClientCredentials, refresh_token: Secret, scope: Option<Scope>) -> Tokens;

    /// Revokes a token of the client (RFC 7009); a foreign or unknown one without effect.
    ///
    /// # Errors
    /// [`Refusal`]: the client is not who it says it is, or the store failed.
    revoke(client: ClientCredentials, token: Secret) -> ();

    /// What a token is good for, as told to this client (RFC 7662).
    ///
    /// # Errors
    /// [`Refusal`]: the client may not ask, or the store failed.
    introspect(client: ClientCredentials, token: Secret) -> Introspection;

    /// Guards an API of the host: checks the bearer token of a request to it (RFC 6750), by one store call.
    ///
    /// # Errors
    /// [`Refusal`]: `refused` makes a response of it.
    check_access(request: Request, requirement: Requirement) -> AccessToken;

    /// What the browser is on its way with that comes to the host's own login page; see
    /// [`Pending`](proofkey_core::Pending).
    ///
    /// # Errors
    /// [`Refusal`]: another browser began it, it is over, or the store failed; `refused_page` shows it to the visitor.
    pending(request: Request) -> Pending;

    /// Goes on with the user whom the host signed in. The response is for the browser, whatever it came to.
    ///
    /// # Errors
    /// [`Refusal`]: the system gives no random bytes, or the server is too slow.
    approve(pending: Pending, authentication: Authentication) -> Response;

    /// Sends the browser back to the client: nobody was signed in.
    ///
    /// # Errors
    /// As [`Self::approve`].
    deny(pending: Pending) -> Response;

    /// A PKCE pair and a state, for clients that cannot make their own.
    ///
    /// # Errors
    /// [`Refusal`]: the system gives no random bytes.
    pkce() -> Pkce;
}

calls! {
    Host, Refusal, std::convert::identity;

    /// Shows that the store answers and holds nothing under unknown keys; to be called once when a service starts.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed, or the keys are not those that it was written with.
    check_in() -> ();

    /// The usable grants of a user.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed.
    grants_of(subject: &str) -> Vec<GrantSummary>;

    /// The usable grants of a client.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed.
    grants_of_client(client_id: &str) -> Vec<GrantSummary>;

    /// Revokes one grant by its identifier; whether there was one to revoke.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed.
    revoke_grant(grant_id: &str) -> bool;

    /// Signs a user out everywhere, whatever is under way included. Returns how many grants were revoked.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed; a repetition goes on.
    revoke_all(subject: &str) -> usize;

    /// Ends every grant of a client, whatever is under way included. Returns how many.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed; a repetition goes on.
    revoke_client(client_id: &str) -> usize;

    /// Where a user is signed in.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed.
    sessions_of(subject: &str) -> Vec<SessionSummary>;

    /// Ends one of a user's sign-ins, and the grants that end with it; whether there was one to end.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed.
    end_session(subject: &str, id: &str) -> bool;

    /// Takes back what a client has of a user: the consent, and every grant, whatever is under way included. Returns how
    /// many grants were revoked.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed; a repetition goes on.
    revoke_access(subject: &str, client_id: &str) -> usize;

    /// The stored client of this identifier.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed.
    stored_client(client_id: &str) -> Option<Client>;

    /// All stored clients.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed.
    stored_clients() -> Vec<Client>;

    /// A look at one record, without its secrets: by its key in the store, or as `client:ID`, `grant:ID`, `user:NAME`.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed, or the record does not open.
    record(name: &str) -> Option<RecordView>;

    /// The user of this name in the built-in store.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed.
    stored_user(username: &str) -> Option<UserSummary>;

    /// All users of the built-in store.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed.
    stored_users() -> Vec<UserSummary>;

    /// Forgets the failed attempts at the password of this name, whoever has it: a lock-out ends. Limits by address
    /// stay.
    ///
    /// # Errors
    /// [`Refusal`]: the store failed.
    unlock_user(username: &str) -> ();

    /// A link with which the user of this name sets a new password, once, within an hour; nothing if there is no such
    /// user, or one who may not sign in. Whoever has the link has the account: it goes to that user alone.
    ///
    /// # Errors
    /// [`Refusal`]: the page is off, or the store failed.
    reset_link(username: &str) -> Option<Secret>;
}

calls! {
    Host, AdminError, flatten;

    /// Registers a client in the store.
    ///
    /// # Errors
    /// [`AdminError`]: it exists, is misregistered, or the store failed.
    create_client(client: Client) -> ();

    /// Replaces the registration of a stored client.
    ///
    /// # Errors
    /// [`AdminError`]: there is none, it is misregistered or of another type, or the store failed.
    update_client(client: Client) -> ();

    /// Deletes a stored client and ends its grants; returns how many.
    ///
    /// # Errors
    /// [`AdminError`]: there is none, or the store failed.
    delete_client(client_id: &str) -> usize;

    /// Creates a user of the built-in store, with a password and claims. Returns the new subject.
    ///
    /// # Errors
    /// [`AdminError`]: the name is taken, the password cannot be set, or the store failed.
    create_user(user: User, password: Secret) -> String;

    /// Changes a user of the built-in store.
    ///
    /// # Errors
    /// [`AdminError`]: there is none, the password cannot be set, or the store failed.
    change_user(username: &str, change: UserChange) -> ();

    /// Deletes a user of the built-in store and ends every grant; returns how many.
    ///
    /// # Errors
    /// [`AdminError`]: there is none, or the store failed.
    delete_user(username: &str) -> usize;

    /// Makes a key of the ring removable: seals again what never expires.
    ///
    /// # Errors
    /// [`AdminError::KeyInUse`] while a grant that was made under it may live; or the store failed.
    retire_key(key: KeyId) -> ();
}
