//! Every operation of clients and browsers, and every call of a host, while no record of one kind opens: what reads one
//! claims nothing and writes nothing over it, and what reads none goes on (invariants I17 and I22).

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use proofkey::core::{Key, Record};
use proofkey::{ErrorCode, EventKind};
use proofkey_tests::{Ended, Errand, Held, Keeper, Kept, Operation, Rows, World, code_in};

/// The letters of records that operations read, with which their keys begin.
const KINDS: [&str; 7] = ["a.", "b.", "c.", "g.", "l.", "o.", "u."];

/// Changes the last byte of every record of a kind; returns the keys of them all.
fn break_all(rows: &Rows, kind: &str) -> BTreeSet<Key> {
    let of_kind = rows.all().into_iter().filter(|(key, _)| key.as_str().starts_with(kind));
    let broken = of_kind.map(|(key, record)| {
        let mut body = record.body().to_vec();
        let last = body.len() - 1;
        body[last] ^= 1;
        rows.overwrite(&key, Record::new(*record.version(), Bytes::from(body)));
        key
    });
    broken.collect()
}

/// The broken rows, to be compared.
fn bodies(rows: &Rows, keys: &BTreeSet<Key>) -> Vec<(Key, Bytes)> {
    let broken = rows.all().into_iter().filter(|(key, _)| keys.contains(key));
    broken.map(|(key, record)| (key, record.body().clone())).collect()
}

#[test]
fn an_operation_that_meets_a_broken_record_claims_nothing_and_the_others_go_on() {
    let (mut met, mut others) = (0, 0);
    for kind in KINDS {
        for (operation, keeper) in Operation::ALL.into_iter().flat_map(|one| Keeper::BOTH.map(|keeper| (one, keeper))) {
            let (rows, held) = Held::ready(keeper);
            let rows = Arc::new(rows);
            let world = World::kept_by(keeper, rows.clone(), |builder| Held::with_all_endpoints(builder).seed(1000));
            let broken = break_all(&rows, kind);
            let before = bodies(&rows, &broken);
            let reply = world.send(operation.request(&held));
            let context = format!("{operation:?} {keeper:?} while no {kind} opens: {reply:?}");
            assert_eq!(bodies(&rows, &broken), before, "what does not open is not written over: {context}");
            if world.take_events().contains(&EventKind::RecordBroken) {
                met += 1;
                assert!(!operation.is_done(&reply) && code_in(&reply).is_none(), "{context}");
                let location = reply.header("location");
                let told = match reply.status.as_u16() {
                    303 => location.contains("error=server_error&") && !location.contains("code="),
                    503 => operation == Operation::Health,
                    status => status == 500,
                };
                assert!(told, "{context}");
            } else {
                others += 1;
                assert!(operation.is_done(&reply), "{context}");
            }
        }
    }
    assert!(met > 50 && others > 100, "{met} {others}");
}

#[test]
fn a_call_that_meets_a_broken_record_claims_nothing_and_the_others_go_on() {
    let (mut met, mut others) = (0, 0);
    for kind in KINDS {
        for errand in Errand::ALL.iter().copied() {
            let (rows, kept) = Kept::ready();
            let rows = Arc::new(rows);
            let world = World::with_own_users(rows.clone(), |builder| {
                let own = errand.is_of_own_login();
                let builder = if own { Kept::with_own_login(builder) } else { Kept::configure(builder) };
                builder.seed(1000)
            });
            let broken = break_all(&rows, kind);
            let before = bodies(&rows, &broken);
            let ended = errand.run(&world.server, &kept);
            let context = format!("{errand:?} while no {kind} opens: {ended:?}");
            assert_eq!(bodies(&rows, &broken), before, "what does not open is not written over: {context}");
            if world.take_events().contains(&EventKind::RecordBroken) {
                met += 1;
                match &ended {
                    Ended::Refused(refusal) => assert_eq!(refusal.code(), ErrorCode::ServerError, "{context}"),
                    Ended::Done(proofkey_tests::Brought::Response(reply)) => assert_eq!(reply.status, 500, "{context}"),
                    _ => panic!("{context}"),
                }
            } else {
                others += 1;
                assert!(ended.is_done(), "{context}");
            }
        }
    }
    assert!(met > 20 && others > 100, "{met} {others}");
}
