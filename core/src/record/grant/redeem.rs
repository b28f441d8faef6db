//! Code for tokens: RFC 6749 section 4.1.3, RFC 7636 section 4.6.

use super::{Binding, Fresh, Grant, Issued, Live, State, Terms, same, terms};
use crate::UnixTime;
use crate::pkce::{Challenge, Verdict};
use crate::refusal::Refusal;
use crate::secret::{Secret, SecretDigest};

/// A client's attempt to redeem a code, after its authentication.
pub(crate) struct Redeem<'a> {
    pub(crate) code: SecretDigest,
    pub(crate) client_id: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: Option<&'a Secret>,
    /// The audience that the access token is to have, within that of the grant (RFC 8707 section 2.2).
    pub(crate) resources: &'a [String],
    /// RFC 6749 clients repeat the redirect URI that they sent; those registered for OAuth 2.1 need not.
    pub(crate) oauth21: bool,
}

/// What becomes of the attempt.
#[derive(Debug)]
pub(crate) enum Redemption {
    /// Refused; nothing changes.
    Deny(Refusal),
    /// The code was spent before and everything else is right: the grant is to be revoked.
    Replay(Grant),
    /// The code is spent and its tokens are born.
    Spend(Grant, Issued),
}

const INVALID: &str = "the code is invalid, expired or was used";

impl Grant {
    /// Decides a redemption.
    pub(crate) fn redeem(&self, attempt: &Redeem<'_>, terms: &Terms, fresh: &Fresh<'_>, now: UnixTime) -> Redemption {
        let deny = |detail| Redemption::Deny(Refusal::invalid_grant(INVALID).detail(detail));
        match &self.state {
            State::Issued { binding, code_expires_at } => match self.check(binding, attempt) {
                Err(refusal) if planted!(WrongVerifierBurnsCode) => {
                    self.revoke(now).map_or(Redemption::Deny(refusal), Redemption::Replay)
                }
                Err(refusal) => Redemption::Deny(refusal),
                Ok(_) if *code_expires_at <= now.seconds() && !planted!(ExpiredCodeAccepted) => {
                    deny("the code has expired")
                }
                Ok(resources) => {
                    let mut live = Live {
                        spent: Some(binding.clone()),
                        generation: 0,
                        refresh: None,
                        turns: Vec::new(),
                        access: Vec::new(),
                    };
                    let issued = terms::issue_first(&self.approval, &mut live, terms, fresh, resources, now);
                    Redemption::Spend(Self { approval: self.approval.clone(), state: State::Live(live) }, issued)
                }
            },
            State::Live(Live { spent: Some(binding), .. }) => match self.check(binding, attempt) {
                Err(refusal) => Redemption::Deny(refusal),
                Ok(_) if planted!(CodeReplayDoesNotRevoke) => deny("the code was used"),
                Ok(_) => match self.revoke(now) {
                    Some(revoked) => Redemption::Replay(revoked),
                    None => deny("the grant is revoked"),
                },
            },
            State::Live(Live { spent: None, .. }) => deny("the grant has no code"),
            State::Revoked { .. } => deny("the grant is revoked"),
        }
    }

    /// Code, client, redirect URI, verifier and resource, in this order; a failure of any changes nothing (invariant
    /// I2). Answers the audience of the access token.
    fn check(&self, binding: &Binding, attempt: &Redeem<'_>) -> Result<Vec<String>, Refusal> {
        let invalid = |detail| Refusal::invalid_grant(INVALID).detail(detail);
        if !same(&binding.code, &attempt.code) {
            return Err(invalid("the code is not the one of this grant"));
        }
        if self.approval.client_id != attempt.client_id && !planted!(CodeForAnotherClient) {
            return Err(invalid("the code was issued to another client"));
        }
        match attempt.redirect_uri {
            Some(uri) if uri != binding.redirect_uri => {
                return Err(Refusal::invalid_grant("redirect_uri is not the one of the authorization request"));
            }
            None if binding.redirect_uri_sent && !attempt.oauth21 => {
                return Err(Refusal::invalid_grant("redirect_uri is missing, and the authorization request had one"));
            }
            _ => {}
        }
        let Some(verifier) = attempt.verifier else {
            return Err(Refusal::invalid_grant("code_verifier is missing"));
        };
        match Challenge::from_bytes(*binding.challenge).verify(verifier) {
            Verdict::Match => self.audience(attempt.resources),
            Verdict::Mismatch if planted!(VerifierIgnored) => self.audience(attempt.resources),
            Verdict::Malformed => Err(Refusal::invalid_grant("code_verifier must be 43 to 128 unreserved characters")),
            Verdict::Mismatch => Err(Refusal::invalid_grant("code_verifier does not match the code_challenge")),
        }
    }
}
