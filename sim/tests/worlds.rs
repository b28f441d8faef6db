//! Many worlds, none of which may break an invariant. `PROOFKEY_WORLDS` says how many (`make simulate`), and
//! `PROOFKEY_FIRST_WORLD` from which seed on.

#![expect(clippy::print_stdout, reason = "the figures are what this is run for")]

use proofkey_sim::{FEWEST_TOKENS, Fault, Ground, Operation, play_many};

const STEPS: u64 = 200;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn no_world_breaks_an_invariant() {
    let (first, worlds) = (number("PROOFKEY_FIRST_WORLD", 0), number("PROOFKEY_WORLDS", 1000));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let summary = play_many(first, worlds, STEPS, threads, Ground::default);
    let tally = summary.tally;
    println!("{tally}");
    if let Some(failure) = summary.failure {
        let story = Ground::default().play(failure.seed, STEPS, true).story;
        panic!("seed {}: {}\n{}", failure.seed, failure.violation, proofkey_sim::about(&story).join("\n"));
    }
    // A world in which nothing happens shows nothing.
    assert!(tally.worlds >= worlds && tally.tokens >= worlds * FEWEST_TOKENS, "{tally}");
    for (operation, answers) in Operation::ALL.into_iter().zip(tally.answers) {
        // What browsers do seldom takes some thousands of worlds.
        assert!(answers.granted > 0 || worlds < 20_000, "{} was never granted: {tally}", operation.name());
    }
    for (fault, worlds) in Fault::ALL.into_iter().zip(tally.faulty_worlds) {
        assert!(worlds * 20 >= tally.worlds, "{fault} changed an outcome in {worlds} of {} worlds", tally.worlds);
    }
}

#[test]
fn a_seed_replays_its_world_byte_for_byte() {
    // The second ground has played other worlds before.
    let (mut one, mut other) = (Ground::default(), Ground::default());
    for seed in 0..40 {
        let (first, again) = (one.play(seed, STEPS, true), other.play(seed, STEPS, true));
        assert_eq!(first.story, again.story, "seed {seed}");
        assert_eq!(first.tally, again.tally, "seed {seed}");
        assert_eq!(first.tally, other.play(seed, STEPS, false).tally, "seed {seed}, untold");
    }
}
