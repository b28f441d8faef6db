//! The SQLite store beside rusqlite: batches, readers, and a million grants.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proofkey::core::{Key, Write};
use proofkey::store::{SqliteStore, Store as _};
use rusqlite::{Connection, TransactionBehavior};

use crate::floor::table::{self, Row as Stored, Table};
use crate::measure::{Pairs, Took, micros};
use crate::report::{Report, Row, Target};
use crate::rows::{self, Directory, replacement, write};

const SECTION: &str = "SQLite store";
/// As many callers as the target names.
const WRITERS: usize = 16;

/// How long each round lasts, how many there are, and how many rows are many.
#[derive(Clone, Copy)]
struct Size {
    round: Duration,
    rounds: usize,
    points: usize,
    many: usize,
}

pub(crate) fn sqlite(report: &mut Report, quick: bool) -> io::Result<()> {
    if !report.wants(SECTION, "") {
        return Ok(());
    }
    let size = if quick {
        Size { round: Duration::from_millis(20), rounds: 2, points: 50, many: 5_000 }
    } else {
        Size { round: Duration::from_millis(400), rounds: 15, points: 1_000, many: 1_000_000 }
    };
    let directory = Directory::new("rates")?;
    writers(report, &directory, size)?;
    readers(report, &directory, size)?;
    points(report, &directory, size)
}

/// New records by many callers: one transaction of ours holds what waits, one of rusqlite as many rows as we have callers.
fn writers(report: &mut Report, directory: &Directory, size: Size) -> io::Result<()> {
    let ours = directory.store("writers.db");
    let raw = directory.raw("writers-raw.db");
    let (numbers, mut raw_number) = (AtomicUsize::new(0), 0);
    let (mut beside_raw, mut beside_one) = (Pairs::default(), Pairs::default());
    for round in 0..=size.rounds {
        let many = writes_a_second(&ours, &numbers, WRITERS, size.round);
        let batches = batches_a_second(&raw, &mut raw_number, WRITERS, size.round);
        let one = writes_a_second(&ours, &numbers, 1, size.round);
        if round > 0 {
            beside_raw.push(many, batches);
            beside_one.push(many, one);
        }
    }
    let name = format!("{WRITERS} writers, beside raw rusqlite");
    report.add(Row::rates(SECTION, name, &beside_raw).with_target(Target::AtLeast(0.8)))?;
    let name = format!("{WRITERS} writers, beside one writer");
    report.add(Row::rates(SECTION, name, &beside_one).with_target(Target::AtLeast(3.0)))
}

fn writes_a_second(store: &SqliteStore, numbers: &AtomicUsize, threads: usize, round: Duration) -> f64 {
    count(threads, round, || {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        assert!(store.put(&write(number)).expect("the store writes"), "the key is new");
    })
}

fn batches_a_second(raw: &Connection, number: &mut usize, rows: usize, round: Duration) -> f64 {
    let (since, mut written) = (Instant::now(), 0_usize);
    while since.elapsed() < round {
        let transaction = rusqlite::Transaction::new_unchecked(raw, TransactionBehavior::Immediate);
        let transaction = transaction.expect("nobody else writes");
        for _ in 0..rows {
            let (key, row) = rows::row(*number);
            *number += 1;
            table::insert(&transaction, &key, &row).expect("the key is new");
        }
        transaction.commit().expect("the disk takes it");
        written += rows;
    }
    written as f64 / since.elapsed().as_secs_f64()
}

/// Readers while a transaction is held, and two beside one.
fn readers(report: &mut Report, directory: &Directory, size: Size) -> io::Result<()> {
    const ROWS: usize = 1000;
    let store = directory.store("readers.db");
    for number in 0..ROWS {
        store.put(&write(number)).expect("the store writes");
    }
    let keys: Vec<Key> = (0..ROWS).map(|number| write(number).key().clone()).collect();
    let next = AtomicUsize::new(0);
    let read = || {
        let key = &keys[next.fetch_add(7, Ordering::Relaxed) % ROWS];
        assert!(store.get(key).expect("the store reads").is_some());
    };
    let holder = directory.raw("readers.db");
    let (mut held, mut two, mut raw) = (Pairs::default(), Pairs::default(), Pairs::default());
    for round in 0..=size.rounds {
        let alone = count(1, size.round, read);
        let transaction = rusqlite::Transaction::new_unchecked(&holder, TransactionBehavior::Immediate);
        let transaction = transaction.expect("nobody else writes");
        let (key, row) = rows::row(ROWS + round);
        table::insert(&transaction, &key, &row).expect("the key is new");
        let during = count(1, size.round, read);
        transaction.commit().expect("the disk takes it");
        let both = count(2, size.round, read);
        let [one_of_rusqlite, two_of_rusqlite] =
            [1, 2].map(|threads| raw_reads_a_second(directory, &keys, threads, size.round));
        if round > 0 {
            held.push(during, alone);
            two.push(both, alone);
            raw.push(two_of_rusqlite, one_of_rusqlite);
        }
    }
    // Any progress would do; half the rate of an idle writer shows that readers do not wait.
    let name = "a reader under a held transaction";
    report.add(Row::rates(SECTION, name, &held).with_target(Target::AtLeast(0.5)))?;
    report.add(Row::rates(SECTION, "two readers, beside one", &two).with_target(Target::AtLeast(1.6)))?;
    report.add(Row::rates(SECTION, "two readers of rusqlite, beside one", &raw))
}

/// Reads of so many threads, each with a connection of rusqlite's to itself.
fn raw_reads_a_second(directory: &Directory, keys: &[Key], threads: usize, round: Duration) -> f64 {
    std::thread::scope(|scope| {
        let reader = |first: usize| {
            let raw = directory.raw("readers.db");
            scope.spawn(move || {
                let (since, mut read) = (Instant::now(), 0_usize);
                while since.elapsed() < round {
                    let key = &keys[(first + read * 7) % keys.len()];
                    assert!(Table::get(&raw, key.as_str()).is_some());
                    read += 1;
                }
                read as f64 / since.elapsed().as_secs_f64()
            })
        };
        let readers: Vec<_> = (0..threads).map(reader).collect();
        readers.into_iter().map(|reader| reader.join().expect("a reader ends")).sum()
    })
}

/// One get and one put of a row, with a thousand rows and with many.
fn points(report: &mut Report, directory: &Directory, size: Size) -> io::Result<()> {
    let tables = [1_000, size.many].map(|rows| Points::new(directory, rows, size.points));
    let mut tables = tables;
    for operation in [Operation::Get, Operation::Put] {
        let mut pairs = [Pairs::default(), Pairs::default()];
        let mut growth = Pairs::default();
        for round in 0..=size.rounds {
            let [(few, few_raw), (many, many_raw)] = [0, 1].map(|at: usize| tables[at].round(operation));
            if round > 0 {
                pairs[0].push(few, few_raw);
                pairs[1].push(many, many_raw);
                growth.push(many / many_raw, few / few_raw);
            }
        }
        let word = operation.word();
        for (rows, pairs) in [(1_000, &pairs[0]), (size.many, &pairs[1])] {
            report.add(Row::times(SECTION, format!("{word} among {rows} rows"), pairs))?;
        }
        let name = format!("{word}: ratio at {}, at 1000", size.many);
        report.add(Row::ratios(SECTION, name, &growth).with_target(Target::AtMost(1.2)))?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Operation {
    Get,
    Put,
}

impl Operation {
    const fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put => "put",
        }
    }
}

/// The same rows in a file of ours and in one of rusqlite's.
struct Points {
    store: SqliteStore,
    raw: Connection,
    rows: usize,
    operations: usize,
    at: usize,
}

impl Points {
    fn new(directory: &Directory, rows: usize, operations: usize) -> Self {
        let (ours, theirs) = (format!("points-{rows}.db"), format!("points-{rows}-raw.db"));
        rows::fill(&directory.raw(&ours), rows).expect("the disk takes the rows");
        std::fs::copy(directory.file(&ours), directory.file(&theirs)).expect("the disk takes them twice");
        Self { store: directory.store(&ours), raw: directory.raw(&theirs), rows, operations, at: 0 }
    }

    /// Processor time of one operation of ours, and of rusqlite.
    fn round(&mut self, operation: Operation) -> (f64, f64) {
        let numbers: Vec<usize> = (0..self.operations).map(|at| (self.at + at) * 7919 % self.rows).collect();
        self.at += self.operations;
        match operation {
            Operation::Get => {
                let keys: Vec<Key> = numbers.iter().map(|number| write(*number).key().clone()).collect();
                let ours = self.time(|store, _, at| assert!(store.get(&keys[at]).is_ok_and(|found| found.is_some())));
                let raw = self.time(|_, raw, at| assert!(Table::get(raw, keys[at].as_str()).is_some()));
                (ours, raw)
            }
            Operation::Put => {
                let writes: Vec<Write> = numbers.iter().map(|number| replacement(*number)).collect();
                let ours = self.time(|store, _, at| assert!(store.put(&writes[at]).is_ok_and(|stored| stored)));
                let rows: Vec<(String, Stored)> = numbers.iter().map(|number| rows::row(*number)).collect();
                let raw = self.time(|_, raw, at| {
                    let (key, row) = &rows[at];
                    assert_eq!(table::replace(raw, key, &row.version, row), Ok(1));
                });
                (ours, raw)
            }
        }
    }

    fn time(&self, mut operation: impl FnMut(&SqliteStore, &Connection, usize)) -> f64 {
        let took = Took::of(|| {
            for at in 0..self.operations {
                operation(&self.store, &self.raw, at);
            }
        });
        micros(took.each(self.operations).processor)
    }
}

/// How often `run` ends in a second, on so many threads.
fn count(threads: usize, round: Duration, run: impl Fn() + Sync) -> f64 {
    let (over, total, since) = (AtomicBool::new(false), AtomicUsize::new(0), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut done = 0;
                while !over.load(Ordering::Relaxed) {
                    run();
                    done += 1;
                }
                total.fetch_add(done, Ordering::Relaxed);
            });
        }
        std::thread::sleep(round);
        over.store(true, Ordering::Relaxed);
    });
    total.load(Ordering::Relaxed) as f64 / since.elapsed().as_secs_f64()
}
