//! What happened in a flow, for the host's log, metrics and audit.

use std::fmt;
use std::sync::Arc;

use crate::secret::Secret;

macro_rules! kinds {
    ($($variant:ident = $name:literal, $doc:literal;)+) => {
        /// The kind of an [`Event`]. New kinds are added; none is renamed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum EventKind { $(#[doc = $doc] $variant,)+ }

        impl EventKind {
            /// The name of the kind in logs and metrics.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

kinds! {
    AccessRevoked = "access_revoked", "One access token was revoked by its client.";
    AccessWithdrawn = "access_withdrawn", "A user took a client's access back: its grants were revoked.";
    ChallengeReused = "challenge_reused", "A client sent a code challenge that it had sent before.";
    ClientChanged = "client_changed", "A stored client was created, changed or deleted.";
    ClientRefused = "client_refused", "Client authentication failed.";
    CodeIssued = "code_issued", "An authorization code was issued.";
    CodeRedeemed = "code_redeemed", "A code was exchanged for tokens.";
    CodeReplayed = "code_replayed", "A redeemed code was presented again: the grant was revoked.";
    ConsentDenied = "consent_denied", "A user refused what a client asked for.";
    ConsentGiven = "consent_given", "A user agreed to what a client asked for.";
    FormForged = "form_forged", "A form came from elsewhere than our own page in the same browser.";
    GrantDismissed = "grant_dismissed", "The user of a grant was dismissed: the grant was revoked at its refresh.";
    GrantRevoked = "grant_revoked", "A grant was revoked.";
    HashMalformed = "hash_malformed", "A user's stored password hash cannot be read.";
    HashReplaced = "hash_replaced", "A user's password hash was replaced by one of the configured cost.";
    KeyUnknown = "key_unknown", "A record is sealed under a key that the ring does not hold.";
    LimitReached = "limit_reached", "Too many failed attempts.";
    LimitsLifted = "limits_lifted", "The failed attempts at the password of a name were forgotten.";
    LoginFailed = "login_failed", "A name and password did not fit.";
    LoginSucceeded = "login_succeeded", "A user signed in.";
    OwnerSignedOut = "owner_signed_out", "All grants of a user or a client were revoked.";
    PasswordChanged = "password_changed", "A user changed the password, or set one by a link.";
    RecordBroken = "record_broken", "A record does not open: moved, edited or damaged.";
    RefreshRepeated = "refresh_repeated", "A refresh was repeated within the leeway and got the same tokens.";
    RefreshReplayed = "refresh_replayed", "A rotated refresh token was presented again: the grant was revoked.";
    RefreshStale = "refresh_stale", "A refresh token rotated moments ago was presented again: refused, not a theft.";
    Refused = "refused", "A request was refused.";
    Refreshed = "refreshed", "A refresh token was rotated.";
    ResetAsked = "reset_asked", "Somebody asked for a link that sets a user's password: the host sends it to that user.";
    SessionEnded = "session_ended", "A browser's sign-in was ended.";
    SessionStarted = "session_started", "A browser was signed in.";
    StoreFailed = "store_failed", "The store, or the host, could not answer.";
    StoreRolledBack = "store_rolled_back", "A token is newer than its record: the store lost writes.";
    TokenIssued = "token_issued", "A client got a token for itself.";
    UserChanged = "user_changed", "A stored user was created, changed or deleted.";
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that happened, in words that may be logged: identifiers, never secrets. One kind carries a secret for the
/// host beside them, [`Event::reset_link`]; `Debug` prints it no more than any [`Secret`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    kind: EventKind,
    client_id: Option<String>,
    subject: Option<String>,
    grant: Option<String>,
    detail: Option<String>,
    link: Option<Link>,
}

/// A link that the host delivers: no part of what may be logged.
#[derive(Clone, Debug)]
struct Link(Arc<Secret>);

impl PartialEq for Link {
    fn eq(&self, other: &Self) -> bool {
        self.0.matches(&other.0)
    }
}

impl Eq for Link {}

impl Event {
    pub(crate) const fn new(kind: EventKind) -> Self {
        Self { kind, client_id: None, subject: None, grant: None, detail: None, link: None }
    }

    pub(crate) fn client(mut self, client_id: &str) -> Self {
        self.client_id = Some(printable(client_id));
        self
    }

    pub(crate) fn client_if(self, client_id: Option<&str>) -> Self {
        match client_id {
            None => self,
            Some(client_id) => self.client(client_id),
        }
    }

    pub(crate) fn subject(mut self, subject: Option<&str>) -> Self {
        self.subject = subject.map(printable);
        self
    }

    pub(crate) fn grant(mut self, grant: String) -> Self {
        self.grant = Some(grant);
        self
    }

    pub(crate) fn detail(mut self, detail: &str) -> Self {
        self.detail = Some(printable(detail));
        self
    }

    pub(crate) fn link(mut self, link: Secret) -> Self {
        self.link = Some(Link(Arc::new(link)));
        self
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        self.kind
    }

    /// The client concerned.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// The user concerned.
    #[must_use]
    pub fn concerned_subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The identifier of the grant concerned.
    #[must_use]
    pub fn grant_id(&self) -> Option<&str> {
        self.grant.as_deref()
    }

    /// More for the log.
    #[must_use]
    pub fn private_detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// The link that sets a new password, with a [`EventKind::ResetAsked`]: to be sent to the user concerned, and to
    /// nobody and nowhere else. Whoever has it sets the password, once, within an hour. Events are told before the
    /// answer goes out: a host that sends it then and there tells, by the time it takes, who has an account.
    #[must_use]
    pub fn reset_link(&self) -> Option<&Secret> {
        self.link.as_ref().map(|link| link.0.as_ref())
    }
}

/// Input that is logged cannot forge a line: control characters become `?`, and 255 characters are enough.
fn printable(text: &str) -> String {
    if text.len() <= 255 && !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).take(255).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_in_an_event_cannot_forge_a_log_line() {
        let event = Event::new(EventKind::ClientRefused).client("crm\r\nroot: signed in");
        assert_eq!(event.client_id(), Some("crm??root: signed in"));
    }

    #[test]
    fn an_event_prints_nothing_of_the_link_that_it_carries() {
        let event = Event::new(EventKind::ResetAsked).link(Secret::from("https://as.example/reset?token=abc"));
        assert_eq!(event.reset_link().and_then(Secret::expose_text), Some("https://as.example/reset?token=abc"));
        assert!(!format!("{event:?}").contains("abc"));
        assert_eq!(event, event.clone());
        assert_ne!(event, Event::new(EventKind::ResetAsked).link(Secret::from("another")));
    }
}
