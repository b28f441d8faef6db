//! `proofkey records show` and `proofkey sweep`.

use crate::client::{add_ada, sign_in};
use crate::place::Place;

#[test]
fn records_are_shown_by_name_and_by_key_without_their_secrets() {
    let place = Place::ready("records");
    add_ada(&place);
    let server = place.serve(&[]);
    let tokens = sign_in(server.address);
    let grant = place.run(&["grants", "list", "--client", "web", "--json"]).succeeded().json()[0]["id"].clone();
    let show = |name: &str| place.run(&["records", "show", name, "--json"]).succeeded().json();
    let grant = show(&format!("grant:{}", grant.as_str().unwrap()));
    assert_eq!((&grant["kind"], &grant["body"]["client_id"]), (&"grant".into(), &"web".into()));
    assert_eq!(grant["body"]["state"]["name"], "live");
    assert_eq!(grant["body"]["state"]["access_tokens"].as_array().unwrap().len(), 1);
    let user = show("user:ada@example.com");
    assert_eq!(show(user["key"].as_str().unwrap()), user, "the key leads to the same record");
    let text = place.run(&["records", "show", "user:ada@example.com"]).succeeded().stdout;
    assert!(text.contains("ada@example.com") && text.contains("20"), "{text}");
    for shown in [grant.to_string(), user.to_string(), text] {
        for secret in [&tokens.access_token[32..], &tokens.refresh_token[32..], &tokens.code[32..], "$2b$"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
    for nothing in ["user:nobody", "grant:x", "g.unknown", "colour:blue"] {
        let run = place.run(&["records", "show", nothing]);
        assert!(run.code == 1 && run.stderr.contains("there is no record"), "{nothing}: {}", run.stderr);
    }
}

#[test]
fn a_sweep_drops_what_is_expired_and_nothing_else() {
    let place = Place::ready("sweep");
    add_ada(&place);
    let server = place.serve(&[]);
    let tokens: Vec<_> = (0..3).map(|_| sign_in(server.address)).collect();
    let rows = rusqlite::Connection::open(place.path("auth.db")).unwrap();
    let count = || rows.query_row("select count(*) from proofkey", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(place.run(&["sweep", "--json"]).succeeded().json()["rows_dropped"], 0);
    let before = count();
    assert_eq!(rows.execute("update proofkey set expires_at = 1 where key like 'g.%'", []).unwrap(), tokens.len());
    assert_eq!(place.run(&["sweep", "--limit", "1"]).succeeded().stdout.trim(), "1 row dropped");
    assert_eq!(place.run(&["sweep", "--json"]).succeeded().json()["rows_dropped"], 2);
    assert_eq!(count(), before - 3);
    place.run(&["users", "show", "ada@example.com"]).succeeded();
}
