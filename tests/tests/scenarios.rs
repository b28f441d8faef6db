//! Replays every scenario over every store, and compares the whole exchange with the recorded one, byte by byte.
//!
//! `PROOFKEY_RECORD=1 cargo test -p proofkey-tests --test scenarios` writes the exchanges anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proofkey::store::Store;
use proofkey_tests::{Rows, Scenario, replay};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

fn scenarios() -> Vec<(String, Scenario)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let scenario = Scenario::parse(&fs::read_to_string(&path).unwrap());
        (name.clone(), scenario.unwrap_or_else(|error| panic!("{name}: {error}")))
    };
    paths.into_iter().map(read).collect()
}

fn replay_all_over(store: impl Fn() -> Arc<dyn Store>) {
    let record = std::env::var_os("PROOFKEY_RECORD").is_some();
    for (name, scenario) in scenarios() {
        let shows = scenario.shows();
        let _shows = (!shows.is_empty()).then(|| proofkey_conformance::shows_as(&format!("scenario {name}"), &shows));
        let exchange = replay(&scenario, store());
        let path = directory().join(format!("{name}.http"));
        if record {
            fs::write(&path, exchange).unwrap();
            continue;
        }
        let recorded = fs::read_to_string(&path).unwrap_or_default();
        assert!(exchange == recorded, "{name} went otherwise than recorded:\n{exchange}");
    }
}

#[test]
fn every_scenario_goes_as_recorded_over_the_smallest_store() {
    replay_all_over(|| Arc::new(Rows::default()));
}
