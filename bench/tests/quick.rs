//! The benchmark runs and shows every comparison that it promises. What the figures are is no test's business.

use std::process::Command;

use serde_json::Value;

const ROWS: &[(&str, &str)] = &[
    ("the floor, now and then", "redeem, not sealed"),
    ("the floor, now and then", "refresh, not sealed"),
    ("the floor, now and then", "access check, not sealed"),
    ("memory", "redeem"),
    ("memory", "refresh"),
    ("memory", "access check"),
    ("memory", "introspect"),
    ("memory", "challenge"),
    ("SQLite", "redeem"),
    ("SQLite", "refresh"),
    ("SQLite", "access check"),
    ("SQLite", "introspect"),
    ("SQLite", "challenge"),
    ("SQLite store", "16 writers, beside raw rusqlite"),
    ("SQLite store", "16 writers, beside one writer"),
    ("SQLite store", "a reader under a held transaction"),
    ("SQLite store", "two readers, beside one"),
    ("SQLite store", "two readers of rusqlite, beside one"),
    ("SQLite store", "get: ratio"),
    ("SQLite store", "put: ratio"),
    ("HTTP", "token"),
    ("HTTP", "introspect"),
    ("pages", "a sign-in, beside its password hash"),
    ("pages", "a sign-in, beside two seconds"),
];

#[test]
fn a_quick_run_shows_every_comparison_with_figures_above_zero() {
    let run = Command::new(env!("CARGO_BIN_EXE_proofkey-bench")).args(["--quick", "--json"]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let rows: Vec<Value> = serde_json::from_slice(&run.stdout).unwrap();
    for (section, name) in ROWS {
        let starts =
            |row: &Value, member: &str, text: &str| row[member].as_str().is_some_and(|is| is.starts_with(text));
        let row = rows.iter().find(|row| starts(row, "section", section) && starts(row, "name", name));
        let row = row.unwrap_or_else(|| panic!("a row of {section}: {name}"));
        for figures in ["ours", "other", "ratio"] {
            assert!(row[figures]["median"].as_f64().is_some_and(|median| median > 0.0), "{row}");
        }
    }
}
