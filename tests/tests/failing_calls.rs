//! A store that fails the calls of a host and its operator at each step, once or from then on, before or after it did
//! what it was asked, or that lands a write when the call is long over, or does not answer at all: a 503 that claims
//! nothing, and a repetition that is safe (invariants I14, I16, I17).

use std::sync::Arc;
use std::time::Duration;

use proofkey::testing::FakeClock;
use proofkey::{AsyncServer, ErrorCode};
use proofkey_tests::{
    Brought, Call, Ended, Errand, Fault, ISSUER, KEY, Kept, NEW_PASSWORD, NEXT_URI, PASSWORD, Pause, Rows, START,
    SignedIn, Slow, Visit, World, code_in, configure, keys,
};
use serde_json::json;
use tokio::time::Instant;

struct Scene {
    world: World,
    kept: Kept,
    errand: Errand,
}

impl Scene {
    fn of(errand: Errand) -> Self {
        let (rows, kept) = Kept::ready();
        Self::over(Arc::new(rows), kept, errand)
    }

    fn over(rows: Arc<Rows>, kept: Kept, errand: Errand) -> Self {
        let world = World::with_own_users(rows, |builder| {
            let builder =
                if errand.is_of_own_login() { Kept::with_own_login(builder) } else { Kept::configure(builder) };
            builder.seed(1000)
        });
        Self { world, kept, errand }
    }

    fn run(&self) -> Ended {
        self.errand.run(&self.world.server, &self.kept)
    }

    fn signs_in(&self, name: &str, password: &str) -> bool {
        self.world.authorize(&json!({ "username": name, "password": password })).status == 200
    }

    fn is_dead(&self, tokens: &SignedIn) -> bool {
        !self.world.works(&tokens.access) && self.world.refresh(&tokens.refresh).status == 400
    }

    /// Whether what was asked for is so.
    fn holds(&self) -> bool {
        let (server, kept) = (&self.world.server, &self.kept);
        let stored = |client_id: &str| server.stored_client(client_id).unwrap();
        let ada_is_out =
            || [&kept.web, &kept.portal, &kept.stored, &kept.of_browser].iter().all(|one| self.is_dead(one));
        match self.errand {
            Errand::ChangePassword => {
                ada_is_out()
                    && self.signs_in("ada@example.com", NEW_PASSWORD)
                    && !self.signs_in("ada@example.com", PASSWORD)
            }
            Errand::CreateClient => stored("new").is_some(),
            Errand::CreateUser => self.signs_in("new", PASSWORD),
            Errand::DeleteClient => stored("stored").is_none() && self.is_dead(&kept.stored),
            Errand::DeleteUser | Errand::DisableUser => ada_is_out() && !self.signs_in("ada@example.com", PASSWORD),
            Errand::EnableUser => self.signs_in("eve", NEW_PASSWORD),
            Errand::EndSession => {
                self.is_dead(&kept.of_browser) && !Visit::with_cookies(&self.world, &kept.cookies).is_signed_in()
            }
            Errand::RetireKey => {
                server.replace_keys(&keys(KEY)).unwrap();
                stored("kept").is_some()
            }
            Errand::Revoke | Errand::RevokeGrant => self.is_dead(&kept.web) && self.world.works(&kept.portal.access),
            Errand::RevokeAccess => {
                let over = self.is_dead(&kept.web) && self.is_dead(&kept.of_browser);
                over && self.world.works(&kept.portal.access)
            }
            Errand::RevokeAll => ada_is_out() && !Visit::with_cookies(&self.world, &kept.cookies).is_signed_in(),
            Errand::RevokeClient => self.is_dead(&kept.web) && self.is_dead(&kept.of_browser),
            Errand::UnlockUser => self.signs_in("locked", NEW_PASSWORD),
            Errand::UpdateClient => stored("stored").is_some_and(|client| client.redirect_uris() == [NEXT_URI]),
            _ => true,
        }
    }

    /// What holds when the store is well again, and what a repetition comes to.
    fn check(&self, first: &Ended, may_be_done: bool, context: &str) {
        let by_itself = matches!(self.errand, Errand::Redeem | Errand::Refresh);
        assert!(by_itself || !first.is_done() || self.holds(), "done, and it is not so: {context}");
        let mut again = self.run();
        match (self.errand, first) {
            (Errand::Redeem, first) => return self.check_code(first, &again, may_be_done, context),
            (Errand::Refresh, first) => {
                let Ended::Done(Brought::Tokens(repeated)) = &again else { panic!("{context}: {again:?}") };
                if let Ended::Done(Brought::Tokens(first)) = first {
                    assert_eq!((&first.access, &first.refresh), (&repeated.access, &repeated.refresh), "{context}");
                }
                assert!(self.world.works(&repeated.access), "{context}");
                assert_eq!(self.world.refresh(&repeated.refresh).status, 200, "{context}");
                return;
            }
            (Errand::Approve, _) => {
                for (ended, is_first) in [(first, true), (&again, false)] {
                    let Ended::Done(Brought::Response(reply)) = ended else { panic!("{context}: {ended:?}") };
                    let code = code_in(reply);
                    assert!(code.is_some() || (is_first && reply.status == 503), "{context}: {reply:?}");
                    let once = !is_first || code.is_none();
                    assert!(once || code_in_response(&again) == code, "one request, one code: {context}");
                }
                let tokens = SignedIn::of(&self.world.redeem(&code_in_response(&again).unwrap()));
                assert!(self.world.works(&tokens.access), "{context}");
                return;
            }
            (Errand::CreateClient | Errand::CreateUser, Ended::Refused(_)) if may_be_done => {}
            // Where it is gone already, a repetition has ended what was left over, and says that there is none.
            (Errand::DeleteClient | Errand::DeleteUser, _) => {}
            (Errand::CreateClient | Errand::CreateUser, Ended::Done(_)) => again = self.run(),
            _ => assert!(again.is_done(), "{context}: {again:?}"),
        }
        assert!(!matches!(again, Ended::Refused(_)), "{context}: {again:?}");
        assert!(self.holds(), "{context}: {again:?}");
        assert!(self.world.works(&self.kept.bobs.access), "{context}: nobody has anything against Bob");
    }

    fn check_code(&self, first: &Ended, again: &Ended, may_be_done: bool, context: &str) {
        match (first, again) {
            (Ended::Done(Brought::Tokens(first)), Ended::Refused(refusal)) => {
                assert_eq!(refusal.code(), ErrorCode::InvalidGrant, "{context}");
                assert!(self.is_dead(first), "a replay: {context}");
            }
            (Ended::Refused(_), Ended::Done(Brought::Tokens(tokens))) => {
                assert!(self.world.works(&tokens.access), "{context}");
            }
            (Ended::Refused(_), Ended::Refused(refusal)) => {
                assert!(may_be_done, "{context}");
                assert_eq!(refusal.code(), ErrorCode::InvalidGrant, "{context}");
            }
            other => panic!("{context}: {other:?}"),
        }
    }
}

fn code_in_response(ended: &Ended) -> Option<String> {
    match ended {
        Ended::Done(Brought::Response(reply)) => code_in(reply),
        _ => None,
    }
}

/// Whether nothing is claimed; a call that was done is no failure.
fn assert_unavailable(errand: Errand, ended: &Ended, call: Call, context: &str) -> bool {
    match ended {
        Ended::Done(Brought::Response(reply)) if reply.status == 503 => true,
        Ended::Done(_) => false,
        Ended::Refused(refusal) => {
            let told = (refusal.status().as_u16(), refusal.code());
            assert_eq!(told, (503, ErrorCode::TemporarilyUnavailable), "{context}");
            assert!(refusal.cause().is_some(), "the host sees its own error: {context}");
            let invited = !(errand == Errand::Redeem && call == Call::Put);
            assert_eq!(refusal.retry_after().is_some(), invited, "{context}");
            true
        }
        Ended::Told(error) => panic!("nothing for the operator to mend: {context}: {error}"),
    }
}

/// What an errand brings, and its calls, when nothing goes wrong.
fn smooth(errand: Errand) -> (String, Vec<Call>) {
    let scene = Scene::of(errand);
    let ended = scene.run();
    let calls = scene.world.store.take_calls();
    assert!(ended.is_done(), "{errand:?}: {ended:?}");
    assert!(scene.holds(), "{errand:?}");
    (format!("{ended:?}"), calls)
}

#[test]
fn a_call_at_a_store_that_fails_is_done_or_claims_nothing_and_a_repetition_is_safe() {
    let ends: [(&[Fault], bool); 9] = [
        (&[Fault::Fail], false),
        (&[Fault::Fail; 100], false),
        (&[Fault::Lost], true),
        (&[Fault::Lost; 100], true),
        (&[Fault::Late], true),
        (&[Fault::Late, Fault::Late], true),
        (&[Fault::Lost, Fault::Conflict], true),
        (&[Fault::Fail, Fault::Conflict], false),
        (&[Fault::Late, Fault::Conflict], true),
    ];
    for errand in Errand::at_the_store() {
        let (expected, calls) = smooth(errand);
        assert!(!calls.is_empty(), "{errand:?} asks the store for something");
        let mut unavailable = 0;
        for (at, call) in calls.iter().enumerate() {
            for (end, may_be_done) in ends {
                let context = format!("{errand:?} {:?} {} times at call {at}, a {call}", end[0], end.len());
                let scene = Scene::of(errand);
                scene.world.store.plan([&vec![Fault::None; at], end].concat());
                let ended = scene.run();
                scene.world.store.plan([]);
                unavailable += usize::from(assert_unavailable(errand, &ended, *call, &context));
                if errand.only_looks() && ended.is_done() {
                    assert_eq!(format!("{ended:?}"), expected, "{context}: nothing is left out");
                }
                scene.world.store.land();
                scene.check(&ended, may_be_done, &context);
            }
        }
        assert!(unavailable > 0, "{errand:?} cannot do without the store");
    }
}

#[test]
fn calls_that_need_no_store_go_on_without_one_and_the_others_say_so() {
    for errand in Errand::ALL {
        let scene = Scene::of(*errand);
        scene.world.store.set_down(true);
        let ended = scene.run();
        if matches!(errand, Errand::Deny | Errand::Pkce) {
            assert!(ended.is_done(), "{errand:?}");
        } else {
            assert!(assert_unavailable(*errand, &ended, Call::Get, &format!("{errand:?}")), "{errand:?}: {ended:?}");
        }
    }
}

const STORE_TIMEOUT: Duration = Duration::from_secs(2);

#[tokio::test(start_paused = true)]
async fn a_call_at_a_store_that_hangs_is_over_in_time_and_a_repetition_is_safe() {
    for errand in Errand::at_the_store() {
        let calls = smooth(errand).1;
        for (at, call) in calls.iter().enumerate() {
            for (pause, lasts) in
                [Pause::HangBefore, Pause::HangAfter].into_iter().flat_map(|one| [(one, true), (one, false)])
            {
                let context = format!("{errand:?} {pause:?} from call {at}, a {call}, on: {lasts}");
                let (rows, kept) = Kept::ready();
                let rows = Arc::new(rows);
                let beside = Scene::over(rows.clone(), kept, errand);
                let store = Arc::new(Slow::around(rows));
                let builder = configure(AsyncServer::builder(ISSUER)).async_store(Arc::clone(&store));
                let builder =
                    if errand.is_of_own_login() { Kept::with_own_login(builder) } else { Kept::configure(builder) };
                let server = builder.clock(FakeClock::at(START)).seed(2000).build().unwrap();
                store.plan([vec![Pause::None; at], vec![pause; if lasts { 100 } else { 1 }]].concat());
                let started = Instant::now();
                let ended = errand.run_async(&server, &beside.kept).await;
                let took = started.elapsed();
                assert!(took >= STORE_TIMEOUT && took <= 3 * STORE_TIMEOUT, "{context}: {took:?}");
                assert_unavailable(errand, &ended, *call, &context);
                store.plan([]);
                beside.check(&ended, pause == Pause::HangAfter, &context);
            }
        }
    }
}
