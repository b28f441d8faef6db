//! `proofkey simulate`: tries to break the server in worlds that are only computed.

use clap::Args;
use proofkey_sim::exhaustive::{Bounds, explore};
use proofkey_sim::{Ground, about, play_many};

use super::Invocation;
use crate::failure::Failure;

/// Try to break the server in simulated worlds
#[derive(Args)]
#[command(after_help = "Examples:\n  proofkey simulate --worlds 10000\n  proofkey simulate --seed 42 --verbose\n  \
                        proofkey simulate --exhaustive")]
pub(super) struct Simulate {
    /// The world to play, or the first one; the same seed, steps and version of proofkey give the same world
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Steps under faults in each world: store calls, questions to the host, moves of somebody
    #[arg(long, default_value_t = 200)]
    steps: u64,
    /// How many worlds to play, on all processors; those that issue fewer than ten tokens are not counted
    #[arg(long, default_value_t = 1)]
    worlds: u64,
    /// Walk through every order of two and three operations on one grant instead, with up to two faults
    #[arg(long, conflicts_with_all = ["seed", "steps", "worlds"])]
    exhaustive: bool,
    /// No faults where three operations meet: seconds instead of minutes
    #[arg(long, requires = "exhaustive")]
    quick: bool,
    /// Tell all that happens in a world, or of each state of the grant by itself
    #[arg(long)]
    verbose: bool,
}

impl Simulate {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        if self.exhaustive {
            return self.explore(invocation);
        }
        if self.worlds > 1 {
            return self.play_many(invocation);
        }
        let ending = Ground::default().play(self.seed, self.steps, true);
        let story = match (&ending.violation, self.verbose) {
            (_, true) => ending.story,
            (Some(_), false) => about(&ending.story),
            (None, false) => Vec::new(),
        };
        let told: String = story.iter().map(|line| format!("{line}\n")).collect();
        let text = if self.verbose { told + "\n" } else { told };
        invocation.output.answer(&ending.tally, format!("{text}{}", ending.tally))?;
        match ending.violation {
            None => Ok(()),
            Some(violation) => Err(Failure::new(format!("seed {}: {violation}", self.seed))),
        }
    }

    fn play_many(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let summary = play_many(self.seed, self.worlds, self.steps, threads, Ground::default);
        invocation.output.answer(&summary, summary.tally.to_string())?;
        match summary.failure {
            None => Ok(()),
            Some(failure) => Err(Failure::new(format!(
                "seed {seed}: {}; `proofkey simulate --seed {seed} --steps {}` tells how it came about",
                failure.violation,
                self.steps,
                seed = failure.seed,
            ))),
        }
    }

    fn explore(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let summary = explore(if self.quick { Bounds::QUICK } else { Bounds::FULL }, |_| ());
        let table = if self.verbose { summary.table() + "\n" } else { String::new() };
        invocation.output.answer(&summary, format!("{table}{summary}"))?;
        match summary.broken() {
            0 => Ok(()),
            broken => Err(Failure::new(format!("{broken} schedules break an invariant"))),
        }
    }
}
