//! `proofkey simulate`: tries to break the server in worlds that are only computed.

use clap::Args;
use proofkey_sim::{Bounds, explore};

use super::Invocation;
use crate::failure::Failure;

/// Try to break the server in simulated worlds
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey simulate --exhaustive")]
pub(super) struct Simulate {
    /// Walk through every order of two and three operations on one grant, with up to two faults
    #[arg(long, required = true)]
    exhaustive: bool,
    /// No faults where three operations meet: seconds instead of minutes
    #[arg(long, requires = "exhaustive")]
    quick: bool,
    /// Tell of each state of the grant by itself
    #[arg(long)]
    verbose: bool,
}

impl Simulate {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let Self { exhaustive: _, quick, verbose } = self;
        let summary = explore(if quick { Bounds::QUICK } else { Bounds::FULL }, |_| ());
        let table = if verbose { summary.table() + "\n" } else { String::new() };
        invocation.output.answer(&summary, format!("{table}{summary}"))?;
        match summary.broken() {
            0 => Ok(()),
            broken => Err(Failure::new(format!("{broken} schedules break an invariant"))),
        }
    }
}
