use super::*;

const ROWS: &str = r#"
[document]
id = "rfc1"
title = "RFC 1"
[[requirement]]
id = "rfc1-1-1"
level = "MUST"
requirement = "One | two."
tier = 1
[[requirement]]
id = "rfc1-1-2"
level = "SHOULD"
requirement = "Three."
tier = 2
"#;

/// Reports on [`ROWS`] with these deferrals and outcomes.
fn report(deferred: &str, outcomes: &[(Outcome, &str, &str)]) -> Report {
    let deferred = format!("[[issue]]\nnumber = 3\ntitle = \"The door\"\n{deferred}");
    let mut run = Run::default();
    for (outcome, id, test) in outcomes {
        run.add(*outcome, id, test);
    }
    let matrix = Matrix::new(vec![toml::from_str(ROWS).unwrap()]);
    Report::new(&matrix, &Deferrals::new(toml::from_str(&deferred).unwrap()), &run)
}

const WHOLE: &str = "[[whole]]\ndocument = \"rfc1\"\nabsent = \"no such thing\"\n";

#[test]
fn a_row_that_is_neither_shown_nor_deferred_is_a_problem() {
    let report = report("", &[(Outcome::Pass, "rfc1-1-1", "t")]);
    assert_eq!(report.problems(), ["no executed test shows, and nothing excuses: rfc1-1-2"]);
    assert!(report.text().contains("| rfc1-1-2 | SHOULD | Three. | **not shown** |"));
}

#[test]
fn a_shown_row_names_its_tests_in_order_and_a_document_excuses_the_rest() {
    let report = report(WHOLE, &[(Outcome::Pass, "rfc1-1-1", "b"), (Outcome::Pass, "rfc1-1-1", "a")]);
    assert_eq!(report.problems(), [] as [String; 0]);
    assert!(report.text().contains("| rfc1-1-1 | MUST | One \\| two. | shown by `a`, `b` |"), "{}", report.text());
    assert!(report.text().contains("absent feature: no such thing"));
    assert!(report.text().contains("1 of 2 rows are shown."));
}

#[test]
fn a_failed_row_is_a_problem_even_if_another_test_passed() {
    let report = report(WHOLE, &[(Outcome::Pass, "rfc1-1-1", "a"), (Outcome::Fail, "rfc1-1-1", "b")]);
    assert_eq!(report.problems(), ["rfc1-1-1: failed in `b`"]);
}

#[test]
fn a_row_that_is_shown_and_deferred_is_a_problem_unless_only_a_rest_is_deferred() {
    let passed = [(Outcome::Pass, "rfc1-1-1", "a")];
    let whole = report(&format!("[[deferred]]\nissue = 3\nids = [\"rfc1-1-1\"]\n{WHOLE}"), &passed);
    assert_eq!(whole.problems(), ["rfc1-1-1: shown by `a`, and deferred all the same"]);
    let rest = format!("[[deferred]]\nissue = 3\nrest = \"the page\"\nids = [\"rfc1-1-1\"]\n{WHOLE}");
    let rest_shown = report(&rest, &passed);
    assert_eq!(rest_shown.problems(), [] as [String; 0]);
    assert!(rest_shown.text().contains("shown by `a`; the page with issue \"The door\""), "{}", rest_shown.text());
    let rest_alone = report(&rest, &[]);
    assert_eq!(rest_alone.problems().len(), 1, "a rest excuses nothing while no test shows the row");
}

#[test]
fn deferrals_of_unknown_rows_documents_and_issues_are_problems() {
    let deferred = "
[[deferred]]
issue = 9
ids = [\"rfc1-1-1\"]
[[deferred]]
issue = 3
absent = \"both\"
ids = [\"rfc1-1-2\"]
[[deferred]]
issue = 3
ids = [\"rfc1-1-2\", \"rfc1-1-2\", \"rfc2-1-1\"]
[[whole]]
document = \"rfc3\"
absent = \"x\"
";
    let report = report(deferred, &[(Outcome::Pass, "rfc1-1-1", "a"), (Outcome::Pass, "rfc4-1-1", "a")]);
    assert_eq!(
        report.problems(),
        [
            "rfc1-1-1: issue 9 is not an open one",
            "rfc1-1-2: a deferral has an issue (with or without a rest) or an absent feature",
            "rfc1-1-2: deferred twice",
            "rfc2-1-1: deferred, but no row",
            "rfc3: deferred, but no document",
            "rfc4-1-1: declared by a test, but no row",
        ]
    );
}

#[test]
fn a_committed_page_is_compared_to_the_byte() {
    let report = report(WHOLE, &[(Outcome::Pass, "rfc1-1-1", "a")]);
    assert_eq!(report.first_difference(report.text()), None);
    let older = report.text().replace("`a`", "`b`");
    let difference = report.first_difference(&older).unwrap();
    assert!(
        difference.contains("committed: | rfc1-1-1") && difference.contains("this run:  | rfc1-1-1"),
        "{difference}"
    );
    assert!(report.first_difference(report.text().trim_end()).unwrap().contains("the end differs"));
    assert!(report.first_difference("").unwrap().contains("line 1"));
}
