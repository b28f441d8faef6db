//! `docs/dependencies.md` names every direct dependency, of Rust and of the tests in a browser, in its version, and no
//! other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn manifest(directory: &Path) -> Table {
    fs::read_to_string(directory.join("Cargo.toml")).unwrap().parse().unwrap()
}

fn workspace() -> Table {
    manifest(&root())["workspace"].as_table().unwrap().clone()
}

/// Crates of others among some dependencies, with their versions.
fn of_others(dependencies: &Value) -> BTreeMap<String, String> {
    let version = |value: &Value| match value {
        Value::String(version) => Some(version.clone()),
        Value::Table(table) if table.contains_key("path") => None,
        other => Some(other["version"].as_str().unwrap().to_owned()),
    };
    let all = dependencies.as_table().unwrap();
    all.iter().filter_map(|(name, value)| Some((name.clone(), version(value)?))).collect()
}

/// Crates of others in the root manifest, with their versions.
fn declared() -> BTreeMap<String, String> {
    of_others(&workspace()["dependencies"])
}

/// Those of the fuzzer, which is a workspace of its own.
fn of_the_fuzzer() -> BTreeMap<String, String> {
    of_others(&manifest(&root().join("fuzz/libfuzzer"))["dependencies"])
}

/// Packages of the tests in a browser, with their versions.
fn browser_packages() -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("tests/browser/package.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let all = manifest["devDependencies"].as_object().unwrap();
    all.iter().map(|(name, version)| (name.clone(), version.as_str().unwrap().to_owned())).collect()
}

/// The rows of the document: crate or package, and version.
fn rows() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.strip_prefix("| `")?.split('|').map(str::trim).collect();
        let ([name, version, ..], 6) = (cells.as_slice(), cells.len()) else { panic!("a row of five cells: {line}") };
        Some((name.trim_end_matches('`').to_owned(), (*version).to_owned()))
    };
    text.lines().filter_map(row).collect()
}

#[test]
fn every_direct_dependency_has_a_row_and_no_row_is_stale() {
    let rows = rows();
    let named: BTreeSet<&String> = rows.iter().map(|(name, _)| name).collect();
    let twice = rows.len() - named.len();
    let declared: BTreeMap<String, String> =
        declared().into_iter().chain(of_the_fuzzer()).chain(browser_packages()).collect();
    let missing: Vec<&String> = declared.keys().filter(|name| !named.contains(name)).collect();
    let wrong: Vec<&(String, String)> =
        rows.iter().filter(|(name, version)| declared.get(name) != Some(version)).collect();
    assert!(
        missing.is_empty() && wrong.is_empty() && twice == 0,
        "docs/dependencies.md lacks rows for {missing:?}, has stale rows {wrong:?}, and names {twice} twice"
    );
}

#[test]
fn members_take_every_version_from_the_root_and_the_root_declares_nothing_that_nobody_uses() {
    let mut used = BTreeSet::new();
    for member in workspace()["members"].as_array().unwrap() {
        let manifest = manifest(&root().join(member.as_str().unwrap()));
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(section) = manifest.get(section).and_then(Value::as_table) else { continue };
            for (name, value) in section {
                let shared = value.get("workspace").and_then(Value::as_bool) == Some(true);
                assert!(shared, "{member}: {name} names a version of its own; it belongs into the root manifest");
                used.insert(name.clone());
            }
        }
    }
    let unused: Vec<String> = declared().into_keys().filter(|name| !used.contains(name)).collect();
    assert!(unused.is_empty(), "nobody uses {unused:?}");
}

#[test]
fn packages_of_the_browser_tests_are_pinned_by_hash_and_name_no_registry() {
    let text = fs::read_to_string(root().join("tests/browser/package-lock.json")).unwrap();
    let lock: serde_json::Value = serde_json::from_str(&text).unwrap();
    let packages = lock["packages"].as_object().unwrap().iter().filter(|(path, _)| !path.is_empty());
    let pinned: BTreeMap<String, String> = packages
        .map(|(path, package)| {
            assert!(package["integrity"].as_str().is_some_and(|hash| hash.starts_with("sha512-")), "{path}");
            assert!(package.get("resolved").is_none(), "{path} names the registry it came from");
            (path.trim_start_matches("node_modules/").to_owned(), package["version"].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(pinned, browser_packages());
}
