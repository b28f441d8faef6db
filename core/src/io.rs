//! What a flow can do: ask, one thing at a time, and remember what happened.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::UnixTime;
use crate::config::Config;
use crate::entropy::{Entropy, Generator};
use crate::event::{Event, EventKind};
use crate::flow::{Answer, Ask, Mailbox};
use crate::keys::RingKey;
use crate::name::Names;
use crate::record::{Body, Fresh, Kind, Stored};
use crate::refusal::Refusal;
use crate::reply::{Reply, StoreCalls};
use crate::seal::{self, Unopened};
use crate::secret::Secret;
use crate::store::{Key, Owner, Query, Record, StoreError, Version, Write};
use crate::token::{Token, TokenKind};
use crate::user::{UserAnswer, UserQuestion};
use crate::work::{Job, Outcome, Task};

/// Attempts of a write that only ends something: it loses races only to writes that are bounded themselves.
const ENDING_ATTEMPTS: u32 = 16;

/// The world as one flow sees it.
pub(crate) struct Io {
    pub(crate) config: Arc<Config>,
    pub(crate) now: UnixTime,
    random: Generator,
    mailbox: Arc<Mailbox>,
    events: Vec<Event>,
    pub(crate) store_calls: StoreCalls,
    /// A put on a grant of this flow had an unknown outcome, so what the flow finds may be its own doing.
    unsure: bool,
    /// Whom the request came from, for limits by address.
    pub(crate) address: Option<IpAddr>,
    /// The `Origin` of the request, and whether the client that it concerns is called from there.
    pub(crate) origin: Option<String>,
    pub(crate) origin_allowed: bool,
    /// The languages that the visitor reads: what the client asked for, and what the browser says.
    pub(crate) ui_locales: Option<String>,
    pub(crate) accept_language: Option<String>,
    /// How long a visitor is to wait before trying again.
    pub(crate) wait: Option<Duration>,
    /// Where a page of an error may lead back to: the client's host and its address.
    pub(crate) back: Option<(String, String)>,
}

/// What became of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is in the store.
    Done,
    /// Another write came first, and this one can never land: read again, decide again.
    Lost,
}

/// All keys of a kind that carry a tag, page by page: however many there are, a flow holds one page of them.
pub(crate) struct Listing {
    next: Option<Query>,
    kind: Kind,
}

impl Listing {
    const PAGE: usize = 100;

    pub(crate) const fn new(owner: Owner, kind: Kind) -> Self {
        Self { next: Some(Query::new(owner, Self::PAGE)), kind }
    }
}

/// How often a flow may still lose a race.
pub(crate) struct Tries {
    normal: u32,
    ending: u32,
}

impl Tries {
    /// One more write that goes on with something.
    pub(crate) fn again(&mut self) -> Result<(), Refusal> {
        self.normal = self.normal.checked_sub(1).ok_or_else(busy)?;
        Ok(())
    }

    /// One more write that only ends something.
    pub(crate) fn again_to_end(&mut self) -> Result<(), Refusal> {
        self.ending = self.ending.checked_sub(1).ok_or_else(busy)?;
        Ok(())
    }
}

fn busy() -> Refusal {
    Refusal::unavailable("too many lost races on one record")
}

impl Io {
    pub(crate) fn new(config: Arc<Config>, now: UnixTime, entropy: &Entropy, mailbox: Arc<Mailbox>) -> Self {
        Self {
            config,
            now,
            random: entropy.expand(),
            mailbox,
            events: Vec::new(),
            store_calls: StoreCalls::default(),
            unsure: false,
            address: None,
            origin: None,
            origin_allowed: false,
            ui_locales: None,
            accept_language: None,
            wait: None,
            back: None,
        }
    }

    /// Ends the flow with this value and all that happened.
    pub(crate) fn done<T>(self, value: T) -> Reply<T> {
        Reply::new(value).with_events(self.events)
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(crate) fn names(&self) -> &Names {
        &self.config.names
    }

    pub(crate) fn tries(&self) -> Tries {
        Tries { normal: self.config.settings.store_attempts, ending: ENDING_ATTEMPTS }
    }

    pub(crate) fn is_unsure(&self) -> bool {
        self.unsure && !planted!(UnsureJudgesReplay)
    }

    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        self.random.bytes()
    }

    /// Names one error on a page and in the log.
    pub(crate) fn reference(&mut self) -> String {
        URL_SAFE_NO_PAD.encode(self.random::<6>())
    }

    pub(crate) fn primary(&self) -> Result<&RingKey, Refusal> {
        self.config.ring.primary().ok_or_else(|| Refusal::server_error("the key ring is empty"))
    }

    /// Random bytes for the first tokens of a grant.
    pub(crate) fn fresh<'a>(&mut self, key: &'a RingKey) -> Fresh<'a> {
        let (access, refresh) = (Zeroizing::new(self.random()), Zeroizing::new(self.random()));
        Fresh { key, access, refresh, seed: self.random() }
    }

    /// The token in `presented`, if it is one of this issuer and of this kind; the store is not asked.
    pub(crate) fn open_token(&self, presented: &Secret, kind: TokenKind) -> Option<Token> {
        self.open_any_token(presented).filter(|token| token.kind() == kind)
    }

    pub(crate) fn open_any_token(&self, presented: &Secret) -> Option<Token> {
        Token::open(presented, self.config.issuer(), &self.config.ring)
    }

    async fn ask(&mut self, ask: Ask) -> Answer {
        if matches!(ask, Ask::Delete(..) | Ask::Find(..) | Ask::Get(..) | Ask::Put(..)) {
            self.store_calls.one_more();
        }
        self.mailbox.ask(ask).await
    }

    fn failed(&mut self, error: StoreError) -> Refusal {
        self.event(Event::new(EventKind::StoreFailed).detail(&error.to_string()));
        Refusal::store_failed(error)
    }

    async fn get(&mut self, key: &Key) -> Result<Option<Record>, Refusal> {
        match self.ask(Ask::Get(key.clone())).await {
            Answer::Got(Ok(found)) => Ok(found),
            Answer::Got(Err(error)) => Err(self.failed(error)),
            _ => Err(declined()),
        }
    }

    /// Reads and opens a record.
    pub(crate) async fn load<B: Body>(&mut self, key: &Key) -> Result<Option<Stored<B>>, Refusal> {
        let Some(record) = self.get(key).await? else { return Ok(None) };
        self.open(key, &record).map(Some).map_err(|unopened| self.unopened(key, unopened))
    }

    /// Reads and opens a record that a tag led to. Tags in rows are an index of the store's: nothing, where the record
    /// itself does not carry the tag (design section 3).
    pub(crate) async fn load_tagged<B: Body>(&mut self, key: &Key, tag: &Owner) -> Result<Option<Stored<B>>, Refusal> {
        let found = self.load::<B>(key).await?;
        Ok(found.filter(|stored| stored.body.owners(self.names()).contains(tag)))
    }

    /// Reads and opens a record that goes with its key: under a key that was retired it counts as an empty one. What
    /// may be forgotten so is what a rotation resets (design section 6).
    pub(crate) async fn load_or_forget<B: Body + Default>(&mut self, key: &Key) -> Result<Option<Stored<B>>, Refusal> {
        let Some(record) = self.get(key).await? else { return Ok(None) };
        match self.open(key, &record) {
            Ok(stored) => Ok(Some(stored)),
            Err(Unopened::UnknownKey(id)) => {
                Ok(Some(Stored { key: key.clone(), version: *record.version(), sealed_under: id, body: B::default() }))
            }
            Err(unopened) => Err(self.unopened(key, unopened)),
        }
    }

    fn open<B: Body>(&self, key: &Key, record: &Record) -> Result<Stored<B>, Unopened> {
        let (sealed_under, plain) = seal::open(&self.config.ring, key, record.version(), record.body())?;
        let body = minicbor::decode(&plain).map_err(|_| Unopened::Broken)?;
        Ok(Stored { key: key.clone(), version: *record.version(), sealed_under, body })
    }

    fn unopened(&mut self, key: &Key, why: Unopened) -> Refusal {
        match why {
            Unopened::UnknownKey(id) => {
                self.event(Event::new(EventKind::KeyUnknown).detail(&format!("key {id}, record {key}")));
                Refusal::unavailable(format!(
                    "a record is sealed under key {id}, which the ring does not hold; put the key back"
                ))
            }
            Unopened::Broken => {
                self.event(Event::new(EventKind::RecordBroken).detail(&format!("record {key}")));
                Refusal::server_error("a record does not open: moved, edited or damaged")
            }
        }
    }

    /// Writes a record whose key must not exist.
    pub(crate) async fn create<B: Body>(&mut self, key: Key, body: &B) -> Result<Written, Refusal> {
        self.write(key, None, body, false).await
    }

    /// Replaces a record that was read.
    pub(crate) async fn replace<B: Body>(&mut self, old: &Stored<B>, body: &B) -> Result<Written, Refusal> {
        let kept = old.body.expires_at() == body.expires_at() && body.keeps_owners(&old.body, self.names());
        self.write(old.key.clone(), Some(old.version), body, kept).await
    }

    /// Replaces a record that was read, or writes it where there was none.
    pub(crate) async fn upsert<B: Body>(
        &mut self,
        key: &Key,
        old: Option<&Stored<B>>,
        body: &B,
    ) -> Result<Written, Refusal> {
        match old {
            None => self.create(key.clone(), body).await,
            Some(old) => self.replace(old, body).await,
        }
    }

    /// Removes a record that was read.
    pub(crate) async fn delete<B>(&mut self, old: &Stored<B>) -> Result<Written, Refusal> {
        match self.ask(Ask::Delete(old.key.clone(), old.version)).await {
            Answer::Written(Ok(true)) => Ok(Written::Done),
            Answer::Written(Ok(false)) => Ok(Written::Lost),
            Answer::Written(Err(error)) => Err(self.failed(error)),
            _ => Err(declined()),
        }
    }

    async fn write<B: Body>(
        &mut self,
        key: Key,
        expect: Option<Version>,
        body: &B,
        kept: bool,
    ) -> Result<Written, Refusal> {
        let write = self.sealed(key, expect, body, kept)?;
        match self.ask(Ask::Put(Arc::clone(&write))).await {
            Answer::Written(Ok(true)) => Ok(Written::Done),
            Answer::Written(Ok(false)) if planted!(ConflictIgnored) => Ok(Written::Done),
            Answer::Written(Ok(false)) => Ok(Written::Lost),
            Answer::Written(Err(_)) if planted!(UnknownTakenForDone) => Ok(Written::Done),
            Answer::Written(Err(_)) if planted!(UnknownTakenForNotDone) => Ok(Written::Lost),
            Answer::Written(Err(error)) => {
                let refusal = self.failed(error);
                self.unsure |= B::KIND == Kind::Grant;
                Box::pin(self.settle(write, refusal)).await
            }
            _ => Err(declined()),
        }
    }

    fn sealed<B: Body>(
        &mut self,
        key: Key,
        expect: Option<Version>,
        body: &B,
        kept: bool,
    ) -> Result<Arc<Write>, Refusal> {
        let version = self.random.version();
        let sealed = seal::seal(&self.config.ring, &mut self.random, &key, &version, body);
        let sealed = sealed.ok_or_else(|| Refusal::server_error("a record cannot be sealed"))?;
        if sealed.len() > crate::store::MAX_BODY {
            return Err(Refusal::invalid_request("the record would be too large"));
        }
        Ok(Arc::new(Write {
            expect,
            version,
            body: sealed,
            expires_at: body.expires_at(),
            owners: body.owners(&self.config.names),
            index_kept: kept,
            key,
        }))
    }

    /// After an unknown outcome: the identical write again, then decided by what is found, never by hope (design
    /// section 3, invariant I17).
    async fn settle(&mut self, write: Arc<Write>, unknown: Refusal) -> Result<Written, Refusal> {
        match self.ask(Ask::Put(Arc::clone(&write))).await {
            Answer::Written(Ok(true)) => return Ok(Written::Done),
            Answer::Written(Ok(false)) => {}
            Answer::Written(Err(error)) => return Err(self.failed(error)),
            _ => return Err(unknown),
        }
        let found = self.get(&write.key).await?;
        match (found.map(|record| *record.version()), write.expect) {
            (Some(version), _) if version == write.version => Ok(Written::Done),
            // The condition holds still, or holds again: the first write may land later.
            (Some(version), Some(expected)) if version == expected => Err(unknown),
            (None, None) => Err(unknown),
            (Some(_), _) | (None, Some(_)) => Ok(Written::Lost),
        }
    }

    /// One page of the keys that carry a tag.
    pub(crate) async fn find(&mut self, query: Query) -> Result<Vec<Key>, Refusal> {
        match self.ask(Ask::Find(query)).await {
            Answer::Found(Ok(keys)) => Ok(keys),
            Answer::Found(Err(error)) => Err(self.failed(error)),
            _ => Err(declined()),
        }
    }

    /// The next page of a listing; nothing after its last one. A page may be empty.
    pub(crate) async fn turn(&mut self, listing: &mut Listing) -> Result<Option<Vec<Key>>, Refusal> {
        let Some(query) = listing.next.take() else { return Ok(None) };
        let owner = query.owner().clone();
        let page = self.find(query).await?;
        if page.len() >= Listing::PAGE {
            listing.next = page.last().map(|last| Query::new(owner, Listing::PAGE).after_key(last));
        }
        Ok(Some(page.into_iter().filter(|key| self.config.names.is_of_kind(key, listing.kind)).collect()))
    }

    pub(crate) async fn ask_user(&mut self, question: UserQuestion) -> Result<UserAnswer, Refusal> {
        match self.ask(Ask::User(question)).await {
            Answer::User(Ok(answer)) => Ok(answer),
            Answer::User(Err(error)) => Err(self.failed(error)),
            _ => Err(declined()),
        }
    }

    /// Has a job run where blocking is fine.
    pub(crate) async fn work(&mut self, task: Task) -> Result<Outcome, Refusal> {
        let flow = u64::from_be_bytes(self.random());
        match self.ask(Ask::Work(Job { flow, task })).await {
            Answer::Worked(worked) if worked.flow == flow => Ok(worked.outcome),
            _ => Err(Refusal::unavailable("the work queue is full")),
        }
    }

    /// Seconds as the client is told them.
    pub(crate) const fn lifetime(configured: Duration, own: Option<u64>) -> Duration {
        match own {
            Some(seconds) => Duration::from_secs(seconds),
            None => configured,
        }
    }
}

fn declined() -> Refusal {
    Refusal::unavailable("the driver does not know this step")
}
