//! A look inside sealed records, for tests of their format.

use crate::entropy::Entropy;
use crate::record::{Body, ClientRecord, Consent, Grant, Kind, LimitSlot, OwnerRecord, Sentinel, Session, UserRecord};
use crate::seal;
use crate::server::Core;
use crate::store::{Key, Record, Version};

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

fn again<B: Body>(plain: &[u8]) -> Option<Vec<u8>> {
    minicbor::to_vec(minicbor::decode::<B>(plain).ok()?).ok()
}
