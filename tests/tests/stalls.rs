//! Password hashes run beside the server, not in its way.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::header::CONTENT_TYPE;
use proofkey::store::MemoryStore;
use proofkey::testing::FakeClock;
use proofkey::{AsyncServer, Response};
use proofkey_tests::{CHALLENGE, ISSUER, People, REDIRECT_URI, START, configure};
use serde_json::json;

const LOGINS: usize = 50;
/// The stated bound on 99 of 100 answers that need no hash, while hashes run: far above what they take, for the machine
/// may run other programs, which may hold up the odd answer. A hash in their way would hold up each by more.
const BOUND: Duration = Duration::from_millis(200);

fn login() -> http::Request<bytes::Bytes> {
    let body = json!({
        "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        "scope": "read", "username": "nobody", "password": "a wrong one, this",
    });
    let request = http::Request::post("/auth/authorize").header(CONTENT_TYPE, "application/json");
    request.body(body.to_string().into()).unwrap()
}

async fn metadata(server: &AsyncServer) -> Response {
    let request = http::Request::get("/.well-known/oauth-authorization-server/auth");
    server.handle(request.body(bytes::Bytes::new()).unwrap(), None).await
}

/// On one thread, so that a hash on it would hold up everything.
#[tokio::test]
async fn fifty_logins_at_once_hold_up_no_other_answer() {
    let _rows = proofkey_conformance::shows(&["passwords-login-4"]);
    let builder = configure(AsyncServer::builder(ISSUER)).store(MemoryStore::new()).users(People::default());
    // An unknown user costs one hash of this cost: a quarter of a second.
    let builder = builder.clock(FakeClock::at(START)).password_cost(12).work_limit(1);
    let server = builder.flow_deadline(Duration::from_secs(2)).build().unwrap();
    let (answered, judged) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let logins: Vec<_> = (0..LOGINS)
        .map(|at| {
            let (server, answered, judged) = (server.clone(), Arc::clone(&answered), Arc::clone(&judged));
            tokio::spawn(async move {
                let peer = IpAddr::from([192, 0, 2, u8::try_from(at).unwrap()]);
                let response = server.handle(login(), Some(peer)).await;
                judged.fetch_add(usize::from(response.status() == 400), Ordering::SeqCst);
                answered.fetch_add(1, Ordering::SeqCst);
                response
            })
        })
        .collect();
    tokio::task::yield_now().await;
    let (mut times, mut before_the_first) = (Vec::new(), 0);
    while answered.load(Ordering::SeqCst) < LOGINS {
        let since = Instant::now();
        assert_eq!(metadata(&server).await.status(), 200);
        tokio::task::yield_now().await;
        times.push(since.elapsed());
        before_the_first += usize::from(judged.load(Ordering::SeqCst) == 0);
    }
    let mut statuses = Vec::new();
    for login in logins {
        statuses.push(login.await.unwrap().status().as_u16());
    }
    let count = |status| statuses.iter().filter(|one| **one == status).count();
    assert!(count(400) >= 1, "some were judged: {statuses:?}");
    assert_eq!(count(400) + count(503), LOGINS, "and those whose turn would come too late were told: {statuses:?}");
    times.sort();
    let slow = times[times.len() * 99 / 100];
    assert!(slow < BOUND, "{slow:?}");
    assert!(before_the_first >= 50, "{before_the_first} answers while the first hash ran");
}
