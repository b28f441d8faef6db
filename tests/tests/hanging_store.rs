//! A store that does not answer: `AsyncServer` bounds each call by `store_timeout` and each request by `flow_deadline`,
//! and a put that was not answered is unknown (invariant I17). Time is simulated: nothing here waits.

use std::sync::Arc;
use std::time::Duration;

use proofkey::AsyncServer;
use proofkey::testing::FakeClock;
use proofkey_tests::{
    Call, Held, ISSUER, Keeper, Operation, Pause, People, Reply, Rows, START, Slow, World, assert_aftermath,
    assert_unavailable, configure,
};
use tokio::time::Instant;

const STORE_TIMEOUT: Duration = Duration::from_secs(2);
const FLOW_DEADLINE: Duration = Duration::from_secs(5);

/// A server over a store that can be slow, and beside it another one over the same rows that sees none of that.
struct Scene {
    server: AsyncServer,
    store: Arc<Slow>,
    beside: World,
    held: Held,
}

impl Scene {
    fn new(keeper: Keeper) -> Self {
        let (rows, held) = Held::ready(keeper);
        let rows = Arc::new(rows);
        let beside = World::kept_by(keeper, rows.clone(), |builder| Held::with_all_endpoints(builder).seed(1000));
        let store = Arc::new(Slow::around(rows));
        let builder = Held::with_all_endpoints(configure(AsyncServer::builder(ISSUER))).async_store(Arc::clone(&store));
        let builder = builder.clock(FakeClock::at(START)).seed(2000);
        let builder = if keeper == Keeper::Host { builder.users(beside.people.clone()) } else { builder };
        Self { server: builder.build().unwrap(), store, beside, held }
    }

    async fn act(&self, operation: Operation) -> (Reply, Duration) {
        let started = Instant::now();
        let response = self.server.handle(operation.request(&self.held), self.beside.peer).await;
        (response.into(), started.elapsed())
    }
}

/// A plan in which the call at `at`, or every call from there on, is answered like that.
fn plan(pause: Pause, at: usize, lasts: bool) -> Vec<Pause> {
    let mut plan = vec![Pause::None; at];
    plan.extend(vec![pause; if lasts { 100 } else { 1 }]);
    plan
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_is_survived_or_answered_by_503_in_time_and_a_retry_is_safe() {
    hang_everywhere(Keeper::Host).await;
}

#[tokio::test(start_paused = true)]
async fn so_it_is_where_users_are_records_too() {
    hang_everywhere(Keeper::Server).await;
}

async fn hang_everywhere(keeper: Keeper) {
    for (operation, _) in Operation::at_the_store().filter(|(_, one)| *one == keeper) {
        let scene = Scene::new(keeper);
        assert_eq!(scene.act(operation).await.0.status, operation.status(), "{operation:?}");
        let calls = scene.store.take_calls();
        let mut unavailable = 0;
        for (at, call) in calls.iter().enumerate() {
            for (pause, lasts) in
                [Pause::HangBefore, Pause::HangAfter].into_iter().flat_map(|one| [(one, true), (one, false)])
            {
                let context = format!("{operation:?} {keeper:?} {pause:?} from call {at}, a {call}, on: {lasts}");
                let scene = Scene::new(keeper);
                scene.store.plan(plan(pause, at, lasts));
                let (reply, took) = scene.act(operation).await;
                assert!(took >= STORE_TIMEOUT && took <= FLOW_DEADLINE, "{context}: {took:?}");
                if !operation.is_done(&reply) {
                    unavailable += 1;
                    assert_unavailable(operation, &reply, &context);
                    let redeems = matches!(operation, Operation::Redeem | Operation::Replay);
                    let invited = !(redeems && *call == Call::Put) && reply.status == 503;
                    assert_eq!(!reply.header("retry-after").is_empty(), invited, "{context}");
                }
                let may_be_done = pause == Pause::HangAfter;
                assert_aftermath(&scene.beside, &scene.held, operation, &reply, may_be_done, &context);
            }
        }
        assert!(unavailable > 0, "{operation:?} cannot do without the store");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_slow_at_every_call_is_given_up_at_the_deadline() {
    let slow = Pause::Before(Duration::from_millis(1900));
    for (operation, keeper) in Operation::at_the_store() {
        let scene = Scene::new(keeper);
        scene.act(operation).await;
        let calls = scene.store.take_calls().len();
        let scene = Scene::new(keeper);
        scene.store.plan(vec![slow; 100]);
        let (reply, took) = scene.act(operation).await;
        let in_time = calls <= 2;
        assert_eq!(operation.is_done(&reply), in_time, "{operation:?} of {calls} calls: {reply:?}");
        assert!(took <= FLOW_DEADLINE, "{operation:?}: {took:?}");
        if !in_time {
            assert_unavailable(operation, &reply, "");
        }
        scene.store.plan([]);
        assert_aftermath(&scene.beside, &scene.held, operation, &reply, true, &format!("{operation:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_timeouts_are_those_of_the_settings() {
    let rows = Arc::new(Rows::default());
    let beside = World::over(rows.clone(), |builder| builder.seed(7));
    let held = Held::prepare(&beside);
    let store = Arc::new(Slow::around(rows));
    let builder = configure(AsyncServer::builder(ISSUER)).async_store(Arc::clone(&store)).users(People::default());
    let builder = builder.clock(FakeClock::at(START)).store_timeout(Duration::from_millis(300));
    let server = builder.flow_deadline(Duration::from_secs(1)).build().unwrap();
    let started = Instant::now();
    store.plan(plan(Pause::HangBefore, 0, false));
    let reply: Reply = server.handle(Operation::Userinfo.request(&held), None).await.into();
    assert_eq!((reply.status.as_u16(), started.elapsed()), (503, Duration::from_millis(300)));
    let started = Instant::now();
    store.plan(vec![Pause::Before(Duration::from_millis(299)); 100]);
    let reply: Reply = server.handle(Operation::Authorize.request(&held), None).await.into();
    assert_eq!((reply.status.as_u16(), started.elapsed()), (503, Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_future_is_dropped_runs_to_its_end() {
    for operation in [Operation::Revoke, Operation::RevokeAccess] {
        for at in 0..2 {
            let scene = Scene::new(Keeper::Host);
            scene.store.plan(plan(Pause::Before(Duration::from_secs(1)), at, false));
            let hung_up = tokio::time::timeout(Duration::from_millis(500), scene.act(operation)).await;
            assert!(hung_up.is_err(), "{operation:?}: the caller went away at call {at}");
            assert!(scene.beside.works(&scene.held.web.access), "{operation:?}: it is not done yet");
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(!scene.beside.works(&scene.held.web.access), "{operation:?}: it is done all the same");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_thief_who_hangs_up_does_not_stop_the_revocation() {
    let scene = Scene::new(Keeper::Host);
    let tokens = proofkey_tests::SignedIn::of(&scene.beside.redeem(&scene.held.code));
    scene.store.plan(plan(Pause::Before(Duration::from_secs(1)), 1, false));
    let replay = tokio::time::timeout(Duration::from_millis(500), scene.act(Operation::Redeem)).await;
    assert!(replay.is_err());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!scene.beside.works(&tokens.access), "the replay was judged to its end");
}

#[tokio::test(start_paused = true)]
async fn a_sweep_that_hangs_holds_up_no_answer() {
    let scene = Scene::new(Keeper::Host);
    scene.act(Operation::ForItself).await;
    let (calls, mut swept) = (scene.store.take_calls().len(), 0);
    for request in 0..600 {
        // Whatever comes after the answer hangs.
        swept += scene.store.take_calls().iter().filter(|call| **call == Call::Sweep).count();
        scene.store.plan([vec![Pause::None; calls], vec![Pause::HangBefore; 100]].concat());
        let (reply, took) = scene.act(Operation::ForItself).await;
        assert_eq!((reply.status.as_u16(), took), (200, Duration::ZERO), "request {request}");
        tokio::task::yield_now().await;
    }
    assert!(swept >= 2, "{swept}");
}
