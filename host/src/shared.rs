//! What both servers are made of: the core, and the parts of the world that it is driven with.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use proofkey_core::{Config, Core, Entropy, Event, KeyError, Refusal, Reply, Request, Step, StoreError, UnixTime};

use crate::clock::Clock;
use crate::entropy::EntropySource;
use crate::keys::Keys;
use crate::reads::OpenReads;
use crate::work::WorkQueue;

/// Writes between two sweeps, and rows a sweep.
const WRITES_A_SWEEP: u64 = 256;
pub(crate) const ROWS_A_SWEEP: usize = 64;

pub(crate) type OnEvent = Arc<dyn Fn(&Event) + Send + Sync>;

pub(crate) struct Shared {
    core: RwLock<Core>,
    pub(crate) clock: Arc<dyn Clock>,
    entropy: EntropySource,
    on_event: Option<OnEvent>,
    pub(crate) queue: WorkQueue,
    reads: OpenReads,
    writes: AtomicU64,
    sweeps: bool,
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: EntropySource,
        on_event: Option<OnEvent>,
    ) -> Self {
        let settings = config.settings();
        Self {
            queue: WorkQueue::new(settings.work_limit(), settings.flow_deadline()),
            sweeps: settings.sweeps(),
            core: RwLock::new(Core::new(config)),
            reads: OpenReads::default(),
            clock,
            entropy,
            on_event,
            writes: AtomicU64::new(0),
        }
    }

    /// The core that is in force now; a flow keeps the one that it began with.
    pub(crate) fn core(&self) -> Core {
        self.core.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts the flow of a request, unless the process refuses it at once.
    pub(crate) fn begin(&self, request: http::Request<Bytes>, peer: Option<IpAddr>) -> Result<Step, Refusal> {
        let (core, now, entropy) = self.start()?;
        let request = Request::new(request, peer);
        Ok(match core.open_read(&request).and_then(|address| self.reads.refuse(address, now)) {
            Some(wait) => core.refuse(request, Refusal::too_many_reads(wait), now, entropy),
            None => core.begin(request, now, entropy),
        })
    }

    /// What a flow starts with.
    pub(crate) fn start(&self) -> Result<(Core, UnixTime, Entropy), Refusal> {
        let entropy = self.entropy.draw().map_err(|error| Refusal::no_entropy(StoreError::new(error)))?;
        Ok((self.core(), self.clock.now(), entropy))
    }

    /// Puts other keys in force for all flows that begin from now on.
    pub(crate) fn replace_keys(&self, keys: &Keys) -> Result<(), KeyError> {
        let ring = keys.ring()?;
        let mut core = self.core.write().unwrap_or_else(PoisonError::into_inner);
        let config = core.config().with_ring(ring);
        *core = Core::new(match keys.session_ring().transpose()? {
            None => config,
            Some(sessions) => config.with_session_keys(sessions),
        });
        Ok(())
    }

    /// Hands the events of a flow to the host.
    pub(crate) fn finish<T>(&self, reply: Reply<T>) -> T {
        let (value, events) = reply.into_parts();
        if let Some(on_event) = &self.on_event {
            for event in &events {
                on_event(event);
            }
        }
        value
    }

    /// Counts a write towards the next sweep.
    pub(crate) fn count_write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether enough was written for a sweep; the caller who is told so does it.
    pub(crate) fn sweep_is_due(&self) -> bool {
        self.sweeps
            && self.writes.load(Ordering::Relaxed) >= WRITES_A_SWEEP
            && self
                .writes
                .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |writes| writes.checked_sub(WRITES_A_SWEEP))
                .is_ok()
    }
}
