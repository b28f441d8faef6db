//! `proofkey check`: every setting, its value, its source, and what is wrong.

use clap::Args;

use super::Invocation;
use crate::failure::Failure;

/// Show every setting, its value and where it came from, and what is wrong
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey check --config /etc/proofkey/proofkey.toml --json")]
pub(super) struct Check {}

impl Check {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let collected = invocation.collect();
        let rows = collected
            .values
            .iter()
            .map(|value| format!("{:24} {:32} {}\n", value.row.name(), value.shown, value.source));
        let text: String = rows.collect();
        invocation.output.answer(&serde_json::json!({}), text)?;
        collected.failure().map_or(Ok(()), Err)
    }
}
