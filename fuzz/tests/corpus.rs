//! Every target over its seeds, its corpus, and some thousand mutations of them, the same ones every time.
//!
//! `PROOFKEY_FUZZ_RUNS` says how many mutations of the cheapest target; `PROOFKEY_FUZZ_SEED` which.

use std::fs;
use std::path::Path;

use proofkey_fuzz::{Mutator, TARGETS, run};

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// The inputs of a target: its seeds, and the files of its corpus in the order of their names.
fn inputs(name: &str) -> Vec<Vec<u8>> {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    (target.seeds)().into_iter().chain(files.iter().map(|path| fs::read(path).unwrap())).collect()
}

fn holds(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let inputs = inputs(name);
    assert!(!inputs.is_empty());
    for input in [Vec::new()].iter().chain(&inputs) {
        run(target, input);
    }
    let runs = number("PROOFKEY_FUZZ_RUNS", 10_000) / target.cost as u64;
    let mut mutator = Mutator::new(number("PROOFKEY_FUZZ_SEED", 1));
    for _ in 0..runs {
        run(target, &mutator.mutated(&inputs));
    }
}

macro_rules! tests {
    ($($test:ident $target:literal)*) => {
        $(#[test] fn $test() { holds($target); })*

        #[test]
        fn every_target_has_a_test() {
            let tested = [$($target),*];
            assert_eq!(TARGETS.iter().map(|target| target.name).collect::<Vec<_>>(), tested);
        }
    };
}

tests! {
    a_basic_header_is_read_as_it_is_written "basic"
    requests_one_after_the_other_keep_what_codes_and_tokens_promise "conversation"
    cookies_are_read_as_they_stand_in_the_header "cookie"
    a_fernet_token_opens_under_its_key_and_in_its_time "fernet"
    a_form_is_read_as_it_is_written "form"
    a_grant_does_what_the_model_says "grant"
    a_json_body_is_read_as_it_is_written "json"
    texts_of_others_stay_texts_on_a_page "pages"
    a_verifier_fits_its_challenge_and_no_other "pkce"
    nobody_but_a_trusted_proxy_says_where_a_request_comes_from "proxy"
    a_record_is_read_as_it_was_written "record"
    a_redirect_leads_to_what_is_registered "redirect"
    a_registration_is_read_as_it_is_written "registration"
    an_answer_to_any_request_is_well_formed "request"
    a_scope_is_a_set "scope"
    a_sealed_value_opens_for_its_purpose_and_in_its_time "sealed"
    settings_are_told_as_they_were_taken "settings"
    a_token_that_nobody_issued_does_not_open "token"
}
