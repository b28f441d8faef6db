//! `proofkey clients`.

use serde_json::json;

use crate::place::Place;

#[test]
fn a_public_client_is_registered_listed_changed_and_deleted() {
    let place = Place::ready("clients-public");
    let uri = "https://app.example/cb";
    let add = ["clients", "add", "app", "--redirect-uri", uri, "--first-party", "--scope", "contacts:read"];
    let text = place.run(&add).succeeded().stdout;
    assert!(text.contains("client app is registered") && text.contains(uri), "{text}");
    let show = || place.run(&["clients", "show", "app", "--json"]).succeeded().json();
    let registered = json!({
        "client_id": "app", "token_endpoint_auth_method": "none", "redirect_uris": [uri], "first_party": true,
        "grant_types": ["authorization_code", "refresh_token"], "scope": "contacts:read", "source": "store",
    });
    assert_eq!(show(), registered);
    assert_eq!(place.run(&add).code, 1, "a second one of that name");

    // What is given replaces, an empty text removes, the rest stays.
    let update =
        ["clients", "update", "app", "--scope", "", "--first-party=false", "--access-token-lifetime", "15m", "--json"];
    let changed = place.run(&update).succeeded().json();
    assert!(changed.get("scope").is_none() && changed.get("first_party").is_none(), "{changed}");
    assert!(changed["access_token_lifetime"] == 900 && changed["redirect_uris"] == json!([uri]), "{changed}");

    let list = place.run(&["clients", "list", "--json"]).succeeded().json();
    let listed: Vec<_> = list.as_array().unwrap().iter().map(|one| (&one["client_id"], &one["source"])).collect();
    assert_eq!(
        listed,
        [(&json!("job"), &json!("settings")), (&json!("web"), &json!("settings")), (&json!("app"), &json!("store"))]
    );

    assert_eq!(place.run(&["clients", "delete", "app", "--json"]).succeeded().json()["grants_ended"], 0);
    for verb in ["show", "update", "delete"] {
        let run = place.run(&["clients", verb, "app"]);
        assert!(run.code == 1 && run.stderr.contains("there is no client app"), "{verb}: {}", run.stderr);
    }
}

#[test]
fn the_secret_of_a_confidential_client_is_shown_once_or_written_to_a_private_file() {
    let place = Place::ready("clients-secret");
    let add = |id: &'static str| ["clients", "add", id, "--confidential", "--grant", "client_credentials", "--json"];
    let secret = place.run(&add("nightly")).succeeded().json()["client_secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("pfk_secret_") && secret.len() > 40, "{secret}");
    for arguments in [&["clients", "show", "nightly"][..], &["clients", "list"], &["records", "show", "client:nightly"]]
    {
        let shown = place.run(arguments).succeeded().stdout;
        assert!(shown.contains("nightly") && !shown.contains("pfk_secret_") && !shown.contains(&secret), "{shown}");
    }

    let to_file = [&add("hourly")[..], &["--secret-file", "hourly.secret"]].concat();
    let run = place.run(&to_file).succeeded();
    let written = place.read("hourly.secret");
    assert!(run.json().get("client_secret").is_none() && !run.stderr.contains(written.trim()), "{}", run.stderr);
    assert!(written.starts_with("pfk_secret_") && written != secret);
    assert_eq!(place.mode("hourly.secret"), 0o600);

    // A file that is there is not overwritten, and the client is then not registered.
    let run = place.run(&[&add("daily")[..], &["--secret-file", "hourly.secret"]].concat());
    assert_eq!(run.code, 1);
    assert_eq!(place.read("hourly.secret"), written);
    assert_eq!(place.run(&["clients", "show", "daily"]).code, 1);
    // A client that is refused leaves no file behind.
    let run = place.run(&[&add("hourly")[..], &["--secret-file", "again.secret"]].concat());
    assert!(run.code == 1 && !place.path("again.secret").exists(), "{}", run.stderr);
}

#[test]
fn secrets_are_added_and_replaced_and_the_server_follows() {
    let place = Place::ready("clients-rotate");
    let secret = |run: crate::place::Run| run.succeeded().json()["client_secret"].as_str().unwrap().to_owned();
    let add = ["clients", "add", "nightly", "--confidential", "--grant", "client_credentials", "--json"];
    let first = secret(place.run(&add));
    let poster = ["clients", "add", "poster", "--auth-method", "client_secret_post", "--grant", "client_credentials"];
    assert!(place.run(&poster).succeeded().stdout.contains("pfk_secret_"), "the method says that there is a secret");
    let server = place.serve(&[]);
    let works = |text: &str| {
        let basic = format!("grant_type=client_credentials&client_id=nightly&client_secret={text}&scope=contacts:read");
        crate::client::form(server.address, "/token", &basic).status == 200
    };
    place.run(&["clients", "update", "nightly", "--auth-method", "client_secret_post"]).succeeded();
    assert!(works(&first), "a change keeps the secret");
    let second = secret(place.run(&["clients", "update", "nightly", "--add-secret", "--json"]));
    assert!(works(&first) && works(&second));
    let third = secret(place.run(&["clients", "update", "nightly", "--new-secret", "--json"]));
    assert!(!works(&first) && !works(&second) && works(&third));
}

#[test]
fn what_is_wrong_with_a_client_is_told_by_field_and_nothing_is_registered() {
    let place = Place::ready("clients-wrong");
    for (options, words) in [
        (&["--grant", "password"][..], "grant_types"),
        (&["--access-token-lifetime", "soon"], "access_token_lifetime"),
        (&["--redirect-uri", "http://app.example/cb"], "redirect_uri"),
        (&["--auth-method", "tls"], "token_endpoint_auth_method"),
        (&["--redirect-uri", "https://app.example/cb", "--secret-file", "app.secret"], "--confidential"),
        (&[], "redirect_uri"),
    ] {
        let run = place.run(&[&["clients", "add", "app", "--json"], options].concat());
        assert_eq!(run.code, 1, "{options:?}");
        assert!(run.stderr.contains(words), "{options:?}: {}", run.stderr);
    }
    assert!(place.run(&["clients", "show", "app"]).code == 1 && !place.path("app.secret").exists());
    let run = place.run(&["clients", "update", "web", "--name", "The web"]);
    assert!(run.code == 1 && run.stderr.contains("settings file"), "{}", run.stderr);
}
