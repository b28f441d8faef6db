//! Limits on guessing: counted before the guess is judged, taken back when it was none.

use std::net::IpAddr;
use std::time::Duration;

use crate::config::Limit;
use crate::event::{Event, EventKind};
use crate::io::{Io, Written};
use crate::record::{Kind, LimitSlot, Taken};
use crate::refusal::Refusal;
use crate::store::Key;

/// A counter: where it lives, and its tag there.
pub(crate) struct Counter {
    key: Key,
    tag: [u8; 8],
    failures: u32,
    window: Duration,
}

/// What a good outcome does to a counter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settle {
    /// Forgets all failures.
    Clear,
    /// Takes this attempt back.
    Refund,
}

impl Io {
    /// The counter of `parts` under a limit; nothing where the limit is off.
    pub(crate) fn counter(&self, limit: Option<Limit>, parts: &[&[u8]]) -> Result<Option<Counter>, Refusal> {
        let Some(limit) = limit else { return Ok(None) };
        let [a, b, c, d, e, f, g, h, i, j, ..] = self.primary()?.slot(parts);
        let key = self.names().key(Kind::LimitSlot, &[a, b]);
        Ok(Some(Counter { key, tag: [c, d, e, f, g, h, i, j], failures: limit.failures, window: limit.window }))
    }

    /// Counts one attempt on every counter. Where one of them refuses it, the others give it back: nobody judged it, so
    /// nobody is to be held off for it.
    pub(crate) async fn take_all(&mut self, counters: &[&Counter]) -> Result<(), Refusal> {
        for (at, counter) in counters.iter().enumerate() {
            let Err(refusal) = self.take(counter).await else { continue };
            for taken in counters.iter().take(at) {
                self.settle_counter(taken, Settle::Refund).await;
            }
            return Err(refusal);
        }
        Ok(())
    }

    /// Counts one attempt, or refuses it: the limit is used up, or so many are at it that the slot is lost each time.
    async fn take(&mut self, counter: &Counter) -> Result<(), Refusal> {
        for _ in 0..self.config.settings.store_attempts {
            let old = self.load_or_forget::<LimitSlot>(&counter.key).await?;
            let slot = old.as_ref().map(|old| old.body.clone()).unwrap_or_default();
            match slot.take(counter.tag, counter.failures, counter.window, self.now) {
                Taken::Exhausted(wait) => {
                    self.event(Event::new(EventKind::LimitReached));
                    return Err(Refusal::too_many("too many failed attempts", wait));
                }
                Taken::Counted(next) => {
                    if self.upsert(&counter.key, old.as_ref(), &next).await? == Written::Done {
                        return Ok(());
                    }
                }
            }
        }
        Err(Refusal::too_many("too many attempts at once", Duration::from_secs(1)))
    }

    /// Whether `parts` were seen before, within an hour, as far as the slots remember.
    pub(crate) async fn is_repeated(&mut self, parts: &[&[u8]]) -> Result<bool, Refusal> {
        let once = Limit { failures: 1, window: Duration::from_secs(3600) };
        let Some(counter) = self.counter(Some(once), parts)? else { return Ok(false) };
        let old = self.load_or_forget::<LimitSlot>(&counter.key).await?;
        let slot = old.as_ref().map(|old| old.body.clone()).unwrap_or_default();
        match slot.take(counter.tag, counter.failures, counter.window, self.now) {
            Taken::Exhausted(_) => Ok(true),
            Taken::Counted(next) => {
                self.upsert(&counter.key, old.as_ref(), &next).await?; // a lost race only forgets one sighting
                Ok(false)
            }
        }
    }

    /// Settles a counter after a good outcome. That may fail without harm: the counter ends with its window.
    pub(crate) async fn settle_counter(&mut self, counter: &Counter, settle: Settle) {
        // As often as what ends something: an attempt that stays counted is held against somebody who did nothing wrong.
        let mut tries = self.tries();
        while tries.again_to_end().is_ok() {
            let Ok(Some(old)) = self.load_or_forget::<LimitSlot>(&counter.key).await else { return };
            let next = match settle {
                Settle::Clear => old.body.clear(counter.tag, self.now),
                Settle::Refund => old.body.refund(counter.tag, self.now),
            };
            let settled = match next {
                None => return,
                Some(next) if next.is_empty() => self.delete(&old).await,
                Some(next) => self.replace(&old, &next).await,
            };
            if !matches!(settled, Ok(Written::Lost)) {
                return;
            }
        }
    }
}

/// An address as limits see it: an IPv6 one stands for its /64.
pub(crate) fn address_bytes(address: IpAddr) -> [u8; 8] {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            [4, 0, 0, 0, a, b, c, d]
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, e, f, g, h, ..] = address.octets();
            [a, b, c, d, e, f, g, h]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_counts_with_its_whole_64() {
        let bytes = |text: &str| address_bytes(text.parse().unwrap());
        assert_eq!(bytes("2001:db8:1:2::1"), bytes("2001:db8:1:2:ffff::9"));
        assert_ne!(bytes("2001:db8:1:2::1"), bytes("2001:db8:1:3::1"));
        assert_ne!(bytes("10.0.0.1"), bytes("10.0.0.2"));
    }
}
