//! Which pages may read the authorization endpoint (RFC 9700 section 2.6, design section 11).

use proofkey_tests::{CHALLENGE, PASSWORD, REDIRECT_URI, Reply, World};
use serde_json::{Value, json};

const METADATA: &str = "/.well-known/oauth-authorization-server/auth";

fn refused(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

fn allowed(reply: &Reply) -> Option<&str> {
    reply.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap())
}

#[test]
fn pages_read_the_authorization_endpoint_only_for_a_first_party_client_of_their_own_origin() {
    let _rows = proofkey_conformance::shows(&["rfc9700-2.6-2"]);
    let world = World::new();
    let from = |method: http::Method, origin: &str, changes: Value| {
        let mut body = json!({
            "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE, "scope": "read",
            "code_challenge_method": "S256", "username": "ada@example.com", "password": PASSWORD,
        });
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let headers = [("origin", origin), ("content-type", "application/json")];
        world.request(method, "/auth/authorize", &headers, body.to_string())
    };
    let (own, third, evil) = ("https://app.example", "https://third.example", "https://evil.example");
    use http::Method as M;
    assert_eq!(allowed(&from(M::OPTIONS, evil, json!({}))), None);
    for origin in [own, evil] {
        assert_eq!(allowed(&from(M::GET, origin, json!({}))), None, "{origin}");
    }
    let good = from(M::POST, own, json!({}));
    assert_eq!((good.status.as_u16(), allowed(&good)), (200, Some(own)));
    let wrong = from(M::POST, own, json!({"password": "wrong"}));
    assert_eq!((wrong.status.as_u16(), allowed(&wrong)), (400, Some(own)), "errors included");
    for origin in [evil, third, "null", "https://app.example.evil.example", "http://app.example"] {
        let reply = from(M::POST, origin, json!({}));
        assert_eq!((reply.outcome(), allowed(&reply)), (refused("invalid_request"), None), "{origin}");
    }
    let foreign = json!({"client_id": "third", "redirect_uri": "https://third.example/cb"});
    let reply = from(M::POST, third, foreign);
    assert_eq!((reply.outcome(), allowed(&reply)), (refused("unauthorized_client"), None), "not first-party");
    let form = world.form_with("/auth/authorize", &[("origin", own)], &[("client_id", "web")]);
    assert_eq!(allowed(&form), None);
    let metadata = world.request(M::GET, METADATA, &[("origin", evil)], "");
    assert_eq!(allowed(&metadata), Some("*"), "public for everybody");
}
