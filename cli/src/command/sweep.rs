//! `proofkey sweep`: drops expired rows, for servers that are told to leave it to a cron.

use clap::Args;
use serde_json::json;

use super::Invocation;
use crate::failure::Failure;

/// Rows a batch, so that no server waits long for the store.
const BATCH: usize = 1000;

/// Drop expired rows
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey sweep --limit 100000")]
pub(super) struct Sweep {
    /// The most rows to drop [default: all that are expired]
    #[arg(long, value_name = "ROWS")]
    limit: Option<usize>,
}

impl Sweep {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let server = invocation.server()?;
        let limit = self.limit.unwrap_or(usize::MAX);
        let mut dropped = 0;
        while dropped < limit {
            let batch = server.sweep(BATCH.min(limit - dropped))?;
            dropped += batch;
            if batch == 0 {
                break;
            }
        }
        let text = if dropped == 1 { "1 row dropped".to_owned() } else { format!("{dropped} rows dropped") };
        invocation.output.answer(&json!({ "rows_dropped": dropped }), text)
    }
}
