//! `proofkey sessions`: in which browsers somebody is signed in, and how to end that.

use clap::{Args, Subcommand};
use proofkey::{Server, SessionSummary};
use serde_json::json;

use super::{Invocation, users};
use crate::failure::Failure;
use crate::text::moment;

/// List and end sessions: browsers in which users are signed in
#[derive(Args)]
#[command(
    after_help = "Example:\n  proofkey sessions list --user ada@example.com\n  proofkey sessions end --user ada@example.com --all"
)]
pub(super) struct Sessions {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    End(End),
    List(List),
}

/// List where a user is signed in
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey sessions list --user ada@example.com --json")]
struct List {
    #[command(flatten)]
    of: Whose,
}

/// End one session of a user, or all: the grants that were given in it end with it, but for those with offline_access
#[derive(Args)]
#[command(
    after_help = "Example:\n  proofkey sessions end --user ada@example.com --all\nWho is to be signed out of every application too: proofkey grants revoke --user ada@example.com --all"
)]
struct End {
    /// The identifier of one session, as `sessions list` shows it
    #[arg(required_unless_present = "all")]
    session: Option<String>,
    #[command(flatten)]
    of: Whose,
    /// All that there are at this moment
    #[arg(long, conflicts_with = "session")]
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
}

impl Sessions {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let server = invocation.server()?;
        match self.verb {
            Verb::End(end) => end.run(invocation, &server),
            Verb::List(List { of }) => list(invocation, &server, of),
        }
    }
}

fn list(invocation: &mut Invocation<'_>, server: &Server, of: Whose) -> Result<(), Failure> {
    let sessions = server.sessions_of(&of.subject(server)?)?;
    let line = |session: &SessionSummary| {
        format!(
            "{} since {}  used {}  until {}\n",
            session.id(),
            moment(session.signed_in_at()),
            moment(session.used_at()),
            moment(session.ends_at()),
        )
    };
    let text: String = sessions.iter().map(line).collect();
    invocation.output.answer(&sessions, if text.is_empty() { "signed in nowhere".to_owned() } else { text })
}

impl End {
    fn run(self, invocation: &mut Invocation<'_>, server: &Server) -> Result<(), Failure> {
        let subject = self.of.subject(server)?;
        let count = match self.session {
            Some(id) => {
                if !server.end_session(&subject, &id)? {
                    return Err(Failure::new(format!("the user has no session {id}")));
                }
                1
            }
            None => end_all(server, &subject)?,
        };
        let text = if count == 1 { "1 session ended".to_owned() } else { format!("{count} sessions ended") };
        invocation.output.answer(&json!({ "sessions_ended": count }), text)
    }
}

fn end_all(server: &Server, subject: &str) -> Result<usize, Failure> {
    let mut count = 0;
    for session in server.sessions_of(subject)? {
        count += usize::from(server.end_session(subject, session.id())?);
    }
    Ok(count)
}

impl Whose {
    fn subject(self, server: &Server) -> Result<String, Failure> {
        match (self.user, self.subject) {
            (Some(name), _) => Ok(users::find(server, &name)?.subject().to_owned()),
            (None, subject) => Ok(subject.unwrap_or_default()),
        }
    }
}
