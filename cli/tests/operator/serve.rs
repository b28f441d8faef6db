//! `proofkey serve`: what it says at the start, and that it does its job.

use serde_json::Value;

use crate::client::{JSON, add_ada, form, get, is_active, job_token, post, sign_in};
use crate::place::Place;

#[test]
fn it_says_at_the_start_what_it_serves_and_where() {
    let place = Place::ready("start");
    let mut server = place.serve(&["--store", "memory:"]);
    let start = server.start.clone();
    assert_eq!(start["issuer"], "http://127.0.0.1:1");
    assert_eq!(start["listen"], server.address.to_string());
    assert_eq!(start["store"], "memory:");
    assert_eq!(start["clients"], serde_json::json!(["job", "web"]));
    assert_eq!(start["scopes"], serde_json::json!(["contacts:read"]));
    assert_eq!(start["endpoints"][0], "authorize");
    let listed = place.run(&["keys", "list", "--json"]).succeeded().json();
    assert_eq!(start["keys"], serde_json::json!([listed["keys"][0]["key"]]));
    let warning = |line: &Value| line["warning"].as_str().is_some_and(|text| text.contains("everything is lost"));
    server.wait_for(warning);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_user_signs_in_refreshes_and_signs_out() {
    let place = Place::ready("flow");
    add_ada(&place);
    let mut server = place.serve(&[]);
    let address = server.address;
    assert_eq!(get(address, "/health", &[]).text("status"), "healthy");
    let metadata = get(address, "/.well-known/oauth-authorization-server", &[]);
    assert_eq!(metadata.text("token_endpoint"), "http://127.0.0.1:1/token");
    let tokens = sign_in(address);
    let bearer = format!("Authorization: Bearer {}", tokens.access_token);
    assert_eq!(get(address, "/userinfo", &[&bearer]).status, 200);
    let refresh = format!("grant_type=refresh_token&client_id=web&refresh_token={}", tokens.refresh_token);
    let [once, again] = [form(address, "/token", &refresh), form(address, "/token", &refresh)];
    assert_eq!(
        (once.status, once.text("refresh_token")),
        (200, again.text("refresh_token")),
        "a lost reply is repeated"
    );
    let revoke = format!("client_id=web&token={}", once.text("refresh_token"));
    assert_eq!(form(address, "/revoke", &revoke).status, 200);
    assert_eq!(get(address, "/userinfo", &[&bearer]).status, 401);
    let line = server.wait_for(|line| line["event"] == "login_succeeded");
    assert!(line["subject"].is_string() && line["request_id"].is_string(), "{line}");
    server.wait_for(|line| line["event"] == "grant_revoked");
    assert_eq!(server.stop().0, 0);
}

#[test]
fn what_it_acknowledged_is_there_after_a_restart() {
    let place = Place::ready("restart");
    let server = place.serve(&[]);
    let token = job_token(server.address).unwrap().text("access_token");
    assert_eq!(server.stop().0, 0);
    let server = place.serve(&[]);
    assert!(is_active(server.address, &token));
    server.stop();
}

#[test]
fn a_path_that_is_nobodys_gets_an_error_of_the_protocol() {
    let place = Place::ready("not-found");
    let server = place.serve(&["--store", "memory:"]);
    let answer = get(server.address, "/nowhere", &[]);
    assert_eq!((answer.status, answer.text("error")), (404, "invalid_request".to_owned()));
    let answer = post(server.address, "/health", &[JSON], "{}");
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
    server.stop();
}

#[test]
fn a_request_is_known_by_the_identifier_that_it_brought_or_gets_one() {
    let place = Place::ready("request-id");
    let mut server = place.serve(&["--store", "memory:"]);
    let address = server.address;
    let id_of = |header: &[&str]| get(address, "/health", header).header("x-request-id").map(str::to_owned);
    assert_eq!(id_of(&["X-Request-Id: edge-7.a:b_c"]).as_deref(), Some("edge-7.a:b_c"));
    let line = server.wait_for(|line| line["log"] == "request");
    assert_eq!(line["request_id"], "edge-7.a:b_c");
    assert_eq!((&line["method"], &line["path"], &line["status"]), (&"GET".into(), &"/health".into(), &200.into()));
    assert!(line["ms"].is_number() && line["time"].is_number(), "{line}");
    let too_long = format!("X-Request-Id: {}", "x".repeat(65));
    let made: Vec<String> = [&["X-Request-Id: a b"][..], &["X-Request-Id: "], &[&too_long], &[]]
        .iter()
        .map(|header| id_of(header).unwrap())
        .collect();
    for (at, id) in made.iter().enumerate() {
        assert!((8..=30).contains(&id.len()) && !made[..at].contains(id), "{made:?}");
    }
    server.stop();
}

#[test]
fn a_port_that_is_taken_is_an_error_that_names_listen() {
    let place = Place::ready("port");
    let server = place.serve(&["--store", "memory:"]);
    let taken = server.address.to_string();
    let run = place.run(&["serve", "--json", "--store", "memory:", "--listen", &taken]);
    assert_eq!(run.code, 1);
    let [[setting, source, problem]] = run.errors().try_into().unwrap();
    assert_eq!((setting.as_str(), source.as_str()), ("listen", "--listen"));
    assert!(problem.contains(&format!("{taken} is in use; stop the server that listens there")), "{problem}");
    server.stop();
}

#[test]
fn what_operators_do_is_in_the_audit_log_too_and_looking_leaves_no_file() {
    let place = Place::ready("audit");
    let audit = ["--set", "audit_log=audit.log"];
    place.run(&[&["check"], &audit[..]].concat()).succeeded();
    assert!(!place.path("audit.log").exists());
    let add = ["clients", "add", "app", "--redirect-uri", "https://app.example/cb"];
    place.run(&[&add, &audit[..]].concat()).succeeded();
    let line: Value = serde_json::from_str(&place.read("audit.log")).unwrap();
    assert_eq!((&line["event"], &line["client_id"]), (&"client_changed".into(), &"app".into()));
    let nowhere = place.run(&["clients", "list", "--json", "--set", "audit_log=nowhere/audit.log"]);
    assert_eq!(nowhere.errors()[0][..2], ["audit_log", "--set audit_log"]);
}

#[test]
fn a_store_or_an_audit_log_that_cannot_be_opened_is_told_before_anybody_is_served() {
    let place = Place::ready("unopenable");
    place.write("auth.db", "this is no database, whatever it is called");
    let errors = place.run(&["serve", "--json"]).errors();
    assert_eq!(errors[0][..2], ["store", "proofkey.toml:2"], "{errors:?}");
    assert!(errors[0][2].contains("set another store"), "{errors:?}");
    let errors = place.run(&["serve", "--json", "--audit-log", "nowhere/audit.log"]).errors();
    assert_eq!(errors[0][..2], ["audit_log", "--audit-log"], "{errors:?}");
    assert!(errors[0][2].contains("stderr or off"), "{errors:?}");
}
