//! `proofkey users`.

use crate::client::PASSWORD;
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
