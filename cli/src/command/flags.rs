//! A flag for each setting of the table: `--issuer`, `--access-token-lifetime`.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::settings::{Flag, Section, rows};

/// The settings that were given as flags.
pub(crate) struct SettingFlags(pub(crate) Vec<Flag>);

fn long(name: &str) -> String {
    name.replace('_', "-")
}

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        rows().filter(|row| row.section != Section::Secret).fold(command, |command, row| {
            let help = format!("{}: {}", row.setting.range(), row.setting.why());
            let flag = Arg::new(row.name()).long(long(row.name())).value_name("VALUE").help(help);
            command.arg(flag.help_heading("Settings").hide_short_help(true))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = rows().filter(|row| row.section != Section::Secret).filter_map(|row| {
            let text = matches.get_one::<String>(row.name())?;
            Some(Flag::new(row.name(), text, format!("--{}", long(row.name()))))
        });
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
