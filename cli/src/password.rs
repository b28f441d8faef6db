//! Passwords as they are typed or piped in; never an argument, which every process can read.

use std::io::IsTerminal as _;

use clap::Args;
use proofkey::Secret;
use zeroize::Zeroizing;

use crate::command::Invocation;
use crate::failure::Failure;

/// Where a password comes from.
#[derive(Args)]
pub(crate) struct Typed {
    /// Read the password from the first line of the standard input instead of asking
    #[arg(long)]
    password_stdin: bool,
}

/// A password to be set: asked for twice.
pub(crate) fn read_new(typed: &Typed, invocation: &mut Invocation<'_>, username: &str) -> Result<Secret, Failure> {
    if typed.password_stdin {
        return first_line(invocation);
    }
    let first = ask(&format!("Password for {username}: "))?;
    let second = ask("The same again: ")?;
    if first.matches(&second) { Ok(first) } else { Err(Failure::new("the two passwords differ; nothing was changed")) }
}

/// A password to sign in with.
pub(crate) fn read(typed: &Typed, invocation: &mut Invocation<'_>, username: &str) -> Result<Secret, Failure> {
    if typed.password_stdin { first_line(invocation) } else { ask(&format!("Password of {username}: ")) }
}

fn ask(prompt: &str) -> Result<Secret, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new("there is no terminal to ask for a password on; give it by --password-stdin"));
    }
    let typed = rpassword::prompt_password(prompt);
    Ok(Secret::from_text(typed.map_err(|error| Failure::new(format!("the password cannot be asked for: {error}")))?))
}

fn first_line(invocation: &mut Invocation<'_>) -> Result<Secret, Failure> {
    let mut line = Zeroizing::new(String::new());
    invocation.stdin.read_line(&mut line)?;
    let password = line.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        return Err(Failure::new("the standard input holds no password on its first line"));
    }
    Ok(Secret::from(password))
}
