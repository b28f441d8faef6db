//! Redirect URIs: what can be registered, and what a request may name (RFC 6749 section 3.1.2; invariant I23).

use proofkey::{AdminError, Client, ClientSecret, GrantType, Secret, Server};
use proofkey_tests::{ISSUER, REDIRECT_URI, Reply, World, configure, secret_of};
use serde_json::{Value, json};

/// What the operator is told about a client, configured and stored; empty if it can be registered.
fn problems(client: &Client) -> String {
    let builder = configure(Server::builder(ISSUER)).client(client.clone());
    let built = builder.store(proofkey::store::MemoryStore::new()).build();
    let stored = World::new().server.create_client(client.clone());
    assert_eq!(built.is_ok(), stored.is_ok(), "configured and stored clients follow the same rules");
    assert!(matches!(stored, Ok(()) | Err(AdminError::Invalid(_))), "{stored:?}");
    built.err().map(|misuse| misuse.to_string()).unwrap_or_default()
}

fn web(uri: &str) -> Client {
    Client::public("site").redirect_uri(uri)
}

/// An error with a body, and nowhere to go.
fn assert_refused_in_place(reply: &Reply, what: &str) {
    assert_eq!(reply.outcome(), (400, "invalid_request".to_owned()), "{what}");
    assert!(!reply.headers.contains_key("location"), "{what}");
    assert!(!reply.text("error_description").is_empty(), "{what}");
}

#[test]
fn what_is_not_a_complete_absolute_uri_cannot_be_registered() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.1.2-1", "oauth21-2.3.1-1"]);
    for bad in ["/cb", "example.com/cb", "//c.example/cb", "cb", "", "https:///cb", "https://c.example/a b"] {
        assert!(problems(&web(bad)).contains("redirect_uri"), "{bad}");
    }
    assert!(problems(&web("https://c.example")).contains("path included"));
    for pattern in ["https://*.c.example/cb", "https://c.example/*", "https://c.example/cb?x=*"] {
        assert!(problems(&web(pattern)).contains("patterns do not exist"), "{pattern}");
    }
    for good in ["https://c.example/", "https://c.example/cb?tenant=1", "https://[2001:db8::1]:8443/cb"] {
        assert_eq!(problems(&web(good)), "", "{good}");
    }
    let world = World::with(|builder| builder.client(web("https://c.example/").first_party()));
    let reply = world.authorize(&json!({"client_id": "site", "redirect_uri": "https://c.example/cb"}));
    assert_refused_in_place(&reply, "a path beneath what is registered");
}

#[test]
fn a_host_that_no_browser_reads_cannot_be_registered() {
    let hosts =
        ["a[b", "[", "[]", "[::1", "[::g]", "::1]", "[v1.x]", "a;b", "a,b", "a'b", "a!b", "a=b", "a:b:443", "a&b"];
    for host in hosts {
        assert!(problems(&web(&format!("https://{host}/cb"))).contains("redirect_uri"), "{host}");
    }
    for host in ["c.example", "C.example:8443", "my_app.c.example", "xn--caf-dma.example", "192.0.2.1", "[2001:db8::1]"]
    {
        assert_eq!(problems(&web(&format!("https://{host}/cb"))), "", "{host}");
    }
}

#[test]
fn a_fragment_is_neither_registered_nor_requested() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.1.2-2"]);
    for bad in ["https://c.example/cb#x", "https://c.example/cb#"] {
        assert!(problems(&web(bad)).contains("fragment"), "{bad}");
    }
    let world = World::new();
    for requested in [format!("{REDIRECT_URI}#x"), format!("{REDIRECT_URI}#")] {
        assert_refused_in_place(&world.authorize(&json!({ "redirect_uri": requested })), &requested);
    }
}

#[test]
fn a_client_without_a_redirect_uri_gets_no_code() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.1.2.2-1"]);
    let told = problems(&Client::public("site"));
    assert!(told.contains("the authorization_code grant needs a redirect_uri"), "{told}");
    // One that is registered for other grants has none to send a code to, whatever it asks.
    let secret = ClientSecret::from_text(&Secret::from(&*secret_of("batch")));
    let batch = Client::confidential("batch", secret).grant_types([GrantType::ClientCredentials]).first_party();
    let world = World::with(|builder| builder.client(batch));
    for named in [Value::Null, json!(""), json!(REDIRECT_URI)] {
        let reply = world.authorize(&json!({"client_id": "batch", "redirect_uri": named}));
        assert_refused_in_place(&reply, "no redirect URI");
    }
}

#[test]
fn with_several_registered_the_request_names_one_and_with_one_it_need_not() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.1.2.3-1"]);
    let two = web("https://c.example/one").redirect_uri("https://c.example/two").first_party();
    let world = World::with(|builder| builder.client(two));
    for unnamed in [Value::Null, json!("")] {
        let reply = world.authorize(&json!({"client_id": "site", "redirect_uri": unnamed}));
        assert_refused_in_place(&reply, "none of two");
        let reply = world.authorize(&json!({ "redirect_uri": unnamed }));
        assert_eq!(reply.text("redirect_uri"), REDIRECT_URI, "the only one");
    }
    let reply = world.authorize(&json!({"client_id": "site", "redirect_uri": "https://c.example/two"}));
    assert_eq!(reply.text("redirect_uri"), "https://c.example/two");
}

#[test]
fn a_requested_uri_is_compared_character_by_character() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.1.2.3-2"]);
    let world = World::with(|builder| builder.client(web("https://c.example/cb").first_party()));
    let near = [
        "https://c.example/cb/",
        "https://c.example/CB",
        "https://c.example/cb?x=1",
        "https://c.example/cb?",
        "//c.example/cb",
        "/cb",
        "https://C.EXAMPLE/cb",
        "https://c.example:443/cb",
        "https://c.example/cb%2F..",
        "https://c.example/cb/../cb",
        "https://c.example/%63b",
        "https://c.example.evil.example/cb",
        "https://c.example@evil.example/cb",
        "https://evil.example/https://c.example/cb",
        "http://c.example/cb",
        " https://c.example/cb",
        "https://c.example/cb ",
        "https://c.example/cb\u{0}",
        "https://c.exämple/cb",
    ];
    for requested in near {
        let reply = world.authorize(&json!({"client_id": "site", "redirect_uri": requested}));
        assert_refused_in_place(&reply, requested);
    }
    let exact = world.authorize(&json!({"client_id": "site", "redirect_uri": "https://c.example/cb"}));
    assert_eq!(exact.status, 200);
}

#[test]
fn nobody_is_sent_to_a_place_that_an_unknown_client_or_a_stranger_named() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.1.2.4-1"]);
    let world = World::new();
    let evil = "https://evil.example/cb";
    for changes in [
        json!({ "redirect_uri": evil }),
        json!({"client_id": "nobody"}),
        json!({"client_id": "nobody", "redirect_uri": evil}),
        json!({"client_id": "other", "redirect_uri": REDIRECT_URI}),
        json!({"client_id": null}),
    ] {
        let reply = world.authorize(&changes);
        assert_refused_in_place(&reply, &changes.to_string());
        assert!(!String::from_utf8_lossy(&reply.body).contains("evil"), "{reply:?}");
    }
}

#[test]
fn plain_http_is_for_loopback_addresses_of_native_clients() {
    let _rows = proofkey_conformance::shows(&["rfc9700-2.6-1"]);
    for uri in ["http://c.example/cb", "http://127.0.0.1/cb", "http://localhost/cb", "http://[::1]/cb"] {
        assert!(problems(&web(uri)).contains("http is for loopback addresses of native clients only"), "{uri}");
    }
    for uri in ["http://c.example/cb", "http://127.0.0.1.evil.example/cb", "http://10.0.0.1/cb"] {
        assert!(problems(&web(uri).native()).contains("http is for loopback"), "{uri}");
    }
    for uri in ["http://127.0.0.1/cb", "http://[::1]:8000/cb", "http://localhost/cb"] {
        assert_eq!(problems(&web(uri).native()), "", "{uri}");
    }
}

#[test]
fn the_token_request_repeats_the_redirect_uri_of_the_authorization_request() {
    let _rows = proofkey_conformance::shows(&["rfc6749-4.1.3-1", "oauth21-10.2-1"]);
    let (sent, other) = (REDIRECT_URI, "https://app.example/other");
    // Client, in the authorization request, in the token request, status.
    let table = [
        ("web", sent, sent, 200),
        ("web", sent, "", 400),
        ("web", sent, other, 400),
        ("web", "", "", 200),
        ("web", "", sent, 200),
        ("web", "", other, 400),
        ("modern", sent, sent, 200),
        ("modern", sent, "", 200),
        ("modern", sent, other, 400),
        ("modern", "", other, 400),
    ];
    let world = World::new();
    for (client, asked, repeated, status) in table {
        let code = world.code_with(&json!({"client_id": client, "redirect_uri": asked}));
        let reply = world.redeem_with(&code, &[("client_id", client), ("redirect_uri", repeated)]);
        assert_eq!(reply.status.as_u16(), status, "{client}: {asked:?} then {repeated:?}");
        assert!(status == 200 || reply.error() == "invalid_grant", "{reply:?}");
    }
}
