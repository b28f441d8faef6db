//! `proofkey check`: every setting, its value, its source, and what is wrong.

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::{Invocation, SettingFlags};
use crate::failure::Failure;
use crate::settings::{Collected, page};

/// Show every setting, its value and where it came from, with warnings; fail if anything is wrong
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey check --config /etc/proofkey/proofkey.toml --json")]
pub(super) struct Check {
    /// Print the page of documentation on settings instead
    #[arg(long)]
    table: bool,
    #[command(flatten)]
    flags: SettingFlags,
}

#[derive(Serialize)]
struct Shown {
    name: &'static str,
    value: String,
    source: String,
}

impl Check {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        if self.table {
            return invocation.output.answer(&json!({"page": page()}), page());
        }
        invocation.origins.add_flags(self.flags);
        let collected = invocation.collect();
        let settings = shown(&collected);
        let clients: Vec<Shown> = collected.clients.iter().map(client).collect();
        let mut warnings = collected.warnings.clone();
        let outcome = collected.server();
        if let Ok(server) = &outcome {
            warnings.extend(server.with_config(|config| config.warnings()));
        }
        let errors = outcome.as_ref().err().map(Failure::complaints).unwrap_or_default();
        let value = json!({"settings": settings, "clients": clients, "warnings": warnings, "errors": errors});
        let rows = settings.iter().chain(&clients);
        let mut text: String = rows.map(|row| format!("{:24} {:33} {}\n", row.name, row.value, row.source)).collect();
        text.extend(warnings.iter().map(|warning| format!("warning: {warning}\n")));
        invocation.output.answer(&value, text)?;
        outcome.map(drop)
    }
}

fn shown(collected: &Collected) -> Vec<Shown> {
    let none = |text: &String| if text.is_empty() { "none".to_owned() } else { text.clone() };
    let shown = |value: &crate::settings::Value| Shown {
        name: value.row.name(),
        value: none(&value.shown),
        source: value.source.to_string(),
    };
    collected.values.iter().map(shown).collect()
}

fn client((client, source): &(proofkey::Client, crate::settings::Source)) -> Shown {
    Shown { name: "client", value: client.client_id().to_owned(), source: source.to_string() }
}
