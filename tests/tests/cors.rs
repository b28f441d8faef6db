//! Which pages may call the server from a browser, and which may read what it answers (design section 11).

use std::time::Duration;

use http::Method;
use proofkey::Client;
use proofkey_tests::{REDIRECT_URI, Reply, World};
use serde_json::json;

/// The origin of the client `web`, and that of the client `other`.
const OWN: &str = "https://app.example";
const OTHER: &str = "https://other.example";
const FOREIGN: &str = "https://evil.example";
const METADATA: [&str; 2] =
    ["/.well-known/oauth-authorization-server/auth", "/auth/.well-known/oauth-authorization-server"];
const CALLED_BY_PAGES: [&str; 7] = ["authorize", "challenge", "token", "refresh", "revoke", "userinfo", "me"];

fn preflight(world: &World, path: &str, origin: &str) -> Reply {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    ];
    world.request(Method::OPTIONS, path, &headers, "")
}

fn readable_from(reply: &Reply) -> &str {
    reply.header("access-control-allow-origin")
}

fn form_from(world: &World, origin: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
    world.form_with(path, &[("origin", origin)], fields)
}

fn userinfo_from(world: &World, origin: &str, token: &str) -> Reply {
    let authorization = format!("Bearer {token}");
    world.request(Method::GET, "/auth/userinfo", &[("origin", origin), ("authorization", &authorization)], "")
}

#[test]
fn a_preflight_is_answered_for_every_registered_origin_and_for_no_other() {
    let world = World::new();
    for name in CALLED_BY_PAGES {
        let path = format!("/auth/{name}");
        for origin in [OWN, OTHER, "https://third.example", "http://127.0.0.1"] {
            let reply = preflight(&world, &path, origin);
            assert_eq!((reply.status.as_u16(), readable_from(&reply)), (204, origin), "{path}");
            assert_eq!(reply.header("vary"), "Origin");
            assert!(reply.header("access-control-allow-headers").contains("Authorization"), "{path}");
            let methods = reply.header("access-control-allow-methods");
            assert!(reply.header("allow").starts_with(methods) && !methods.is_empty(), "{path}");
            assert_eq!(reply.header("access-control-allow-credentials"), "", "no cookie is ever asked for");
        }
        for origin in [
            FOREIGN,
            "null",
            "https://app.example.evil.example",
            "http://app.example",
            "https://app.example:8443",
            "com.example.app://",
        ] {
            let reply = preflight(&world, &path, origin);
            assert_eq!((reply.status.as_u16(), readable_from(&reply)), (204, ""), "{path} from {origin}");
            assert_eq!(reply.header("access-control-allow-methods"), "");
            assert_eq!(reply.header("vary"), "Origin", "a cache must not give one origin's answer to another");
        }
    }
}

#[test]
fn what_no_page_calls_is_shared_with_none_and_metadata_with_all() {
    let world = World::new();
    for path in ["/auth/introspect", "/health", "/"] {
        assert_eq!(readable_from(&preflight(&world, path, OWN)), "", "{path}");
        let reply = world.request(Method::GET, path, &[("origin", OWN)], "");
        assert_eq!(readable_from(&reply), "", "{path}");
    }
    for path in METADATA {
        for origin in [OWN, FOREIGN] {
            assert_eq!(readable_from(&preflight(&world, path, origin)), "*");
            assert_eq!(readable_from(&world.request(Method::GET, path, &[("origin", origin)], "")), "*");
        }
    }
}

#[test]
fn an_answer_is_readable_from_the_clients_own_origin_alone() {
    let world = World::new();
    for (origin, readable) in [(OWN, OWN), (OTHER, ""), (FOREIGN, ""), ("null", "")] {
        let tokens = world.sign_in();
        let refresh = [("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", &*tokens.refresh)];
        for path in ["/auth/token", "/auth/refresh"] {
            let reply = form_from(&world, origin, path, &refresh);
            assert_eq!((reply.status.as_u16(), readable_from(&reply)), (200, readable), "{path} from {origin}");
            assert_eq!(reply.header("vary"), "Origin");
        }
        assert_eq!(readable_from(&userinfo_from(&world, origin, &tokens.access)), readable);
        let revoke = form_from(&world, origin, "/auth/revoke", &[("client_id", "web"), ("token", "x")]);
        assert_eq!((revoke.status.as_u16(), readable_from(&revoke)), (200, readable));
    }
}

#[test]
fn an_error_is_readable_too_wherever_the_client_is_known() {
    let world = World::new();
    let token = |fields: &[(&str, &str)]| {
        let all = [[("grant_type", "refresh_token"), ("client_id", "web")].as_slice(), fields].concat();
        form_from(&world, OWN, "/auth/token", &all)
    };
    for (reply, status) in
        [(token(&[("refresh_token", "x")]), 400), (token(&[]), 400), (token(&[("client_secret", "x")]), 401)]
    {
        assert_eq!((reply.status.as_u16(), readable_from(&reply)), (status, OWN));
        assert_eq!(reply.header("access-control-expose-headers"), "WWW-Authenticate, Retry-After");
    }
    // Whose page it is can be told from a token that no longer works, as long as its grant is known.
    let (expired, revoked) = (world.sign_in(), world.sign_in());
    world.revoke(&revoked.refresh);
    world.clock.advance(Duration::from_secs(3600));
    for tokens in [&expired, &revoked] {
        for (origin, readable) in [(OWN, OWN), (OTHER, "")] {
            let reply = userinfo_from(&world, origin, &tokens.access);
            assert_eq!((reply.status.as_u16(), readable_from(&reply)), (401, readable));
        }
    }
    assert_eq!(readable_from(&userinfo_from(&world, OWN, "x")), "");
    world.store.set_down(true);
    let down = token(&[("refresh_token", &expired.refresh)]);
    assert_eq!((down.status.as_u16(), readable_from(&down)), (503, OWN));
}

#[test]
fn a_read_that_is_one_too_many_is_refused_readably() {
    let world = World::new();
    let challenge = |origin: &str| world.request(Method::POST, "/auth/challenge", &[("origin", origin)], "");
    for _ in 0..600 {
        assert_eq!(challenge(OWN).status, 200);
    }
    for (origin, readable) in [(OWN, OWN), (FOREIGN, "")] {
        let reply = challenge(origin);
        assert_eq!((reply.status.as_u16(), readable_from(&reply), reply.header("vary")), (429, readable, "Origin"));
    }
    let head = world.request(Method::HEAD, METADATA[0], &[("origin", FOREIGN)], "");
    assert_eq!((head.status.as_u16(), readable_from(&head), head.body.len()), (429, "*", 0));
}

#[test]
fn credentials_are_taken_from_pages_of_the_client_alone() {
    let world = World::new();
    let body = json!({
        "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": proofkey_tests::CHALLENGE,
        "code_challenge_method": "S256", "scope": "read", "username": "ada@example.com",
        "password": proofkey_tests::PASSWORD,
    });
    let from = |origin: &str| {
        let headers = [("content-type", "application/json"), ("origin", origin)];
        world.request(Method::POST, "/auth/authorize", &headers, body.to_string())
    };
    let own = from(OWN);
    assert_eq!((own.status.as_u16(), readable_from(&own)), (200, OWN));
    world.store.take_calls();
    for origin in [OTHER, FOREIGN, "null"] {
        let reply = from(origin);
        assert_eq!((reply.outcome(), readable_from(&reply)), ((400, "invalid_request".to_owned()), ""), "{origin}");
    }
    assert!(world.store.take_calls().is_empty(), "the password was not even looked at");
}

#[test]
fn the_origins_of_stored_clients_count_and_a_store_that_is_down_is_a_503() {
    let world = World::new();
    let client = Client::public("stored").redirect_uri("https://stored.example:8443/cb").first_party();
    world.server.create_client(client).unwrap();
    let origin = "https://stored.example:8443";
    assert_eq!(readable_from(&preflight(&world, "/auth/token", origin)), origin);
    let fields = [("grant_type", "refresh_token"), ("client_id", "stored"), ("refresh_token", "x")];
    assert_eq!(readable_from(&form_from(&world, origin, "/auth/token", &fields)), origin);
    let challenge = world.request(Method::POST, "/auth/challenge", &[("origin", origin)], "");
    assert_eq!((challenge.status.as_u16(), readable_from(&challenge)), (200, origin));
    world.store.set_down(true);
    for path in ["/auth/token", "/auth/challenge"] {
        let reply = preflight(&world, path, origin);
        assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "1"));
        assert!(!reply.header("strict-transport-security").is_empty());
        assert_eq!(preflight(&world, path, OWN).status, 204, "a configured client's origin needs no store");
    }
    world.store.set_down(false);
    world.server.delete_client("stored").unwrap();
    assert_eq!(readable_from(&preflight(&world, "/auth/token", origin)), "");
}
