//! What a client is told when it does not get what it asked for, and what only the log is told.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::endpoint::pages::Visitor;
use crate::store::StoreError;

/// What a page says beyond the status, where that does not tell enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageCause {
    /// The travelling request, or the link, is over.
    Expired,
    /// A form that is not ours.
    Forged,
    /// The browser's sign-in has ended while its user was at it.
    SignedOut,
    /// The request has been answered, and its code redeemed.
    Used,
}

/// The error codes of RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1, RFC 7009 section 2.2.1 and RFC 8707.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The owner or the server said no.
    AccessDenied,
    /// No page may be shown, and the user would have to be asked (OpenID Connect Core section 3.1.2.6).
    ConsentRequired,
    /// The presented token lacks a scope.
    InsufficientScope,
    /// Client authentication failed, or the client is unknown.
    InvalidClient,
    /// The code or refresh token is invalid, expired, revoked or of somebody else.
    InvalidGrant,
    /// The request is malformed.
    InvalidRequest,
    /// The scope is unknown, malformed or more than was granted.
    InvalidScope,
    /// The resource is unknown, malformed or more than was granted (RFC 8707 section 2).
    InvalidTarget,
    /// The presented access token is invalid.
    InvalidToken,
    /// No page may be shown, and the user would have to sign in (OpenID Connect Core section 3.1.2.6).
    LoginRequired,
    /// A bug or a broken record in the server.
    ServerError,
    /// The server cannot answer now.
    TemporarilyUnavailable,
    /// The client may not use this grant type.
    UnauthorizedClient,
    /// The grant type is unknown or switched off.
    UnsupportedGrantType,
    /// The response type is unknown.
    UnsupportedResponseType,
}

impl ErrorCode {
    /// The code as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::ConsentRequired => "consent_required",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidToken => "invalid_token",
            Self::LoginRequired => "login_required",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a refused client is asked to authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// `WWW-Authenticate: Basic` (RFC 6749 section 5.2).
    Basic,
    /// `WWW-Authenticate: Bearer` with the error (RFC 6750 section 3).
    Bearer,
    /// `WWW-Authenticate: Bearer` without an error: the request carried no token (RFC 6750 section 3.1).
    BearerMissing,
}

/// An answer other than success: a code, a status and a description for the client, a detail for the log alone.
///
/// The description is fixed text of the server; input never reaches it (RFC 6749 section 5.2 limits its characters).
pub struct Refusal {
    code: ErrorCode,
    status: StatusCode,
    description: &'static str,
    detail: Option<Cow<'static, str>>,
    cause: Option<StoreError>,
    retry_after: Option<Duration>,
    pub(crate) page: Option<PageCause>,
    pub(crate) visitor: Option<Box<Visitor>>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) required_scope: Option<String>,
}

impl Refusal {
    const fn new(code: ErrorCode, status: StatusCode, description: &'static str) -> Self {
        Self {
            code,
            status,
            description,
            detail: None,
            cause: None,
            retry_after: None,
            page: None,
            visitor: None,
            challenge: None,
            required_scope: None,
        }
    }

    pub(crate) const fn access_denied(description: &'static str) -> Self {
        Self::new(ErrorCode::AccessDenied, StatusCode::BAD_REQUEST, description)
    }

    /// The user would have to be asked, and no page may be shown.
    pub(crate) const fn consent_required() -> Self {
        Self::new(ErrorCode::ConsentRequired, StatusCode::BAD_REQUEST, "the user has to be asked")
    }

    /// The user would have to sign in, and no page may be shown.
    pub(crate) const fn login_required() -> Self {
        Self::new(ErrorCode::LoginRequired, StatusCode::BAD_REQUEST, "the user has to sign in")
    }

    /// A page that was open for too long.
    pub(crate) const fn expired() -> Self {
        let mut refusal = Self::new(ErrorCode::InvalidRequest, StatusCode::BAD_REQUEST, "the page has expired");
        refusal.page = Some(PageCause::Expired);
        refusal
    }

    /// A form that none of our pages made for this browser.
    pub(crate) fn forged(detail: &'static str) -> Self {
        let mut refusal =
            Self::new(ErrorCode::AccessDenied, StatusCode::FORBIDDEN, "the form was not made for this browser");
        refusal.page = Some(PageCause::Forged);
        refusal.detail(detail)
    }

    /// A sign-in that ended before its user was done.
    pub(crate) const fn signed_out() -> Self {
        let mut refusal =
            Self::new(ErrorCode::LoginRequired, StatusCode::BAD_REQUEST, "the user was signed out meanwhile");
        refusal.page = Some(PageCause::SignedOut);
        refusal
    }

    /// A request that was answered before, with a code that has been redeemed since.
    pub(crate) const fn used() -> Self {
        let mut refusal =
            Self::new(ErrorCode::InvalidRequest, StatusCode::BAD_REQUEST, "the request has been answered");
        refusal.page = Some(PageCause::Used);
        refusal
    }

    /// RFC 6749 section 5.2; every 401 says how to authenticate (RFC 9110 section 15.5.2).
    pub(crate) const fn invalid_client(description: &'static str) -> Self {
        let mut refusal = Self::new(ErrorCode::InvalidClient, StatusCode::UNAUTHORIZED, description);
        refusal.challenge = Some(Challenge::Basic);
        refusal
    }

    pub(crate) const fn invalid_grant(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidGrant, StatusCode::BAD_REQUEST, description)
    }

    pub(crate) const fn invalid_request(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, StatusCode::BAD_REQUEST, description)
    }

    pub(crate) const fn invalid_scope(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidScope, StatusCode::BAD_REQUEST, description)
    }

    pub(crate) const fn invalid_target(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidTarget, StatusCode::BAD_REQUEST, description)
    }

    pub(crate) const fn unauthorized_client(description: &'static str) -> Self {
        Self::new(ErrorCode::UnauthorizedClient, StatusCode::BAD_REQUEST, description)
    }

    pub(crate) const fn unsupported_grant_type(description: &'static str) -> Self {
        Self::new(ErrorCode::UnsupportedGrantType, StatusCode::BAD_REQUEST, description)
    }

    pub(crate) const fn unsupported_response_type(description: &'static str) -> Self {
        Self::new(ErrorCode::UnsupportedResponseType, StatusCode::BAD_REQUEST, description)
    }

    /// RFC 6750 section 3.1: the token is expired, revoked, malformed or not for this place.
    pub(crate) const fn invalid_token(description: &'static str) -> Self {
        let mut refusal = Self::new(ErrorCode::InvalidToken, StatusCode::UNAUTHORIZED, description);
        refusal.challenge = Some(Challenge::Bearer);
        refusal
    }

    /// RFC 6750 section 3.1: no error code is told to a request that carried no token.
    pub(crate) const fn missing_token() -> Self {
        let mut refusal =
            Self::new(ErrorCode::InvalidToken, StatusCode::UNAUTHORIZED, "the request carries no bearer token");
        refusal.challenge = Some(Challenge::BearerMissing);
        refusal
    }

    /// RFC 6750 section 3.1, with the scope that would do.
    pub(crate) fn insufficient_scope(required: String) -> Self {
        let mut refusal =
            Self::new(ErrorCode::InsufficientScope, StatusCode::FORBIDDEN, "the token lacks the required scope");
        refusal.challenge = Some(Challenge::Bearer);
        refusal.required_scope = Some(required);
        refusal
    }

    /// RFC 6750 section 3.1: the bearer header is malformed.
    pub(crate) const fn malformed_bearer(description: &'static str) -> Self {
        let mut refusal = Self::invalid_request(description);
        refusal.challenge = Some(Challenge::Bearer);
        refusal
    }

    pub(crate) const fn not_found() -> Self {
        Self::new(ErrorCode::InvalidRequest, StatusCode::NOT_FOUND, "there is no such endpoint")
    }

    pub(crate) const fn method_not_allowed() -> Self {
        Self::new(ErrorCode::InvalidRequest, StatusCode::METHOD_NOT_ALLOWED, "the endpoint does not take this method")
    }

    pub(crate) const fn too_large() -> Self {
        Self::new(ErrorCode::InvalidRequest, StatusCode::PAYLOAD_TOO_LARGE, "the request is too large")
    }

    /// A limit on attempts is used up.
    pub(crate) const fn too_many(description: &'static str, retry_after: Duration) -> Self {
        let mut refusal = Self::new(ErrorCode::TemporarilyUnavailable, StatusCode::TOO_MANY_REQUESTS, description);
        refusal.retry_after = Some(retry_after);
        refusal
    }

    /// A bug, or a record that is broken: never the client's fault, and nothing it could mend.
    pub(crate) fn server_error(detail: &'static str) -> Self {
        Self::new(ErrorCode::ServerError, StatusCode::INTERNAL_SERVER_ERROR, "the server failed").detail(detail)
    }

    /// The store, the host or the work queue cannot answer now; nothing is claimed, and a retry is safe.
    pub(crate) fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        let mut refusal = Self::new(
            ErrorCode::TemporarilyUnavailable,
            StatusCode::SERVICE_UNAVAILABLE,
            "the server cannot answer at the moment",
        );
        refusal.retry_after = Some(Duration::from_secs(1));
        refusal.detail(detail)
    }

    /// There are no random bytes, so no flow can begin: 500, nothing was asked and nothing stored. There is no other
    /// generator to fall back on, and no reason to think that a second later there would be bytes.
    #[must_use]
    pub fn no_entropy(cause: StoreError) -> Self {
        let mut refusal = Self::server_error("there are no random bytes");
        refusal.cause = Some(cause);
        refusal
    }

    /// One address makes more open reads than an honest client would.
    #[must_use]
    pub const fn too_many_reads(retry_after: Duration) -> Self {
        Self::too_many("too many requests from this address", retry_after)
    }

    /// The face could not read the request to its end.
    #[must_use]
    pub const fn unreadable() -> Self {
        Self::invalid_request("the request could not be read to its end")
    }

    pub(crate) fn store_failed(cause: StoreError) -> Self {
        let mut refusal = Self::unavailable("the store failed");
        refusal.cause = Some(cause);
        refusal
    }

    /// The same refusal, with a text for the log that the client never sees.
    pub(crate) fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub(crate) const fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same refusal without `Retry-After`: a retry of what may already be done is not invited.
    pub(crate) const fn without_retry(mut self) -> Self {
        self.retry_after = None;
        self
    }

    /// The error code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// What the client may read.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// What only the log may say; it never holds a secret.
    #[must_use]
    pub fn private_detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// The host's own error, if a store or a callback failed.
    #[must_use]
    pub const fn cause(&self) -> Option<&StoreError> {
        self.cause.as_ref()
    }

    /// Takes the host's own error out.
    #[must_use]
    pub fn into_cause(self) -> Option<StoreError> {
        self.cause
    }

    /// The same in whole minutes, as people are told it.
    pub(crate) const fn minutes_to_wait(&self) -> u64 {
        match self.retry_after {
            None => 1,
            Some(wait) => wait.as_secs().div_ceil(60),
        }
    }

    /// How long to wait before a retry makes sense.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("code", &self.code)
            .field("status", &self.status.as_u16())
            .field("description", &self.description)
            .field("detail", &self.detail)
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.description)
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}
