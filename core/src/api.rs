//! The typed calls beneath the HTTP face, for hosts that route for themselves. Same names in every language.

use crate::access::{self, AccessToken, Requirement};
use crate::client_auth::{Credentials, Way};
use crate::endpoint::challenge::{self, Pkce};
use crate::endpoint::introspect::{self, Introspection};
use crate::endpoint::revoke;
use crate::endpoint::token::{self, Redeem, Refresh};
use crate::entropy::Entropy;
use crate::grants::GrantSummary;
use crate::record::{GrantType, Kind};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::scope::Scope;
use crate::secret::Secret;
use crate::server::Core;
use crate::step::Step;
use crate::tokens::Tokens;
use crate::{UnixTime, record};

/// The client that a typed call is made for, with its secret if it has one.
#[derive(Debug)]
pub struct ClientCredentials(Credentials);

impl ClientCredentials {
    /// A public client.
    #[must_use]
    pub fn public(client_id: impl Into<String>) -> Self {
        Self(Credentials { client_id: client_id.into(), secret: None })
    }

    /// A client with its secret, however it was presented.
    #[must_use]
    pub fn secret(client_id: impl Into<String>, client_secret: Secret) -> Self {
        Self(Credentials { client_id: client_id.into(), secret: Some((Way::Call, client_secret)) })
    }

    #[cfg(feature = "testing")]
    pub(crate) const fn credentials(&self) -> &Credentials {
        &self.0
    }
}

/// What a client presents to redeem a code.
#[derive(Debug)]
pub struct CodeExchange {
    code: Secret,
    redirect_uri: Option<String>,
    code_verifier: Option<Secret>,
}

impl CodeExchange {
    /// A code with its verifier (RFC 7636 section 4.5).
    #[must_use]
    pub const fn new(code: Secret, code_verifier: Secret) -> Self {
        Self { code, redirect_uri: None, code_verifier: Some(code_verifier) }
    }

    /// The redirect URI of the authorization request, if that named one (RFC 6749 section 4.1.3).
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }
}

/// The end of a typed call.
type Called<T> = Step<Result<T, Refusal>>;

impl Core {
    /// Code for tokens (RFC 6749 section 4.1.3).
    pub fn redeem(
        &self,
        client: ClientCredentials,
        exchange: CodeExchange,
        now: UnixTime,
        entropy: Entropy,
    ) -> Called<Tokens> {
        self.call(now, entropy, move |mut io| async move {
            let call = async {
                let client = io.authenticate(&client.0).await?;
                if !client.may_use(GrantType::AuthorizationCode) {
                    return Err(Refusal::unauthorized_client("the client may not use this grant type"));
                }
                let CodeExchange { code, redirect_uri, code_verifier: verifier } = exchange;
                let resources = Vec::new();
                token::redeem(&mut io, &client, Redeem { code, redirect_uri, verifier, resources }).await
            };
            let outcome = call.await;
            io.done(outcome)
        })
    }

    /// A new access token for a refresh token (RFC 6749 section 6); `scope` narrows it.
    pub fn refresh(
        &self,
        client: ClientCredentials,
        refresh_token: Secret,
        scope: Option<Scope>,
        now: UnixTime,
        entropy: Entropy,
    ) -> Called<Tokens> {
        self.call(now, entropy, move |mut io| async move {
            let call = async {
                let client = io.authenticate(&client.0).await?;
                if !client.may_use(GrantType::RefreshToken) {
                    return Err(Refusal::unauthorized_client("the client may not use this grant type"));
                }
                token::refresh(&mut io, &client, Refresh::new(refresh_token, scope, Vec::new())).await
            };
            let outcome = call.await;
            io.done(outcome)
        })
    }

    /// Revokes a token of the client (RFC 7009); a foreign or unknown one without effect.
    pub fn revoke(&self, client: ClientCredentials, token: Secret, now: UnixTime, entropy: Entropy) -> Called<()> {
        self.call(now, entropy, move |mut io| async move {
            let call = async {
                let client = io.authenticate(&client.0).await?;
                revoke::revoke_token(&mut io, &client, &token).await
            };
            let outcome = call.await;
            io.done(outcome)
        })
    }

    /// What a token is good for, as told to this client (RFC 7662).
    pub fn introspect(
        &self,
        client: ClientCredentials,
        token: Secret,
        now: UnixTime,
        entropy: Entropy,
    ) -> Called<Introspection> {
        self.call(now, entropy, move |mut io| async move {
            let call = async {
                let client = io.authenticate(&client.0).await?;
                introspect::introspect_token(&mut io, &client, &token).await
            };
            let outcome = call.await;
            io.done(outcome)
        })
    }

    /// Guards an API of the host: checks the bearer token of a request to it (RFC 6750), by one get.
    pub fn check_access(
        &self,
        request: Request,
        requirement: Requirement,
        now: UnixTime,
        entropy: Entropy,
    ) -> Called<AccessToken> {
        self.call(now, entropy, move |mut io| async move {
            let outcome = access::check_access(&mut io, &request, &requirement).await;
            io.done(outcome)
        })
    }

    /// A PKCE pair and a state, for clients that cannot make their own.
    pub fn pkce(&self, now: UnixTime, entropy: Entropy) -> Called<Pkce> {
        self.call(now, entropy, |mut io| async move {
            let pair = challenge::make(&mut io);
            io.done(Ok(pair))
        })
    }

    /// The usable grants of a user.
    pub fn grants_of(&self, subject: impl Into<String>, now: UnixTime, entropy: Entropy) -> Called<Vec<GrantSummary>> {
        let subject = subject.into();
        self.call(now, entropy, move |mut io| async move {
            let tag = io.names().user_tag(&subject);
            let outcome = io.grants(tag).await;
            io.done(outcome)
        })
    }

    /// The usable grants of a client.
    pub fn grants_of_client(
        &self,
        client_id: impl Into<String>,
        now: UnixTime,
        entropy: Entropy,
    ) -> Called<Vec<GrantSummary>> {
        let client_id = client_id.into();
        self.call(now, entropy, move |mut io| async move {
            let tag = io.names().client_tag(&client_id);
            let outcome = io.grants(tag).await;
            io.done(outcome)
        })
    }

    /// Revokes one grant by its identifier; whether there was one to revoke.
    pub fn revoke_grant(&self, grant_id: &str, now: UnixTime, entropy: Entropy) -> Called<bool> {
        let id = record::parse_grant_id(grant_id);
        self.call(now, entropy, move |mut io| async move {
            let outcome = match id {
                None => Ok(false),
                Some(id) => {
                    let key = io.names().key(Kind::Grant, &id);
                    io.revoke_key(&key).await
                }
            };
            io.done(outcome)
        })
    }

    /// Signs a user out everywhere: every grant, those under way included. Returns how many were revoked.
    pub fn revoke_all(&self, subject: impl Into<String>, now: UnixTime, entropy: Entropy) -> Called<usize> {
        let subject = subject.into();
        self.call(now, entropy, move |mut io| async move {
            let outcome = io.sign_out_user(&subject).await;
            io.done(outcome)
        })
    }

    /// Ends every grant of a client, those under way included. Returns how many were revoked.
    pub fn revoke_client(&self, client_id: impl Into<String>, now: UnixTime, entropy: Entropy) -> Called<usize> {
        let client_id = client_id.into();
        self.call(now, entropy, move |mut io| async move {
            let outcome = io.sign_out_client(&client_id).await;
            io.done(outcome)
        })
    }
}
