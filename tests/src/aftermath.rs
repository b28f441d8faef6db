//! What must hold after an operation in whose middle something went wrong (invariants I9, I16, I17).

use crate::{Held, Operation, Reply, SignedIn, World, aftermath_of_pages, assert_well_formed};

/// Checks that an answer claims nothing: not that it was done, nor that anything was wrong with the request.
///
/// # Panics
/// If it does.
pub fn assert_unavailable(operation: Operation, reply: &Reply, context: &str) {
    if operation.is_of_a_browser() {
        return aftermath_of_pages::assert_unavailable(operation, reply, context);
    }
    if operation == Operation::Health {
        assert_eq!((reply.status.as_u16(), reply.text("status")), (503, "unhealthy".to_owned()), "{context}");
        return;
    }
    assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()), "{operation:?} {context}: {reply:?}");
    assert_well_formed(reply, context);
}

/// Checks what holds when the store is well again, and what a retry gives. `may_be_done`: a call was done, and its
/// answer did not arrive.
///
/// # Panics
/// If something does not hold.
pub fn assert_aftermath(
    world: &World,
    held: &Held,
    operation: Operation,
    reply: &Reply,
    may_be_done: bool,
    context: &str,
) {
    let done = operation.is_done(reply);
    let again = || world.send(operation.request(held));
    let refreshes = |refresh_token: &str| world.refresh(refresh_token).status == 200;
    match operation {
        Operation::Redeem => {
            let tokens = done.then(|| SignedIn::of(reply));
            if let Some(tokens) = &tokens {
                assert!(world.works(&tokens.access), "no token without its record: {context}");
            }
            let again = again();
            // What was not redeemed can be; what may have been is a replay, and everything that came of it is dead.
            if !done && !may_be_done {
                assert!(world.works(&SignedIn::of(&again).access), "{context}");
            } else if again.status != 200 {
                assert_eq!(again.outcome(), (400, "invalid_grant".to_owned()), "{context}");
                assert!(tokens.is_none_or(|tokens| !world.works(&tokens.access) && !refreshes(&tokens.refresh)));
            } else {
                assert!(!done, "a code is redeemed once: {context}");
            }
        }
        Operation::Refresh => {
            let retried = SignedIn::of(&again());
            if done {
                let first = SignedIn::of(reply);
                assert_eq!((&first.access, &first.refresh), (&retried.access, &retried.refresh), "{context}");
            }
            assert!(world.works(&retried.access) && refreshes(&retried.refresh), "{context}");
        }
        Operation::Revoke => {
            assert!(done || again().status == 200, "{context}");
            assert!(!world.works(&held.web.access) && !refreshes(&held.web.refresh), "{context}");
        }
        Operation::RevokeAccess => {
            assert!(done || again().status == 200, "{context}");
            assert!(!world.works(&held.web.access) && refreshes(&held.web.refresh), "{context}");
        }
        Operation::Repeat => {
            for reply in [done.then(|| reply.clone()), Some(again())].into_iter().flatten() {
                let (repeated, first) = (SignedIn::of(&reply), &held.past.of_rotated);
                assert_eq!((&repeated.access, &repeated.refresh), (&first.access, &first.refresh), "{context}");
            }
            assert!(world.works(&held.past.of_rotated.access) && refreshes(&held.past.of_rotated.refresh), "{context}");
        }
        Operation::Replay | Operation::Reuse => {
            // What it was refused for is over by the time of the refusal (invariants I3 and I8).
            if !done {
                let again = again();
                assert!(operation.is_done(&again), "{context}: {again:?}");
            }
            let tokens = if operation == Operation::Replay { &held.past.of_code } else { &held.past.of_retired };
            assert!(!world.works(&tokens.access) && !refreshes(&tokens.refresh), "{context}");
            assert!(world.works(&held.web.access), "{context}: no other grant");
        }
        Operation::Authorize | Operation::ForItself => {
            for reply in [done.then(|| reply.clone()), Some(again())].into_iter().flatten() {
                assert_eq!(reply.status, 200, "{context}");
                let works = match operation {
                    Operation::Authorize => world.redeem(&reply.text("code")).status == 200,
                    _ => world.introspect("portal", &reply.text("access_token")).json()["active"] == true,
                };
                assert!(works, "no token without its record: {context}");
            }
        }
        Operation::Challenge
        | Operation::Health
        | Operation::Introspect
        | Operation::Me
        | Operation::Preflight
        | Operation::RefreshAsStored
        | Operation::Userinfo
        | Operation::UserinfoPosted => assert!(operation.is_done(&again()), "{context}"),
        browsers => {
            aftermath_of_pages::assert_aftermath(world, held, browsers, reply, context);
            if matches!(browsers, Operation::Reset | Operation::SignOutEverywhere) {
                return; // they end what other clients have, too
            }
        }
    }
    // Whatever happened to this client, the others go on.
    assert!(world.introspect("portal", &held.portal.access).json()["active"] == true, "{context}");
}
