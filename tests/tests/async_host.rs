//! What `AsyncServer` makes of a host whose parts hang or panic, and of calls that the host makes itself.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use proofkey::core::{Key, Query, Record, UnixTime, Version, Write};
use proofkey::store::Store;
use proofkey::testing::FakeClock;
use proofkey::{AsyncServer, AsyncUsers, BoxFuture, ErrorCode, StoreError, UserAnswer};
use proofkey_tests::{
    ADA, Held, ISSUER, Keeper, Operation, Pause, People, Reply, Rows, START, Slow, World, assert_unavailable, configure,
};
use tokio::time::Instant;

/// A table of users that never answers.
struct Silent;

impl AsyncUsers for Silent {
    fn find<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<UserAnswer, StoreError>> {
        Box::pin(pending())
    }

    fn find_by_name<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<UserAnswer, StoreError>> {
        Box::pin(pending())
    }
}

/// A store with a bug.
struct Panicking;

impl Store for Panicking {
    fn get(&self, _: &Key) -> Result<Option<Record>, StoreError> {
        panic!("a bug in the host's store")
    }

    fn put(&self, _: &Write) -> Result<bool, StoreError> {
        panic!("a bug in the host's store")
    }

    fn delete(&self, _: &Key, _: &Version) -> Result<bool, StoreError> {
        panic!("a bug in the host's store")
    }

    fn find(&self, _: &Query) -> Result<Vec<Key>, StoreError> {
        panic!("a bug in the host's store")
    }

    fn sweep(&self, _: UnixTime, _: usize) -> Result<usize, StoreError> {
        panic!("a bug in the host's store")
    }
}

/// What clients hold, and the rows in which it is kept.
fn prepared() -> (Arc<Rows>, World, Held) {
    let rows = Arc::new(Rows::default());
    let beside = World::over(rows.clone(), |builder| builder.seed(7));
    let held = Held::prepare(&beside);
    (rows, beside, held)
}

#[tokio::test(start_paused = true)]
async fn users_that_never_answer_are_given_up_and_nobody_is_signed_out() {
    let (rows, beside, held) = prepared();
    let builder = configure(AsyncServer::builder(ISSUER)).store(rows).async_users(Silent);
    let server = builder.clock(FakeClock::at(START)).seed(1).build().unwrap();
    for operation in [Operation::Authorize, Operation::Refresh, Operation::Userinfo] {
        let started = Instant::now();
        let reply = Reply::from(server.handle(operation.request(&held), None).await);
        assert_eq!(
            started.elapsed(),
            Duration::from_secs(2),
            "{operation:?}: store_timeout bounds every call of the host"
        );
        assert_unavailable(operation, &reply, "");
        assert_eq!(reply.header("retry-after"), "1");
    }
    assert_eq!(beside.refresh(&held.web.refresh).status, 200);
}

#[tokio::test]
async fn a_store_that_panics_is_a_store_that_failed() {
    let (_, _, held) = prepared();
    let builder =
        Held::with_all_endpoints(configure(AsyncServer::builder(ISSUER))).store(Panicking).users(People::default());
    let server = builder.clock(FakeClock::at(START)).seed(1).build().unwrap();
    for operation in Operation::at_the_store().filter_map(|(one, keeper)| (keeper == Keeper::Host).then_some(one)) {
        assert_unavailable(operation, &server.handle(operation.request(&held), None).await.into(), "");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_host_asks_for_takes_as_long_as_it_needs_and_no_call_longer_than_it_may() {
    let (rows, beside, held) = prepared();
    for _ in 0..10 {
        beside.sign_in();
    }
    let store = Arc::new(Slow::around(rows));
    let builder = configure(AsyncServer::builder(ISSUER)).async_store(Arc::clone(&store)).users(People::default());
    let server = builder.clock(FakeClock::at(START)).seed(1).build().unwrap();
    let grants = server.grants_of(ADA).await.unwrap().len();
    store.plan(vec![Pause::Before(Duration::from_millis(1900)); 1000]);
    let started = Instant::now();
    assert_eq!(server.revoke_all(ADA).await.unwrap(), grants);
    assert!(started.elapsed() > Duration::from_secs(20), "far beyond the flow_deadline of a client");
    assert!(!beside.works(&held.web.access));

    store.plan(vec![Pause::HangBefore; 1000]);
    let started = Instant::now();
    let refusal = server.revoke_all(ADA).await.unwrap_err();
    assert_eq!((refusal.code(), started.elapsed()), (ErrorCode::TemporarilyUnavailable, Duration::from_secs(2)));
    assert!(refusal.cause().is_some(), "the host sees its own error");
}
