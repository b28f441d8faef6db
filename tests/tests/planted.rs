//! Each defect that can be planted in the core shows: what holds on an honest server does not hold with it. Exists under
//! `--cfg proofkey_planted` alone: `make test-planted`.

#![cfg(proofkey_planted)]

use proofkey::UnixTime;
use proofkey::core::planted::{Defect, plant};
use proofkey::core::{Core, Entropy, Step, UserSource};
use proofkey_tests::{
    ADA, Explorer, Fault, Held, Keeper, Operation, People, Reply, Rows, START, SignedIn, World, answer, core_with,
    drive,
};
use serde_json::json;

/// What holds on an honest server, and not with the defect.
const HELD: [(Defect, fn() -> bool); 29] = [
    (Defect::CodeForAnotherClient, || {
        let world = World::new();
        refused(&world.redeem_with(&world.code(), &[("client_id", "other")]))
    }),
    (Defect::CodeReplayDoesNotRevoke, || {
        let world = World::new();
        let code = world.code();
        let tokens = SignedIn::of(&world.redeem(&code));
        refused(&world.redeem(&code)) && !world.works(&tokens.access)
    }),
    (Defect::ConflictIgnored, || {
        in_every_order(&[], [Operation::Redeem, Operation::Redeem], 0, |_, replies| {
            replies.iter().filter(|reply| reply.status == 200).count() <= 1
        })
    }),
    (Defect::EpochNotReadAgain, || nothing_outlives_a_sign_out(Meet::BeforeItsWrite, Owner::Client)),
    (Defect::EpochNotReadAgain, || nothing_outlives_a_sign_out(Meet::BeforeItsWrite, Owner::User)),
    (Defect::EpochRaisedAfterListing, || nothing_outlives_a_sign_out(Meet::AfterTheListing, Owner::Client)),
    (Defect::EpochRaisedAfterListing, || nothing_outlives_a_sign_out(Meet::AfterTheListing, Owner::User)),
    (Defect::ExpiredCodeAccepted, || {
        let world = World::new();
        let code = world.code();
        world.wait(3600);
        refused(&world.redeem(&code))
    }),
    (Defect::FamilyOutlivesItsEnd, || {
        let world = World::with(|builder| builder.set("grant_lifetime", "1h").set("refresh_token_lifetime", "1h"));
        let tokens = world.sign_in();
        world.wait(1800);
        let next = SignedIn::of(&world.refresh(&tokens.refresh));
        world.wait(1800);
        refused(&world.refresh(&next.refresh)) && !world.works(&next.access)
    }),
    (Defect::ForeignClientRefreshes, || {
        let world = World::new();
        let fields =
            [("grant_type", "refresh_token"), ("client_id", "other"), ("refresh_token", &world.sign_in().refresh)];
        refused(&world.form("/auth/token", &fields))
    }),
    (Defect::ForeignClientRevokes, || {
        let world = World::new();
        let tokens = world.sign_in();
        world.form("/auth/revoke", &[("client_id", "other"), ("token", &tokens.refresh)]);
        world.works(&tokens.access)
    }),
    (Defect::FreshBytesAtRepeat, || {
        let (world, tokens) = rotated(1);
        SignedIn::of(&world.refresh(&tokens[0].refresh)).refresh == tokens[1].refresh
    }),
    (Defect::LeewayAfterSuccessorUsed, || {
        let (world, tokens) = rotated(3);
        refused(&world.refresh(&tokens[0].refresh))
    }),
    (Defect::LeewayNeverEnds, || {
        let (world, tokens) = rotated(1);
        world.wait(300);
        refused(&world.refresh(&tokens[0].refresh)) && !world.works(&tokens[1].access)
    }),
    (Defect::LeewayOfTwoGenerations, || {
        let (world, tokens) = rotated(2);
        refused(&world.refresh(&tokens[0].refresh))
    }),
    (Defect::RefreshReplayDoesNotRevoke, || {
        let (world, tokens) = rotated(1);
        world.wait(300);
        refused(&world.refresh(&tokens[0].refresh)) && !world.works(&tokens[1].access)
    }),
    (Defect::RepeatIgnoresResource, || {
        let world = World::new();
        let resources = ["https://api.example/", "https://files.example/"];
        let tokens = world.sign_in_as("scoped", &json!({ "resource": resources }));
        let [first, second] = resources.map(|resource| {
            let fields = [("grant_type", "refresh_token"), ("client_id", "scoped"), ("resource", resource)];
            let fields = [fields.as_slice(), &[("refresh_token", &*tokens.refresh)]].concat();
            world.form("/auth/token", &fields).text("access_token")
        });
        first != second
    }),
    (Defect::RevokedAccessAccepted, || {
        let world = World::new();
        let tokens = world.sign_in();
        world.revoke(&tokens.access);
        !world.works(&tokens.access)
    }),
    (Defect::RevokesLeafAlone, || {
        let world = World::new();
        let tokens = world.sign_in();
        world.revoke(&tokens.refresh);
        refused(&world.refresh(&tokens.refresh)) && !world.works(&tokens.access)
    }),
    (Defect::RevokesLeafAlone, || {
        let world = World::new();
        let tokens = world.sign_in();
        world.server.revoke_all(ADA).is_ok() && !world.works(&tokens.access)
    }),
    (Defect::RowEndsWithAccess, || {
        let world = World::new();
        let tokens = world.sign_in();
        world.wait(86_400);
        world.server.sweep(1000).is_ok() && world.refresh(&tokens.refresh).status == 200
    }),
    (Defect::ScopeWidens, || {
        let world = World::new();
        let tokens = SignedIn::of(&world.redeem(&world.code_with(&json!({"scope": "read"}))));
        let fields = [("grant_type", "refresh_token"), ("client_id", "web"), ("scope", "read write")];
        let fields = [fields.as_slice(), &[("refresh_token", &*tokens.refresh)]].concat();
        world.form("/auth/token", &fields).outcome() == (400, "invalid_scope".to_owned())
    }),
    (Defect::SpentCodeForgotten, || {
        let world = World::new();
        let code = world.code();
        let tokens = SignedIn::of(&world.redeem(&code));
        let next = SignedIn::of(&world.refresh(&tokens.refresh));
        refused(&world.redeem(&code)) && !world.works(&next.access)
    }),
    (Defect::StaleRevokes, || {
        let (world, tokens) = rotated(2);
        refused(&world.refresh(&tokens[0].refresh)) && world.works(&tokens[2].access)
    }),
    (Defect::UnknownTakenForDone, || {
        let world = World::new();
        let code = world.code();
        world.store.plan([Fault::None, Fault::Fail, Fault::Fail]);
        world.redeem(&code).status == 503
    }),
    (Defect::UnknownTakenForNotDone, || {
        let world = World::new();
        let code = world.code();
        world.store.plan([Fault::None, Fault::Lost]);
        world.redeem(&code).status == 200
    }),
    // Without leeway, so that the flow's own rotation looks like a theft; the other write is one that leaves it alone.
    (Defect::UnsureJudgesReplay, || {
        let operations = [Operation::Refresh, Operation::RevokeAccess];
        in_every_order(&[("reuse_leeway", "0")], operations, 1, |_, replies| !refused(&replies[0]))
    }),
    (Defect::VerifierIgnored, || {
        let world = World::new();
        refused(&world.redeem_with(&world.code(), &[("code_verifier", WRONG_VERIFIER)]))
    }),
    (Defect::WrongVerifierBurnsCode, || {
        let world = World::new();
        let code = world.code();
        refused(&world.redeem_with(&code, &[("code_verifier", WRONG_VERIFIER)])) && world.redeem(&code).status == 200
    }),
];

const WRONG_VERIFIER: &str = "xBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn refused(reply: &Reply) -> bool {
    reply.outcome() == (400, "invalid_grant".to_owned())
}

/// A world with a grant whose refresh token was used so many times, and all that was issued.
fn rotated(times: usize) -> (World, Vec<SignedIn>) {
    let world = World::new();
    let mut issued = vec![world.sign_in()];
    for at in 0..times {
        issued.push(SignedIn::of(&world.refresh(&issued[at].refresh)));
    }
    (world, issued)
}

/// Whether something holds at the end of every order of two operations.
fn in_every_order(
    settings: &[(&str, &str)],
    operations: [Operation; 2],
    faults: usize,
    holds: fn(&Rows, &[Reply]) -> bool,
) -> bool {
    let ((rows, held), people) = (Held::ready(Keeper::Host), People::default());
    let core = core_with(UserSource::Find, 4, settings);
    let mut held_everywhere = true;
    let start = || operations.iter().zip(1..).map(|(one, seed)| begin(&core, *one, &held, seed)).collect();
    Explorer::new(&rows, &people, faults).run(start, |outcome| {
        let replies: Vec<Reply> = outcome.replies.iter().cloned().map(Reply::from).collect();
        held_everywhere &= holds(&outcome.rows, &replies);
    });
    held_everywhere
}

fn begin(core: &Core, operation: Operation, held: &Held, seed: u64) -> Step {
    let request = proofkey::Request::new(operation.request(held), None);
    core.begin(request, UnixTime::from_seconds(START), Entropy::from_seed(seed))
}

/// Where a sign-out of its owner meets a grant that is being created.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meet {
    /// The grant is written once the grants of the owner have been listed, and before anything else.
    AfterTheListing,
    /// The whole sign-out comes before the write.
    BeforeItsWrite,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Client,
    User,
}

fn nothing_outlives_a_sign_out(meet: Meet, owner: Owner) -> bool {
    let ((rows, mut held), people, now) = (Held::ready(Keeper::Host), People::default(), UnixTime::from_seconds(START));
    let core = core_with(UserSource::Find, 4, &[]);
    let (creation, sign_out) = match owner {
        Owner::Client => (Operation::ForItself, core.revoke_client("portal", now, Entropy::from_seed(2))),
        Owner::User => (Operation::Authorize, core.revoke_all(ADA, now, Entropy::from_seed(2))),
    };
    let is_creation = |step: &Step| matches!(step, Step::Put(put) if put.write().key().as_str().starts_with("g."));
    let creation = until(&rows, &people, begin(&core, creation, &held, 1), is_creation);
    let created: Reply = if meet == Meet::BeforeItsWrite {
        assert!(drive(&rows, &people, sign_out).is_ok());
        drive(&rows, &people, creation).into()
    } else {
        let sign_out = until(&rows, &people, sign_out, |step| matches!(step, Step::Find(_)));
        let sign_out = answer(&rows, &people, sign_out, Fault::None);
        let created = drive(&rows, &people, creation).into();
        assert!(drive(&rows, &people, sign_out).is_ok());
        created
    };
    if created.status != 200 {
        return true;
    }
    let use_it = match owner {
        Owner::Client => {
            held.portal.access = created.text("access_token");
            Operation::Introspect
        }
        Owner::User => {
            held.code = created.text("code");
            Operation::Redeem
        }
    };
    let used = Reply::from(drive(&rows, &people, begin(&core, use_it, &held, 3)));
    used.status != 200 || used.json()["active"] == false
}

/// Drives a flow to the first step that is meant.
fn until<T>(rows: &Rows, people: &People, mut step: Step<T>, meant: impl Fn(&Step<T>) -> bool) -> Step<T> {
    while !meant(&step) {
        assert!(!matches!(step, Step::Done(_)), "the flow has such a step");
        step = answer(rows, people, step, Fault::None);
    }
    step
}

#[test]
fn what_holds_on_an_honest_server_does_not_with_a_defect() {
    let _ = Held::ready(Keeper::Host);
    let mut unseen = Vec::new();
    for (defect, holds) in HELD {
        assert!(holds(), "{}: without it", defect.name());
        plant(Some(defect));
        if holds() {
            unseen.push((defect.name(), defect.text()));
        }
        plant(None);
    }
    assert!(unseen.is_empty(), "{unseen:?}");
}

#[test]
fn every_defect_is_shown_and_has_a_name_of_its_own() {
    let mut names: Vec<&str> = Defect::ALL.iter().map(|defect| defect.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Defect::ALL.len());
    for defect in Defect::ALL {
        assert!(HELD.iter().any(|(shown, _)| *shown == defect), "{} is not shown", defect.name());
        assert!(defect.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
        assert!(defect.invariants().split(", ").all(|one| one.starts_with('I')));
    }
}

#[test]
fn a_defect_is_planted_in_one_thread() {
    let accepted = || {
        let world = World::new();
        world.redeem_with(&world.code(), &[("code_verifier", WRONG_VERIFIER)]).status == 200
    };
    plant(Some(Defect::VerifierIgnored));
    assert!(accepted());
    assert!(!std::thread::spawn(accepted).join().unwrap());
    plant(None);
    assert!(!accepted());
}
