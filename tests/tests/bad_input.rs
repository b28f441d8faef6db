//! Every endpoint, with everything that a request can be instead of a good one: an error of the RFCs with its status,
//! and nothing stored (invariant I24).

use std::sync::Arc;

use http::Method;
use proofkey_tests::{
    CHALLENGE, Call, Endpoint, REDIRECT_URI, Reads, Reply, Rows, World, assert_well_formed, endpoints, pages,
};
use serde_json::json;

/// A world whose store is at hand.
struct Watched {
    world: World,
    rows: Arc<Rows>,
}

impl Watched {
    fn new() -> Self {
        let rows = Arc::new(Rows::default());
        Self { world: World::over(rows.clone(), |builder| builder.max_body(8192)), rows }
    }

    /// Sends a body that must be refused, or, where it is not read, ignored; and checks that nothing was written.
    fn send(&self, endpoint: &Endpoint, media_type: &str, body: Vec<u8>, context: &str) -> Reply {
        self.world.store.take_calls();
        let headers = [("content-type", media_type)];
        let reply = self.world.request(endpoint.method.clone(), endpoint.path, &headers, body);
        assert_well_formed(&reply, context);
        assert!(reply.status.as_u16() < 500, "{context}: {reply:?}");
        let wrote = self.world.store.take_calls().iter().any(|call| !matches!(call, Call::Get | Call::Find));
        assert!(!wrote, "{context}: nothing is stored");
        reply
    }
}

/// What is asked of an endpoint that is sent a body which cannot be read.
fn refusal(endpoint: &Endpoint) -> (u16, &'static str) {
    match endpoint.reads {
        Reads::Body => (400, "invalid_request"),
        Reads::Header => (401, "invalid_token"),
        Reads::Nothing => (200, ""),
    }
}

fn assert_outcome(reply: &Reply, expected: (u16, &str), context: &str) {
    if reply.header("content-type").starts_with("text/html") {
        assert_eq!(reply.status, expected.0, "{context}: {reply:?}");
        return;
    }
    assert_eq!(reply.outcome(), (expected.0, expected.1.to_owned()), "{context}: {reply:?}");
}

#[test]
fn a_body_that_cannot_be_read_is_refused_wherever_one_is_read() {
    let watched = Watched::new();
    for endpoint in endpoints() {
        for media_type in endpoint.types {
            let good = endpoint.body(media_type);
            let deep = format!("{{\"x\":{}{}}}", "[".repeat(4000), "]".repeat(4000));
            let cut = |at: usize| good[..at.min(good.len())].to_vec();
            let mut bodies = vec![
                ("invalid UTF-8 in a value", [&good[..], b"&x=\xff\xfe"].concat()),
                ("invalid UTF-8 in a name", [b"\xc3\x28=1&", &good[..]].concat()),
                ("bytes that are neither", b"\x00\x01\x02\xf0\x9f".to_vec()),
            ];
            if *media_type == Endpoint::JSON {
                bodies.extend([
                    ("empty", Vec::new()),
                    ("deep", deep.into_bytes()),
                    ("truncated in a text", cut(good.len().saturating_sub(3))),
                    ("truncated before its end", cut(good.len().saturating_sub(1))),
                    ("followed by something", [&good[..], b" x"].concat()),
                    ("a list", [b"[", &good[..], b"]"].concat()),
                    ("a form", b"grant_type=refresh_token&client_id=web&refresh_token=x".to_vec()),
                    ("with a number for a text", b"{\"client_id\":1,\"token\":2,\"username\":3}".to_vec()),
                ]);
            } else {
                bodies.extend([
                    ("truncated in an escape", [&good[..], b"&x=%4"].concat()),
                    ("with an escape that is none", [&good[..], b"&x=%zz"].concat()),
                    ("with an escaped byte that is no UTF-8", [&good[..], b"&x=%ff"].concat()),
                ]);
            }
            for (case, bytes) in bodies {
                let context = format!("{} {} {media_type} {case}", endpoint.method, endpoint.path);
                assert_outcome(&watched.send(&endpoint, media_type, bytes, &context), refusal(&endpoint), &context);
            }
        }
    }
    assert!(watched.rows.lasting().is_empty());
}

#[test]
fn an_empty_form_lacks_what_the_endpoint_needs() {
    let watched = Watched::new();
    for endpoint in endpoints() {
        let expected = match endpoint.path {
            // Without credentials the caller is challenged (RFC 7662 section 2.3).
            "/auth/introspect" => (401, "invalid_client"),
            _ => refusal(&endpoint),
        };
        assert_outcome(&watched.send(&endpoint, Endpoint::FORM, Vec::new(), endpoint.path), expected, endpoint.path);
    }
}

#[test]
fn a_body_of_another_type_is_refused_wherever_one_is_read() {
    let watched = Watched::new();
    for endpoint in endpoints() {
        for media_type in
            ["text/plain", "multipart/form-data; boundary=x", "application/xml", "", "application/json5", "*/*"]
        {
            for bytes in [endpoint.body(Endpoint::FORM), endpoint.body(Endpoint::JSON)] {
                let context = format!("{} {media_type}", endpoint.path);
                assert_outcome(&watched.send(&endpoint, media_type, bytes, &context), refusal(&endpoint), &context);
            }
        }
        let twice = [("content-type", Endpoint::FORM), ("content-type", Endpoint::JSON)];
        let reply =
            watched.world.request(endpoint.method.clone(), endpoint.path, &twice, endpoint.body(Endpoint::FORM));
        assert_outcome(&reply, refusal(&endpoint), endpoint.path);
        let untyped = watched.world.request(endpoint.method.clone(), endpoint.path, &[], endpoint.body(Endpoint::FORM));
        assert_outcome(&untyped, refusal(&endpoint), endpoint.path);
    }
}

#[test]
fn a_parameter_that_is_repeated_is_refused_whichever_it_is() {
    let watched = Watched::new();
    for endpoint in endpoints() {
        for (name, value) in &endpoint.fields {
            for media_type in endpoint.types {
                let context = format!("{} {media_type} {name}", endpoint.path);
                let good = endpoint.body(media_type);
                let twice = if *media_type == Endpoint::JSON {
                    [&good[..good.len() - 1], format!(",{}:{}}}", json!(name), json!(value)).as_bytes()].concat()
                } else {
                    [&good[..], format!("&{name}={value}").as_bytes()].concat()
                };
                if *name == "resource" && *media_type == Endpoint::FORM {
                    continue; // the one parameter that may stand more than once (RFC 8707 section 2)
                }
                let reply = watched.send(&endpoint, media_type, twice, &context);
                assert_outcome(&reply, (400, "invalid_request"), &context);
            }
        }
    }
}

#[test]
fn a_parameter_in_the_uri_is_refused_whichever_it_is() {
    let watched = Watched::new();
    for endpoint in endpoints() {
        for (name, _) in &endpoint.fields {
            let path = format!("{}?x=y&{name}=1", endpoint.path);
            let mut rest = endpoint.clone();
            rest.fields.retain(|(one, _)| one != name);
            for sent in [&endpoint, &rest] {
                let headers = [("content-type", sent.types[0])];
                let reply = watched.world.request(Method::POST, &path, &headers, sent.body(sent.types[0]));
                assert_outcome(&reply, (400, "invalid_request"), &path);
            }
        }
    }
    assert!(watched.rows.is_empty());
}

#[test]
fn a_request_that_is_too_large_is_refused_by_every_endpoint() {
    let watched = Watched::new();
    for endpoint in endpoints() {
        let good = endpoint.body(endpoint.types[0]);
        let large = [&good[..], &vec![b' '; 8193]].concat();
        let reply = watched.send(&endpoint, endpoint.types[0], large, endpoint.path);
        assert_outcome(&reply, (413, "invalid_request"), endpoint.path);
        for (name, value) in
            [("x-large", "x".repeat(40 * 1024)), ("authorization", format!("Bearer {}", "x".repeat(40 * 1024)))]
        {
            let headers = [("content-type", endpoint.types[0]), (name, &*value)];
            let reply = watched.world.request(endpoint.method.clone(), endpoint.path, &headers, good.clone());
            assert_outcome(&reply, (400, "invalid_request"), endpoint.path);
            assert_well_formed(&reply, endpoint.path);
        }
    }
    assert!(watched.rows.is_empty());
}

#[test]
fn another_method_is_refused_with_those_that_are_taken() {
    let watched = Watched::new();
    for endpoint in endpoints() {
        for method in ["PUT", "DELETE", "PATCH", "TRACE", "NONSENSE"] {
            let context = format!("{method} {}", endpoint.path);
            let good = endpoint.body(endpoint.types[0]);
            let mut other = endpoint.clone();
            other.method = method.parse().unwrap();
            let reply = watched.send(&other, endpoint.types[0], good, &context);
            assert_outcome(&reply, (405, "invalid_request"), &context);
            assert!(reply.header("allow").contains(endpoint.method.as_str()), "{context}");
        }
    }
}

#[test]
fn a_form_that_is_not_of_a_page_of_ours_is_refused_whatever_is_wrong_with_it() {
    let watched = Watched::new();
    for page in pages() {
        let good = page.body(Endpoint::FORM);
        // Where nobody is signed in there is nothing to sign out of, and nothing to show.
        let alone = if matches!(page.path, "/auth/logout" | "/auth/applications") { 200 } else { 403 };
        for (case, status, bytes) in [
            ("whole", alone, good.clone()),
            ("empty", alone, Vec::new()),
            ("invalid UTF-8", 400, [&good[..], b"&x=%ff"].concat()),
            ("a bad escape", 400, [&good[..], b"&x=%zz"].concat()),
            ("repeated", 400, [&good[..], b"&", &good[..]].concat()),
            ("too many", 400, [&good[..], "&x=1".repeat(1000).as_bytes()].concat()),
            ("too large", 413, [&good[..], &vec![b' '; 8193]].concat()),
        ] {
            let context = format!("{} {case}", page.path);
            let reply = watched.send(&page, Endpoint::FORM, bytes, &context);
            assert_eq!(reply.status, status, "{context}");
            assert!(reply.header("content-type").starts_with("text/html"), "{context}");
        }
        let context = format!("{} as JSON", page.path);
        assert_eq!(watched.send(&page, Endpoint::JSON, page.body(Endpoint::JSON), &context).status, 400);
        for method in ["PUT", "DELETE", "PATCH", "NONSENSE"] {
            let mut other = page.clone();
            other.method = method.parse().unwrap();
            let reply = watched.send(&other, Endpoint::FORM, good.clone(), &context);
            assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "GET, HEAD, POST, OPTIONS"));
        }
    }
    assert!(watched.rows.is_empty());
}

#[test]
fn whatever_one_parameter_holds_nothing_lasting_is_stored() {
    for endpoint in endpoints().iter().filter(|endpoint| endpoint.reads == Reads::Body) {
        for at in 0..endpoint.fields.len() {
            let watched = Watched::new();
            for value in ["", "\0", "a\0b", " ", "\r\nx: y", "\u{1F600}", "\"\\", "%", "&a=b", "../", &"x".repeat(2000)]
            {
                for media_type in endpoint.types {
                    let mut changed = endpoint.clone();
                    changed.fields[at].1 = value.to_owned();
                    let headers = [("content-type", *media_type)];
                    let bytes = changed.body(media_type);
                    let reply = watched.world.request(Method::POST, endpoint.path, &headers, bytes);
                    let context = format!("{} {} {value:?} {media_type}", endpoint.path, changed.fields[at].0);
                    assert_well_formed(&reply, &context);
                    // Revocation alone has nothing against a token that is none, nor against any hint.
                    let harmless =
                        endpoint.path == "/auth/revoke" && changed.fields[at].0 != "client_id" && reply.status == 200;
                    let inactive = endpoint.path == "/auth/introspect" && reply.body == "{\"active\":false}";
                    assert!(
                        harmless || inactive || matches!(reply.status.as_u16(), 400 | 401 | 403 | 429),
                        "{context}: {reply:?}"
                    );
                    assert!(watched.rows.lasting().is_empty(), "{context}");
                }
            }
        }
    }
}

#[test]
fn guessing_ends_in_429_with_the_time_to_wait_and_fills_no_more_than_slots() {
    for (path, fields) in [
        (
            "/auth/authorize",
            json!({"client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE,
            "code_challenge_method": "S256", "scope": "read", "username": "ada@example.com", "password": "wrong"}),
        ),
        ("/auth/token", json!({"client_id": "poster", "client_secret": "wrong", "grant_type": "client_credentials"})),
        ("/auth/refresh", json!({"client_id": "poster", "client_secret": "wrong", "refresh_token": "x"})),
        ("/auth/revoke", json!({"client_id": "poster", "client_secret": "wrong", "token": "x"})),
        ("/auth/introspect", json!({"client_id": "poster", "client_secret": "wrong", "token": "x"})),
    ] {
        let watched = Watched::new();
        let replies: Vec<Reply> = (0..40).map(|_| watched.world.json(path, &fields)).collect();
        for reply in &replies {
            assert_well_formed(reply, path);
        }
        let (first, last) = (replies[0].status.as_u16(), replies[39].outcome());
        assert!(matches!(first, 400 | 401), "{path}");
        assert_eq!(last, (429, "temporarily_unavailable".to_owned()), "{path}");
        assert!(watched.rows.lasting().is_empty() && watched.rows.len() <= 3, "{path}");
    }
}

#[test]
fn a_malformed_authorization_header_is_refused() {
    let watched = Watched::new();
    let long = "x".repeat(5000);
    for value in [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic eA==",
        "Basic /w==",
        "Basic OjpAJTAw",
        "Bearer",
        "Digest x",
        "x",
        &long,
        "Basic JTo=",
    ] {
        for endpoint in endpoints().iter().filter(|endpoint| endpoint.reads != Reads::Nothing) {
            let headers = [("content-type", endpoint.types[0]), ("authorization", value)];
            let bytes = endpoint.body(endpoint.types[0]);
            let reply = watched.world.request(endpoint.method.clone(), endpoint.path, &headers, bytes);
            let context = format!("{} {value}", endpoint.path);
            assert_well_formed(&reply, &context);
            let ignored = matches!(endpoint.path, "/auth/revoke" | "/auth/introspect") && reply.status == 200;
            assert!(ignored || matches!(reply.status.as_u16(), 400 | 401 | 403 | 429), "{context}: {reply:?}");
        }
    }
    assert!(watched.rows.lasting().is_empty());
}
