//! HTTP itself: methods, sizes, transport security, and the two endpoints that are there for convenience.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use proofkey::Server;
use proofkey_conformance::shows;
use proofkey_tests::{ADA, REDIRECT_URI, Reply, Rows, SignedIn, World, assert_well_formed, configure, secret_of};
use serde_json::{Value, json};

const METADATA: &str = "/.well-known/oauth-authorization-server/auth";
const FORM: &str = "application/x-www-form-urlencoded";

/// Every endpoint with its `Allow` list.
const ENDPOINTS: [(&str, &str); 16] = [
    ("/auth/authorize", "GET, HEAD, POST, OPTIONS"),
    ("/auth/login", "GET, HEAD, POST, OPTIONS"),
    ("/auth/consent", "GET, HEAD, POST, OPTIONS"),
    ("/auth/logout", "GET, HEAD, POST, OPTIONS"),
    ("/auth/applications", "GET, HEAD, POST, OPTIONS"),
    ("/auth/challenge", "POST, OPTIONS"),
    ("/auth/token", "POST, OPTIONS"),
    ("/auth/refresh", "POST, OPTIONS"),
    ("/auth/revoke", "POST, OPTIONS"),
    ("/auth/introspect", "POST, OPTIONS"),
    ("/auth/userinfo", "GET, HEAD, POST, OPTIONS"),
    ("/auth/me", "GET, HEAD, OPTIONS"),
    ("/auth/.well-known/oauth-authorization-server", "GET, HEAD, OPTIONS"),
    (METADATA, "GET, HEAD, OPTIONS"),
    ("/health", "GET, HEAD, OPTIONS"),
    ("/", "GET, HEAD, OPTIONS"),
];

#[test]
fn each_endpoint_takes_its_methods_and_tells_them() {
    let _rows = shows(&["web-http-2"]);
    let world = World::new();
    for (path, allow) in ENDPOINTS {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "OPTIONS", "REVOKE", "post"]
        {
            let taken = allow.split(", ").any(|allowed| allowed == method);
            let reply = world.request(method.parse().unwrap(), path, &[], "");
            assert_eq!(reply.status != 405, taken, "{method} {path}: {reply:?}");
            if !taken {
                assert_eq!(reply.header("allow"), allow, "{method} {path}");
            }
            if method == "OPTIONS" {
                assert_eq!((reply.status.as_u16(), reply.header("allow")), (204, allow), "{path}");
            }
        }
    }
    assert_eq!(world.get_plain("/auth/nowhere").status, 404);
    assert_eq!(world.get_plain("/auth/token/").status, 404);
}

#[test]
fn head_is_get_without_its_body() {
    let _rows = shows(&["web-http-2"]);
    let world = World::new();
    let bearer = format!("Bearer {}", world.sign_in().access);
    for (path, allow) in ENDPOINTS {
        if !allow.contains("HEAD") {
            continue;
        }
        for headers in [[("authorization", &*bearer)].as_slice(), &[]] {
            let mut get = world.request(Method::GET, path, headers, "");
            let mut head = world.request(Method::HEAD, path, headers, "");
            assert!(head.body.is_empty(), "{path}");
            let length = head.headers.remove("content-length").unwrap();
            assert_eq!(length, get.body.len().to_string().as_str(), "{path}");
            // A browser that is new is given a name, another one each time.
            assert_eq!(head.headers.remove("set-cookie").is_some(), get.headers.remove("set-cookie").is_some());
            assert_eq!((head.status, head.headers), (get.status, get.headers), "{path}");
        }
    }
}

/// Refused, by a page or as JSON.
fn assert_refused(reply: &Reply, status: u16, path: &str) {
    let error = if reply.title().is_empty() { reply.error() } else { "invalid_request".to_owned() };
    assert_eq!((reply.status.as_u16(), &*error), (status, "invalid_request"), "{path}");
}

#[test]
fn what_is_too_large_is_refused() {
    let _rows = shows(&["web-http-1"]);
    let world = World::with(|builder| builder.max_body(8192));
    let (fits, large) = ("x".repeat(8192), "x".repeat(8193));
    for (path, allow) in ENDPOINTS {
        let method = if allow.starts_with("GET") { Method::GET } else { Method::POST };
        let reply = world.request(method.clone(), path, &[("content-type", FORM)], large.clone());
        assert_refused(&reply, 413, path);
        assert_well_formed(&reply, path);
        assert_ne!(world.request(method.clone(), path, &[("content-type", FORM)], fits.clone()).status, 413, "{path}");
        let header = "x".repeat(40 * 1024);
        assert_refused(&world.request(method, path, &[("x-large", &header)], ""), 400, path);
    }
}

#[test]
fn too_many_parameters_and_deep_json_are_refused() {
    let _rows = shows(&["web-http-1"]);
    let world = World::with(|builder| builder.max_body(1024 * 1024));
    let refresh = "grant_type=refresh_token&client_id=web&refresh_token=x";
    let form = |more: usize| format!("{refresh}{}", "&p=1".repeat(more));
    let send = |body: String| world.request(Method::POST, "/auth/token", &[("content-type", FORM)], body);
    assert_eq!(send(form(10_000)).outcome(), (400, "invalid_request".to_owned()));
    assert_eq!(send(form(10)).outcome(), (400, "invalid_grant".to_owned()), "a few unknown ones are ignored");
    let members: serde_json::Map<String, Value> = (0..10_000).map(|n| (format!("m{n}"), json!(1))).collect();
    assert_eq!(world.json("/auth/token", &Value::Object(members)).outcome(), (400, "invalid_request".to_owned()));
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(500_000), "]".repeat(500_000));
    for path in ["/auth/authorize", "/auth/token", "/auth/refresh", "/auth/revoke", "/auth/introspect"] {
        let reply = world.request(Method::POST, path, &[("content-type", "application/json")], deep.clone());
        assert_eq!(reply.outcome(), (400, "invalid_request".to_owned()), "{path}");
    }
}

#[test]
fn https_is_told_to_stay() {
    let _rows = shows(&["web-http-3"]);
    let world = World::new();
    for (path, _) in ENDPOINTS {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let reply = world.request(method.clone(), path, &[], "");
            assert_eq!(reply.header("strict-transport-security"), "max-age=31536000", "{method} {path}");
        }
    }
    assert_eq!(world.get_plain("/nowhere").header("strict-transport-security"), "max-age=31536000");
    let plain = configure(Server::builder("http://127.0.0.1:8000/auth")).store(Rows::default()).build().unwrap();
    let request = http::Request::get("/health").body(bytes::Bytes::new()).unwrap();
    let reply = Reply::from(plain.handle(request, None));
    assert_eq!((reply.status.as_u16(), reply.header("strict-transport-security")), (200, ""));
}

/// A request to refresh: its header fields and its body.
struct Refresh(Vec<(&'static str, String)>, String);

impl Refresh {
    fn form(fields: &[(&str, &str)]) -> Self {
        let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Self(vec![("content-type", FORM.to_owned())], pairs.join("&"))
    }

    fn with(mut self, more: &str) -> Self {
        self.1 = format!("{}&{more}", self.1);
        self
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.0.retain(|(one, _)| *one != name);
        self.0.push((name, value.to_owned()));
        self
    }
}

/// What can become of a request to refresh.
const REFRESHES: [&str; 20] = [
    "good",
    "narrower",
    "wider",
    "with a malformed scope",
    "for a resource",
    "repeated within the leeway",
    "replayed",
    "revoked",
    "expired",
    "of a dismissed user",
    "an unknown token",
    "an access token",
    "no token",
    "no client",
    "another client",
    "a client without the grant type",
    "a wrong secret",
    "two ways to authenticate",
    "a repeated parameter",
    "a wrong content type",
];

/// Makes the world such, and the request of that kind; Ada is signed in to `web`.
fn prepared(case: &str, world: &World, tokens: &SignedIn) -> Refresh {
    match case {
        "repeated within the leeway" => assert_eq!(world.refresh(&tokens.refresh).status, 200),
        "replayed" => {
            assert_eq!(world.refresh(&tokens.refresh).status, 200);
            world.clock.advance(Duration::from_secs(60));
        }
        "revoked" => assert_eq!(world.revoke(&tokens.refresh).status, 200),
        "expired" => world.clock.advance(Duration::from_secs(31 * 86_400)),
        "of a dismissed user" => world.people.dismiss(ADA),
        _ => {}
    }
    let good = Refresh::form(&[("client_id", "web"), ("refresh_token", &tokens.refresh)]);
    match case {
        "narrower" => good.with("scope=read"),
        "wider" => good.with("scope=read+internal"),
        "with a malformed scope" => good.with("scope=read++write"),
        "for a resource" => good.with("resource=https://api.example/"),
        "an unknown token" => Refresh::form(&[("client_id", "web"), ("refresh_token", "x")]),
        "an access token" => Refresh::form(&[("client_id", "web"), ("refresh_token", &tokens.access)]),
        "no token" => Refresh::form(&[("client_id", "web")]),
        "no client" => Refresh::form(&[("refresh_token", &tokens.refresh)]),
        "another client" => Refresh::form(&[("client_id", "other"), ("refresh_token", &tokens.refresh)]),
        "a client without the grant type" => {
            Refresh::form(&[("client_id", "brief"), ("refresh_token", &tokens.refresh)])
        }
        "a wrong secret" => Refresh::form(&[("client_id", "poster"), ("client_secret", "x"), ("refresh_token", "x")]),
        "two ways to authenticate" => {
            let both = [("client_id", "service"), ("client_secret", "x"), ("refresh_token", "x")];
            Refresh::form(&both).header("authorization", "Basic c2VydmljZTp4")
        }
        "a repeated parameter" => good.with("client_id=web"),
        "a wrong content type" => good.header("content-type", "text/plain"),
        _ => good,
    }
}

#[test]
fn the_refresh_endpoint_is_the_token_endpoint_for_one_grant_type() {
    let _rows = shows(&["web-http-4"]);
    let mut outcomes = std::collections::BTreeSet::new();
    for case in REFRESHES {
        let answer = |path: &str, more: &str| {
            let world = World::new();
            let tokens = world.sign_in();
            let Refresh(headers, body) = prepared(case, &world, &tokens);
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
            world.take_events();
            let reply = world.request(Method::POST, path, &headers, format!("{body}{more}"));
            (reply, world.take_events())
        };
        let (token, events) = answer("/auth/token", "&grant_type=refresh_token");
        for more in ["", "&grant_type=refresh_token"] {
            let (refresh, same_events) = answer("/auth/refresh", more);
            assert_eq!(
                (refresh.status, &refresh.headers, &refresh.body),
                (token.status, &token.headers, &token.body),
                "{case}"
            );
            assert_eq!(same_events, events, "{case}");
        }
        outcomes.insert(token.outcome());
    }
    assert_eq!(outcomes.len(), 7, "the table has every kind of outcome: {outcomes:?}");
}

#[test]
fn the_refresh_endpoint_takes_no_other_grant_type() {
    let _rows = shows(&["web-http-4"]);
    let world = World::new();
    let code = world.code();
    for grant_type in ["authorization_code", "client_credentials", "password", "nonsense"] {
        let fields = [("grant_type", grant_type), ("code", &*code), ("redirect_uri", REDIRECT_URI), ("scope", "read")];
        let reply = world.form_as("service", "/auth/refresh", &fields);
        assert_eq!(reply.outcome(), (400, "unsupported_grant_type".to_owned()), "{grant_type}");
    }
    assert_eq!(world.redeem(&code).status, 200, "the code was not touched");
    let secret = secret_of("poster");
    let json = json!({"client_id": "poster", "client_secret": secret, "grant_type": "client_credentials"});
    assert_eq!(world.json("/auth/refresh", &json).outcome(), (400, "unsupported_grant_type".to_owned()));
}

#[test]
fn the_challenge_endpoint_keeps_nothing_and_no_flow_needs_it() {
    let _rows = shows(&["web-http-5"]);
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| builder);
    let made = world.json("/auth/challenge", &json!({}));
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (200, "no-store"));
    assert!(world.store.take_calls().is_empty() && rows.is_empty());
    let verifier = made.text("code_verifier");
    let changes = json!({"code_challenge": made.text("code_challenge"), "state": made.text("state")});
    let code = world.authorize(&changes).text("code");
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "web"),
        ("code", &*code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", &*verifier),
    ];
    assert_eq!(world.form("/auth/token", &fields).status, 200);
    assert!(!format!("{:?}", world.take_full_events()).contains(&verifier));
    for (key, record) in rows.all() {
        let held = [key.as_str().as_bytes(), &record.body()[..]].concat();
        assert!(!held.windows(verifier.len()).any(|window| window == verifier.as_bytes()), "{key}");
    }
    let without = World::with(|builder| builder.endpoints("authorize token userinfo"));
    assert_eq!(without.json("/auth/challenge", &json!({})).status, 404);
    assert!(without.works(&without.sign_in().access), "a client makes its own challenge");
}
