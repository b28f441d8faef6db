//! Who a client is, and how it shows that (RFC 6749 sections 2 and 3.2.1).

use std::sync::Arc;

use proofkey::core::MAX_BODY;
use proofkey::{AdminError, AuthMethod, Client, ClientSecret, GrantType, Requirement, Secret, Server};
use proofkey_tests::{
    ADA, Call, REDIRECT_URI, Reply, Rows, SERVICE_URI, SignedIn, World, basic, clients, configure, secret_of,
};
use serde_json::json;

fn invalid_client() -> (u16, String) {
    (401, "invalid_client".to_owned())
}

fn confidential(id: &str) -> Client {
    Client::confidential(id, ClientSecret::from_text(&Secret::from(&*secret_of(id))))
}

/// A code that the confidential client `service` can redeem.
fn service_code(world: &World) -> String {
    world.code_with(&json!({"client_id": "service", "redirect_uri": SERVICE_URI}))
}

fn redeem_as_service(world: &World, code: &str) -> Reply {
    world.redeem_as("service", code, &[("redirect_uri", SERVICE_URI)])
}

/// What is wrong with these clients, as the operator is told when the server is built.
fn misuse(client: Client) -> String {
    let builder = configure(Server::builder(proofkey_tests::ISSUER)).client(client);
    builder.store(proofkey::store::MemoryStore::new()).build().map(|_| ()).unwrap_err().to_string()
}

#[test]
fn a_public_client_stays_public_however_its_request_looks() {
    let _rows = proofkey_conformance::shows(&["rfc6749-2.1-1", "rfc6749-2.3-1"]);
    let world = World::new();
    world.server.create_client(Client::public("stored").redirect_uri(REDIRECT_URI).first_party()).unwrap();
    for (client, secret) in [("web", "anything"), ("stored", "anything"), ("web", &*secret_of("service"))] {
        let header = basic(client, secret);
        let authenticated = |path: &str, fields: &[(&str, &str)]| {
            world.form_with(path, &[("authorization", &header)], fields).outcome()
        };
        let code = world.code_with(&json!({ "client_id": client }));
        let redeem = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", proofkey_tests::VERIFIER),
        ];
        assert_eq!(authenticated("/auth/token", &redeem), invalid_client(), "{client}");
        assert_eq!(authenticated("/auth/token", &[("grant_type", "client_credentials")]), invalid_client());
        assert_eq!(authenticated("/auth/introspect", &[("token", "x")]), invalid_client());
        let posted = [("client_id", client), ("client_secret", secret)];
        let itself = |grant| [posted.as_slice(), &[("grant_type", grant)]].concat();
        assert_eq!(world.form("/auth/token", &itself("client_credentials")).outcome(), invalid_client());
        assert_eq!(world.redeem_with(&code, &[("client_id", client)]).status, 200, "as what it is, it goes on");
        let alone = world.form("/auth/token", &[("client_id", client), ("grant_type", "client_credentials")]);
        assert_eq!(alone.outcome(), (400, "unauthorized_client".to_owned()));
    }
    let stored = world.server.stored_client("stored").unwrap().unwrap();
    assert_eq!(stored.token_endpoint_auth_method(), AuthMethod::None);
}

#[test]
fn the_name_of_a_client_that_has_a_secret_proves_nothing_whatever_it_asks_for() {
    let _rows = proofkey_conformance::shows(&["rfc6749-2.2-1", "rfc6749-3.2.1-1", "rfc6749-6-1"]);
    let world = World::new();
    let (spent, code) = (service_code(&world), service_code(&world));
    let tokens = SignedIn::of(&redeem_as_service(&world, &spent));
    let refresh = ("refresh_token", &*tokens.refresh);
    let named = ("client_id", "service");
    let attempts = [
        world.redeem_with(&code, &[named, ("redirect_uri", SERVICE_URI)]),
        world.form("/auth/token", &[named, ("grant_type", "refresh_token"), refresh]),
        world.form("/auth/refresh", &[named, refresh]),
        world.form("/auth/token", &[named, ("grant_type", "client_credentials"), ("scope", "read")]),
        world.form("/auth/revoke", &[named, ("token", &tokens.access)]),
        world.form("/auth/token", &[named, ("grant_type", "refresh_token"), refresh, ("client_secret", "")]),
    ];
    for reply in attempts {
        assert_eq!(reply.outcome(), invalid_client(), "{reply:?}");
    }
    assert!(world.works(&tokens.access));
    assert_eq!(redeem_as_service(&world, &code).status, 200, "the code was not used up");
    let refreshed = world.form_as("service", "/auth/token", &[("grant_type", "refresh_token"), refresh]);
    assert_eq!(refreshed.status, 200, "the refresh token is as good as before");
}

#[test]
fn two_ways_of_authentication_at_once_are_refused_even_if_both_are_right() {
    let _rows = proofkey_conformance::shows(&["rfc6749-2.3-2"]);
    let world = World::new();
    let code = service_code(&world);
    let both = [("redirect_uri", SERVICE_URI), ("client_id", "service"), ("client_secret", &*secret_of("service"))];
    assert_eq!(world.redeem_as("service", &code, &both).outcome(), (400, "invalid_request".to_owned()));
    let other = [("redirect_uri", SERVICE_URI), ("client_id", "web")];
    assert_eq!(world.redeem_as("service", &code, &other).outcome(), (400, "invalid_request".to_owned()));
    assert_eq!(redeem_as_service(&world, &code).status, 200);
}

#[test]
fn basic_works_with_and_without_the_client_named_in_the_body_too() {
    let _rows = proofkey_conformance::shows(&["rfc6749-2.3.1-1"]);
    let world = World::new();
    for named in ["", "service"] {
        let code = service_code(&world);
        let reply = world.redeem_as("service", &code, &[("redirect_uri", SERVICE_URI), ("client_id", named)]);
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let code = service_code(&world);
    let header = basic("service", &secret_of("service")).replace("Basic", "bASIC");
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", SERVICE_URI),
        ("code_verifier", proofkey_tests::VERIFIER),
    ];
    assert_eq!(world.form_with("/auth/token", &[("authorization", &header)], &fields).status, 200);
}

#[test]
fn identifier_and_secret_are_form_encoded_inside_basic() {
    let _rows = proofkey_conformance::shows(&["rfc6749-2.3.1-2"]);
    let (id, secret) = ("a:b", "p%+ ä:1");
    let odd = Client::confidential(id, ClientSecret::from_text(&Secret::from(secret)));
    let world = World::with(|builder| builder.client(odd.grant_types([GrantType::ClientCredentials])));
    let ask = |header: &str| {
        let fields = [("grant_type", "client_credentials"), ("scope", "read")];
        world.form_with("/auth/token", &[("authorization", header)], &fields)
    };
    assert_eq!(ask(&basic(id, secret)).status, 200);
    let raw = format!("Basic {}", base64_of(format!("{id}:{secret}").as_bytes()));
    let latin = format!("Basic {}", base64_of(b"a%3Ab:p%25%2B+%E4:1"));
    for wrong in [&*raw, &latin, "Basic", "Basic !", "Basic YTpi=", &basic(id, "p%+ a:1")] {
        assert_eq!(ask(wrong).outcome(), invalid_client(), "{wrong}");
    }
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn a_client_uses_the_way_that_it_is_registered_for() {
    let _rows = proofkey_conformance::shows(&["rfc6749-2.3.1-3", "oauth21-2.4.1-1"]);
    let world = World::new();
    let itself = [GrantType::ClientCredentials];
    world.server.create_client(confidential("nightly").grant_types(itself)).unwrap();
    let secret = secret_of("nightly");
    let ask = |way: AuthMethod| {
        let fields = [("grant_type", "client_credentials"), ("scope", "read")];
        if way == AuthMethod::ClientSecretBasic {
            return world.form_as("nightly", "/auth/token", &fields);
        }
        let posted = [("client_id", "nightly"), ("client_secret", &*secret)];
        world.form("/auth/token", &[fields.as_slice(), &posted].concat())
    };
    let (in_header, in_body) = (AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost);
    assert_eq!(ask(in_body).outcome(), invalid_client());
    assert_eq!(ask(in_header).status, 200);
    world.server.update_client(confidential("nightly").grant_types(itself).auth_method(in_body)).unwrap();
    assert_eq!(ask(in_body).status, 200);
    assert_eq!(ask(in_header).outcome(), invalid_client());
}

#[test]
fn credentials_in_the_uri_are_refused_and_not_logged() {
    let _rows = proofkey_conformance::shows(&["rfc6749-2.3.1-4"]);
    let site = confidential("site").auth_method(AuthMethod::ClientSecretPost).redirect_uri(REDIRECT_URI).first_party();
    let world = World::with(|builder| builder.client(site));
    let code = world.code_with(&json!({"client_id": "site"}));
    let secret = secret_of("site");
    world.take_events();
    world.store.take_calls();
    let body = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", proofkey_tests::VERIFIER),
    ];
    let reply = world.form(&format!("/auth/token?client_id=site&client_secret={secret}"), &body);
    assert_eq!(reply.outcome(), (400, "invalid_request".to_owned()));
    assert_eq!(world.store.take_calls(), [], "nothing was looked at");
    let events = format!("{:?}", world.take_full_events());
    assert!(events.contains("Refused") && !events.contains(&secret), "{events}");
    let posted = [body.as_slice(), &[("client_id", "site"), ("client_secret", &*secret)]].concat();
    assert_eq!(world.form("/auth/token", &posted).status, 200, "the code is unused");
}

#[test]
fn a_public_client_names_itself_when_it_redeems() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.2.1-2"]);
    let world = World::new();
    let code = world.code();
    assert_eq!(world.redeem_with(&code, &[("client_id", "")]).outcome(), (400, "invalid_request".to_owned()));
    assert_eq!(world.redeem_with(&code, &[("client_id", "modern")]).outcome(), (400, "invalid_grant".to_owned()));
    assert_eq!(world.redeem_with(&code, &[("client_id", "nobody")]).outcome(), invalid_client());
    assert_eq!(world.redeem(&code).status, 200);
}

#[test]
fn a_client_that_tried_the_authorization_header_is_asked_again_in_its_scheme() {
    let _rows = proofkey_conformance::shows(&["rfc6749-5.2-2"]);
    let world = World::new();
    let fields = [("grant_type", "client_credentials"), ("scope", "read")];
    for header in [basic("service", "wrong"), basic("nobody", "wrong"), "Basic !".to_owned()] {
        for path in ["/auth/token", "/auth/revoke", "/auth/introspect"] {
            let reply = world.form_with(path, &[("authorization", &header)], &fields);
            assert_eq!(reply.outcome(), invalid_client(), "{path} {header}");
            assert!(reply.header("www-authenticate").starts_with("Basic realm=\""), "{reply:?}");
        }
    }
}

#[test]
fn a_client_that_cannot_keep_a_secret_is_given_none_and_trusted_with_nothing() {
    let _rows = proofkey_conformance::shows(&["rfc6749-10.1-1", "oauth21-2.4-1"]);
    let secret = || ClientSecret::from_text(&Secret::from(&*secret_of("app")));
    let public = Client::public("app").redirect_uri(REDIRECT_URI);
    assert!(misuse(public.clone().secret(secret())).contains("a public client has no client_secret"));
    let world = World::new();
    let refused = world.server.create_client(public.secret(secret()));
    assert!(matches!(refused, Err(AdminError::Invalid(_))), "{refused:?}");
    // One that has a secret built in is treated as public all the same.
    let embedded = confidential("app").redirect_uri("com.example.app:/cb").native().first_party();
    assert!(!embedded.is_confidential());
    assert!(misuse(embedded.clone().grant_types([GrantType::ClientCredentials])).contains("only a confidential web"));
    assert!(misuse(embedded.clone().may_introspect()).contains("only a confidential web client"));
    world.server.create_client(embedded).unwrap();
    let changes = json!({"client_id": "app", "redirect_uri": "com.example.app:/cb", "code_challenge": null});
    assert_eq!(world.authorize(&changes).outcome(), (400, "invalid_request".to_owned()), "PKCE as for everybody");
    let itself = world.form_as("app", "/auth/token", &[("grant_type", "client_credentials")]);
    assert_eq!(itself.outcome(), (400, "unauthorized_client".to_owned()));
    assert_eq!(world.form_as("app", "/auth/introspect", &[("token", "x")]).outcome(), invalid_client());
}

#[test]
fn a_client_with_a_secret_authenticates_by_basic_unless_it_says_otherwise() {
    let _rows = proofkey_conformance::shows(&["rfc9700-2.5-1"]);
    assert_eq!(confidential("site").token_endpoint_auth_method(), AuthMethod::ClientSecretBasic);
    assert!(misuse(confidential("site").auth_method(AuthMethod::None)).contains("a public client has no"));
}

#[test]
fn a_client_does_not_change_its_type_while_it_lives() {
    let _rows = proofkey_conformance::shows(&["oauth21-2.1-1"]);
    let world = World::new();
    let public = || Client::public("site").redirect_uri(REDIRECT_URI).first_party();
    let secretive = || confidential("site").redirect_uri(REDIRECT_URI).first_party();
    world.server.create_client(public()).unwrap();
    let code = world.code_with(&json!({"client_id": "site"}));
    let tokens = SignedIn::of(&world.redeem_with(&code, &[("client_id", "site")]));
    for other in [secretive(), secretive().auth_method(AuthMethod::ClientSecretPost)] {
        let refused = world.server.update_client(other);
        assert!(matches!(refused, Err(AdminError::TypeChange(_))), "{refused:?}");
    }
    assert!(world.works(&tokens.access), "the grants of the client as it is go on");
    world.server.update_client(public().name("The site")).unwrap();
    // Registered anew it may be another type; what it held before is gone by then.
    assert_eq!(world.server.delete_client("site").unwrap(), 1);
    assert!(!world.works(&tokens.access));
    world.server.create_client(secretive()).unwrap();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", &*tokens.refresh)];
    assert_eq!(world.form_as("site", "/auth/token", &refresh).outcome(), (400, "invalid_grant".to_owned()));
}

#[test]
fn a_client_named_like_a_user_is_never_taken_for_that_user() {
    let _rows = proofkey_conformance::shows(&["rfc9700-4.15.1-1"]);
    let both = confidential(ADA).may_introspect().grant_types([GrantType::ClientCredentials]);
    let world = World::with(|builder| builder.client(both));
    let reply = world.form_as(ADA, "/auth/token", &[("grant_type", "client_credentials"), ("scope", "read profile")]);
    let token = reply.text("access_token");
    assert_eq!(world.get("/auth/userinfo", &token).status, 403);
    let told = world.form_as(ADA, "/auth/introspect", &[("token", &token)]).json();
    assert_eq!((told["active"].as_bool(), told.get("sub")), (Some(true), None), "no subject at all: {told}");
    let request = http::Request::get("/api").header("authorization", format!("Bearer {token}"));
    let request = proofkey::Request::new(request.body(bytes::Bytes::new()).unwrap(), None);
    assert_eq!(world.server.check_access(request, Requirement::any()).unwrap().subject(), None);
    assert_eq!(world.server.grants_of(ADA).unwrap().len(), 0);
    assert_eq!(world.server.revoke_all(ADA).unwrap(), 0, "and signing the user out does not touch it");
    assert_eq!(world.form_as(ADA, "/auth/introspect", &[("token", &token)]).json()["active"], true);
}

#[test]
fn an_unknown_client_is_looked_up_once_and_told_what_a_wrong_secret_is_told() {
    let world = World::new();
    assert!(clients().iter().all(|client| client.client_id() != "nobody"));
    let fields = [("grant_type", "client_credentials"), ("scope", "read")];
    world.store.take_calls();
    let unknown = world.form_with("/auth/token", &[("authorization", &basic("nobody", "x"))], &fields);
    assert_eq!(world.store.take_calls().first(), Some(&Call::Get));
    let wrong = world.form_with("/auth/token", &[("authorization", &basic("service", "x"))], &fields);
    assert_eq!((unknown.status, &unknown.headers, &unknown.body), (wrong.status, &wrong.headers, &wrong.body));
}

#[test]
fn a_record_of_64_kib_can_be_written_and_a_larger_one_is_refused() {
    let create = |length: usize| {
        let rows = Arc::new(Rows::default());
        let world = World::over(rows.clone(), |builder| builder);
        let client = Client::public("stored").redirect_uri(REDIRECT_URI).name("x".repeat(length));
        let created = world.server.create_client(client);
        (created, rows.all().first().map(|(_, record)| record.body().len()))
    };
    let beside = create(1000).1.unwrap() - 1000;
    let (created, length) = create(MAX_BODY - beside);
    assert!(created.is_ok());
    assert_eq!(length, Some(MAX_BODY));
    let (created, length) = create(MAX_BODY - beside + 1);
    assert!(created.unwrap_err().to_string().contains("too large"));
    assert_eq!(length, None);
}
