//! A look at one record, for operators: opened, and without its secrets.

use serde::Serialize;
use serde_json::Value;

use crate::UnixTime;
use crate::entropy::Entropy;
use crate::io::Io;
use crate::record::{
    Body, ClientRecord, Consent, Grant, Kind, LimitSlot, OwnerRecord, Sentinel, Session, UserRecord, parse_grant_id,
};
use crate::refusal::Refusal;
use crate::server::Core;
use crate::step::Step;
use crate::store::Key;

/// A record as an operator sees it.
#[derive(Clone, Debug, Serialize)]
pub struct RecordView {
    key: String,
    kind: &'static str,
    version: String,
    /// The ring key that it is sealed under.
    sealed_under: String,
    /// When a sweep may drop it, in seconds since 1970.
    expires_at: u64,
    owners: Vec<String>,
    body: Value,
}

impl RecordView {
    /// Where it lives in the store.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What it is: `client`, `consent`, `grant`, `limit slot`, `owner`, `sentinel`, `session` or `user`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// What it says.
    #[must_use]
    pub const fn body(&self) -> &Value {
        &self.body
    }
}

impl Core {
    /// The record of a name: its key in the store, or `client:ID`, `grant:ID` or `user:NAME`.
    pub fn record(
        &self,
        name: impl Into<String>,
        now: UnixTime,
        entropy: Entropy,
    ) -> Step<Result<Option<RecordView>, Refusal>> {
        let name = name.into();
        self.call(now, entropy, move |mut io| async move {
            let outcome = io.look_at(&name).await;
            io.done(outcome)
        })
    }
}

impl Io {
    async fn look_at(&mut self, name: &str) -> Result<Option<RecordView>, Refusal> {
        let Some(key) = self.named(name) else { return Ok(None) };
        let Some(kind) = Kind::ALL.into_iter().find(|kind| self.names().is_of_kind(&key, *kind)) else {
            return Ok(None);
        };
        match kind {
            Kind::Client => self.view::<ClientRecord>(&key).await,
            Kind::Consent => self.view::<Consent>(&key).await,
            Kind::Grant => self.view::<Grant>(&key).await,
            Kind::LimitSlot => self.view::<LimitSlot>(&key).await,
            Kind::Owner => self.view::<OwnerRecord>(&key).await,
            Kind::Sentinel => self.view::<Sentinel>(&key).await,
            Kind::Session => self.view::<Session>(&key).await,
            Kind::User => self.view::<UserRecord>(&key).await,
        }
    }

    fn named(&self, name: &str) -> Option<Key> {
        match name.split_once(':') {
            Some(("client", id)) => Some(self.names().key(Kind::Client, id.as_bytes())),
            Some(("grant", id)) => Some(self.names().key(Kind::Grant, &parse_grant_id(id)?)),
            Some(("user", name)) => Some(self.user_key(name)),
            _ => Key::parse(name).ok(),
        }
    }

    async fn view<B: Body>(&mut self, key: &Key) -> Result<Option<RecordView>, Refusal> {
        let found = self.load::<B>(key).await?;
        Ok(found.map(|stored| RecordView {
            key: key.as_str().to_owned(),
            kind: B::KIND.as_str(),
            version: stored.version.as_str().to_owned(),
            sealed_under: stored.sealed_under.to_string(),
            expires_at: stored.body.expires_at().seconds(),
            owners: stored.body.owners(self.names()).iter().map(|owner| owner.as_str().to_owned()).collect(),
            body: stored.body.shown(),
        }))
    }
}
