//! `proofkey users`: the users of the built-in store.

use clap::{Args, Subcommand};
use proofkey::{Secret, Server, User, UserChange, UserSummary};
use serde_json::{Value, json};

use super::Invocation;
use crate::failure::Failure;
use crate::password::{self, Typed};
use crate::text::fields;

/// Add, list, show, disable, unlock and delete users
#[derive(Args)]
#[command(
    after_help = "Example:\n  proofkey users add ada@example.com --name \"Ada L.\"\n  proofkey users add bot --password-stdin < password.txt"
)]
pub(super) struct Users {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Add(Add),
    Delete(Delete),
    Disable(Disable),
    Enable(Enable),
    List(List),
    Password(Password),
    ResetLink(ResetLink),
    Show(Show),
    Unlock(Unlock),
}

/// Add a user; the password is asked for twice
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey users add ada@example.com --name \"Ada L.\" --email ada@example.com")]
struct Add {
    /// The name that the user signs in with
    username: String,
    /// The claim `name`
    #[arg(long)]
    name: Option<String>,
    /// The claim `email`
    #[arg(long)]
    email: Option<String>,
    /// A further claim: a text, or JSON; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = claim)]
    claim: Vec<(String, Value)>,
    #[command(flatten)]
    typed: Typed,
}

/// Delete a user, and end every grant
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey users delete ada@example.com")]
struct Delete {
    username: String,
}

/// Disable a user, and end every grant
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey users disable ada@example.com")]
struct Disable {
    username: String,
}

/// Let a disabled user sign in again
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey users enable ada@example.com")]
struct Enable {
    username: String,
}

/// List the users
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey users list --json")]
struct List {}

/// Set another password, and end every grant
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey users password ada@example.com")]
struct Password {
    username: String,
    #[command(flatten)]
    typed: Typed,
}

/// Make a link with which a user sets a new password: it works once, for an hour
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey users reset-link ada@example.com")]
struct ResetLink {
    username: String,
}

/// Show one user
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey users show ada@example.com")]
struct Show {
    username: String,
}

/// Forget the failed attempts at a password: a lock-out ends
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey users unlock ada@example.com")]
struct Unlock {
    /// The name that is tried, also one that is not in the store
    username: String,
}

impl Users {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let server = invocation.server()?;
        match self.verb {
            Verb::Add(add) => add.run(invocation, &server),
            Verb::Delete(Delete { username }) => {
                let ended = server.delete_user(&username)?;
                let text = format!("user {username} is deleted, {ended} grants ended");
                invocation.output.answer(&json!({ "username": username, "grants_ended": ended }), text)
            }
            Verb::Disable(Disable { username }) => {
                server.change_user(&username, UserChange::Disable)?;
                told(invocation, &server, &username, "disabled; every grant has ended")
            }
            Verb::Enable(Enable { username }) => {
                server.change_user(&username, UserChange::Enable)?;
                told(invocation, &server, &username, "enabled")
            }
            Verb::List(_) => list(invocation, &server),
            Verb::Password(Password { username, typed }) => {
                let user = find(&server, &username)?;
                let password = password::read_new(&typed, invocation, user.username())?;
                server.change_user(&username, UserChange::Password(password))?;
                told(invocation, &server, &username, "given another password; every grant has ended")
            }
            Verb::ResetLink(ResetLink { username }) => reset_link(invocation, &server, &username),
            Verb::Show(Show { username }) => {
                let value = as_value(&find(&server, &username)?)?;
                let text = value.as_object().map(fields).unwrap_or_default();
                invocation.output.answer(&value, text)
            }
            Verb::Unlock(Unlock { username }) => {
                server.unlock_user(&username)?;
                let text = format!("{username} may be tried again; limits of single addresses stay");
                invocation.output.answer(&json!({ "username": username }), text)
            }
        }
    }
}

impl Add {
    fn run(self, invocation: &mut Invocation<'_>, server: &Server) -> Result<(), Failure> {
        if server.stored_user(&self.username)?.is_some() {
            return Err(Failure::new(format!("user {} exists already", self.username)));
        }
        let password: Secret = password::read_new(&self.typed, invocation, &self.username)?;
        // The subject is made by the server: names are given to others one day, subjects never.
        let mut user = User::new("").with_username(&self.username);
        for (name, value) in [("name", self.name), ("email", self.email)] {
            if let Some(value) = value {
                user = user.with_claim(name, value);
            }
        }
        for (name, value) in self.claim {
            user = user.with_claim(name, value);
        }
        server.create_user(user, password)?;
        told(invocation, server, &self.username, "added")
    }
}

fn reset_link(invocation: &mut Invocation<'_>, server: &Server, username: &str) -> Result<(), Failure> {
    find(server, username)?;
    let disabled = || Failure::new(format!("user {username} is disabled; `proofkey users enable` comes first"));
    let link = server.reset_link(username)?.ok_or_else(disabled)?;
    let link = link.expose_text().unwrap_or_default();
    invocation.output.note("Give the link to this user alone: it sets the password, once, within an hour.")?;
    invocation.output.answer(&json!({ "username": username, "reset_link": link, "valid_for": 3600 }), link)
}

/// A user by name.
pub(super) fn find(server: &Server, username: &str) -> Result<UserSummary, Failure> {
    let absent = || Failure::new(format!("there is no user {username}; `proofkey users list` shows those there are"));
    server.stored_user(username)?.ok_or_else(absent)
}

fn told(invocation: &mut Invocation<'_>, server: &Server, username: &str, what: &str) -> Result<(), Failure> {
    let user = find(server, username)?;
    let text = format!("user {username} ({}) is {what}", user.subject());
    invocation.output.answer(&as_value(&user)?, text)
}

fn list(invocation: &mut Invocation<'_>, server: &Server) -> Result<(), Failure> {
    let users = server.stored_users()?;
    let line = |user: &UserSummary| {
        let state = if user.is_disabled() { "disabled" } else { "active" };
        format!("{:36} {state:9} {}\n", user.username(), user.subject())
    };
    let mut text: String = users.iter().map(line).collect();
    if text.is_empty() {
        text.push_str("no users; `proofkey users add` adds one");
    }
    invocation.output.answer(&users, text)
}

fn as_value(user: &UserSummary) -> Result<Value, Failure> {
    Ok(serde_json::to_value(user)?)
}

fn claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("it takes NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}
