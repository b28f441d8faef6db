//! `proofkey grants`: who let which client in, and how to end it.

use clap::{Args, Subcommand};
use proofkey::{GrantSummary, Server};
use serde_json::json;

use super::{Invocation, users};
use crate::failure::Failure;
use crate::text::moment;

/// List and revoke grants: what users gave to clients
#[derive(Args)]
#[command(
    after_help = "Example:\n  proofkey grants list --user ada@example.com\n  proofkey grants revoke --user ada@example.com --all"
)]
pub(super) struct Grants {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    List(List),
    Revoke(Revoke),
}

/// List the usable grants of a user or a client
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey grants list --client crm-web --json")]
struct List {
    #[command(flatten)]
    of: Whose,
}

/// Revoke one grant, or all of a user or a client: their tokens stop working at once
#[derive(Args)]
#[command(
    after_help = "Example:\n  proofkey grants revoke 9XEWpvZ3T0mkLq0sB2uJ5Q\n  proofkey grants revoke --client crm-web --all"
)]
struct Revoke {
    /// The identifier of one grant, as `grants list` shows it
    #[arg(required_unless_present_any = ["user", "subject", "client"], allow_hyphen_values = true)]
    grant: Option<String>,
    #[command(flatten)]
    of: WhoseAll,
    /// All of them, and those that are being made at this moment
    #[arg(long, conflicts_with = "grant")]
    all: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// By name, in the built-in store
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// By subject, where users are the application's own
    #[arg(long)]
    subject: Option<String>,
    /// By client
    #[arg(long, value_name = "ID")]
    client: Option<String>,
}

#[derive(Args)]
#[group(multiple = false, conflicts_with = "grant")]
struct WhoseAll {
    /// Of a user of the built-in store, by name
    #[arg(long, value_name = "NAME", requires = "all")]
    user: Option<String>,
    /// Of a user, by subject
    #[arg(long, requires = "all")]
    subject: Option<String>,
    /// Of a client
    #[arg(long, value_name = "ID", requires = "all")]
    client: Option<String>,
}

impl Grants {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let server = invocation.server()?;
        match self.verb {
            Verb::List(List { of }) => list(invocation, &server, of),
            Verb::Revoke(revoke) => revoke.run(invocation, &server),
        }
    }
}

fn list(invocation: &mut Invocation<'_>, server: &Server, of: Whose) -> Result<(), Failure> {
    let grants = match (subject_of(server, of.user, of.subject)?, of.client) {
        (Some(subject), _) => server.grants_of(&subject)?,
        (None, Some(client)) => server.grants_of_client(&client)?,
        (None, None) => Vec::new(),
    };
    let line = |grant: &GrantSummary| {
        format!(
            "{} {:20} {:24} until {}  {}\n",
            grant.id(),
            grant.client_id(),
            grant.subject().unwrap_or("the client itself"),
            moment(grant.expires_at()),
            grant.scope(),
        )
    };
    let text: String = grants.iter().map(line).collect();
    invocation.output.answer(&grants, if text.is_empty() { "no usable grants".to_owned() } else { text })
}

impl Revoke {
    fn run(self, invocation: &mut Invocation<'_>, server: &Server) -> Result<(), Failure> {
        let count = match (self.grant, subject_of(server, self.of.user, self.of.subject)?, self.of.client) {
            (Some(grant), ..) => {
                if !server.revoke_grant(&grant)? {
                    return Err(Failure::new(format!("there is no grant {grant} that could be revoked")));
                }
                1
            }
            (None, Some(subject), _) => server.revoke_all(&subject)?,
            (None, None, Some(client)) => server.revoke_client(&client)?,
            (None, None, None) => 0,
        };
        let text = if count == 1 { "1 grant revoked".to_owned() } else { format!("{count} grants revoked") };
        invocation.output.answer(&json!({ "grants_revoked": count }), text)
    }
}

fn subject_of(server: &Server, user: Option<String>, subject: Option<String>) -> Result<Option<String>, Failure> {
    user.map_or(Ok(subject), |name| Ok(Some(users::find(server, &name)?.subject().to_owned())))
}
