//! Failed attempts, counted in a fixed number of slots so that anonymous traffic cannot fill the database.
//!
//! | counter | take | refund | clear |
//! | --- | --- | --- | --- |
//! | absent | counts 1; the lowest of four others makes room | nothing | nothing |
//! | below the limit | counts one more | one less, gone at zero | gone |
//! | at the limit | refused until the window ends | one less | gone |
//! | window over | counts 1 in a new window | nothing | gone |

use std::time::Duration;

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use serde_json::{Value, json};

use super::{Body, Kind};
use crate::UnixTime;
use crate::name::Names;
use crate::store::Owner;

const COUNTERS: usize = 4;

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Counter {
    #[n(0)]
    tag: ByteArray<8>,
    #[n(1)]
    count: u32,
    #[n(2)]
    ends_at: u64,
}

/// Up to four counters that share one of the 2^16 slots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct LimitSlot {
    #[n(0)]
    counters: Vec<Counter>,
}

/// What becomes of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The limit is used up; so many seconds remain.
    Exhausted(Duration),
    /// Counted: the slot to write before the attempt goes on.
    Counted(LimitSlot),
}

impl LimitSlot {
    /// Counts one attempt against `limit` in `window`.
    pub(crate) fn take(&self, tag: [u8; 8], limit: u32, window: Duration, now: UnixTime) -> Taken {
        let mut next = self.running(now);
        if let Some(counter) = next.counters.iter_mut().find(|counter| *counter.tag == tag) {
            if counter.count >= limit {
                return Taken::Exhausted(Duration::from_secs(counter.ends_at.saturating_sub(now.seconds())));
            }
            counter.count = counter.count.saturating_add(1);
            return Taken::Counted(next);
        }
        if next.counters.len() >= COUNTERS {
            let lowest = next.counters.iter().enumerate().min_by_key(|(_, counter)| counter.count).map(|(at, _)| at);
            lowest.map(|at| next.counters.swap_remove(at));
        }
        next.counters.push(Counter { tag: ByteArray::from(tag), count: 1, ends_at: now.after(window).seconds() });
        Taken::Counted(next)
    }

    /// Takes one attempt back that turned out well. Nothing if it is not counted any more.
    pub(crate) fn refund(&self, tag: [u8; 8], now: UnixTime) -> Option<Self> {
        let mut next = self.running(now);
        let counter = next.counters.iter_mut().find(|counter| *counter.tag == tag)?;
        counter.count = counter.count.saturating_sub(1);
        next.counters.retain(|counter| counter.count > 0);
        Some(next)
    }

    /// Forgets all attempts under `tag`. Nothing if there are none.
    pub(crate) fn clear(&self, tag: [u8; 8], now: UnixTime) -> Option<Self> {
        let mut next = self.running(now);
        let before = next.counters.len();
        next.counters.retain(|counter| *counter.tag != tag);
        (next.counters.len() < before).then_some(next)
    }

    /// Whether nothing is counted, so that the record may go.
    pub(crate) fn is_empty(&self) -> bool {
        self.counters.is_empty()
    }

    fn running(&self, now: UnixTime) -> Self {
        Self { counters: self.counters.iter().filter(|counter| counter.ends_at > now.seconds()).cloned().collect() }
    }
}

impl Body for LimitSlot {
    const KIND: Kind = Kind::LimitSlot;

    fn expires_at(&self) -> UnixTime {
        let last = self.counters.iter().map(|counter| counter.ends_at).max().unwrap_or(0);
        UnixTime::from_seconds(last).to_full_hour()
    }

    fn owners(&self, _: &Names) -> Vec<Owner> {
        Vec::new()
    }

    fn shown(&self) -> Value {
        let counters = self.counters.iter();
        let counters = counters.map(|counter| json!({ "count": counter.count, "ends_at": counter.ends_at }));
        json!({ "counters": counters.collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    fn slot(counters: &[(u8, u32, u64)]) -> LimitSlot {
        let counters = counters.iter().map(|&(tag, count, ends_at)| Counter { tag: [tag; 8].into(), count, ends_at });
        LimitSlot { counters: counters.collect() }
    }

    #[test]
    fn every_counter_and_every_event() {
        let absent = slot(&[]);
        let below = slot(&[(1, 1, 100)]);
        let full = slot(&[(1, 2, 100)]);
        let over = slot(&[(1, 2, 40)]);
        let take = |slot: &LimitSlot| slot.take([1; 8], 2, WINDOW, at(40));
        assert_eq!(take(&absent), Taken::Counted(slot(&[(1, 1, 100)])));
        assert_eq!(take(&below), Taken::Counted(slot(&[(1, 2, 100)])));
        assert_eq!(take(&full), Taken::Exhausted(Duration::from_secs(60)));
        assert_eq!(take(&over), Taken::Counted(slot(&[(1, 1, 100)])));
        let refund = |slot: &LimitSlot| slot.refund([1; 8], at(40));
        assert_eq!(refund(&absent), None);
        assert_eq!(refund(&below), Some(slot(&[])));
        assert_eq!(refund(&full), Some(slot(&[(1, 1, 100)])));
        assert_eq!(refund(&over), None);
        let clear = |slot: &LimitSlot| slot.clear([1; 8], at(40));
        assert_eq!(clear(&absent), None);
        assert_eq!(clear(&below), Some(slot(&[])));
        assert_eq!(clear(&full), Some(slot(&[])));
        assert_eq!(clear(&over), None);
    }

    #[test]
    fn other_counters_of_the_slot_stay_as_they_are_until_they_run_out() {
        let both = slot(&[(1, 2, 100), (2, 5, 100)]);
        assert_eq!(both.clear([1; 8], at(40)), Some(slot(&[(2, 5, 100)])));
        assert_eq!(both.refund([2; 8], at(40)), Some(slot(&[(1, 2, 100), (2, 4, 100)])));
        assert_eq!(
            both.take([3; 8], 2, WINDOW, at(99)),
            Taken::Counted(slot(&[(1, 2, 100), (2, 5, 100), (3, 1, 159)]))
        );
        assert_eq!(both.take([3; 8], 2, WINDOW, at(100)), Taken::Counted(slot(&[(3, 1, 160)])));
        assert!(slot(&[]).is_empty() && !both.is_empty());
    }

    #[test]
    fn its_row_lasts_to_the_full_hour_after_its_last_counter() {
        assert_eq!(slot(&[(1, 1, 3601), (2, 1, 100)]).expires_at(), at(7200));
        assert_eq!(slot(&[]).expires_at(), at(0));
        assert_eq!(slot(&[(1, 1, 9)]).owners(&Names::new("")), []);
        assert_eq!(slot(&[(1, 3, 9)]).shown(), json!({ "counters": [{ "count": 3, "ends_at": 9 }] }));
    }

    #[test]
    fn a_fifth_counter_takes_the_place_of_the_lowest() {
        let four = slot(&[(1, 3, 100), (2, 1, 100), (3, 2, 100), (4, 9, 100)]);
        let Taken::Counted(next) = four.take([5; 8], 9, WINDOW, at(0)) else { panic!("refused") };
        let tags: Vec<u8> = next.counters.iter().map(|counter| counter.tag[0]).collect();
        assert_eq!(tags, [1, 4, 3, 5]);
    }
}
