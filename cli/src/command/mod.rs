//! The command line: noun, then verb; one file a command.

mod check;
mod clients;
mod flags;
mod grants;
mod init;
mod keys;
mod records;
mod serve;
mod sessions;
mod simulate;
mod sweep;
mod users;
mod walk;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use flags::SettingFlags;

use crate::failure::Failure;
use crate::output::Output;
use crate::serve::uncheckable;
use crate::settings::{Collected, Origins};

/// What a command line runs in.
#[expect(clippy::exhaustive_structs, reason = "the binary and embedders build it")]
pub struct World<'a> {
    /// The environment variables.
    pub variables: BTreeMap<String, String>,
    /// Where passwords and the like are read from, for scripts.
    pub stdin: &'a mut dyn BufRead,
    /// Where answers go.
    pub stdout: &'a mut dyn Write,
    /// Where errors and notes go.
    pub stderr: &'a mut dyn Write,
}

/// An embeddable OAuth 2.1 authorization server.
#[derive(Parser)]
#[command(name = "proofkey", version, arg_required_else_help = true)]
#[command(after_help = "Example:\n  proofkey init --issuer http://127.0.0.1:8000 && proofkey check && proofkey serve")]
struct Line {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Args)]
struct Common {
    /// The settings file [default: proofkey.toml, if it is there]
    #[arg(long, global = true, value_name = "PATH")]
    config: Option<PathBuf>,
    /// The file of secrets [default: proofkey.env beside the settings file, if it is there]
    #[arg(long, global = true, value_name = "PATH")]
    env_file: Option<PathBuf>,
    /// Set one setting, before file and environment
    #[arg(long = "set", global = true, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Clients(clients::Clients),
    Grants(grants::Grants),
    Init(init::Init),
    Keys(keys::Keys),
    Records(records::Records),
    Serve(serve::Serve),
    Sessions(sessions::Sessions),
    Simulate(simulate::Simulate),
    Sweep(sweep::Sweep),
    Try(walk::Try),
    Users(users::Users),
}

/// A command under way: where its settings come from, and where it answers.
pub(crate) struct Invocation<'a> {
    pub(crate) origins: Origins,
    pub(crate) output: Output<'a>,
    pub(crate) stdin: &'a mut dyn BufRead,
}

impl Invocation<'_> {
    /// All settings, with their sources and with what is wrong with them.
    pub(crate) fn collect(&self) -> Collected {
        Collected::from(&self.origins)
    }

    /// A server of the settings, for commands that work on the store and end. A store that was written under other
    /// keys is left alone.
    pub(crate) fn server(&self) -> Result<proofkey::Server, Failure> {
        let collected = self.collect();
        let (store, keys) = (collected.source_of("store"), collected.source_of("encryption_keys"));
        let server = collected.server()?;
        server.check_in().map_err(|refusal| uncheckable(&refusal, &store, &keys))?;
        Ok(server)
    }
}

/// Runs a command line, the program's name included; the answer is the exit code.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>, world: World<'_>) -> u8 {
    let World { variables, stdin, stdout, stderr } = world;
    let Line { common, command } = match Line::try_parse_from(arguments) {
        Ok(line) => line,
        Err(error) => {
            let stream = if error.use_stderr() { stderr } else { stdout };
            let _ = write!(stream, "{}", error.render());
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let output = Output::new(common.json, stdout, stderr);
    let origins = Origins::new(common.config, common.env_file, common.set, variables);
    let mut invocation = Invocation { origins, output, stdin };
    let outcome = match command {
        Command::Check(check) => check.run(&mut invocation),
        Command::Clients(clients) => clients.run(&mut invocation),
        Command::Grants(grants) => grants.run(&mut invocation),
        Command::Init(init) => init.run(&mut invocation),
        Command::Keys(keys) => keys.run(&mut invocation),
        Command::Records(records) => records.run(&mut invocation),
        Command::Serve(serve) => serve.run(&mut invocation),
        Command::Sessions(sessions) => sessions.run(&mut invocation),
        Command::Simulate(simulate) => simulate.run(&mut invocation),
        Command::Sweep(sweep) => sweep.run(&mut invocation),
        Command::Try(walk) => walk.run(&mut invocation),
        Command::Users(users) => users.run(&mut invocation),
    };
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            invocation.output.fail(&failure);
            1
        }
    }
}
