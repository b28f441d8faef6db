//! `proofkey init`.

use crate::place::Place;

#[test]
fn init_writes_settings_and_secrets_that_check_accepts_and_overwrites_neither() {
    let place = Place::empty("init");
    let run = place.run(&["init", "--issuer", "https://id.example.com"]).succeeded();
    assert!(
        run.stdout.contains("proofkey.toml") && run.stderr.contains("proofkey check"),
        "{}{}",
        run.stdout,
        run.stderr
    );
    assert_eq!(place.mode("proofkey.env"), 0o600);
    let check = place.run(&["check", "--json"]).succeeded().json();
    let issuer = &check["settings"][0];
    assert_eq!(issuer["value"], "https://id.example.com");
    assert_eq!(issuer["source"], "proofkey.toml:5");
    let (settings, secrets) = (place.read("proofkey.toml"), place.read("proofkey.env"));
    for file in ["proofkey.toml", "proofkey.env"] {
        let again = place.run(&["init", "--issuer", "https://other.example", "--json"]);
        assert_eq!(again.code, 1);
        assert!(
            again.errors()[0][0] == file && again.errors()[0][2].contains("not overwritten"),
            "{:?}",
            again.errors()
        );
        std::fs::remove_file(place.path(file)).unwrap();
        if file == "proofkey.toml" {
            place.write("kept.toml", &settings);
        }
    }
    assert!(!place.path("proofkey.toml").exists(), "a refused init leaves nothing behind");
    assert!(!secrets.is_empty());
}

#[test]
fn the_lines_that_show_defaults_are_the_defaults() {
    let place = Place::empty("init-defaults");
    place.run(&["init", "--issuer", "https://id.example.com"]).succeeded();
    let shown = |place: &Place| {
        let rows = place.run(&["check", "--json"]).succeeded().json()["settings"].clone();
        rows.as_array().unwrap().iter().map(|row| (row["name"].clone(), row["value"].clone())).collect::<Vec<_>>()
    };
    let before = shown(&place);
    let settings = place.read("proofkey.toml");
    let uncommented: Vec<&str> = settings
        .lines()
        .take_while(|line| *line != "[scopes]")
        .map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = \"")).unwrap_or(line))
        .collect();
    assert!(uncommented.contains(&"access_token_lifetime = \"1h\""));
    place.write("proofkey.toml", &uncommented.join("\n"));
    assert_eq!(shown(&place), before);
}

#[test]
fn an_issuer_on_this_machine_is_listened_on() {
    let place = Place::empty("init-loopback");
    place.run(&["init", "--issuer", "http://localhost:8123/auth", "--store", "memory:"]).succeeded();
    let settings = place.read("proofkey.toml");
    assert!(
        settings.contains("\nlisten = \"127.0.0.1:8123\"\n") && settings.contains("\nstore = \"memory:\"\n"),
        "{settings}"
    );
}

#[test]
fn an_issuer_that_cannot_be_one_is_refused_and_nothing_is_written() {
    let place = Place::empty("init-bad");
    let run = place.run(&["init", "--issuer", "http://id.example.com", "--json"]);
    assert_eq!(run.code, 1);
    assert!(run.errors()[0][0] == "issuer" && run.errors()[0][2].contains("use https"), "{:?}", run.errors());
    assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 0);
}
