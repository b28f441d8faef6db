//! `proofkey users`.

use crate::client::{PASSWORD, form, get};
use crate::place::Place;

fn add(place: &Place, username: &str, more: &[&str]) -> crate::place::Run {
    place.run_fed(&format!("{PASSWORD}\n"), &[&["users", "add", username, "--password-stdin"], more].concat())
}

#[test]
fn a_user_is_added_listed_disabled_enabled_and_deleted() {
    let place = Place::ready("users");
    let more = ["--name", "Ada L.", "--email", "ada@example.com", "--claim", "role=engineer", "--claim", "level=3"];
    let added = add(&place, "ada@example.com", &[&more[..], &["--json"]].concat()).succeeded().json();
    assert!(added["claims"]["name"] == "Ada L." && added["claims"]["level"] == 3, "{added}");
    assert_eq!(add(&place, "ada@example.com", &[]).code, 1, "the name is taken");
    let show = || place.run(&["users", "show", "ADA@example.com", "--json"]).succeeded().json();
    assert_eq!(show()["subject"], added["subject"]);

    place.run(&["users", "disable", "ada@example.com"]).succeeded();
    assert_eq!(show()["disabled"], true);
    let list = place.run(&["users", "list"]).succeeded().stdout;
    assert!(list.contains("ada@example.com") && list.contains("disabled"), "{list}");
    place.run(&["users", "enable", "ada@example.com"]).succeeded();
    assert_eq!(show()["disabled"], false);

    place.run(&["users", "delete", "ada@example.com"]).succeeded();
    for verb in ["show", "disable", "enable", "delete"] {
        let run = place.run(&["users", verb, "ada@example.com"]);
        assert!(run.code == 1 && run.stderr.contains("there is no user ada@example.com"), "{verb}: {}", run.stderr);
    }
}

#[test]
fn another_password_signs_in_and_the_old_one_does_not() {
    let place = Place::ready("users-password");
    add(&place, "ada@example.com", &[]).succeeded();
    let server = place.serve(&[]);
    let url = format!("http://{}", server.address);
    let signs_in = |password: &str| {
        let walk = ["try", "web", "--username", "ada@example.com", "--password-stdin", "--url", &url, "--json"];
        let run = place.run_fed(&format!("{password}\r\n"), &walk);
        run.json().as_array().unwrap().get(1).unwrap()["status"] == 200
    };
    assert!(signs_in(PASSWORD));
    let change = ["users", "password", "ada@example.com", "--password-stdin"];
    place.run_fed("another long passphrase\n", &change).succeeded();
    assert!(!signs_in(PASSWORD));
    assert!(signs_in("another long passphrase"));
}

#[test]
fn a_password_is_never_an_argument_and_a_bad_one_changes_nothing() {
    let place = Place::ready("users-bad");
    assert_eq!(place.run(&["users", "add", "ada", "--password", PASSWORD]).code, 2);
    for (input, words) in [("short\n", "password_min_length"), ("\n", "holds no password"), ("", "holds no password")] {
        let run = place.run_fed(input, &["users", "add", "ada", "--password-stdin"]);
        assert!(run.code == 1 && run.stderr.contains(words), "{input:?}: {}", run.stderr);
    }
    let run = place.run(&["users", "add", "ada"]);
    assert!(run.code == 1 && run.stderr.contains("--password-stdin"), "no terminal: {}", run.stderr);
    assert!(place.run(&["users", "list"]).succeeded().stdout.contains("no users"));
}

#[test]
fn a_reset_link_is_shown_once_and_sets_the_password_once() {
    let place = Place::ready("users-reset");
    add(&place, "ada@example.com", &[]).succeeded();
    let run = place.run(&["users", "reset-link", "ada@example.com"]).succeeded();
    assert!(run.stderr.contains("once") && run.stderr.contains("an hour"), "{}", run.stderr);
    let link = run.stdout.trim();
    let path = link.strip_prefix("http://127.0.0.1:1").unwrap_or_else(|| panic!("under the issuer: {link}"));
    let value = place.run(&["users", "reset-link", "ada@example.com", "--json"]).succeeded().json();
    assert_eq!((&value["username"], &value["valid_for"]), (&"ada@example.com".into(), &3600.into()));
    assert!(value["reset_link"].as_str().is_some_and(|link| link.starts_with("http://127.0.0.1:1/reset?token=")));

    let server = place.serve(&[]);
    assert_eq!(get(server.address, path, &[]).status, 200);
    let token = path.split_once("token=").unwrap().1;
    let body = format!("token={token}&new_password=another+long+passphrase");
    assert_eq!(form(server.address, "/reset", &body).status, 200);
    assert_eq!(form(server.address, "/reset", &body).status, 400);
    let (code, log) = server.stop();
    assert_eq!(code, 0);
    assert!(log.iter().any(|line| line.contains("password_changed")), "{log:#?}");
    assert!(!log.iter().any(|line| line.contains(&token[..20])), "the log holds no link: {log:#?}");

    place.run(&["users", "disable", "ada@example.com"]).succeeded();
    let disabled = place.run(&["users", "reset-link", "ada@example.com"]);
    assert!(disabled.code == 1 && disabled.stderr.contains("users enable"), "{}", disabled.stderr);
    let unknown = place.run(&["users", "reset-link", "bob"]);
    assert!(unknown.code == 1 && unknown.stderr.contains("there is no user bob"), "{}", unknown.stderr);
}

#[test]
fn who_asks_for_a_link_leaves_no_link_in_the_log_and_the_operator_is_warned_that_nobody_sends_it() {
    let place = Place::ready("users-forgot");
    add(&place, "ada@example.com", &[]).succeeded();
    let endpoints = "authorize token refresh revoke introspect userinfo me challenge forgot";
    let mut server = place.serve(&["--endpoints", endpoints]);
    server.wait_for(|line| line["warning"].as_str().is_some_and(|text| text.contains("users reset-link")));
    assert_eq!(form(server.address, "/forgot", "username=ada%40example.com").status, 200);
    let line = server.wait_for(|line| line["event"] == "reset_asked");
    assert!(line["subject"].is_string(), "{line}");
    let (_, log) = server.stop();
    assert!(!log.iter().any(|line| line.contains("token=") || line.contains("/reset")), "{log:#?}");
}

#[test]
fn a_lock_out_is_lifted_for_any_name() {
    let place = Place::ready("users-unlock");
    add(&place, "ada@example.com", &[]).succeeded();
    let server = place.serve(&["--limit-user", "2/15m"]);
    let url = format!("http://{}", server.address);
    let attempt = |password: &str| {
        let walk = ["try", "web", "--username", "ada@example.com", "--password-stdin", "--url", &url, "--json"];
        let run = place.run_fed(&format!("{password}\n"), &walk);
        run.json().as_array().unwrap().get(1).unwrap()["status"].as_u64().unwrap()
    };
    assert_eq!([attempt("a wrong one, this"), attempt("a wrong one, this"), attempt(PASSWORD)], [400, 400, 429]);
    let run = place.run(&["users", "unlock", "Ada@example.com"]).succeeded();
    assert!(run.stdout.contains("may be tried again"), "{}", run.stdout);
    assert_eq!(attempt(PASSWORD), 200);
    place.run(&["users", "unlock", "nobody"]).succeeded();
    server.stop();
}
