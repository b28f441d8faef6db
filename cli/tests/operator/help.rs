//! Help: every command has an example.

use crate::place::Place;

/// The commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_has_help_with_an_example_and_takes_json() {
    let place = Place::empty("help");
    let mut waiting = vec![Vec::new()];
    let mut seen = 0;
    while let Some(path) = waiting.pop() {
        let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let help = place.run(&arguments).succeeded().stdout;
        let below = commands(&help);
        let example = help.split_once("\nExample").map(|(_, example)| example);
        if below.is_empty() || path.is_empty() {
            assert!(example.is_some_and(|example| example.contains("proofkey ")), "{path:?} has no example: {help}");
        }
        assert!(help.contains("--json"), "{path:?}: {help}");
        seen += 1;
        waiting.extend(below.into_iter().map(|name| [path.clone(), vec![name]].concat()));
    }
    assert!(seen >= 11, "{seen}");
}

#[test]
fn a_command_line_that_cannot_be_read_ends_with_code_2_and_a_hint() {
    let run = Place::empty("usage").run(&["chek"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("'check'"), "{}", run.stderr);
}
