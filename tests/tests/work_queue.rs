//! Password hashes are admitted: what the queue cannot take in time is refused at once, with the time to come again
//! (invariant I24).

use std::sync::{Arc, Barrier};
use std::time::Duration;

use proofkey::AsyncServer;
use proofkey::testing::FakeClock;
use proofkey_tests::{
    CHALLENGE, ISSUER, PASSWORD, People, REDIRECT_URI, Reply, Rows, START, World, assert_well_formed, configure,
};
use serde_json::json;

/// More than the seven that two seconds have room for: the queue begins by taking a hash for 285 ms.
const AT_ONCE: usize = 16;

fn sign_in() -> http::Request<bytes::Bytes> {
    let body = json!({
        "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        "scope": "read", "username": "ada@example.com", "password": PASSWORD,
    });
    let request = http::Request::post("/auth/authorize").header("content-type", "application/json");
    request.body(body.to_string().into()).unwrap()
}

/// Some were let in, and the others told at once when to come again, with nothing begun for them. The replies are in
/// the order in which they came.
fn assert_admission(replies: &[Reply], rows: &Rows) {
    let full: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 503).collect();
    for reply in &full {
        assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()));
        assert_eq!(reply.header("retry-after"), "1");
        assert_well_formed(reply, "a full queue");
    }
    let served = replies.iter().filter(|reply| reply.status == 200).count();
    assert!(served >= 1 && served + full.len() == replies.len(), "{replies:?}");
    assert!(!full.is_empty(), "{served} of {} were served", replies.len());
    assert_eq!(replies[0].status, 503, "whoever is refused does not wait for those who are served");
    assert_eq!(rows.lasting().iter().filter(|(key, _)| key.as_str().starts_with("g.")).count(), served);
}

#[test]
fn a_full_queue_of_a_blocking_server_is_a_503_and_those_in_it_are_served() {
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| {
        builder
            .password_cost(10)
            .work_limit(1)
            .flow_deadline(Duration::from_secs(2))
            .limit_user("off")
            .limit_address("off")
    });
    let start = Barrier::new(AT_ONCE);
    let (answered, answers) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let (world, start, answered) = (&world, &start, answered.clone());
            scope.spawn(move || {
                start.wait();
                answered.send(world.send(sign_in())).unwrap();
            });
        }
    });
    drop(answered);
    let replies: Vec<Reply> = answers.iter().collect();
    assert_admission(&replies, &rows);
    assert_eq!(world.send(sign_in()).status, 200, "the queue empties");
}

#[tokio::test]
async fn a_full_queue_of_an_asynchronous_server_is_a_503_and_those_in_it_are_served() {
    let rows = Arc::new(Rows::default());
    let builder = configure(AsyncServer::builder(ISSUER)).store(rows.clone()).users(People::default());
    let builder = builder.password_cost(10).work_limit(1).flow_deadline(Duration::from_secs(2));
    let server = builder.clock(FakeClock::at(START)).seed(1).limit_user("off").limit_address("off").build().unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let server = server.clone();
        calls.spawn(async move { Reply::from(server.handle(sign_in(), None).await) });
    }
    let mut replies = Vec::new();
    while let Some(reply) = calls.join_next().await {
        replies.push(reply.unwrap());
    }
    assert_admission(&replies, &rows);
    assert_eq!(server.handle(sign_in(), None).await.status(), 200, "the queue empties");
}
