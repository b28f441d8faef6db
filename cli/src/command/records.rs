//! `proofkey records`: a look into the store.

use clap::{Args, Subcommand};

use super::Invocation;
use crate::failure::Failure;
use crate::text::fields;

/// Look at single records of the store
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey records show user:ada@example.com")]
pub(super) struct Records {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Show(Show),
}

/// Show one record opened, without its secrets
#[derive(Args)]
#[command(
    after_help = "Example:\n  proofkey records show grant:9XEWpvZ3T0mkLq0sB2uJ5Q\n  proofkey records show client:crm-web --json"
)]
struct Show {
    /// Its key in the store, as the log names it; or client:ID, grant:ID, user:NAME
    key: String,
}

impl Records {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let Verb::Show(Show { key }) = self.verb;
        let record = invocation.server()?.record(&key)?;
        let record = record.ok_or_else(|| Failure::new(format!("there is no record {key}")))?;
        let value = serde_json::to_value(&record)?;
        // What the record says comes last, for it is the longest.
        let mut row = value.as_object().cloned().unwrap_or_default();
        let body = row.remove("body").and_then(|body| body.as_object().map(fields)).unwrap_or_default();
        invocation.output.answer(&value, fields(&row) + "\n" + &body)
    }
}
