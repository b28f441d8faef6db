//! Every endpoint and every call is in a table that the tests of failing and hanging stores go through (invariant I17):
//! one that is added without is told here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::Method;
use proofkey_tests::{Errand, Held, Keeper, Operation, Rows, World};

/// What is answered without the store.
const SILENT: [&str; 5] = [
    "GET /",
    "GET /.well-known/oauth-authorization-server/auth",
    "GET /auth/.well-known/oauth-authorization-server",
    "GET /auth/forgot",
    "GET /auth/logo",
];

/// What begins a flow and is not a call: it answers requests.
const ANSWERS: [&str; 2] = ["begin", "refuse"];

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A world in which every endpoint is switched on.
fn world() -> World {
    let logo = Path::new(env!("CARGO_TARGET_TMPDIR")).join("every_call.svg");
    fs::write(&logo, "<svg xmlns='http://www.w3.org/2000/svg'/>").unwrap();
    World::over(Arc::new(Rows::default()), |builder| {
        Held::with_all_endpoints(builder).page_logo(&format!("file:{}", logo.display()))
    })
}

#[test]
fn every_endpoint_is_asked_with_every_method_that_it_takes() {
    let world = world();
    let paths = world.server.with_config(proofkey::Config::paths);
    let router = fs::read_to_string(source("core/src/router.rs")).unwrap();
    let named = router.split("fn name(").nth(1).and_then(|rest| rest.split("fn switched").next()).unwrap();
    let names: Vec<&str> =
        named.lines().filter_map(|line| line.trim().split_once("=> \"")?.1.split('"').next()).collect();
    assert!(names.len() >= 19, "{names:?}");
    for name in names {
        let is_on = paths.contains(&format!("/auth/{name}")) || ["", "health"].contains(&name);
        assert!(is_on, "{name} is not switched on here");
    }

    let (_, held) = Held::ready(Keeper::Host);
    let asked = Operation::ALL.iter().map(|operation| operation.request(&held));
    let asked: BTreeSet<String> =
        asked.map(|request| format!("{} {}", request.method(), request.uri().path())).collect();
    let mut taken = BTreeSet::new();
    for path in &paths {
        let allowed = world.request(Method::DELETE, path, &[], "");
        assert_eq!(allowed.status, 405, "{path}");
        let methods =
            allowed.header("allow").split(", ").filter(|method| ["GET", "POST", "PUT", "PATCH"].contains(method));
        taken.extend(methods.map(|method| format!("{method} {path}")));
    }
    let silent: BTreeSet<String> = SILENT.map(str::to_owned).into();
    let missing: Vec<_> = taken.iter().filter(|one| !asked.contains(*one) && !silent.contains(*one)).collect();
    assert!(missing.is_empty(), "add an operation for these: {missing:?}");
    assert!(silent.iter().all(|one| taken.contains(one) && !asked.contains(one)), "{silent:?}");
}

#[test]
fn what_is_answered_without_the_store_is_answered_when_it_is_down() {
    let world = world();
    world.store.set_down(true);
    world.store.take_calls();
    for silent in SILENT {
        let (_, path) = silent.split_once(' ').unwrap();
        assert_eq!(world.get_plain(path).status, 200, "{silent}");
        assert_eq!(world.store.take_calls(), [], "{silent}");
    }
}

/// The methods of the core that begin a flow: those that are given entropy.
fn flows(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            flows(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for method in text.split("    pub fn ").skip(1) {
            let signature = method.split('{').next().unwrap_or_default();
            if signature.contains("entropy: Entropy") {
                found.insert(signature.split(['(', '<']).next().unwrap_or_default().to_owned());
            }
        }
    }
}

#[test]
fn every_call_is_run() {
    let run: BTreeSet<String> = Errand::ALL.iter().map(|errand| errand.call().to_owned()).collect();
    let mut begun = BTreeSet::new();
    flows(&source("core/src"), &mut begun);
    for answers in ANSWERS {
        assert!(begun.remove(answers), "{answers}");
    }
    assert_eq!(begun, run, "the core's calls, and the errands: each has one");
    let text = fs::read_to_string(source("host/src/calls.rs")).unwrap();
    let calls = text.lines().filter(|line| line.starts_with("    ") && line.ends_with(';') && line.contains(") -> "));
    let offered: BTreeSet<String> =
        calls.map(|line| line.trim().split('(').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(offered, run, "the servers' calls, and the errands");
}
