//! A driver that cannot do what a flow asks for, or answers with what belongs to another one: the flow ends in a 503, and
//! nothing is claimed (invariants I17 and I24).

use bytes::Bytes;
use proofkey::core::{Entropy, Step};
use proofkey::{Request, UnixTime};
use proofkey_tests::{
    CHALLENGE, Fault, Held, Operation, PASSWORD, People, REDIRECT_URI, Reply, Rows, START, answer, assert_unavailable,
    core, core_with, drive,
};
use serde_json::json;

fn now() -> UnixTime {
    UnixTime::from_seconds(START)
}

#[test]
fn a_driver_that_declines_a_step_ends_the_operation_in_503_unless_it_can_do_without() {
    let endpoints = "authorize token refresh revoke introspect userinfo me challenge forgot";
    let core = core_with(proofkey::core::UserSource::Find, 4, &[("endpoints", endpoints)]);
    let people = People::default();
    for operation in Operation::ALL {
        let mut declined = 0;
        for at in 0.. {
            let (rows, held) = Held::ready(proofkey_tests::Keeper::Host);
            let request: http::Request<Bytes> = operation.request(&held);
            let mut step = core.begin(Request::new(request, None), now(), Entropy::from_seed(1000));
            for _ in 0..at {
                step = answer(&rows, &people, step, Fault::None);
            }
            if matches!(step, Step::Done(_)) {
                break;
            }
            let reply = Reply::from(drive(&rows, &people, step.decline()));
            if !operation.is_done(&reply) {
                declined += 1;
                assert_unavailable(operation, &reply, &format!("declined step {at}"));
            }
        }
        assert!(declined > 0, "{operation:?}");
    }
}

#[test]
fn what_another_flow_had_worked_out_is_not_taken_for_an_answer() {
    let (core, rows, people) = (core(), Rows::default(), People::default());
    let at_work = |seed, password| {
        let body = json!({
            "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE,
            "code_challenge_method": "S256", "scope": "read", "username": "ada@example.com", "password": password,
        });
        let request = http::Request::post("/auth/authorize").header("content-type", "application/json");
        let request = Request::new(request.body(body.to_string().into()).unwrap(), None);
        let mut step = core.begin(request, now(), Entropy::from_seed(seed));
        loop {
            step = match step {
                Step::Work(work) => return work.detach(),
                step => answer(&rows, &people, step, Fault::None),
            };
        }
    };
    let (right, wrong) = (at_work(1, PASSWORD), at_work(2, "not the password"));
    let reply = Reply::from(drive(&rows, &people, wrong.1.answer(right.0.run())));
    assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()));
    let (right, again) = (at_work(1, PASSWORD), at_work(1, PASSWORD));
    let reply = Reply::from(drive(&rows, &people, right.1.answer(again.0.run())));
    assert_eq!(reply.status, 200, "the same flow begun once more is no other one");
}

#[test]
fn after_an_unknown_write_another_ones_record_is_read_and_decided_upon_again() {
    let (core, people) = (core(), People::default());
    let (rows, held) = Held::ready(proofkey_tests::Keeper::Host);
    let begin = |operation: Operation, seed| {
        core.begin(Request::new(operation.request(&held), None), now(), Entropy::from_seed(seed))
    };
    let mut revoke = begin(Operation::Revoke, 1);
    while !matches!(revoke, Step::Put(_)) {
        revoke = answer(&rows, &people, revoke, Fault::None);
    }
    let revoke = answer(&rows, &people, revoke, Fault::Fail);
    assert_eq!(drive(&rows, &people, begin(Operation::Refresh, 2)).status(), 200, "another process comes first");
    assert_eq!(drive(&rows, &people, revoke).status(), 200);
    assert_eq!(drive(&rows, &people, begin(Operation::Refresh, 3)).status(), 400, "and still the grant is over");
}

#[test]
fn an_unknown_write_that_may_land_still_is_not_written_anew() {
    let (core, people) = (core(), People::default());
    for operation in [Operation::Redeem, Operation::Refresh, Operation::Revoke] {
        let (rows, held) = Held::ready(proofkey_tests::Keeper::Host);
        let before = rows.lasting();
        let request = Request::new(operation.request(&held), None);
        let mut step = core.begin(request, now(), Entropy::from_seed(1));
        let (mut faults, mut puts) = ([Fault::Fail, Fault::Conflict].into_iter(), 0);
        let reply = loop {
            step = match step {
                Step::Done(reply) => break Reply::from(reply.into_value()),
                Step::Put(put) => {
                    puts += 1;
                    answer(&rows, &people, Step::Put(put), faults.next().unwrap_or(Fault::None))
                }
                step => answer(&rows, &people, step, Fault::None),
            };
        };
        assert_unavailable(operation, &reply, "what it expects is there still");
        assert_eq!(puts, 2, "{operation:?}: the write and its repetition");
        assert_eq!(rows.lasting(), before, "{operation:?}");
    }
}
