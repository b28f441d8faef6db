//! `proofkey keys`: generated, rotated, checked.

use crate::client::job_token;
use crate::place::Place;

fn ids(place: &Place) -> Vec<String> {
    let value = place.run(&["keys", "list", "--json"]).succeeded().json();
    value["keys"].as_array().unwrap().iter().map(|key| key["key"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn generate_writes_every_variable_of_the_original_and_never_overwrites() {
    let place = Place::empty("generate");
    place.run(&["keys", "generate"]).succeeded();
    let text = place.read("proofkey.env");
    for name in [
        "OAUTH2_ENCRYPTION_KEY",
        "SECRET_ENCRYPTION_KEY",
        "RSA_PRIVATE_KEY_PEM",
        "DATABASE_URL",
        "REDIS_URL",
        "OAUTH2_ACCESS_TOKEN_EXPIRE_MINUTES",
        "OAUTH2_REFRESH_TOKEN_EXPIRE_DAYS",
        "OAUTH2_DEFAULT_CLIENT_ID",
        "SECURE_COOKIES",
        "HTTPS_ONLY",
        "RATE_LIMIT_ENABLED",
        "AUDIT_LOG_ENABLED",
    ] {
        assert!(text.contains(&format!("\n{name}=")), "{name} is missing");
    }
    assert_eq!(place.mode("proofkey.env"), 0o600);
    let check = place.run(&["check", "--json", "--issuer", "https://id.example"]).succeeded();
    assert!(!check.stdout.contains("chmod"));
    let again = place.run(&["keys", "generate", "--json"]);
    assert_eq!((again.code, place.read("proofkey.env")), (1, text));
    assert!(again.errors()[0][2].contains("not overwritten"), "{:?}", again.errors());
    place.run(&["keys", "generate", "--output", "other.env"]).succeeded();
    assert_ne!(place.read("other.env"), place.read("proofkey.env"));
}

#[test]
fn a_rotation_adds_promotes_and_retires_and_leaves_the_rest_of_the_file_alone() {
    let place = Place::ready("rotate");
    let before = place.read("proofkey.env");
    let [old] = ids(&place).try_into().unwrap();
    let added = place.run(&["keys", "add", "--json"]).succeeded().json();
    let new = added["added"].as_str().unwrap().to_owned();
    assert_eq!(ids(&place), [old.clone(), new.clone()], "a new key reads, and does not write yet");
    place.run(&["keys", "promote", &new]).succeeded();
    assert_eq!(ids(&place), [new.clone(), old.clone()]);
    place.run(&["keys", "check"]).succeeded();
    place.run(&["keys", "retire", &old]).succeeded();
    assert_eq!(ids(&place), [new]);
    place.run(&["keys", "check"]).succeeded();
    let others =
        |text: &str| text.lines().filter(|line| !line.starts_with("OAUTH2")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(others(&place.read("proofkey.env")), others(&before));
    assert_eq!(place.mode("proofkey.env"), 0o600);
}

#[test]
fn the_primary_key_an_unknown_one_and_one_in_use_are_not_retired() {
    let place = Place::ready("retire-refused");
    let server = place.serve(&[]);
    assert_eq!(job_token(server.address).unwrap().status, 200);
    server.stop();
    let [old] = ids(&place).try_into().unwrap();
    place.run(&["keys", "add"]).succeeded();
    let new = ids(&place)[1].clone();
    let refused = |key: &str, told: &str| {
        let before = place.read("proofkey.env");
        let run = place.run(&["keys", "retire", key, "--json"]);
        assert_eq!((run.code, place.read("proofkey.env")), (1, before));
        assert!(run.errors()[0][2].contains(told), "{:?}", run.errors());
    };
    refused(&old, "promote another one first");
    refused("AAAAAA", "proofkey keys list");
    place.run(&["keys", "promote", &new]).succeeded();
    refused(&old, "1 grant made under this key may still be used");
}

#[test]
fn keys_that_the_store_was_not_written_with_are_found_by_check_and_keep_serve_from_starting() {
    let _rows = proofkey_conformance::shows(&["secrets-key-8"]);
    let place = Place::ready("foreign-keys");
    place.run(&["keys", "check"]).succeeded();
    let [lost] = ids(&place).try_into().unwrap();
    let other = Place::ready("foreign-keys-other");
    place.write_private("proofkey.env", &other.read("proofkey.env"));
    let check = place.run(&["keys", "check", "--json"]);
    assert_eq!(check.code, 1);
    assert_eq!(check.errors()[0][..2], ["encryption_keys", "proofkey.env:2 OAUTH2_ENCRYPTION_KEY"]);
    let serve = place.run(&["serve", "--json"]);
    assert_eq!((serve.code, &serve.errors()[0][0]), (1, &"encryption_keys".to_owned()), "{:?}", serve.errors());
    let problem = &serve.errors()[0][2];
    assert!(problem.contains("put the key back") && problem.contains(&lost), "{problem}");
}

#[test]
fn keys_that_stand_in_the_environment_are_not_changed_behind_its_back() {
    let place = Place::ready("keys-in-environment");
    let keys = proofkey::Keys::generate().unwrap().encryption_text();
    let variables = [("OAUTH2_ENCRYPTION_KEY", keys.expose_text().unwrap())];
    let before = place.read("proofkey.env");
    let run = place.run_with(&variables, &["keys", "add", "--json"]);
    assert_eq!((run.code, place.read("proofkey.env")), (1, before));
    assert_eq!(run.errors()[0][..2], ["encryption_keys", "OAUTH2_ENCRYPTION_KEY"]);
    assert!(run.errors()[0][2].contains("change the list where it is set"), "{:?}", run.errors());
}

#[test]
fn a_link_to_the_file_of_secrets_stays_one() {
    let place = Place::ready("keys-link");
    std::fs::rename(place.path("proofkey.env"), place.path("secrets")).unwrap();
    std::os::unix::fs::symlink("secrets", place.path("proofkey.env")).unwrap();
    place.run(&["keys", "add"]).succeeded();
    assert!(place.path("proofkey.env").is_symlink());
    assert_eq!(ids(&place).len(), 2);
}

#[test]
fn of_two_commands_that_change_the_keys_at_once_one_is_refused() {
    let place = Place::ready("keys-at-once");
    let before = ids(&place);
    place.write(".proofkey.env.new", "");
    let run = place.run(&["keys", "add", "--json"]);
    assert_eq!((run.code, ids(&place)), (1, before));
    assert!(run.errors()[0][2].contains("another command changes the keys"), "{:?}", run.errors());
    assert!(place.path(".proofkey.env.new").exists(), "what another command writes is left to it");
    std::fs::remove_file(place.path(".proofkey.env.new")).unwrap();
    place.run(&["keys", "add"]).succeeded();
    assert!(!place.path(".proofkey.env.new").exists());
}

#[test]
fn a_ring_that_is_full_takes_no_further_key() {
    let place = Place::ready("keys-full");
    for _ in 1..16 {
        place.run(&["keys", "add"]).succeeded();
    }
    let before = place.read("proofkey.env");
    let run = place.run(&["keys", "add", "--json"]);
    assert_eq!((run.code, place.read("proofkey.env")), (1, before));
    assert!(run.errors()[0][2].contains("at most 16 keys"), "{:?}", run.errors());
}

#[test]
fn a_store_that_was_written_under_another_key_is_left_alone_and_the_missing_key_is_named() {
    let place = Place::ready("another-key");
    let user = ["users", "add", "ada@example.com", "--password-stdin"];
    place.run_fed("correct horse battery staple\n", &user).succeeded();
    let [old] = ids(&place).try_into().unwrap();
    place.run(&["keys", "add"]).succeeded();
    let both = place.read("proofkey.env");
    let without_the_old = |line: &str| match line.split_once(',') {
        Some((_, new)) if line.starts_with("OAUTH2_ENCRYPTION_KEY=") => format!("OAUTH2_ENCRYPTION_KEY={new}"),
        _ => line.to_owned(),
    };
    place.write_private("proofkey.env", &both.lines().map(without_the_old).collect::<Vec<_>>().join("\n"));
    assert!(!ids(&place).contains(&old));
    for arguments in [["users", "list"], ["clients", "list"], ["keys", "check"]] {
        let run = place.run(&[&arguments[..], &["--json"]].concat());
        assert_eq!(run.code, 1, "{arguments:?}");
        let [setting, source, told] = &run.errors()[0];
        assert_eq!((&**setting, source.contains("proofkey.env")), ("encryption_keys", true));
        assert!(told.contains(&old), "{told}");
    }
}
