//! `proofkey serve`.

use clap::Args;

use super::{Invocation, SettingFlags};
use crate::failure::Failure;
use crate::serve::serve;

/// Serve the endpoints until SIGTERM or SIGINT; log as JSON lines on the standard error stream
#[derive(Args)]
#[command(
    after_help = "Example:\n  proofkey serve --listen 127.0.0.1:8000 --set sweep=manual\n\nKeys that change in proofkey.env are taken over at once, also at SIGHUP."
)]
pub(super) struct Serve {
    #[command(flatten)]
    flags: SettingFlags,
}

impl Serve {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        invocation.origins.add_flags(self.flags);
        serve(invocation)
    }
}
