//! The suite that every store must pass, for the tests of whoever writes one.
//!
//! ```
//! # use proofkey::store::{MemoryStore, contract};
//! contract::check(MemoryStore::new);
//! ```
//!
//! Each clause is a function of its own, and panics with a sentence that names what is broken. [`check`] runs them all;
//! [`check_durable`] runs those about what a crash must not undo. [`check_linearizable`] looks longer at what many
//! threads are answered.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use proofkey_core::{Key, MAX_BODY, MAX_KEY, Owner, Query, Record, StoreError, UnixTime, Version, Write};

use super::Store;

#[cfg(feature = "tokio")]
mod awaited;
mod linear;

pub use linear::{Histories, Tally};

/// Runs every clause, each over a fresh store.
///
/// # Panics
/// With the first clause that the store breaks.
pub fn check<S: Store>(make: impl Fn() -> S) {
    nothing_is_found_where_nothing_was_put(&make());
    a_record_is_created_once(&make());
    a_record_is_replaced_only_at_the_expected_version(&make());
    a_record_is_deleted_only_at_the_expected_version(&make());
    a_stale_writer_is_not_fooled_by_a_record_made_anew(&make());
    an_unknown_outcome_is_settled_by_the_identical_write(&make());
    of_many_racers_one_wins(&make());
    keys_and_bodies_of_every_allowed_size_come_back_as_they_were(&make());
    keys_differ_by_letter_case_and_by_every_character(&make());
    expired_records_are_found_until_they_are_swept(&make());
    a_sweep_drops_only_what_has_expired_and_no_more_than_asked(&make());
    a_sweep_goes_by_the_expiry_that_was_written_last(&make());
    every_tag_finds_its_records_and_no_others(&make());
    a_listing_in_pages_names_every_record_once(&make());
    tags_are_replaced_with_their_record(&make());
    a_write_that_keeps_the_index_keeps_tags_and_expiry(&make());
    a_listing_sees_every_write_that_ended_before_it(&make());
    check_linearizable([make()], Histories::of_seed(1).count(12).allowing_spurious_refusals());
}

/// Runs the clauses about what was acknowledged, over a store that `open` opens again and again: each time as a process
/// would that follows one that was killed. `open` gets the number of the clause, and must give each a store of its own.
///
/// # Panics
/// With the first clause that the store breaks.
pub fn check_durable<S: Store>(open: impl Fn(usize) -> S) {
    acknowledged_writes_are_found_after_a_crash(|| open(0));
    two_handles_see_each_other(&open(1), &open(1));
}

/// Records histories of many threads, with writes whose outcome they are not told, and compares them with a
/// compare-and-swap register: reads never go back, of several writers with one expectation one wins, nothing that was
/// acknowledged is lost and nothing comes back. The threads share the `handles`, which must be of the same data:
/// several connections, or objects on one file. Returns what was recorded.
///
/// ```
/// # use proofkey::store::{MemoryStore, contract};
/// let tally = contract::check_linearizable([MemoryStore::new()], contract::Histories::of_seed(7).count(5));
/// assert!(tally.overlaps > 0);
/// ```
///
/// # Panics
/// With the first history that no register gives, call by call; or if nothing could be shown.
pub fn check_linearizable<S: Store>(handles: impl IntoIterator<Item = S>, histories: Histories) -> Tally {
    histories.check(&handles.into_iter().collect::<Vec<S>>())
}

/// [`check`] for an asynchronous store, whose futures are awaited on `runtime`: one of several threads, in a plain
/// `#[test]`.
///
/// # Panics
/// With the first clause that the store breaks.
#[cfg(feature = "tokio")]
pub fn check_async<S: super::AsyncStore>(runtime: &tokio::runtime::Handle, make: impl Fn() -> S) {
    check(|| awaited::Awaited { store: make(), runtime: runtime.clone() });
}

/// [`check_durable`] for an asynchronous store; as [`check_async`].
///
/// # Panics
/// With the first clause that the store breaks.
#[cfg(feature = "tokio")]
pub fn check_async_durable<S: super::AsyncStore>(runtime: &tokio::runtime::Handle, open: impl Fn(usize) -> S) {
    check_durable(|clause| awaited::Awaited { store: open(clause), runtime: runtime.clone() });
}

/// [`check_linearizable`] for an asynchronous store; as [`check_async`].
///
/// # Panics
/// As [`check_linearizable`].
#[cfg(feature = "tokio")]
pub fn check_async_linearizable<S: super::AsyncStore>(
    runtime: &tokio::runtime::Handle,
    handles: impl IntoIterator<Item = S>,
    histories: Histories,
) -> Tally {
    let awaited = |store| awaited::Awaited { store, runtime: runtime.clone() };
    check_linearizable(handles.into_iter().map(awaited), histories)
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn tag(text: &str) -> Owner {
    Owner::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn version(number: usize) -> Version {
    Version::parse(&format!("v{number:010}")).unwrap_or_else(|error| panic!("{error}"))
}

const LATER: UnixTime = UnixTime::from_seconds(2_000_000_000);

fn write(name: &str, number: usize) -> Write {
    Write::new(key(name), version(number), Bytes::from(format!("body {number}")), LATER)
}

fn known<T>(clause: &str, outcome: Result<T, StoreError>) -> T {
    outcome.unwrap_or_else(|error| panic!("{clause}: the store failed: {error}"))
}

fn must_put(clause: &str, store: &impl Store, write: &Write) {
    assert!(known(clause, store.put(write)), "{clause}: put answered false");
}

fn must_not_put(clause: &str, store: &impl Store, write: &Write) {
    assert!(!known(clause, store.put(write)), "{clause}: put answered true");
}

fn found(clause: &str, store: &impl Store, name: &str) -> Option<Record> {
    known(clause, store.get(&key(name)))
}

fn must_find(clause: &str, store: &impl Store, name: &str, number: usize) {
    let record = found(clause, store, name).unwrap_or_else(|| panic!("{clause}: get found nothing under {name}"));
    assert_eq!(*record.version(), version(number), "{clause}: get answered another version");
    assert_eq!(record.body(), &format!("body {number}"), "{clause}: get answered another body");
}

/// All keys that carry a tag, by pages of `limit`.
fn listed(clause: &str, store: &impl Store, owner: &str, limit: usize) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    let mut query = Query::new(tag(owner), limit);
    loop {
        let page = known(clause, store.find(&query));
        assert!(page.len() <= limit, "{clause}: find answered more keys than asked for");
        let Some(last) = page.last() else { return keys };
        query = Query::new(tag(owner), limit).after_key(last);
        keys.extend(page.iter().map(|key| key.as_str().to_owned()));
        assert!(keys.len() <= 10_000, "{clause}: find never comes to an end");
    }
}

fn nothing_is_found_where_nothing_was_put(store: &impl Store) {
    let clause = "nothing is found where nothing was put";
    assert!(found(clause, store, "g.a").is_none(), "{clause}");
    assert!(listed(clause, store, "t.a", 10).is_empty(), "{clause}");
    assert_eq!(known(clause, store.sweep(LATER, 10)), 0, "{clause}");
    assert!(!known(clause, store.delete(&key("g.a"), &version(1))), "{clause}");
}

fn a_record_is_created_once(store: &impl Store) {
    let clause = "a record is created once";
    must_put(clause, store, &write("g.a", 1));
    must_not_put(clause, store, &write("g.a", 2));
    must_find(clause, store, "g.a", 1);
}

fn a_record_is_replaced_only_at_the_expected_version(store: &impl Store) {
    let clause = "a record is replaced only at the expected version";
    must_not_put(clause, store, &write("g.a", 2).expecting(version(1)));
    assert!(found(clause, store, "g.a").is_none(), "{clause}: a refused write left a record");
    must_put(clause, store, &write("g.a", 1));
    must_not_put(clause, store, &write("g.a", 3).expecting(version(2)));
    must_put(clause, store, &write("g.a", 2).expecting(version(1)));
    must_not_put(clause, store, &write("g.a", 3).expecting(version(1)));
    must_find(clause, store, "g.a", 2);
    must_put(clause, store, &write("g.a", 3).expecting(version(2)));
    must_find(clause, store, "g.a", 3);
}

fn a_record_is_deleted_only_at_the_expected_version(store: &impl Store) {
    let clause = "a record is deleted only at the expected version";
    must_put(clause, store, &write("g.a", 1));
    must_put(clause, store, &write("g.b", 1));
    assert!(!known(clause, store.delete(&key("g.a"), &version(2))), "{clause}");
    must_find(clause, store, "g.a", 1);
    assert!(known(clause, store.delete(&key("g.a"), &version(1))), "{clause}");
    assert!(found(clause, store, "g.a").is_none(), "{clause}");
    assert!(!known(clause, store.delete(&key("g.a"), &version(1))), "{clause}: twice");
    must_find(clause, store, "g.b", 1);
}

fn a_stale_writer_is_not_fooled_by_a_record_made_anew(store: &impl Store) {
    let clause = "a stale writer is not fooled by a record that was deleted and made anew";
    must_put(clause, store, &write("l.a", 1));
    assert!(known(clause, store.delete(&key("l.a"), &version(1))), "{clause}");
    must_put(clause, store, &write("l.a", 2));
    must_not_put(clause, store, &write("l.a", 3).expecting(version(1)));
    assert!(!known(clause, store.delete(&key("l.a"), &version(1))), "{clause}");
    must_find(clause, store, "l.a", 2);
}

fn an_unknown_outcome_is_settled_by_the_identical_write(store: &impl Store) {
    let clause = "an unknown outcome is settled by the identical write";
    let (first, second) = (write("g.a", 1), write("g.a", 2).expecting(version(1)));
    must_put(clause, store, &first);
    must_not_put(clause, store, &first);
    must_find(clause, store, "g.a", 1);
    must_put(clause, store, &second);
    must_not_put(clause, store, &second);
    must_find(clause, store, "g.a", 2);
}

fn of_many_racers_one_wins(store: &impl Store) {
    const RACERS: usize = 8;
    const ROUNDS: usize = 50;
    let clause = "of many racers with the same expectation one wins";
    must_put(clause, store, &write("g.a", 0));
    let (start, end) = (Barrier::new(RACERS), Barrier::new(RACERS));
    let (current, winners) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for racer in 1..=RACERS {
            let (start, end, current, winners) = (&start, &end, &current, &winners);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let expected = current.load(Ordering::SeqCst);
                    let mine = (round + 1) * 100 + racer;
                    start.wait();
                    let won = store.put(&write("g.a", mine).expecting(version(expected)));
                    if known(clause, won) {
                        winners.fetch_add(1, Ordering::SeqCst);
                        current.store(mine, Ordering::SeqCst);
                    }
                    end.wait();
                    assert_eq!(winners.load(Ordering::SeqCst), round + 1, "{clause}");
                    start.wait();
                }
            });
        }
    });
    must_find(clause, store, "g.a", current.load(Ordering::SeqCst));
}

fn keys_and_bodies_of_every_allowed_size_come_back_as_they_were(store: &impl Store) {
    let clause = "keys and bodies of every allowed size come back as they were";
    let every_byte: Vec<u8> = (0..MAX_BODY).map(|at| u8::try_from(at % 256).unwrap_or(0)).collect();
    for (at, body) in [Vec::new(), vec![0], every_byte].into_iter().enumerate() {
        let name = "k".repeat([1, 40, MAX_KEY][at]);
        let write = Write::new(key(&name), version(at), Bytes::from(body.clone()), UnixTime::NEVER)
            .owned_by(vec![tag(&"t".repeat(MAX_KEY))]);
        must_put(clause, store, &write);
        let record = found(clause, store, &name).unwrap_or_else(|| panic!("{clause}: nothing under a key of {name}"));
        assert!(*record.body() == body, "{clause}: a body of {} bytes", body.len());
    }
    assert_eq!(listed(clause, store, &"t".repeat(MAX_KEY), 10).len(), 3, "{clause}: tags");
}

fn keys_differ_by_letter_case_and_by_every_character(store: &impl Store) {
    let clause = "keys differ by letter case and by every character";
    let names = ["g.a", "g.A", "G.a", "g.a-", "g.a_", "g.a%", "g.a'", "g.a\"", "g.a\\"];
    for (at, name) in names.iter().enumerate() {
        must_put(clause, store, &write(name, at).owned_by(vec![tag(name)]));
    }
    for (at, name) in names.iter().enumerate() {
        must_find(clause, store, name, at);
        assert_eq!(listed(clause, store, name, 10), [*name], "{clause}: tags");
    }
}

fn expired_records_are_found_until_they_are_swept(store: &impl Store) {
    let clause = "expired records are found until they are swept";
    let write = Write::new(key("g.a"), version(1), Bytes::from_static(b"body 1"), UnixTime::from_seconds(1));
    must_put(clause, store, &write.owned_by(vec![tag("t.a")]));
    must_find(clause, store, "g.a", 1);
    assert_eq!(listed(clause, store, "t.a", 10), ["g.a"], "{clause}");
    assert_eq!(known(clause, store.sweep(LATER, 10)), 1, "{clause}: sweep");
    assert!(found(clause, store, "g.a").is_none(), "{clause}: sweep left it");
    assert!(listed(clause, store, "t.a", 10).is_empty(), "{clause}: sweep left its tag");
}

fn expiring(name: &str, number: usize, seconds: u64) -> Write {
    Write::new(key(name), version(number), Bytes::from(format!("body {number}")), UnixTime::from_seconds(seconds))
}

fn a_sweep_drops_only_what_has_expired_and_no_more_than_asked(store: &impl Store) {
    let clause = "a sweep drops only what has expired, and no more than asked";
    for at in 0..6 {
        must_put(clause, store, &expiring(&format!("g.{at}"), at, 1000 + at as u64));
    }
    must_put(clause, store, &Write::new(key("u.a"), version(9), Bytes::from_static(b"body 9"), UnixTime::NEVER));
    let now = UnixTime::from_seconds(1003);
    let dropped = [2, 10, 10].map(|limit| known(clause, store.sweep(now, limit)));
    assert_eq!(dropped, [2, 2, 0], "{clause}");
    for at in 0..6 {
        assert_eq!(found(clause, store, &format!("g.{at}")).is_some(), at > 3, "{clause}: record {at} of 6");
    }
    must_find(clause, store, "u.a", 9);
}

fn a_sweep_goes_by_the_expiry_that_was_written_last(store: &impl Store) {
    let clause = "a sweep goes by the expiry that was written last";
    must_put(clause, store, &expiring("g.a", 1, 1000));
    must_put(clause, store, &expiring("g.a", 2, 2000).expecting(version(1)));
    must_put(clause, store, &expiring("g.b", 1, 2000));
    must_put(clause, store, &expiring("g.b", 2, 1000).expecting(version(1)));
    must_not_put(clause, store, &expiring("g.a", 3, 500).expecting(version(1)));
    assert_eq!(known(clause, store.sweep(UnixTime::from_seconds(1500), 10)), 1, "{clause}");
    must_find(clause, store, "g.a", 2);
    assert!(found(clause, store, "g.b").is_none(), "{clause}");
}

fn every_tag_finds_its_records_and_no_others(store: &impl Store) {
    let clause = "every tag of a record finds it, and finds no other";
    let tags = |names: &[&str]| names.iter().map(|name| tag(name)).collect::<Vec<_>>();
    must_put(clause, store, &write("g.a", 1).owned_by(tags(&["t.ada", "t.web", "t.s1"])));
    must_put(clause, store, &write("g.b", 2).owned_by(tags(&["t.web", "t.ada"])));
    must_put(clause, store, &write("g.c", 3).owned_by(tags(&["t.bob"])));
    must_put(clause, store, &write("g.d", 4));
    for (owner, expected) in [
        ("t.ada", vec!["g.a", "g.b"]),
        ("t.web", vec!["g.a", "g.b"]),
        ("t.s1", vec!["g.a"]),
        ("t.bob", vec!["g.c"]),
        ("t.a", vec![]),
        ("t.ADA", vec![]),
    ] {
        let keys: BTreeSet<String> = listed(clause, store, owner, 10).into_iter().collect();
        assert_eq!(keys, expected.iter().map(ToString::to_string).collect(), "{clause}: {owner}");
    }
}

fn a_listing_in_pages_names_every_record_once(store: &impl Store) {
    let clause = "a listing in pages names every record once";
    let names: BTreeSet<String> = (0..25).map(|at| format!("g.{:03}", at * 7919 % 1000)).collect();
    for (at, name) in names.iter().enumerate() {
        // The tag stands at another place each time.
        let mut tags = vec![tag("t.x"), tag("t.y"), tag("t.all")];
        tags.rotate_left(at % 3);
        must_put(clause, store, &write(name, at).owned_by(tags));
        must_put(clause, store, &write(&format!("h.{at}"), at).owned_by(vec![tag("t.other")]));
    }
    for limit in [1, 7, 25, 100] {
        let keys = listed(clause, store, "t.all", limit);
        assert_eq!(keys.len(), names.len(), "{clause}: pages of {limit}");
        assert_eq!(keys.into_iter().collect::<BTreeSet<_>>(), names, "{clause}: pages of {limit}");
    }
}

fn tags_are_replaced_with_their_record(store: &impl Store) {
    let clause = "tags are replaced with their record, and go with it";
    must_put(clause, store, &write("g.a", 1).owned_by(vec![tag("t.old"), tag("t.both")]));
    must_put(clause, store, &write("g.a", 2).expecting(version(1)).owned_by(vec![tag("t.both"), tag("t.new")]));
    must_not_put(clause, store, &write("g.a", 3).expecting(version(1)).owned_by(vec![tag("t.never")]));
    for (owner, count) in [("t.old", 0), ("t.both", 1), ("t.new", 1), ("t.never", 0)] {
        assert_eq!(listed(clause, store, owner, 10).len(), count, "{clause}: {owner}");
    }
    assert!(known(clause, store.delete(&key("g.a"), &version(2))), "{clause}");
    assert!(listed(clause, store, "t.new", 10).is_empty(), "{clause}: after delete");
}

fn a_write_that_keeps_the_index_keeps_tags_and_expiry(store: &impl Store) {
    let clause = "a write that says that it keeps the index keeps tags and expiry";
    let with = |write: Write| write.owned_by(vec![tag("t.a"), tag("t.b")]);
    must_put(clause, store, &with(expiring("g.a", 1, 1000)));
    must_put(clause, store, &with(expiring("g.a", 2, 1000).expecting(version(1))).keeping_index());
    must_not_put(clause, store, &with(expiring("g.a", 3, 1000).expecting(version(1))).keeping_index());
    must_find(clause, store, "g.a", 2);
    assert_eq!(listed(clause, store, "t.b", 10), ["g.a"], "{clause}");
    assert_eq!(known(clause, store.sweep(UnixTime::from_seconds(999), 10)), 0, "{clause}");
    assert_eq!(known(clause, store.sweep(UnixTime::from_seconds(1000), 10)), 1, "{clause}");
}

fn a_listing_sees_every_write_that_ended_before_it(store: &impl Store) {
    const WRITERS: usize = 4;
    const WRITES: usize = 25;
    let clause = "a listing sees every write that ended before it began";
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                for at in 0..WRITES {
                    let name = format!("g.{writer}.{at}");
                    must_put(
                        clause,
                        store,
                        &write(&name, at).owned_by(vec![tag("t.all"), tag(&format!("t.{writer}"))]),
                    );
                    let own = listed(clause, store, &format!("t.{writer}"), 100);
                    assert_eq!(own.len(), at + 1, "{clause}");
                    must_find(clause, store, &name, at);
                }
            });
        }
    });
    assert_eq!(listed(clause, store, "t.all", 33).len(), WRITERS * WRITES, "{clause}");
}

fn acknowledged_writes_are_found_after_a_crash<S: Store>(open: impl Fn() -> S) {
    let clause = "acknowledged writes are found after a crash between any two calls";
    for round in 0..5 {
        // Each store is forgotten without being closed, as a killed process leaves it.
        let store = std::mem::ManuallyDrop::new(open());
        let name = format!("g.{round}");
        must_put(clause, &*store, &write(&name, 1).owned_by(vec![tag("t.a")]));
        let store = std::mem::ManuallyDrop::new(open());
        must_find(clause, &*store, &name, 1);
        must_put(clause, &*store, &write(&name, 2).expecting(version(1)).owned_by(vec![tag("t.a")]));
        let store = std::mem::ManuallyDrop::new(open());
        must_not_put(clause, &*store, &write(&name, 3).expecting(version(1)));
        must_find(clause, &*store, &name, 2);
        assert_eq!(listed(clause, &*store, "t.a", 10).len(), round + 1, "{clause}");
    }
    let store = open();
    assert!(known(clause, store.delete(&key("g.0"), &version(2))), "{clause}");
    let store = open();
    assert!(found(clause, &store, "g.0").is_none(), "{clause}: a deleted record is back");
}

fn two_handles_see_each_other(one: &impl Store, two: &impl Store) {
    let clause = "what one handle wrote, another reads at once";
    for round in 0..20 {
        let name = format!("g.{round}");
        must_put(clause, one, &write(&name, 1).owned_by(vec![tag("t.a")]));
        must_find(clause, two, &name, 1);
        must_put(clause, two, &write(&name, 2).expecting(version(1)).owned_by(vec![tag("t.a")]));
        must_find(clause, one, &name, 2);
        must_not_put(clause, one, &write(&name, 3).expecting(version(1)));
        assert_eq!(listed(clause, one, "t.a", 100).len(), round + 1, "{clause}");
    }
}
