//! A process that shares a SQLite file with others, for tests of several processes and of sudden death.
//!
//! `worker FILE THREADS`, with so many threads that write and one that reads, takes lines `NUMBER OPERATION TOKEN` (redeem, refresh, revoke, check), and answers each, when
//! it is done, by `NUMBER STATUS ACCESS REFRESH ERROR`; `-` stands for none. `NUMBER room BYTES` bounds how far any file
//! reaches that it writes to from then on, as a full disk would; `-` lifts that. A panic ends the process.

#![forbid(unsafe_code)]

use std::io::{self, BufRead as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use proofkey::Server;
use proofkey::store::SqliteStore;
use proofkey::testing::FakeClock;
use proofkey_tests::{ISSUER, People, START, configure, perform};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn main() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        told(panic);
        std::process::exit(101);
    }));
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().unwrap_or_else(|| panic!("the first argument is the file"));
    let threads: usize = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let builder = configure(Server::builder(ISSUER)).store(SqliteStore::new(file)).users(People::default());
    let server = builder.clock(FakeClock::at(START)).build().unwrap_or_else(|misuse| panic!("{misuse}"));

    let (writes, writers) = pool(&server, threads);
    let (reads, readers) = pool(&server, 1);
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        // Writes that wait must not keep the others waiting.
        let is_write = !line.contains(" check ") && !line.contains(" room ");
        if (if is_write { &writes } else { &reads }).send(line).is_err() {
            break;
        }
    }
    drop((writes, reads));
    for thread in writers.into_iter().chain(readers) {
        let _ = thread.join();
    }
}

/// Threads that answer lines, each the next one.
fn pool(server: &Server, threads: usize) -> (mpsc::Sender<String>, Vec<JoinHandle<()>>) {
    let (send, receive) = mpsc::channel::<String>();
    let receive = Arc::new(Mutex::new(receive));
    let workers = (0..threads).map(|_| {
        let (server, receive) = (server.clone(), Arc::clone(&receive));
        std::thread::spawn(move || {
            loop {
                let line = receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(line) = line else { return };
                answer(&server, &line);
            }
        })
    });
    (send, workers.collect())
}

fn answer(server: &Server, line: &str) {
    let mut words = line.split(' ');
    let (Some(number), Some(operation), Some(token)) = (words.next(), words.next(), words.next()) else { return };
    let performed = match operation {
        "room" => {
            bound_files(token.parse().ok());
            "200 - - -".to_owned()
        }
        _ => perform(server, operation, token).to_string(),
    };
    // One write a line, so that lines of different threads do not mix.
    let _ = io::stdout().lock().write_all(format!("{number} {performed}\n").as_bytes());
}

/// Sets the soft limit `RLIMIT_FSIZE`; nothing is as far as the hard one reaches.
fn bound_files(bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    let limit = Rlimit { current: bytes.or(maximum), maximum };
    setrlimit(Resource::Fsize, limit).unwrap_or_else(|error| panic!("RLIMIT_FSIZE: {error}"));
}
