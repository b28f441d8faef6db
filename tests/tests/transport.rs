//! What is around a request: TLS, reverse proxies, the addresses of the endpoints.

use proofkey::{Client, ClientSecret, GrantType, Secret, Server};
use proofkey_tests::{CHALLENGE, ISSUER, REDIRECT_URI, Reply, World, configure, secret_of};
use serde_json::json;

const METADATA: &str = "/.well-known/oauth-authorization-server/auth";

fn refused(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

/// What the operator is told about an issuer; empty if it is a good one.
fn problem(issuer: &str) -> String {
    let built = configure(Server::builder(issuer)).store(proofkey::store::MemoryStore::new()).build();
    built.err().map(|misuse| misuse.to_string()).unwrap_or_default()
}

#[test]
fn no_address_of_an_endpoint_has_a_fragment_or_a_query() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.1-2"]);
    for bad in ["https://h.example/a#f", "https://h.example/a?x=1", "https://h.example/#"] {
        assert!(problem(bad).contains("without query, fragment and user"), "{bad}");
    }
    let metadata = World::new().get_plain(METADATA).json();
    let urls = metadata.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint"));
    let urls: Vec<&str> = urls.map(|(_, url)| url.as_str().unwrap()).collect();
    assert_eq!(urls.len(), 5);
    for url in urls {
        assert!(url.starts_with("https://as.example/auth/") && !url.contains(['#', '?']), "{url}");
    }
}

/// Every endpoint that is not for everybody to read, as a browser's or a client's request to it.
fn knock_everywhere(world: &World, headers: &[(&str, &str)]) -> Vec<Reply> {
    let get = |path| world.request(http::Method::GET, path, headers, "");
    let post = ["authorize", "token", "refresh", "revoke", "introspect", "challenge", "userinfo"];
    let posted = post.map(|name| world.form_with(&format!("/auth/{name}"), headers, &[]));
    [get("/auth/userinfo"), get("/auth/me")].into_iter().chain(posted).collect()
}

#[test]
fn what_came_over_plain_http_is_refused_and_changes_nothing() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.1-3"]);
    assert!(problem("http://as.example/auth").contains("http is for loopback addresses only"));
    assert_eq!(problem("http://127.0.0.1:8000/auth"), "");
    let world = World::with(|builder| builder.set("trusted_proxies", "192.0.2.0/24"));
    let code = world.code();
    for scheme in ["http", "HTTP", "http, https"] {
        world.store.take_calls();
        for reply in knock_everywhere(&world, &[("x-forwarded-proto", scheme)]) {
            assert_eq!(reply.outcome(), refused("invalid_request"), "{reply:?}");
            assert!(reply.text("error_description").contains("plain http"), "{reply:?}");
        }
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", "web"),
            ("code", &*code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", proofkey_tests::VERIFIER),
        ];
        let redeem = world.form_with("/auth/token", &[("x-forwarded-proto", scheme)], &fields);
        assert_eq!(redeem.outcome(), refused("invalid_request"));
        assert_eq!(world.store.take_calls(), [], "nothing was looked at");
    }
    for open in ["/health", "/", METADATA] {
        assert_eq!(world.request(http::Method::GET, open, &[("x-forwarded-proto", "http")], "").status, 200, "{open}");
    }
    assert_eq!(world.redeem(&code).status, 200);
}

#[test]
fn a_loopback_issuer_of_development_takes_plain_http() {
    let server = configure(Server::builder("http://localhost:8000")).set("trusted_proxies", "127.0.0.0/8");
    let server = server.store(proofkey::store::MemoryStore::new()).build().unwrap();
    let request =
        http::Request::post("/challenge").header("x-forwarded-proto", "http").body(bytes::Bytes::new()).unwrap();
    assert_eq!(server.handle(request, Some([127, 0, 0, 1].into())).status(), 200);
}

fn wrong_password(world: &World, headers: &[(&str, &str)]) -> u16 {
    let body = json!({
        "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        "scope": "read", "username": "ada@example.com", "password": "wrong",
    });
    let headers = [headers, &[("content-type", "application/json")]].concat();
    world.request(http::Method::POST, "/auth/authorize", &headers, body.to_string()).status.as_u16()
}

#[test]
fn what_a_stranger_says_about_its_own_connection_counts_for_nothing() {
    let _rows = proofkey_conformance::shows(&["rfc9700-4.13-1"]);
    // Nobody is trusted: ten guesses are ten guesses, whatever address each of them claims to come from.
    let world = World::with(|builder| builder.set("limit_user", "3/15m"));
    for (guess, status) in [(1, 400), (2, 400), (3, 400), (4, 429), (5, 429)] {
        let claimed = format!("198.51.100.{guess}");
        let forwarded = format!("for={claimed};proto=http");
        let headers = [
            ("x-forwarded-for", &*claimed),
            ("x-real-ip", &*claimed),
            ("forwarded", &*forwarded),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "http"),
        ];
        assert_eq!(wrong_password(&world, &headers), status, "guess {guess}");
    }
    let told = [("x-forwarded-proto", "http"), ("x-forwarded-host", "evil.example"), ("host", "evil.example")];
    let metadata = world.request(http::Method::GET, METADATA, &told, "");
    assert_eq!(metadata.text("issuer"), ISSUER);
    assert!(!String::from_utf8_lossy(&metadata.body).contains("evil"));
    // A certificate that a header claims to have seen authenticates nobody.
    let certificate =
        [("x-client-cert", "service"), ("x-ssl-client-verify", "SUCCESS"), ("client-cert", ":c2VydmljZQ==:")];
    let fields = [("grant_type", "client_credentials"), ("client_id", "service"), ("scope", "read")];
    assert_eq!(world.form_with("/auth/token", &certificate, &fields).status, 401);
}

#[test]
fn a_trusted_proxy_is_believed_about_the_hop_before_it_and_no_further() {
    let world = World::with(|builder| builder.set("limit_user", "3/15m").set("trusted_proxies", "192.0.2.1"));
    for guess in 1..=5 {
        // The rightmost hop is the proxy's own word; what stands before it is the stranger's.
        let claimed = format!("203.0.113.{guess}, 198.51.100.7");
        let status = if guess > 3 { 429 } else { 400 };
        assert_eq!(wrong_password(&world, &[("x-forwarded-for", &claimed)]), status, "guess {guess}");
    }
    assert_eq!(wrong_password(&world, &[("x-forwarded-for", "198.51.100.8")]), 400, "another address, another counter");
}

#[test]
fn tokens_without_audience_and_without_proof_of_possession_are_warned_about_at_the_start() {
    let _rows = proofkey_conformance::shows(&["rfc9700-4.10-1"]);
    let warned = |resource: Option<&str>| {
        let secret = ClientSecret::from_text(&Secret::from(&*secret_of("batch")));
        let client = Client::confidential("batch", secret).grant_types([GrantType::ClientCredentials]);
        let client = resource.into_iter().fold(client, |client, uri| client.default_resource(uri));
        let keys = proofkey_tests::keys("cJ8nAnXkXgY0R0hcJ3E4bZQf3t7x1s6pUo5v2wKq9dE=");
        let server = Server::builder(ISSUER).keys(keys).client(client).store(proofkey::store::MemoryStore::new());
        let warnings = server.build().unwrap().with_config(proofkey::Config::warnings);
        warnings.iter().any(|text| ["DPoP", "mTLS", "audience"].iter().all(|word| text.contains(word)))
    };
    assert!(warned(None));
    assert!(!warned(Some("https://api.example/")));
}
