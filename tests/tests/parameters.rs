//! How parameters are read: empty, unknown, repeated, badly encoded (RFC 6749 section 3.1 and appendix B).

use http::Method;
use proofkey::{Client, ClientSecret, GrantType, Secret};
use proofkey_tests::{REDIRECT_URI, Reply, SignedIn, VERIFIER, World};
use serde_json::{Value, json};

fn refused(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// `POST` of a body that is written down as it is.
fn post(world: &World, path: &str, body: impl Into<bytes::Bytes>) -> Reply {
    world.request(Method::POST, path, &[FORM], body)
}

#[test]
fn an_empty_parameter_is_one_that_was_not_sent() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.1-5"]);
    let world = World::with(|builder| builder.set("default_scope", "read"));
    let reply = world.authorize(&json!({"state": "", "scope": ""}));
    assert_eq!(reply.status, 200);
    assert!(reply.json().get("state").is_none(), "{reply:?}");
    let body = format!(
        "grant_type=authorization_code&client_id=web&client_secret=&code={}&redirect_uri={REDIRECT_URI}&\
         code_verifier={VERIFIER}&scope=",
        reply.text("code")
    );
    let redeemed = post(&world, "/auth/token", body);
    assert_eq!(redeemed.text("scope"), "read", "as without a scope");
    let token = redeemed.text("refresh_token");
    let body = format!("grant_type=refresh_token&client_id=web&refresh_token={token}&scope=&resource=");
    assert_eq!(post(&world, "/auth/token", body).text("scope"), "read");
    let reply = world.authorize(&json!({"code_challenge": ""}));
    assert_eq!(reply.text("error_description"), "code_challenge is missing");
}

#[test]
fn unknown_parameters_are_ignored_everywhere() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.1-6"]);
    let outcome = |extra: &[(&str, &str)]| {
        let world = World::new();
        let extras: serde_json::Map<String, Value> =
            extra.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let authorized = world.authorize(&Value::Object(extras));
        let redeemed = world.redeem_with(&authorized.text("code"), extra);
        let tokens = SignedIn::of(&redeemed);
        let with = |fields: &[(&'static str, &str)]| -> Vec<(String, String)> {
            fields.iter().chain(extra).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let send = |path: &str, fields: Vec<(String, String)>| {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
            world.form(path, &fields)
        };
        let refreshed = send("/auth/refresh", with(&[("client_id", "web"), ("refresh_token", &tokens.refresh)]));
        let revoked = send("/auth/revoke", with(&[("client_id", "web"), ("token", &tokens.access)]));
        [authorized, redeemed, refreshed, revoked].map(|reply| (reply.status, reply.body))
    };
    let plain = outcome(&[]);
    assert!(plain.iter().all(|(status, _)| *status == 200));
    // The same seed, so the same bytes; a name that is sent twice is nobody's business either.
    assert_eq!(outcome(&[("foo", "bar")]), plain);
    assert_eq!(outcome(&[("nonce", "n"), ("prompt", "none"), ("claims", "{\"a\":[1]}")]), plain);
}

#[test]
fn a_repeated_parameter_makes_the_request_invalid() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.1-7"]);
    let world = World::new();
    let code = world.code();
    let body = format!(
        "grant_type=authorization_code&client_id=web&code={code}&redirect_uri={REDIRECT_URI}&code_verifier={VERIFIER}"
    );
    for name in ["grant_type", "client_id", "code", "redirect_uri", "code_verifier"] {
        let value = body.split('&').find(|pair| pair.starts_with(&format!("{name}="))).unwrap();
        for again in [value.to_owned(), format!("{name}="), format!("{name}=other")] {
            let reply = post(&world, "/auth/token", format!("{body}&{again}"));
            assert_eq!(reply.outcome(), refused("invalid_request"), "{again}");
        }
    }
    for name in ["client_id", "redirect_uri", "scope", "state", "username"] {
        let members = format!(
            r#"{{"client_id":"web","redirect_uri":"{REDIRECT_URI}","state":"s","scope":"read","username":"bob","{name}":"web"}}"#
        );
        let reply = world.request(Method::POST, "/auth/authorize", &[("content-type", "application/json")], members);
        assert_eq!(reply.outcome(), refused("invalid_request"), "{name}");
        assert!(!reply.headers.contains_key("location"));
    }
    assert_eq!(post(&world, "/auth/token", format!("{body}&foo=1&foo=2")).status, 200, "unknown ones are ignored");
}

#[test]
fn bodies_are_forms_in_utf_8_and_nothing_else() {
    let _rows = proofkey_conformance::shows(&["rfc6749-B-1"]);
    let odd = ClientSecret::from_text(&Secret::from("p%+ ä:1"));
    let client = Client::confidential("odd", odd).auth_method(proofkey::AuthMethod::ClientSecretPost);
    let world = World::with(|builder| builder.client(client.grant_types([GrantType::ClientCredentials])));
    let start = "grant_type=client_credentials&client_id=odd&client_secret=";
    let ask = |rest: &[u8]| post(&world, "/auth/token", [start.as_bytes(), rest].concat());
    for good in
        ["p%25%2B+%C3%A4%3A1&scope=read+write", "p%25%2b%20%c3%a4:1&scope=write%20read", "p%25%2B+ä:1&scope=read+write"]
    {
        let reply = ask(good.as_bytes());
        assert_eq!((reply.status.as_u16(), reply.text("scope")), (200, "read write".to_owned()), "{good}");
    }
    for broken in [&b"p%25%2B+%E4:1"[..], b"p%25%2B+\xe4:1", b"p%25%2B+%C3%A4:1&scope=%", b"x&scope=%4", b"x&scope=%zz"]
    {
        assert_eq!(ask(broken).outcome(), refused("invalid_request"), "{broken:?}");
    }
    let code = world.code();
    let redeem = format!(
        "grant_type=authorization_code&client_id=web&code={code}&redirect_uri={REDIRECT_URI}&code_verifier={VERIFIER}"
    );
    for wrong in
        ["text/plain", "multipart/form-data; boundary=x", "application/xml", "application/x-www-form-urlencodedx"]
    {
        let reply = world.request(Method::POST, "/auth/token", &[("content-type", wrong)], redeem.clone());
        assert_eq!(reply.outcome(), refused("invalid_request"), "{wrong}");
    }
    assert_eq!(world.request(Method::POST, "/auth/token", &[], redeem.clone()).outcome(), refused("invalid_request"));
    let parameterised = [("content-type", "Application/X-WWW-Form-URLEncoded; charset=UTF-8")];
    assert_eq!(world.request(Method::POST, "/auth/token", &parameterised, redeem).status, 200);
}

#[test]
fn values_of_any_kind_under_unknown_names_are_ignored_in_json_as_well() {
    let world = World::new();
    let unknown = json!({ "a": 1.5, "b": -1, "c": 1, "d": true, "e": null, "f": [1, { "g": "h" }], "i": { "j": [] } });
    assert_eq!(world.authorize(&unknown).status, 200);
    // Under a name that is known, null is nothing, and what is no text is refused.
    let body = |value: Value| json!({ "grant_type": "refresh_token", "client_id": "web", "refresh_token": value });
    let told = |value| world.json("/auth/token", &body(value)).text("error_description");
    assert_eq!(told(Value::Null), "refresh_token is missing");
    for value in [json!(1), json!(1.5), json!(-1), json!(true), json!({}), json!(["a", "b"]), json!([1])] {
        assert_eq!(world.json("/auth/token", &body(value.clone())).outcome(), refused("invalid_request"), "{value}");
    }
}

#[test]
fn a_user_is_named_in_one_way_and_a_client_in_one_header() {
    let world = World::new();
    let both = world.authorize(&json!({ "username": "ada@example.com", "email": "ada@example.com" }));
    assert_eq!(both.outcome(), refused("invalid_request"));
    let header = ("authorization", &*proofkey_tests::basic("service", &proofkey_tests::secret_of("service")));
    let body = "grant_type=client_credentials&scope=read";
    for (headers, status) in [(&[FORM, header][..], 200), (&[FORM, header, header], 400)] {
        assert_eq!(world.request(Method::POST, "/auth/token", headers, body).status.as_u16(), status);
    }
}
