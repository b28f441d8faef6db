//! A look inside: at sealed records, for tests of their format, and at comparisons of secrets, for measurements of how
//! long they take.

use crate::api::ClientCredentials;
use crate::client_auth::accepts;
use crate::entropy::Entropy;
use crate::pkce::{Challenge, Verdict};
use crate::record::{Body, ClientRecord, Consent, Grant, Kind, LimitSlot, OwnerRecord, Sentinel, Session, UserRecord};
use crate::seal;
use crate::secret::Secret;
use crate::server::Core;
use crate::store::{Key, Record, Version};
use crate::token::Token;

impl Core {
    /// The CBOR in a sealed record; nothing if it does not open.
    #[must_use]
    pub fn unsealed(&self, key: &Key, record: &Record) -> Option<Vec<u8>> {
        seal::open(&self.config.ring, key, record.version(), record.body()).ok().map(|(_, plain)| plain)
    }

    /// Seals CBOR as the record of this key and version.
    #[must_use]
    pub fn sealed(&self, key: &Key, version: Version, plain: &[u8], entropy: &Entropy) -> Option<Record> {
        let body = seal::seal_written(&self.config.ring, &mut entropy.expand(), key, &version, |body| {
            body.extend_from_slice(plain);
            Some(())
        })?;
        Some(Record::new(version, body))
    }

    /// The CBOR that is written today for a record that is read from `plain`; nothing if it cannot be read.
    #[must_use]
    pub fn rewritten(&self, key: &Key, plain: &[u8]) -> Option<Vec<u8>> {
        match Kind::ALL.into_iter().find(|kind| self.config.names.is_of_kind(key, *kind))? {
            Kind::Client => again::<ClientRecord>(plain),
            Kind::Consent => again::<Consent>(plain),
            Kind::Grant => again::<Grant>(plain),
            Kind::LimitSlot => again::<LimitSlot>(plain),
            Kind::Owner => again::<OwnerRecord>(plain),
            Kind::Sentinel => again::<Sentinel>(plain),
            Kind::Session => again::<Session>(plain),
            Kind::User => again::<UserRecord>(plain),
        }
    }
}

impl Core {
    /// Whether the keyed check of a code or token is right; no store is asked.
    #[must_use]
    pub fn made_token(&self, presented: &Secret) -> bool {
        Token::open(presented, self.config.issuer(), &self.config.ring).is_some()
    }

    /// Whether a configured client shows a secret that it is registered with.
    #[must_use]
    pub fn accepts(&self, client: &ClientCredentials) -> bool {
        let credentials = client.credentials();
        self.config.clients.get(&credentials.client_id).is_some_and(|client| accepts(client, credentials))
    }
}

/// Whether a verifier fits a challenge (RFC 7636 section 4.6).
#[must_use]
pub fn fits_challenge(challenge: &[u8; 32], verifier: &Secret) -> bool {
    Challenge::from_bytes(*challenge).verify(verifier) == Verdict::Match
}

fn again<B: Body>(plain: &[u8]) -> Option<Vec<u8>> {
    minicbor::to_vec(minicbor::decode::<B>(plain).ok()?).ok()
}
