//! Many threads, and many processes, at one code or one refresh token (invariants I1, I6, I7, I9, I10).

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};

use proofkey::Server;
use proofkey::store::{MemoryStore, SqliteStore, Store};
use proofkey::testing::FakeClock;
use proofkey_tests::{
    Admitted, CHALLENGE, ISSUER, Performed, REDIRECT_URI, Reply, START, WorkerProcess, configure, perform,
};

#[path = "../../host/tests/directory/mod.rs"]
mod directory;

use directory::Directory;

const THREADS: usize = 16;
const ROUNDS: usize = 1000;

fn server(store: Arc<dyn Store>) -> Server {
    let builder = configure(Server::builder(ISSUER)).store(store).authenticator(Admitted::default());
    builder.clock(FakeClock::at(START)).build().unwrap()
}

fn code(server: &Server) -> String {
    let body = serde_json::json!({
        "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        "scope": "read write profile", "username": "ada", "password": "x",
    });
    let request = http::Request::post("/auth/authorize").header("content-type", "application/json");
    let reply: Reply = server.handle(request.body(body.to_string().into()).unwrap(), None).into();
    reply.text("code")
}

fn refresh_token(server: &Server) -> String {
    perform(server, "redeem", &code(server)).refresh.unwrap()
}

/// The same operation by all threads at once, round after round.
fn race(
    rounds: usize,
    token: impl Fn() -> String,
    act: impl Fn(usize, &str) -> Performed + Sync,
    check: impl Fn(&str, &[Performed]),
) {
    for _ in 0..rounds {
        let token = token();
        let start = Barrier::new(THREADS);
        let outcomes: Vec<Performed> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|at| {
                    let (start, act, token) = (&start, &act, &token);
                    scope.spawn(move || {
                        start.wait();
                        act(at, token)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        check(&token, &outcomes);
    }
}

fn one_code_gives_tokens_once(store: Arc<dyn Store>) {
    let server = server(store);
    race(
        ROUNDS,
        || code(&server),
        |_, code| perform(&server, "redeem", code),
        |_, outcomes| {
            let won = outcomes.iter().filter(|outcome| outcome.status == 200).count();
            assert_eq!(won, 1, "{outcomes:?}");
            assert!(outcomes.iter().all(|outcome| matches!(outcome.status, 200 | 400)), "{outcomes:?}");
        },
    );
}

#[test]
fn sixteen_threads_redeem_one_code_over_memory_and_one_gets_tokens() {
    let _shows = proofkey_conformance::shows(&["rfc6749-4.1.2-3"]);
    one_code_gives_tokens_once(Arc::new(MemoryStore::new()));
}

#[test]
fn sixteen_threads_redeem_one_code_over_sqlite_and_one_gets_tokens() {
    let _shows = proofkey_conformance::shows(&["rfc6749-4.1.2-3"]);
    let directory = Directory::new("race-redeem");
    one_code_gives_tokens_once(Arc::new(SqliteStore::new(directory.file("auth.db"))));
}

#[test]
fn four_processes_redeem_one_code_over_one_file_and_one_gets_tokens() {
    let _shows = proofkey_conformance::shows(&["rfc6749-4.1.2-3"]);
    let directory = Directory::new("race-processes");
    let file = directory.file("auth.db");
    let server = server(Arc::new(SqliteStore::new(&file)));
    let codes: Vec<String> = (0..ROUNDS).map(|_| code(&server)).collect();
    let mut workers: Vec<WorkerProcess> =
        (0..4).map(|_| WorkerProcess::start(env!("CARGO_BIN_EXE_worker"), &file, 1)).collect();
    for (number, code) in codes.iter().enumerate() {
        for worker in &mut workers {
            assert!(worker.order(number, "redeem", code));
        }
        let outcomes: Vec<(usize, Performed)> = workers.iter_mut().map(|worker| worker.answer().unwrap()).collect();
        let won = outcomes.iter().filter(|(_, outcome)| outcome.status == 200).count();
        assert_eq!(won, 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|(of, _)| *of == number));
    }
}

fn refreshes_agree_and_the_session_goes_on(rounds: usize, store: Arc<dyn Store>) {
    let server = server(store);
    race(
        rounds,
        || refresh_token(&server),
        |_, token| perform(&server, "refresh", token),
        |_, outcomes| {
            let different: BTreeSet<String> = outcomes.iter().map(ToString::to_string).collect();
            assert_eq!(different.len(), 1, "sixteen answers with identical tokens: {different:?}");
            let one = &outcomes[0];
            assert_eq!(one.status, 200, "{one}");
            assert_eq!(perform(&server, "check", one.access.as_ref().unwrap()).status, 200);
            let next = perform(&server, "refresh", one.refresh.as_ref().unwrap());
            assert_eq!(next.status, 200, "the session works afterwards");
            assert_eq!(perform(&server, "check", next.access.as_ref().unwrap()).status, 200);
        },
    );
}

#[test]
fn sixteen_threads_refresh_one_token_over_memory_and_agree() {
    let _shows = proofkey_conformance::shows(&["rfc9700-4.14.2-6"]);
    refreshes_agree_and_the_session_goes_on(ROUNDS, Arc::new(MemoryStore::new()));
}

#[test]
fn sixteen_threads_refresh_one_token_over_sqlite_and_agree() {
    let _shows = proofkey_conformance::shows(&["rfc9700-4.14.2-6"]);
    let directory = Directory::new("race-refresh");
    refreshes_agree_and_the_session_goes_on(200, Arc::new(SqliteStore::new(directory.file("auth.db"))));
}

/// Four subsets of the scope, and one more than a rotation has access tokens for.
const SUBSETS: [&str; 5] = ["read", "write", "profile", "read write", "read profile"];

fn refresh_with_scope(server: &Server, token: &str, scope: &str) -> Reply {
    let body =
        format!("grant_type=refresh_token&client_id=web&refresh_token={token}&scope={}", scope.replace(' ', "+"));
    let request = http::Request::post("/auth/token").header("content-type", "application/x-www-form-urlencoded");
    server.handle(request.body(body.into()).unwrap(), None).into()
}

#[test]
fn refreshes_with_different_scopes_at_once_share_one_refresh_token_and_none_is_wider_than_asked() {
    let server = server(Arc::new(MemoryStore::new()));
    for _ in 0..100 {
        let token = refresh_token(&server);
        let start = Barrier::new(THREADS);
        let replies: Vec<(&str, Reply)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|at| {
                    let (server, start, token, asked) = (&server, &start, &token, SUBSETS[at % SUBSETS.len()]);
                    scope.spawn(move || {
                        start.wait();
                        (asked, refresh_with_scope(server, token, asked))
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let given: Vec<&(&str, Reply)> = replies.iter().filter(|(_, reply)| reply.status == 200).collect();
        let refreshes: BTreeSet<String> = given.iter().map(|(_, reply)| reply.text("refresh_token")).collect();
        let accesses: BTreeSet<String> = given.iter().map(|(_, reply)| reply.text("access_token")).collect();
        assert_eq!(refreshes.len(), 1, "one leaf");
        assert_eq!(accesses.len(), 4, "an access token for each of the first four subsets, and no fifth");
        for (asked, reply) in &replies {
            match reply.status.as_u16() {
                200 => {
                    let mut asked: Vec<&str> = asked.split(' ').collect();
                    asked.sort_unstable();
                    assert_eq!(reply.text("scope"), asked.join(" "), "none wider than asked");
                }
                // The fifth subset; or more lost races than `store_attempts`, which is no refusal of the token.
                status => assert!(matches!(status, 429 | 503), "{reply:?}"),
            }
        }
        assert_eq!(perform(&server, "refresh", refreshes.first().unwrap()).status, 200, "the session works afterwards");
    }
}
