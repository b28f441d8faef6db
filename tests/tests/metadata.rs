//! Authorization server metadata (RFC 8414), and what it says of the issuer (RFC 9207).

use std::collections::BTreeMap;

use http::Method;
use proofkey::{Builder, Server};
use proofkey_conformance::shows;
use proofkey_tests::{ISSUER, REDIRECT_URI, Reply, Rows, VERIFIER, World, configure, keys, secret_of};
use serde_json::{Value, json};

const AT_ROOT: &str = "/.well-known/oauth-authorization-server/auth";
const ALIAS: &str = "/auth/.well-known/oauth-authorization-server";

/// The answer of a server of this issuer to `GET path`.
fn at(issuer: &str, path: &str) -> Reply {
    let server = configure(Server::builder(issuer)).store(Rows::default()).build();
    let server = server.unwrap_or_else(|problems| panic!("{issuer}: {problems}"));
    server.handle(http::Request::get(path).body(bytes::Bytes::new()).unwrap(), None).into()
}

/// The path of an endpoint that the document names.
fn path_of(document: &Value, name: &str) -> String {
    let url = document[name].as_str().unwrap_or_else(|| panic!("{name} in {document}"));
    url.strip_prefix("https://as.example").unwrap_or_else(|| panic!("{url} is under the issuer's host")).to_owned()
}

fn lists(document: &Value, name: &str) -> Vec<String> {
    let list = document[name].as_array().cloned().unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[test]
fn an_issuer_is_an_https_url_without_query_and_fragment() {
    let _rows = shows(&["rfc8414-2-1"]);
    for issuer in ["http://h", "https://h?x", "https://h#f", "https://h/auth?x=y", "ftp://h", "h", ""] {
        let problems = configure(Server::builder(issuer)).store(Rows::default()).build().unwrap_err();
        assert!(problems.problems().iter().any(|problem| problem.setting() == "issuer"), "{issuer:?}: {problems}");
    }
    for issuer in ["http://127.0.0.1:8000/auth", "http://[::1]:8000", "http://localhost:8000"] {
        assert!(configure(Server::builder(issuer)).store(Rows::default()).build().is_ok(), "{issuer}");
    }
}

#[test]
fn the_document_names_the_endpoints_and_what_they_take() {
    let _rows = shows(&["rfc8414-2-2", "rfc8414-3.2-1", "rfc8414-2-7", "rfc9207-2.3-2"]);
    let reply = World::new().get_plain(AT_ROOT);
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"));
    let document = reply.json();
    assert_eq!(document["issuer"], ISSUER);
    assert_eq!(document["authorization_endpoint"], format!("{ISSUER}/authorize"));
    assert_eq!(document["token_endpoint"], format!("{ISSUER}/token"));
    assert_eq!(document["response_types_supported"], json!(["code"]));
    // What is absent means the RFC's default, and ours are not: `implicit` and Basic alone.
    assert_eq!(
        lists(&document, "grant_types_supported"),
        ["authorization_code", "refresh_token", "client_credentials"]
    );
    let methods = ["none", "client_secret_basic", "client_secret_post"];
    assert_eq!(lists(&document, "token_endpoint_auth_methods_supported"), methods);
    assert_eq!(lists(&document, "revocation_endpoint_auth_methods_supported"), methods);
    assert_eq!(lists(&document, "introspection_endpoint_auth_methods_supported"), methods[1..]);
    assert_eq!(lists(&document, "code_challenge_methods_supported"), ["S256"]);
    assert_eq!(document["authorization_response_iss_parameter_supported"], json!(true));
}

#[test]
fn scopes_are_listed_but_for_hidden_ones_and_empty_lists_are_left_out() {
    let _rows = shows(&["rfc8414-2-4", "rfc8414-3.2-2", "rfc8414-2-6"]);
    let document = World::new().get_plain(AT_ROOT).json();
    assert_eq!(lists(&document, "scopes_supported"), ["email", "profile", "read", "write"]);
    let bare = |endpoints: &str| -> Value {
        let keys = keys("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=");
        let builder: Builder<Server> = Server::builder(ISSUER).keys(keys).store(Rows::default());
        let server = builder.set("endpoints", endpoints).build().unwrap();
        let request = http::Request::get(AT_ROOT).body(bytes::Bytes::new()).unwrap();
        Reply::from(server.handle(request, None)).json()
    };
    assert_eq!(bare("authorize token").get("scopes_supported"), None);
    for document in [&document, &bare("authorize token"), &bare("token"), &bare("me"), &bare("")] {
        for (name, value) in document.as_object().unwrap() {
            assert_ne!(*value, json!([]), "{name}");
            let algorithms = name.ends_with("_alg_values_supported");
            assert!(!algorithms || !lists(document, name).contains(&"none".to_owned()), "{name}");
        }
    }
}

#[test]
fn the_document_stands_between_host_and_path_and_under_the_issuer() {
    let _rows = shows(&["rfc8414-3-1", "rfc8414-3.1-1"]);
    const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";
    for (issuer, path) in [
        ("https://h/auth", "/auth"),
        ("https://h", ""),
        ("https://h/", ""),
        ("https://h/t1/", "/t1"),
        ("https://h:8443/a/b", "/a/b"),
    ] {
        let reply = at(issuer, &format!("{WELL_KNOWN}{path}"));
        assert_eq!((reply.status.as_u16(), &reply.json()["issuer"]), (200, &json!(issuer)), "exactly as configured");
        let alias = at(issuer, &format!("{path}{WELL_KNOWN}"));
        assert_eq!(alias.body, reply.body, "{issuer}");
        let token_endpoint = format!("{}/token", issuer.trim_end_matches('/'));
        assert_eq!(reply.json()["token_endpoint"], json!(token_endpoint));
    }
    assert_eq!(at("https://h/auth", WELL_KNOWN).status, 404);
    assert_eq!(at("https://h/t1/", &format!("{WELL_KNOWN}/t1/")).status, 404);
}

#[test]
fn the_document_is_got_and_nothing_else() {
    let _rows = shows(&["rfc8414-3.1-2"]);
    let world = World::new();
    for path in [AT_ROOT, ALIAS] {
        assert_eq!(world.get_plain(path).status, 200);
        let posted = world.form(path, &[]);
        assert_eq!((posted.status.as_u16(), posted.header("allow")), (405, "GET, HEAD, OPTIONS"));
    }
}

#[test]
fn nothing_in_a_request_changes_the_issuer() {
    let _rows = shows(&["rfc8414-3.3-1"]);
    let world = World::with(|builder| builder.trusted_proxies("192.0.2.0/24"));
    let plain = world.get_plain(AT_ROOT).body;
    for headers in [
        [("host", "evil.example")].as_slice(),
        &[("host", "as.example:8443")],
        &[("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "http"), ("x-forwarded-port", "81")],
        &[("forwarded", "host=evil.example;proto=http"), ("x-forwarded-prefix", "/evil")],
    ] {
        assert_eq!(world.request(Method::GET, AT_ROOT, headers, "").body, plain, "{headers:?}");
    }
    assert_eq!(
        world.request(Method::GET, "https://evil.example/.well-known/oauth-authorization-server/auth", &[], "").body,
        plain
    );
}

#[test]
fn the_issuer_of_an_answer_is_the_one_of_the_document() {
    let _rows = shows(&["rfc9207-2.3-1"]);
    let world = World::new();
    let issuer = world.get_plain(AT_ROOT).text("issuer");
    assert_eq!(world.authorize(&Value::Null).text("iss"), issuer);
}

#[test]
fn every_endpoint_grant_type_and_method_that_is_listed_is_there_and_no_other() {
    let _rows = shows(&["rfc8414-2-8", "rfc9207-2.4-1"]);
    let world = World::new();
    let document = world.get_plain(AT_ROOT).json();
    for name in document.as_object().unwrap().keys().filter(|name| name.ends_with("_endpoint")) {
        let reply = world.request(Method::POST, &path_of(&document, name), &[("content-type", "text/plain")], "?");
        assert!(matches!(reply.status.as_u16(), 400 | 401), "{name}: {reply:?}");
    }

    let (token, verifier) = (path_of(&document, "token_endpoint"), ("code_verifier", VERIFIER));
    let code = world.authorize(&json!({"client_id": "portal"})).text("code");
    let redeemed = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", REDIRECT_URI), verifier];
    let redeemed = world.form_as("portal", &token, &redeemed);
    let refresh_token = redeemed.text("refresh_token");
    let mut grant_types: BTreeMap<&str, Reply> = BTreeMap::from([("authorization_code", redeemed)]);
    for grant_type in
        ["refresh_token", "client_credentials", "password", "implicit", "urn:ietf:params:oauth:grant-type:device_code"]
    {
        let fields = [("grant_type", grant_type), ("refresh_token", &refresh_token), ("scope", "read")];
        grant_types.insert(grant_type, world.form_as("portal", &token, &fields));
    }
    let listed = lists(&document, "grant_types_supported");
    assert!(listed.iter().all(|name| grant_types.contains_key(&**name)), "every listed one was tried");
    for (name, reply) in grant_types {
        let expected = if listed.contains(&name.to_owned()) { (200, "") } else { (400, "unsupported_grant_type") };
        assert_eq!(reply.outcome(), (expected.0, expected.1.to_owned()), "{name}");
    }

    for response_type in ["code", "token", "id_token", "code id_token", "none"] {
        let listed = lists(&document, "response_types_supported").contains(&response_type.to_owned());
        let reply = world.authorize(&json!({"response_type": response_type}));
        let expected = if listed { (200, "") } else { (400, "unsupported_response_type") };
        assert_eq!(reply.outcome(), (expected.0, expected.1.to_owned()), "{response_type}");
    }
    for mode in ["query", "fragment", "form_post", "jwt"] {
        let listed = lists(&document, "response_modes_supported").contains(&mode.to_owned());
        assert_eq!(world.authorize(&json!({"response_mode": mode})).status == 200, listed, "{mode}");
    }
    for method in ["S256", "plain", "S512"] {
        let listed = lists(&document, "code_challenge_methods_supported").contains(&method.to_owned());
        assert_eq!(world.authorize(&json!({"code_challenge_method": method})).status == 200, listed, "{method}");
    }
}

#[test]
fn every_way_to_authenticate_that_is_listed_works_and_no_other() {
    let _rows = shows(&["rfc8414-2-8"]);
    let world = World::new();
    let document = world.get_plain(AT_ROOT).json();
    let secret = secret_of("poster");
    let assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    for endpoint in ["token", "revocation", "introspection"] {
        let path = path_of(&document, &format!("{endpoint}_endpoint"));
        let methods = lists(&document, &format!("{endpoint}_endpoint_auth_methods_supported"));
        let fields = [("token", "x"), ("grant_type", "refresh_token"), ("refresh_token", "x")];
        let with = |more: &[(&str, &str)]| world.form(&path, &[fields.as_slice(), more].concat());
        for (method, reply) in [
            ("none", with(&[("client_id", "web")])),
            ("client_secret_basic", world.form_as("service", &path, &fields)),
            ("client_secret_post", with(&[("client_id", "poster"), ("client_secret", &secret)])),
            (
                "private_key_jwt",
                with(&[("client_assertion_type", assertion), ("client_assertion", "a.b.c"), ("client_id", "service")]),
            ),
            ("tls_client_auth", with(&[("client_id", "service")])),
        ] {
            let authenticated = reply.error() != "invalid_client";
            assert_eq!(authenticated, methods.contains(&method.to_owned()), "{endpoint} {method}: {reply:?}");
        }
    }
}

#[test]
fn what_is_switched_off_is_neither_named_nor_there() {
    let all = "authorize token refresh revoke introspect userinfo me challenge";
    let members = BTreeMap::from([
        ("authorize", "authorization_endpoint"),
        ("token", "token_endpoint"),
        ("revoke", "revocation_endpoint"),
        ("introspect", "introspection_endpoint"),
        ("userinfo", "userinfo_endpoint"),
    ]);
    for off in all.split(' ') {
        let rest: Vec<&str> = all.split(' ').filter(|name| *name != off).collect();
        let world = World::with(|builder| builder.endpoints(&rest.join(" ")));
        let document = world.get_plain(AT_ROOT).json();
        assert_eq!(world.request(Method::POST, &format!("/auth/{off}"), &[], "").status, 404, "{off}");
        for (name, member) in &members {
            assert_eq!(document.get(member).is_some(), *name != off, "{member} without {off}");
        }
        assert_eq!(
            lists(&document, "grant_types_supported").contains(&"authorization_code".to_owned()),
            !["authorize", "token"].contains(&off)
        );
        assert_eq!(document.get("response_types_supported").is_some(), off != "authorize");
        assert_eq!(document.get("introspection_endpoint_auth_methods_supported").is_some(), off != "introspect");
    }
}
