//! Operations in this process, each beside its floor.

use std::collections::HashMap;
use std::hint::black_box;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proofkey::store::{MemoryStore, Store};
use proofkey::testing::FakeClock;
use proofkey::{Request, Requirement, Response, Scope, Server};

use crate::floor::table::Table;
use crate::floor::{Floor, Sealing};
use crate::measure::{Pairs, Took, micros};
use crate::report::{Report, Row, Target};
use crate::rows::Directory;
use crate::world::{self, CLIENT, ISSUER, SERVICE, START, configure};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) rounds: usize,
    pub(crate) operations: usize,
}

/// A server and a floor that do the same in turns.
pub(crate) struct Contest<T> {
    server: Server,
    clock: FakeClock,
    floor: Floor<T>,
    size: Size,
}

/// What a section measures of each operation.
struct Taken {
    processor: Pairs,
    elapsed: Pairs,
}

impl<T: Table> Contest<T> {
    pub(crate) fn new(store: Arc<dyn Store>, table: T, sealing: Sealing, size: Size) -> Self {
        let clock = FakeClock::at(START);
        let builder = configure(Server::builder(ISSUER)).store(store).clock(clock.clone());
        let server = builder.build().unwrap_or_else(|misuse| panic!("{misuse}"));
        Self { server, clock, floor: Floor::new(table, sealing, START), size }
    }

    /// A code of ours, and one of the floor's.
    fn codes(&mut self, client_id: &str) -> (String, String) {
        let ours = world::member(&self.server.handle(world::authorize(client_id), None), "code");
        (ours, self.floor.code(client_id).expect("the floor takes any grant"))
    }

    /// Each code once.
    fn redeem(&mut self) -> Taken {
        self.run(
            |contest| {
                let (ours, floor) = contest.codes(CLIENT);
                let form = |code: &str| Bytes::from(world::redeem_form(CLIENT, code));
                (world::form("/auth/token", form(&ours)), form(&floor))
            },
            |server, request| server.handle(request, PEER),
            |floor, form| floor.redeem(&form).expect("the code is good"),
            |_, _, _| {},
        )
    }

    /// The same grants again and again, an hour between: as often as a client with tokens of an hour.
    fn refresh(&mut self) -> Taken {
        let mut tokens: Vec<(String, String)> = Vec::new();
        for _ in 0..self.size.operations {
            let (ours, floor) = self.codes(CLIENT);
            let ours = self.server.handle(world::form("/auth/token", world::redeem_form(CLIENT, &ours)), None);
            let floor = self.floor.redeem(world::redeem_form(CLIENT, &floor).as_bytes()).expect("the code is good");
            tokens.push((world::member(&ours, "refresh_token"), world::text(&floor, "refresh_token")));
        }
        let tokens = std::cell::RefCell::new(tokens);
        self.run(
            |_| {
                let (ours, floor) = tokens.borrow_mut().pop().expect("a token of the round before");
                let form = |token: &str| Bytes::from(world::refresh_form(token));
                (world::form("/auth/token", form(&ours)), form(&floor))
            },
            |server, request| server.handle(request, PEER),
            |floor, form| floor.refresh(&form).expect("the token is good"),
            |contest, ours, floor| {
                let pairs = ours.iter().zip(floor);
                let next = pairs
                    .map(|(ours, floor)| (world::member(ours, "refresh_token"), world::text(floor, "refresh_token")));
                tokens.borrow_mut().extend(next);
                contest.clock.advance(HOUR);
                contest.floor.now += HOUR.as_secs();
            },
        )
    }

    /// A guard of an API.
    fn check_access(&mut self) -> Taken {
        let tokens = self.access_tokens(CLIENT);
        let mut at = 0;
        self.run(
            |_| {
                at += 1;
                let (ours, floor) = &tokens[at % tokens.len()];
                (world::bearer(ours), format!("Bearer {floor}"))
            },
            |server, request| {
                let requirement = Requirement::scope(Scope::parse("read").expect("a scope"));
                server.check_access(Request::new(request, PEER), requirement).expect("the token is good")
            },
            |floor, header| floor.check_access(&header).expect("the token is good"),
            |_, _, floor| {
                for checked in floor {
                    black_box((&checked.grant, &checked.client_id, &checked.subject, &checked.username));
                    black_box((&checked.scope, &checked.audience, checked.expires_at));
                }
            },
        )
    }

    /// A resource server that asks over HTTP.
    fn introspect(&mut self) -> Taken {
        let (tokens, basic) = (self.access_tokens(SERVICE), world::basic());
        let mut at = 0;
        self.run(
            |_| {
                at += 1;
                let (ours, floor) = &tokens[at % tokens.len()];
                let form = |token: &str| Bytes::from(world::introspect_form(token));
                (world::by_service(world::form("/auth/introspect", form(ours))), form(floor))
            },
            |server, request| server.handle(request, PEER),
            |floor, form| floor.introspect(&basic, &form).expect("the token is good"),
            |_, _, _| {},
        )
    }

    fn challenge(&mut self) -> Taken {
        self.run(
            |_| (world::form("/auth/challenge", ""), ()),
            |server, request| server.handle(request, PEER),
            |floor, ()| floor.challenge().expect("a pair"),
            // The endpoint is open to anybody, so many a minute.
            |contest, _, _| contest.clock.advance(Duration::from_secs(60)),
        )
    }

    fn access_tokens(&mut self, client_id: &str) -> Vec<(String, String)> {
        let pairs = (0..self.size.operations).map(|_| {
            let (ours, floor) = self.codes(client_id);
            let mut request = world::form("/auth/token", world::redeem_form(client_id, &ours));
            if client_id == SERVICE {
                request = world::by_service(request);
            }
            let ours = self.server.handle(request, None);
            let floor = self.floor.redeem(world::redeem_form(client_id, &floor).as_bytes()).expect("the code is good");
            (world::member(&ours, "access_token"), world::text(&floor, "access_token"))
        });
        pairs.collect()
    }

    /// Prepares requests, then runs ours and the floor's in turns; only the answers are timed.
    fn run<Q, F, A: Answer, B>(
        &mut self,
        mut prepare: impl FnMut(&mut Self) -> (Q, F),
        ours: impl Fn(&Server, Q) -> A,
        floor: impl Fn(&mut Floor<T>, F) -> B,
        mut after: impl FnMut(&mut Self, &[A], &[B]),
    ) -> Taken {
        let Size { rounds, operations } = self.size;
        let mut taken = Taken { processor: Pairs::default(), elapsed: Pairs::default() };
        // The first round does not count.
        for round in 0..=rounds {
            let (requests, forms): (Vec<Q>, Vec<F>) = (0..operations).map(|_| prepare(self)).unzip();
            let (mut answers, mut others) = (Vec::with_capacity(operations), Vec::with_capacity(operations));
            let server = &self.server;
            let of_ours = Took::of(|| answers.extend(requests.into_iter().map(|request| ours(server, request))));
            let table = &mut self.floor;
            let of_floor = Took::of(|| others.extend(forms.into_iter().map(|form| floor(table, form))));
            if let Some(bad) = answers.iter().find(|answer| !answer.is_good()) {
                panic!("every answer is a good one: {bad:?}");
            }
            after(self, &answers, &others);
            if round > 0 {
                let (of_ours, of_floor) = (of_ours.each(operations), of_floor.each(operations));
                taken.processor.push(micros(of_ours.processor), micros(of_floor.processor));
                taken.elapsed.push(micros(of_ours.elapsed), micros(of_floor.elapsed));
            }
        }
        taken
    }
}

/// An answer that shows whether the work was done.
trait Answer: std::fmt::Debug {
    fn is_good(&self) -> bool;
}

impl Answer for Response {
    fn is_good(&self) -> bool {
        self.status() == http::StatusCode::OK && !self.body().starts_with(b"{\"active\":false")
    }
}

impl Answer for proofkey::AccessToken {
    fn is_good(&self) -> bool {
        self.subject().is_some()
    }
}

const HOUR: Duration = Duration::from_secs(3600);
const PEER: Option<std::net::IpAddr> = Some(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));

/// Operations on memory.
pub(crate) fn memory(report: &mut Report, quick: bool) -> io::Result<()> {
    let size = if quick { Size { rounds: 2, operations: 20 } } else { Size { rounds: 60, operations: 250 } };
    for (name, run) in operations() {
        if report.wants("memory", name) {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            let taken = run(&mut Contest::new(store, HashMap::new(), Sealing::Sealed, size));
            report.add(Row::times("memory", name, &taken.processor).with_target(Target::AtMost(1.5)))?;
        }
    }
    Ok(())
}

/// Operations on SQLite, a durable commit for each write; elapsed time beside processor time, for most of it is waiting.
pub(crate) fn sqlite(report: &mut Report, quick: bool) -> io::Result<()> {
    let size = if quick { Size { rounds: 2, operations: 10 } } else { Size { rounds: 30, operations: 50 } };
    let directory = Directory::new("operations")?;
    for (at, (name, run)) in operations().into_iter().enumerate() {
        if report.wants("SQLite", name) {
            let store: Arc<dyn Store> = Arc::new(directory.store(&format!("{at}.db")));
            let table = directory.raw(&format!("{at}-raw.db"));
            let taken = run(&mut Contest::new(store, table, Sealing::Sealed, size));
            report.add(Row::times("SQLite", name, &taken.processor))?;
            report.add(Row::times("SQLite", format!("{name}, elapsed"), &taken.elapsed))?;
        }
    }
    Ok(())
}

type Operation<T> = (&'static str, fn(&mut Contest<T>) -> Taken);

fn operations<T: Table>() -> [Operation<T>; 5] {
    [
        ("redeem", Contest::redeem),
        ("refresh", Contest::refresh),
        ("access check", Contest::check_access),
        ("introspect", Contest::introspect),
        ("challenge", Contest::challenge),
    ]
}
