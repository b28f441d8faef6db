//! Keys that change while the server runs: the file of secrets is looked at every second, and at SIGHUP.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use proofkey::{AsyncServer, Keys};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use crate::failure::Failure;
use crate::log::Log;
use crate::settings::Origins;

const INTERVAL: Duration = Duration::from_secs(1);

/// Puts the keys in force that the file of secrets holds, whenever it changes. SIGHUP also opens the audit log anew.
pub(super) fn watch(origins: Origins, server: AsyncServer, log: Log) -> Result<(), Failure> {
    let mut hangup = signal(SignalKind::hangup())?;
    // Nothing was seen yet: the first look finds what changed since the keys were collected.
    let mut seen = Stamp(None);
    tokio::spawn(async move {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let told = tokio::select! {
                _ = ticks.tick() => false,
                _ = hangup.recv() => true,
            };
            if told {
                log.reopen();
            }
            let path = origins.env_path();
            let Ok(now) = spawn_blocking(move || Stamp::of(&path)).await else { continue };
            if told || now != seen {
                seen = now;
                let origins = origins.clone();
                if let Ok(keys) = spawn_blocking(move || origins.keys()).await {
                    replace(&server, keys, told, &log);
                }
            }
        }
    });
    Ok(())
}

/// Keys that are in force already are mentioned only to those who asked.
fn replace(server: &AsyncServer, keys: Result<Keys, Failure>, told: bool, log: &Log) {
    let outcome = keys.and_then(|keys| {
        let changed = server.with_config(|config| !config.ring().ids().eq(keys.ids()));
        server.replace_keys(&keys).map_err(|error| Failure::new(error.to_string()))?;
        Ok((changed, keys.ids()))
    });
    match outcome {
        Ok((changed, ids)) if changed || told => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            log.line("server", &json!({"message": "keys read", "keys": ids}));
        }
        Ok(_) => {}
        // The old keys stay in force: a half-written file must not stop a server.
        Err(failure) => log.line("server", &json!({"warning": "keys kept as they were", "cause": failure.to_string()})),
    }
}

/// What changes when a file does, a replacement within one tick of the clock included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp(Option<(SystemTime, u64, u64)>);

impl Stamp {
    fn of(path: &Path) -> Self {
        let stamp = |metadata: Metadata| Some((metadata.modified().ok()?, metadata.len(), metadata.ino()));
        Self(std::fs::metadata(path).ok().and_then(stamp))
    }
}
