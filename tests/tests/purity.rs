//! The core's ban on clock, threads, environment, files, sockets and state is a lint, and breaking it fails.
//!
//! A crate with the core's own lints and `clippy.toml` breaks each line of the ban once, and clippy has to name it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::{Table, Value};

/// What breaks the ban on a function or a macro; types are named by `use` alone.
const VIOLATIONS: &[(&str, &str)] = &[
    ("std::thread_local", "std::thread_local! { static HERE: u8 = const { 1 }; }"),
    ("std::time::SystemTime::now", "let _ = std::time::SystemTime::now();"),
    ("std::time::SystemTime::elapsed", "let _ = std::time::UNIX_EPOCH.elapsed();"),
    ("std::time::Instant::now", "let _ = std::time::Instant::now();"),
    ("std::time::Instant::elapsed", "fn since(at: &std::time::Instant) { let _ = at.elapsed(); }"),
    ("std::thread::available_parallelism", "let _ = std::thread::available_parallelism();"),
    ("std::thread::current", "let _ = std::thread::current();"),
    ("std::thread::park", "std::thread::park();"),
    ("std::thread::park_timeout", "std::thread::park_timeout(std::time::Duration::ZERO);"),
    ("std::thread::scope", "std::thread::scope(|_| ());"),
    ("std::thread::sleep", "std::thread::sleep(std::time::Duration::ZERO);"),
    ("std::thread::spawn", "std::thread::spawn(|| ());"),
    ("std::thread::yield_now", "std::thread::yield_now();"),
    ("std::env::args", "let _ = std::env::args();"),
    ("std::env::args_os", "let _ = std::env::args_os();"),
    ("std::env::current_dir", "let _ = std::env::current_dir();"),
    ("std::env::current_exe", "let _ = std::env::current_exe();"),
    ("std::env::home_dir", "let _ = std::env::home_dir();"),
    ("std::env::join_paths", "let _ = std::env::join_paths([\"a\"]);"),
    ("std::env::remove_var", "unsafe { std::env::remove_var(\"A\") }"),
    ("std::env::set_current_dir", "let _ = std::env::set_current_dir(\"a\");"),
    ("std::env::set_var", "unsafe { std::env::set_var(\"A\", \"b\") }"),
    ("std::env::split_paths", "let _ = std::env::split_paths(\"a\");"),
    ("std::env::temp_dir", "let _ = std::env::temp_dir();"),
    ("std::env::var", "let _ = std::env::var(\"A\");"),
    ("std::env::var_os", "let _ = std::env::var_os(\"A\");"),
    ("std::env::vars", "let _ = std::env::vars();"),
    ("std::env::vars_os", "let _ = std::env::vars_os();"),
    ("std::fs::canonicalize", "let _ = std::fs::canonicalize(\"a\");"),
    ("std::fs::copy", "let _ = std::fs::copy(\"a\", \"b\");"),
    ("std::fs::create_dir", "let _ = std::fs::create_dir(\"a\");"),
    ("std::fs::create_dir_all", "let _ = std::fs::create_dir_all(\"a\");"),
    ("std::fs::exists", "let _ = std::fs::exists(\"a\");"),
    ("std::fs::hard_link", "let _ = std::fs::hard_link(\"a\", \"b\");"),
    ("std::fs::metadata", "let _ = std::fs::metadata(\"a\");"),
    ("std::fs::read", "let _ = std::fs::read(\"a\");"),
    ("std::fs::read_dir", "let _ = std::fs::read_dir(\"a\");"),
    ("std::fs::read_link", "let _ = std::fs::read_link(\"a\");"),
    ("std::fs::read_to_string", "let _ = std::fs::read_to_string(\"a\");"),
    ("std::fs::remove_dir", "let _ = std::fs::remove_dir(\"a\");"),
    ("std::fs::remove_dir_all", "let _ = std::fs::remove_dir_all(\"a\");"),
    ("std::fs::remove_file", "let _ = std::fs::remove_file(\"a\");"),
    ("std::fs::rename", "let _ = std::fs::rename(\"a\", \"b\");"),
    ("std::fs::set_permissions", "fn set(to: std::fs::Permissions) { let _ = std::fs::set_permissions(\"a\", to); }"),
    ("std::fs::symlink_metadata", "let _ = std::fs::symlink_metadata(\"a\");"),
    ("std::fs::write", "let _ = std::fs::write(\"a\", \"b\");"),
    ("std::path::absolute", "let _ = std::path::absolute(\"a\");"),
    ("std::process::abort", "std::process::abort();"),
    ("std::process::exit", "std::process::exit(0);"),
    ("std::process::id", "let _ = std::process::id();"),
    ("std::io::stderr", "let _ = std::io::stderr();"),
    ("std::io::stdin", "let _ = std::io::stdin();"),
    ("std::io::stdout", "let _ = std::io::stdout();"),
    ("std::net::ToSocketAddrs::to_socket_addrs", "let _ = std::net::ToSocketAddrs::to_socket_addrs(\"a:1\");"),
    ("std::sync::Mutex::new", "static STATE: std::sync::Mutex<u8> = std::sync::Mutex::new(1);"),
    ("std::sync::RwLock::new", "static STATE: std::sync::RwLock<u8> = std::sync::RwLock::new(1);"),
    ("std::sync::mpsc::channel", "let _ = std::sync::mpsc::channel::<u8>();"),
    ("std::sync::mpsc::sync_channel", "let _ = std::sync::mpsc::sync_channel::<u8>(1);"),
    ("std::panic::set_hook", "std::panic::set_hook(Box::new(|_| ()));"),
    ("std::panic::take_hook", "let _ = std::panic::take_hook();"),
];

/// What other lints of the core catch, by the words that they say.
const OTHERS: &[(&str, &str)] = &[
    ("use of `println!`", "println!(\"a\");"),
    ("use of `eprintln!`", "eprintln!(\"a\");"),
    ("the `dbg!` macro", "let _ = dbg!(1);"),
    ("usage of an `unsafe` block", "static mut STATE: u8 = 1; unsafe { STATE = 2; }"),
    ("used `unwrap()`", "let _ = Some(1_u8).filter(|one| *one > 0).unwrap();"),
];

fn core_file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../core").join(name)).unwrap()
}

/// The paths of one list of the ban.
fn banned(list: &str) -> Vec<String> {
    let table: Table = core_file("clippy.toml").parse().unwrap();
    let path = |entry: &Value| entry["path"].as_str().unwrap().to_owned();
    table[list].as_array().unwrap().iter().map(path).collect()
}

/// Runs clippy with the core's lints on a crate of one function a line; what it says about each line.
fn clippy(name: &str, lines: &[String]) -> BTreeMap<usize, String> {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("purity").join(name);
    fs::create_dir_all(directory.join("src")).unwrap();
    let manifest: Table = core_file("Cargo.toml").parse().unwrap();
    let mut lints = Table::from_iter([("lints".to_owned(), manifest["lints"].clone())]).to_string();
    let _ = write!(lints, "\n[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n");
    fs::write(directory.join("Cargo.toml"), lints).unwrap();
    fs::write(directory.join("clippy.toml"), core_file("clippy.toml")).unwrap();
    fs::write(directory.join("src/lib.rs"), lines.join("\n")).unwrap();
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["clippy", "--offline", "--message-format=short", "--", "-D", "warnings"])
        .current_dir(&directory)
        .env("CARGO_TARGET_DIR", directory.join("target"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let mut found: BTreeMap<usize, String> = BTreeMap::new();
    for line in said.lines().filter_map(|line| line.strip_prefix("src/lib.rs:")) {
        let (at, text) = line.split_once(':').unwrap();
        found.entry(at.parse().unwrap()).or_default().push_str(text);
    }
    assert_eq!(output.status.success(), found.is_empty(), "{said}");
    found
}

/// A violation in a function of its own, on a line of its own.
fn function(at: usize, violation: &str) -> String {
    format!("#[allow(unused, unreachable_code)] fn breaks_{at}() {{ {violation} }}")
}

#[test]
fn every_line_of_the_ban_is_enforced() {
    let functions: Vec<String> = [banned("disallowed-macros"), banned("disallowed-methods")].concat();
    let shown: Vec<&str> = VIOLATIONS.iter().map(|(path, _)| *path).collect();
    assert_eq!(functions, shown, "a violation for each line of the ban, in its order");
    let types = banned("disallowed-types");
    let mut lines: Vec<String> =
        VIOLATIONS.iter().chain(OTHERS).enumerate().map(|(at, (_, code))| function(at, code)).collect();
    lines.extend(types.iter().map(|path| format!("#[allow(unused)] use {path} as _;")));
    let found = clippy("broken", &lines);
    let banned = functions.iter().map(|path| format!("`{path}`"));
    let others = OTHERS.iter().map(|(words, _)| (*words).to_owned());
    let types = types.iter().map(|path| format!("`{path}`"));
    for (at, named) in banned.chain(others).chain(types).enumerate() {
        let said = found.get(&(at + 1)).map_or("nothing", String::as_str);
        assert!(said.contains(&named), "line {}: clippy says {said} of {}", at + 1, lines[at]);
    }
}

#[test]
fn what_the_core_does_is_not_banned() {
    let clean = [
        "//! As the core is written.",
        "use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};",
        "pub(crate) struct Kept(Arc<BTreeMap<IpAddr, Duration>>);",
        "impl Kept { pub(crate) fn size(&self) -> usize { self.0.len() } }",
        "/// The size.",
        "pub fn size() -> usize { Kept(Arc::default()).size() }",
    ];
    assert_eq!(clippy("clean", &clean.map(str::to_owned)), BTreeMap::new());
}
