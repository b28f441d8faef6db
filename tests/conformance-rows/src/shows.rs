use std::{
    collections::BTreeSet,
    env, fs,
    io::Write,
    panic::Location,
    path::{Path, PathBuf},
    process,
    sync::OnceLock,
    thread,
};

use crate::Matrix;

/// The environment variable that names the directory of a run; without it nothing is written.
pub const RUN_DIRECTORY: &str = "PROOFKEY_CONFORMANCE";

/// Says that the calling test shows these rows; keep the guard until the test ends.
///
/// The test's name in the report is that of the function the call stands in.
///
/// # Panics
/// If an id is not a row, or none is given.
#[track_caller]
#[must_use = "the guard must live as long as the test: `let _rows = shows(..)`"]
pub fn shows(ids: &[&str]) -> Shows {
    shows_as(&enclosing_function(Location::caller()), ids)
}

/// [`shows`] for a test that is data, such as a scenario, under the name it goes by.
///
/// # Panics
/// If an id is not a row, or none is given.
#[track_caller]
#[must_use = "the guard must live as long as the test: `let _rows = shows_as(..)`"]
pub fn shows_as(test: &str, ids: &[&str]) -> Shows {
    assert!(!ids.is_empty(), "a test that shows rows names at least one");
    for id in ids {
        assert!(known_ids().contains(*id), "there is no conformance row {id:?} in tests/conformance");
    }
    Shows {
        test: test.replace(['\r', '\n'], " "),
        ids: ids.iter().map(ToString::to_string).collect(),
        directory: env::var_os(RUN_DIRECTORY).map(PathBuf::from),
    }
}

/// A test that is running; when dropped it leaves `pass` or, in a panic, `fail` for each of its rows.
#[derive(Debug)]
pub struct Shows {
    test: String,
    ids: Vec<String>,
    directory: Option<PathBuf>,
}

impl Drop for Shows {
    fn drop(&mut self) {
        let Some(directory) = &self.directory else { return };
        let outcome = if thread::panicking() { "fail" } else { "pass" };
        let lines: String = self.ids.iter().map(|id| format!("{outcome} {id} {}\n", self.test)).collect();
        let written = append(directory, &lines);
        // A second panic would abort the process and hide the first one's message.
        if !thread::panicking() {
            written.unwrap_or_else(|error| panic!("{RUN_DIRECTORY}={}: {error}", directory.display()));
        }
    }
}

/// One file for each thread of each process, so that nobody waits for anybody.
fn append(directory: &Path, lines: &str) -> std::io::Result<()> {
    fs::create_dir_all(directory)?;
    let thread: String = format!("{:?}", thread::current().id()).chars().filter(char::is_ascii_digit).collect();
    let path = directory.join(format!("{}-{thread}", process::id()));
    fs::OpenOptions::new().create(true).append(true).open(path)?.write_all(lines.as_bytes())
}

/// `file: function`, read from the source: a thread is named after its test only when there are several threads.
fn enclosing_function(caller: &Location<'_>) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let source = fs::read_to_string(root.join(caller.file())).unwrap_or_default();
    let above = source.lines().take(caller.line() as usize).collect::<Vec<_>>();
    let name = above.iter().rev().find_map(|line| function_name(line));
    format!("{}: {}", caller.file(), name.unwrap_or("a test"))
}

fn function_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    if line.starts_with("//") {
        return None;
    }
    let (_, after) = line.split_once("fn ")?;
    let end = after.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    Some(&after[..end]).filter(|name| !name.is_empty())
}

fn known_ids() -> &'static BTreeSet<String> {
    static IDS: OnceLock<BTreeSet<String>> = OnceLock::new();
    IDS.get_or_init(|| {
        let matrix = Matrix::read().unwrap_or_else(|error| panic!("the conformance rows: {error}"));
        matrix.rows().map(|row| row.id.clone()).collect()
    })
}
