//! The axum face over real connections: what it routes, what it guards, and what it makes of sizes, peers and methods.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get as on_get;
use proofkey::axum::{Token, require, require_scope, routes, status_routes};
use proofkey::testing::FakeClock;
use proofkey::{AsyncServer, Builder, Requirement};
use proofkey_conformance::shows;
use proofkey_tests::{
    CHALLENGE, Faulty, ISSUER, PASSWORD, People, REDIRECT_URI, Reply, Rows, START, VERIFIER, assert_well_formed,
    challenge, configure, exchange, get, post,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

/// A service with endpoints of proofkey's and two of its own, on a port of its own.
struct Service {
    address: SocketAddr,
    store: Arc<Faulty>,
    server: AsyncServer,
}

async fn contacts(token: Token) -> String {
    format!("{} {} {}", token.subject().unwrap_or("nobody"), token.client_id(), token.scope())
}

/// Whether connections tell where they come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peers {
    Known,
    Unknown,
}

impl Service {
    async fn start(further: impl FnOnce(Builder<AsyncServer>) -> Builder<AsyncServer>) -> Self {
        Self::at(ISSUER, Peers::Known, further).await
    }

    async fn at(
        issuer: &str,
        peers: Peers,
        further: impl FnOnce(Builder<AsyncServer>) -> Builder<AsyncServer>,
    ) -> Self {
        let store = Arc::new(Faulty::around(Arc::new(Rows::default())));
        let builder = configure(AsyncServer::builder(issuer)).store(Arc::clone(&store)).users(People::default());
        let server = further(builder.clock(FakeClock::at(START)).seed(1)).build().unwrap();
        let files = Requirement::any().for_resource("https://files.example/");
        let router = Router::new()
            .route("/contacts", on_get(contacts).route_layer(require_scope(&server, "read write")))
            .route("/files", on_get(contacts).route_layer(require(&server, files)))
            .route("/unguarded", on_get(contacts))
            .merge(routes(&server))
            .merge(status_routes(&server));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        if peers == Peers::Known {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            tokio::spawn(async move { axum::serve(listener, service).await });
        } else {
            tokio::spawn(async move { axum::serve(listener, router).await });
        }
        Self { address, store, server }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        get(self.address, &format!("GET {path}"), headers).await
    }

    async fn form(&self, path: &str, body: &str) -> Reply {
        post(self.address, path, &[FORM], body).await
    }

    async fn authorize(&self, headers: &[(&str, &str)], changes: &Value) -> Reply {
        let mut body = json!({
            "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE,
            "code_challenge_method": "S256", "scope": "read write", "username": "ada@example.com", "password": PASSWORD,
        });
        body.as_object_mut().unwrap().extend(changes.as_object().cloned().unwrap_or_default());
        post(self.address, "/auth/authorize", &[&[JSON], headers].concat(), &body.to_string()).await
    }

    /// An access token of Ada's.
    async fn token(&self, changes: &Value) -> String {
        let code = self.authorize(&[], changes).await.text("code");
        let client = changes["client_id"].as_str().unwrap_or("web");
        let body = format!(
            "grant_type=authorization_code&client_id={client}&code={code}&redirect_uri={REDIRECT_URI}&code_verifier={VERIFIER}"
        );
        self.form("/auth/token", &body).await.text("access_token")
    }

    async fn with_token(&self, path: &str, token: &str) -> Reply {
        self.get(path, &[("authorization", &format!("Bearer {token}"))]).await
    }
}

/// The `error` of a bearer challenge, and the scope that would do.
fn told(reply: &Reply) -> (String, String) {
    let (scheme, parameters) = challenge(reply.header("www-authenticate")).unwrap();
    let of = |name: &str| parameters.iter().find(|(one, _)| one == name).map(|(_, value)| value.clone());
    assert_eq!((&*scheme, of("realm").as_deref()), ("Bearer", Some(ISSUER)));
    (of("error").unwrap_or_default(), of("scope").unwrap_or_default())
}

#[tokio::test]
async fn every_endpoint_is_routed_under_the_issuer_and_metadata_at_the_root_as_well() {
    let service = Service::start(|builder| builder).await;
    let document = service.get("/.well-known/oauth-authorization-server/auth", &[]).await;
    assert_eq!((document.status.as_u16(), document.text("issuer")), (200, ISSUER.to_owned()));
    let alias = service.get("/auth/.well-known/oauth-authorization-server", &[]).await;
    assert_eq!(alias.body, document.body);
    for name in ["authorize", "token", "refresh", "revoke", "introspect", "userinfo", "me", "challenge"] {
        let reply = post(service.address, &format!("/auth/{name}"), &[], "").await;
        assert!(matches!(reply.status.as_u16(), 200 | 400 | 401 | 405), "{name}: {reply:?}");
        assert_well_formed(&reply, name);
    }
    assert_eq!(service.get("/health", &[]).await.text("status"), "healthy");
    assert_eq!(service.get("/", &[]).await.text("issuer"), ISSUER);
    assert_eq!(service.get("/auth/nowhere", &[]).await.status, 404);
}

#[tokio::test]
async fn an_issuer_at_the_root_and_one_behind_a_proxy_that_strips_prefixes_are_routed() {
    let root = Service::at("https://as.example", Peers::Known, |builder| builder).await;
    assert_eq!(root.get("/.well-known/oauth-authorization-server", &[]).await.text("issuer"), "https://as.example");
    assert_eq!(root.form("/token", "").await.outcome(), (400, "invalid_request".to_owned()));
    let stripped = Service::start(|builder| builder.mounted_at("")).await;
    assert_eq!(stripped.form("/token", "").await.outcome(), (400, "invalid_request".to_owned()));
    let document = stripped.get("/.well-known/oauth-authorization-server/auth", &[]).await;
    assert_eq!(document.text("token_endpoint"), format!("{ISSUER}/token"));
}

#[tokio::test]
async fn a_guarded_route_gets_the_token_and_its_callers_the_answers_of_rfc_6750() {
    let service = Service::start(|builder| builder).await;
    let good = service.token(&json!({})).await;
    let let_in = service.with_token("/contacts", &good).await;
    assert_eq!((let_in.status.as_u16(), &let_in.body[..]), (200, &b"u-ada web read write"[..]));
    let narrow = service.token(&json!({"scope": "read"})).await;
    for (reply, status, error, scope) in [
        (service.get("/contacts", &[]).await, 401, "", ""),
        (service.get(&format!("/contacts?access_token={good}"), &[]).await, 401, "", ""),
        (service.with_token("/contacts", "x").await, 401, "invalid_token", ""),
        (service.with_token("/contacts", &narrow).await, 403, "insufficient_scope", "read write"),
        (service.get("/contacts", &[("authorization", "Bearer")]).await, 400, "invalid_request", ""),
        (service.with_token("/files", &good).await, 401, "invalid_token", ""),
    ] {
        assert_eq!(reply.status.as_u16(), status, "{reply:?}");
        assert_eq!(told(&reply), (error.to_owned(), scope.to_owned()));
        assert_well_formed(&reply, "a guarded route");
    }
    let for_files = service.token(&json!({"client_id": "scoped", "resource": "https://files.example/"})).await;
    assert_eq!(service.with_token("/files", &for_files).await.status, 200);
    assert_eq!(service.form("/auth/revoke", &format!("client_id=web&token={good}")).await.status, 200);
    assert_eq!(service.with_token("/contacts", &good).await.status, 401, "at once");
}

#[tokio::test]
async fn a_guard_that_cannot_ask_the_store_lets_nobody_in_and_calls_no_token_invalid() {
    let service = Service::start(|builder| builder).await;
    let token = service.token(&json!({})).await;
    service.store.set_down(true);
    let reply = service.with_token("/contacts", &token).await;
    assert_eq!(reply.outcome(), (503, "temporarily_unavailable".to_owned()));
    assert_eq!((reply.header("retry-after"), reply.header("www-authenticate")), ("1", ""));
    service.store.set_down(false);
    assert_eq!(service.with_token("/contacts", &token).await.status, 200);
}

#[tokio::test]
async fn a_route_that_asks_for_a_token_and_has_no_guard_is_closed() {
    let service = Service::start(|builder| builder).await;
    let token = service.token(&json!({})).await;
    assert_eq!(service.with_token("/unguarded", &token).await.status, 500);
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_before_it_is_read() {
    let _rows = shows(&["web-http-1"]);
    let service = Service::start(|builder| builder.max_body(4096)).await;
    let head = "POST /auth/token HTTP/1.1\r\nhost: as.example\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    // A gigabyte is announced and 8 KiB of it are sent: whoever waited for the rest would wait for ever.
    let announced = [format!("{head}content-length: 1073741824\r\n\r\n").as_bytes(), &[b'x'; 8192]].concat();
    let chunk = [b"1000\r\n", &[b'x'; 4096][..], b"\r\n"].concat();
    let endless = [format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes(), &chunk, &chunk].concat();
    for request in [announced, endless] {
        let reply = exchange(service.address, &request).await;
        assert_eq!(reply.outcome(), (413, "invalid_request".to_owned()));
        assert_well_formed(&reply, "a large body");
    }
    let fits = format!("grant_type=refresh_token&client_id=web&refresh_token={}", "x".repeat(4000));
    assert_eq!(service.form("/auth/token", &fits).await.outcome(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let service = Service::start(|builder| builder).await;
    let head = "POST /auth/revoke HTTP/1.1\r\nhost: as.example\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let broken_chunk = format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n");
    let reply = exchange(service.address, broken_chunk.as_bytes()).await;
    assert_eq!(reply.outcome(), (400, "invalid_request".to_owned()));
    assert_well_formed(&reply, "a broken chunk");
    let mut stream = tokio::net::TcpStream::connect(service.address).await.unwrap();
    let whole = "client_id=web&token=x";
    let announced = format!("{head}content-length: 100\r\n\r\n{whole}");
    stream.write_all(announced.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 400 "), "what came is not taken for the whole");
    assert!(service.store.take_calls().is_empty());
}

#[tokio::test]
async fn large_header_fields_are_refused() {
    let service = Service::start(|builder| builder).await;
    let large = "x".repeat(40 * 1024);
    for path in ["/auth/userinfo", "/health", "/.well-known/oauth-authorization-server/auth"] {
        let reply = service.get(path, &[("x-large", &large)]).await;
        assert_eq!(reply.outcome(), (400, "invalid_request".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn methods_go_through_as_they_are() {
    let service = Service::start(|builder| builder).await;
    let path = "/.well-known/oauth-authorization-server/auth";
    let whole = service.get(path, &[]).await;
    let head = get(service.address, &format!("HEAD {path}"), &[]).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), whole.body.len().to_string());
    assert_eq!(head.header("content-type"), "application/json");
    let options = get(service.address, "OPTIONS /auth/userinfo", &[]).await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (204, "GET, HEAD, POST, OPTIONS"));
    for (request, allow) in [
        ("GET /auth/token", "POST, OPTIONS"),
        ("DELETE /auth/me", "GET, HEAD, OPTIONS"),
        ("PUT /", "GET, HEAD, OPTIONS"),
    ] {
        let reply = get(service.address, request, &[]).await;
        assert_eq!((reply.outcome(), reply.header("allow")), ((405, "invalid_request".to_owned()), allow), "{request}");
    }
}

#[tokio::test]
async fn a_page_may_call_from_a_registered_origin_and_read_what_concerns_its_client() {
    let service = Service::start(|builder| builder).await;
    let allowed = |reply: &Reply| reply.header("access-control-allow-origin").to_owned();
    let preflight = |origin: &'static str| {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        async move { get(service.address, "OPTIONS /auth/token", &headers).await }
    };
    for (origin, expected) in [
        ("https://app.example", "https://app.example"),
        ("https://other.example", "https://other.example"),
        ("https://evil.example", ""),
    ] {
        let reply = preflight(origin).await;
        assert_eq!((reply.status.as_u16(), allowed(&reply)), (204, expected.to_owned()));
    }
    for (origin, expected) in [("https://app.example", "https://app.example"), ("https://other.example", "")] {
        let headers = [FORM, ("origin", origin)];
        let body = "grant_type=refresh_token&client_id=web&refresh_token=x";
        let reply = post(service.address, "/auth/token", &headers, body).await;
        assert_eq!((reply.status.as_u16(), allowed(&reply)), (400, expected.to_owned()), "errors included");
    }
}

/// How many of four sign-ins by strangers, each with these `X-Forwarded-For` fields, were refused by the limit.
async fn limited(service: &Service, hops: [&str; 4]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (at, hop) in hops.into_iter().enumerate() {
        let user = json!({"username": format!("stranger-{at}"), "password": "wrong"});
        statuses.push(service.authorize(&[("x-forwarded-for", hop)], &user).await.status.as_u16());
    }
    statuses
}

#[tokio::test]
async fn the_limit_counts_the_peer_or_the_rightmost_hop_that_is_no_trusted_proxy() {
    let four = ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"];
    let alone = Service::start(|builder| builder.limit_address("3/15m")).await;
    assert_eq!(limited(&alone, four).await, [400, 400, 400, 429], "nobody is believed by default");

    let proxied =
        |builder: Builder<AsyncServer>| builder.limit_address("3/15m").trusted_proxies("127.0.0.0/8 10.0.0.0/8");
    let behind = Service::start(proxied).await;
    assert_eq!(limited(&behind, four).await, [400; 4]);
    let one_client = ["203.0.113.9", "1.1.1.1, 203.0.113.9", "2.2.2.2,203.0.113.9, 10.0.0.1", "nonsense, 203.0.113.9"];
    assert_eq!(limited(&behind, one_client).await, [400, 400, 400, 429], "what a client writes itself does not count");

    let unknown = Service::at(ISSUER, Peers::Unknown, |builder| builder.limit_address("3/15m")).await;
    assert_eq!(limited(&unknown, four).await, [400; 4], "no peer, no limit by address");
}

#[tokio::test]
async fn the_whole_flow_goes_over_the_wire() {
    let service = Service::start(|builder| builder).await;
    let made = post(service.address, "/auth/challenge", &[], "").await;
    let changes =
        json!({"code_challenge": made.text("code_challenge"), "state": made.text("state"), "scope": "read profile"});
    let answer = service.authorize(&[], &changes).await;
    assert_eq!((answer.text("state"), answer.text("iss")), (made.text("state"), ISSUER.to_owned()));
    let redeem = format!(
        "grant_type=authorization_code&client_id=web&code={}&redirect_uri={REDIRECT_URI}&code_verifier={}",
        answer.text("code"),
        made.text("code_verifier"),
    );
    let tokens = service.form("/auth/token", &redeem).await;
    assert_eq!((tokens.header("cache-control"), tokens.header("pragma")), ("no-store", "no-cache"));
    let user = service.with_token("/auth/userinfo", &tokens.text("access_token")).await;
    assert_eq!((user.text("sub"), user.text("name")), ("u-ada".to_owned(), "Ada L.".to_owned()));
    let refresh = format!("client_id=web&refresh_token={}", tokens.text("refresh_token"));
    let first = service.form("/auth/refresh", &refresh).await;
    let repeated = service.form("/auth/refresh", &refresh).await;
    assert_eq!(first.body, repeated.body, "a lost reply, repeated");
    assert_eq!(service.server.grants_of("u-ada").await.unwrap().len(), 1);
    assert_eq!(service.form("/auth/token", &redeem).await.outcome(), (400, "invalid_grant".to_owned()));
    assert_eq!(service.with_token("/auth/userinfo", &first.text("access_token")).await.status, 401, "replay");
}
