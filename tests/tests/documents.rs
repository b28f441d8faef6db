//! The repository's texts: links lead somewhere, every document can be found, and nothing speaks of one machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Paths that exist on somebody's machine only. Written in two parts, so that this file does not hold them.
const MACHINE_PATHS: [&str; 4] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), "C:\\Users"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What is made here and not kept.
const MADE: [&str; 3] = ["demo-data", "node_modules", "target"];

/// All files below a directory, without what is made or hidden.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let kept = entries.into_iter().filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        !MADE.contains(&&*name) && !name.starts_with('.')
    });
    kept.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn documents() -> Vec<PathBuf> {
    files(&root()).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The lines of a document that are no code.
fn prose(text: &str) -> Vec<String> {
    let mut code = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if !code {
            // Every second piece between backquotes is code.
            lines.push(line.split('`').step_by(2).collect::<Vec<_>>().join("``"));
        }
    }
    lines
}

/// The targets of `[text](target)`.
fn links(text: &str) -> Vec<String> {
    let targets = |line: &String| -> Vec<String> {
        let starts = line.match_indices("](").map(|(at, mark)| &line[at + mark.len()..]);
        starts.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
    };
    prose(text).iter().flat_map(targets).collect()
}

/// The anchors of a document's headings, made as the usual renderers make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut code = false;
    let mut anchors = BTreeSet::new();
    for line in text.lines() {
        code ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if code || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = heading.trim().chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        let anchor: String = kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect();
        anchors.insert(anchor.to_lowercase());
    }
    anchors
}

/// What is wrong with one link of a document.
fn broken(document: &Path, target: &str) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("http://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = if path.is_empty() { document.to_owned() } else { document.parent().unwrap().join(path) };
    let told = |what: &str| Some(format!("{}: {target}: {what}", shown(document)));
    if !file.exists() {
        return told("there is no such file");
    }
    if anchor.is_empty() || anchors(&fs::read_to_string(&file).unwrap()).contains(anchor) {
        return None;
    }
    told("there is no such heading")
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let documents = documents();
    assert!(documents.len() > 5, "the documents were found");
    let all = documents.iter().flat_map(|document| {
        let links = links(&fs::read_to_string(document).unwrap());
        links.into_iter().filter_map(|target| broken(document, &target)).collect::<Vec<_>>()
    });
    let broken: Vec<String> = all.collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_document_is_named_in_the_index() {
    let index = fs::read_to_string(root().join("docs/README.md")).unwrap();
    let named: BTreeSet<String> = links(&index).into_iter().collect();
    let lost = documents().into_iter().filter(|document| {
        let name = document.file_name().unwrap().to_string_lossy().into_owned();
        document.parent() == Some(&root().join("docs")) && name != "README.md" && !named.contains(&name)
    });
    let lost: Vec<String> = lost.map(|document| shown(&document)).collect();
    assert!(lost.is_empty(), "docs/README.md does not name {lost:?}");
}

/// The blocks of Rust in a document, without the indentation that all lines of one share.
fn rust_blocks(text: &str) -> Vec<String> {
    text.split("```rust\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| dedented(block))
        .collect()
}

fn dedented(text: &str) -> String {
    let filled = text.lines().filter(|line| !line.trim().is_empty());
    let common = filled.map(|line| line.len() - line.trim_start().len()).min().unwrap_or_default();
    text.lines().map(|line| line.get(common..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_guide_to_a_login_page_shows_what_stands_in_the_example() {
    let guide = fs::read_to_string(root().join("docs/own-login.md")).unwrap();
    let sources = files(&root().join("examples/own-login/src")).into_iter();
    let sources: Vec<String> = sources.map(|path| fs::read_to_string(path).unwrap()).collect();
    let stands = |block: &str| {
        let length = block.lines().count();
        let windows = |source: &String| {
            let lines: Vec<&str> = source.lines().collect();
            lines.windows(length).any(|window| dedented(&window.join("\n")) == block)
        };
        sources.iter().any(windows)
    };
    let blocks = rust_blocks(&guide);
    assert!(blocks.len() > 3, "the blocks were found");
    let lost: Vec<&String> = blocks.iter().filter(|block| !stands(block)).collect();
    assert!(lost.is_empty(), "not in examples/own-login: {lost:#?}");
}

#[test]
fn nothing_speaks_of_one_machine() {
    let text = |path: &PathBuf| fs::read_to_string(path).ok();
    let speaking = files(&root()).into_iter().filter(|path| {
        text(path).is_some_and(|text| MACHINE_PATHS.iter().any(|machine_path| text.contains(machine_path)))
    });
    let speaking: Vec<String> = speaking.map(|path| shown(&path)).collect();
    assert!(speaking.is_empty(), "{speaking:?} hold paths of one machine");
}

#[test]
fn links_and_headings_are_read_as_renderers_read_them() {
    let text = "# A `code` & more\n```\n# none [x](y)\n```\nsee [a](b.md#c) and `[x](y)`, [d](#e)\n";
    assert_eq!(links(text), ["b.md#c", "#e"]);
    assert_eq!(anchors(text).into_iter().collect::<Vec<_>>(), ["a-code--more"]);
}
