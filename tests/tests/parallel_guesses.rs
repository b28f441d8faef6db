//! A thousand guesses at once are judged no more often than a thousand one after the other.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use proofkey::store::{MemoryStore, SqliteStore, Store};
use proofkey::testing::FakeClock;
use proofkey::{Authenticator, Secret, Server, StoreError, User, UserAnswer};
use proofkey_tests::{ADA, CHALLENGE, ISSUER, PASSWORD, REDIRECT_URI, Reply, START, configure};

#[path = "../../host/tests/directory/mod.rs"]
mod directory;

use directory::Directory;

const GUESSES: usize = 1000;
/// `limit_user`, for one address; ten times as many from all addresses together.
const OF_ONE_ADDRESS: usize = 10;
const OF_ALL_ADDRESSES: usize = 100;

/// A host that knows Ada's password, and counts how often it is asked about one.
#[derive(Clone, Default)]
struct Judge(Arc<AtomicUsize>);

impl Authenticator for Judge {
    fn authenticate(&self, _: &str, password: &Secret) -> Result<UserAnswer, StoreError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let right = password.expose() == PASSWORD.as_bytes();
        Ok(if right { UserAnswer::Found(User::new(ADA)) } else { UserAnswer::Absent })
    }

    fn find(&self, subject: &str) -> Result<UserAnswer, StoreError> {
        Ok(UserAnswer::Found(User::new(subject)))
    }
}

struct Door {
    server: Server,
    clock: FakeClock,
    judge: Judge,
}

impl Door {
    fn new(store: Arc<dyn Store>) -> Self {
        let (clock, judge) = (FakeClock::at(START), Judge::default());
        let builder = configure(Server::builder(ISSUER)).store(store).authenticator(judge.clone());
        // A thousand attempts of one address are to be stopped by the limit of the user, not by that of the address.
        let builder = builder.limit_user("10/15m").limit_address("off");
        Self { server: builder.clock(clock.clone()).build().unwrap(), clock, judge }
    }

    fn guess(&self, password: &str, from: IpAddr) -> u16 {
        let body = serde_json::json!({
            "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE,
            "code_challenge_method": "S256", "scope": "read", "username": "ada@example.com", "password": password,
        });
        let request = http::Request::post("/auth/authorize").header("content-type", "application/json");
        let request = request.body(body.to_string().into()).unwrap();
        let reply: Reply = self.server.handle(request, Some(from)).into();
        match reply.status.as_u16() {
            200 => assert_eq!(password, PASSWORD, "{reply:?}"),
            429 => assert_ne!(reply.header("retry-after"), "", "{reply:?}"),
            _ => assert_eq!(reply.error(), "access_denied", "{reply:?}"),
        }
        reply.status.as_u16()
    }

    /// All guesses at once, each with its own password. Returns how many were told that they are wrong.
    fn storm(&self, address: impl Fn(usize) -> IpAddr + Sync) -> usize {
        let start = Barrier::new(GUESSES);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..GUESSES)
                .map(|number| {
                    let (start, address) = (&start, &address);
                    scope.spawn(move || {
                        start.wait();
                        self.guess(&format!("guess {number}"), address(number))
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        statuses.into_iter().filter(|status| *status != 429).count()
    }

    fn judged(&self) -> usize {
        self.judge.0.load(Ordering::SeqCst)
    }

    /// After a storm: what the limit leaves is judged, then not even the right password is, until the window ends.
    fn stays_shut_at(&self, limit: usize, from: impl Fn(usize) -> IpAddr) {
        let mut more = 0;
        while self.guess("one more", from(more)) != 429 {
            more += 1;
            assert!(self.judged() <= limit, "{} were judged", self.judged());
        }
        let judged = self.judged();
        assert_eq!(self.guess(PASSWORD, from(more)), 429, "not even the right one is looked at");
        assert_eq!(self.judged(), judged);
        self.clock.advance(Duration::from_secs(15 * 60));
        assert_eq!(self.guess(PASSWORD, from(more)), 200, "the window is over");
    }
}

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn everywhere(number: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(number).unwrap()))
}

fn guesses_of_one_address_do_not_slip_through(store: Arc<dyn Store>) {
    let door = Door::new(store);
    let told = door.storm(|_| HOME);
    assert_eq!(told, door.judged(), "whoever is told anything was counted");
    assert!((1..=OF_ONE_ADDRESS).contains(&told), "{told} of {GUESSES} were judged");
    door.stays_shut_at(OF_ONE_ADDRESS, |_| HOME);
}

fn guesses_of_all_the_world_do_not_slip_through(store: Arc<dyn Store>) {
    let door = Door::new(store);
    let told = door.storm(everywhere);
    assert_eq!(told, door.judged());
    assert!((1..=OF_ALL_ADDRESSES).contains(&told), "{told} of {GUESSES} were judged");
    door.stays_shut_at(OF_ALL_ADDRESSES, |more| everywhere(GUESSES + more));
}

#[test]
fn a_thousand_parallel_guesses_of_one_address_do_not_slip_through_over_memory() {
    guesses_of_one_address_do_not_slip_through(Arc::new(MemoryStore::new()));
}

#[test]
fn a_thousand_parallel_guesses_of_one_address_do_not_slip_through_over_sqlite() {
    let directory = Directory::new("guesses-one");
    guesses_of_one_address_do_not_slip_through(Arc::new(SqliteStore::new(directory.file("auth.db"))));
}

#[test]
fn a_thousand_parallel_guesses_of_as_many_addresses_do_not_slip_through_over_memory() {
    guesses_of_all_the_world_do_not_slip_through(Arc::new(MemoryStore::new()));
}

#[test]
fn a_thousand_parallel_guesses_of_as_many_addresses_do_not_slip_through_over_sqlite() {
    let directory = Directory::new("guesses-all");
    guesses_of_all_the_world_do_not_slip_through(Arc::new(SqliteStore::new(directory.file("auth.db"))));
}
