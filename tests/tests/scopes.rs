//! Scope and audience: never more than asked, allowed and granted (RFC 6749 section 3.3, RFC 9700 section 2.3; I10).

use std::time::Duration;

use proofkey::core::Request;
use proofkey::{Client, ErrorCode, Requirement, Scope};
use proofkey_tests::{REDIRECT_URI, Reply, SignedIn, World};
use serde_json::{Value, json};

const API: &str = "https://api.example/";
const FILES: &str = "https://files.example/";

fn refused(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

/// The scope that a sign-in ends with, or the error.
fn granted(world: &World, client: &str, scope: &Value) -> Result<String, String> {
    let reply = world.authorize(&json!({"client_id": client, "scope": scope}));
    if reply.status != 200 {
        return Err(reply.error());
    }
    Ok(world.redeem_with(&reply.text("code"), &[("client_id", client)]).text("scope"))
}

fn refresh_with(world: &World, token: &str, extra: &[(&str, &str)]) -> Reply {
    let fields = [("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", token)];
    world.form("/auth/token", &[fields.as_slice(), extra].concat())
}

fn api_request(token: &str) -> Request {
    let request = http::Request::get("/things").header("authorization", format!("Bearer {token}"));
    Request::new(request.body(bytes::Bytes::new()).unwrap(), None)
}

#[test]
fn a_client_gets_no_scope_beyond_its_registration_and_is_told_what_it_got() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.3-1", "rfc9700-2.3-1"]);
    let world = World::new();
    let table = [
        ("reader", "read write", Ok("read")),
        ("reader", "read write admin", Ok("read")),
        ("reader", "profile read", Ok("profile read")),
        ("reader", "write email", Err("invalid_scope")),
        ("web", "read admin", Ok("read")),
        ("web", "admin", Err("invalid_scope")),
    ];
    for (client, asked, expected) in table {
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(granted(&world, client, &json!(asked)), expected, "{client} asks for {asked}");
    }
}

#[test]
fn without_a_scope_the_default_is_granted_and_told_and_without_a_default_it_is_an_error() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.3-2"]);
    let with_default = World::with(|builder| builder.set("default_scope", "read profile"));
    for none in [Value::Null, json!("")] {
        assert_eq!(granted(&with_default, "web", &none), Ok("profile read".to_owned()));
        assert_eq!(granted(&World::new(), "web", &none), Err("invalid_scope".to_owned()));
    }
}

#[test]
fn a_scope_is_a_set_of_case_sensitive_words_in_allowed_characters() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.3-3"]);
    let world = World::new();
    for bad in ["read  write", "réad", "read \"write\"", "read\\write", " read", "read ", "read\twrite", "read\nwrite"]
    {
        assert_eq!(granted(&world, "web", &json!(bad)), Err("invalid_scope".to_owned()), "{bad:?}");
    }
    assert_eq!(granted(&world, "web", &json!("Read")), Err("invalid_scope".to_owned()), "Read is not read");
    assert_eq!(granted(&world, "web", &json!("Read read")), Ok("read".to_owned()));
    let either = ["write read", "read write", "read write read"].map(|asked| granted(&world, "web", &json!(asked)));
    assert!(either.iter().all(|scope| scope.as_deref() == Ok("read write")), "{either:?}");
    let tokens = world.sign_in();
    for bad in ["read  write", "réad", "re\"ad", "re\\ad"] {
        assert_eq!(refresh_with(&world, &tokens.refresh, &[("scope", bad)]).outcome(), refused("invalid_scope"));
    }
}

#[test]
fn a_refresh_that_asks_for_more_is_refused_and_uses_nothing_up() {
    let _rows = proofkey_conformance::shows(&["rfc6749-5.2-6"]);
    let world = World::new();
    let code = world.code_with(&json!({"scope": "read"}));
    let tokens = SignedIn::of(&world.redeem(&code));
    for more in ["read write", "write", "read admin", "Read"] {
        let reply = refresh_with(&world, &tokens.refresh, &[("scope", more)]);
        assert_eq!(reply.outcome(), refused("invalid_scope"), "{more}");
    }
    let refreshed = SignedIn::of(&world.refresh(&tokens.refresh));
    assert_ne!(refreshed.refresh, tokens.refresh, "the first use that counted");
}

#[test]
fn a_narrower_refresh_narrows_its_access_token_and_not_the_grant() {
    let _rows = proofkey_conformance::shows(&["rfc6749-6-3", "rfc6749-6-4"]);
    let world = World::new();
    let code = world.code_with(&json!({"scope": "read write"}));
    let tokens = SignedIn::of(&world.redeem(&code));
    let narrow = refresh_with(&world, &tokens.refresh, &[("scope", "read")]);
    assert_eq!(narrow.text("scope"), "read");
    let requirement = || Requirement::scope(Scope::parse("write").unwrap());
    let write = world.server.check_access(api_request(&narrow.text("access_token")), requirement());
    assert_eq!(write.unwrap_err().code(), ErrorCode::InsufficientScope);
    let whole = world.refresh(&narrow.text("refresh_token"));
    assert_eq!(whole.text("scope"), "read write", "the refresh token kept it all");
    assert!(world.server.check_access(api_request(&whole.text("access_token")), requirement()).is_ok());
    let wide = refresh_with(&world, &whole.text("refresh_token"), &[("scope", "read write profile")]);
    assert_eq!(wide.outcome(), refused("invalid_scope"));
}

#[test]
fn a_refresh_stays_within_the_resources_that_were_granted() {
    let _rows = proofkey_conformance::shows(&["rfc9700-4.14.2-2"]);
    let world = World::new();
    let code = world.code_with(&json!({"client_id": "scoped", "resource": API, "scope": "read"}));
    let tokens = SignedIn::of(&world.redeem_with(&code, &[("client_id", "scoped")]));
    let refresh = |extra: &[(&str, &str)]| {
        let fields = [("grant_type", "refresh_token"), ("client_id", "scoped"), ("refresh_token", &*tokens.refresh)];
        world.form("/auth/token", &[fields.as_slice(), extra].concat())
    };
    for more in [&[("resource", FILES)][..], &[("resource", API), ("resource", FILES)], &[("resource", "x")]] {
        assert_eq!(refresh(more).outcome(), refused("invalid_target"), "{more:?}");
    }
    assert_eq!(refresh(&[("scope", "write")]).outcome(), refused("invalid_scope"));
    let token = refresh(&[("resource", API)]).text("access_token");
    let check = |resource: &str| {
        world.server.check_access(api_request(&token), Requirement::any().for_resource(resource)).map(|_| ())
    };
    assert!(check(API).is_ok() && check(FILES).is_err());
    let unknown = world.authorize(&json!({"client_id": "scoped", "resource": "https://else.example/"}));
    assert_eq!(unknown.outcome(), refused("invalid_target"));
}

#[test]
fn a_token_for_one_resource_opens_no_other() {
    let _rows = proofkey_conformance::shows(&["rfc9700-2.3-2"]);
    let world = World::new();
    let code = world.code_with(&json!({"client_id": "scoped", "resource": API}));
    let restricted = SignedIn::of(&world.redeem_with(&code, &[("client_id", "scoped")])).access;
    let unrestricted = world.sign_in().access;
    let check = |token: &str, requirement: Requirement| {
        let refusal = world.server.check_access(api_request(token), requirement).err()?;
        Some((refusal.status().as_u16(), refusal.code()))
    };
    let invalid = Some((401, ErrorCode::InvalidToken));
    assert_eq!(check(&restricted, Requirement::any().for_resource(API)), None);
    assert_eq!(check(&restricted, Requirement::any().for_resource(FILES)), invalid);
    assert_eq!(check(&restricted, Requirement::any()), invalid, "this server is another resource, too");
    assert_eq!(check(&unrestricted, Requirement::any().for_resource(API)), invalid);
    assert_eq!(world.get("/auth/userinfo", &restricted).outcome(), (401, "invalid_token".to_owned()));
}

#[test]
fn a_protected_resource_serves_only_a_live_token_that_is_wide_enough() {
    let _rows = proofkey_conformance::shows(&["rfc6749-7-1"]);
    let world = World::new();
    let code = world.code_with(&json!({"scope": "read"}));
    let token = SignedIn::of(&world.redeem(&code)).access;
    let check = |scope: &str| {
        let requirement = Requirement::scope(Scope::parse(scope).unwrap());
        world.server.check_access(api_request(&token), requirement).err()
    };
    let outcome = |scope: &str| check(scope).map(|refusal| (refusal.status().as_u16(), refusal.code()));
    assert_eq!(outcome("read"), None);
    assert_eq!(outcome("read write"), Some((403, ErrorCode::InsufficientScope)));
    assert_eq!(world.get("/auth/userinfo", &token).status, 200);
    world.wait(3600);
    assert_eq!(outcome("read"), Some((401, ErrorCode::InvalidToken)));
    assert_eq!(world.get("/auth/userinfo", &token).outcome(), (401, "invalid_token".to_owned()));
}

#[test]
fn userinfo_and_me_show_the_claims_that_the_scope_shows_and_no_others() {
    let world = World::new();
    let table = [
        ("read", json!({"sub": "u-ada", "scope": "read"})),
        ("read profile", json!({"sub": "u-ada", "scope": "profile read", "name": "Ada L."})),
        ("email", json!({"sub": "u-ada", "scope": "email", "email": "ada@example.com"})),
        ("internal", json!({"sub": "u-ada", "scope": "internal", "role": "engineer"})),
    ];
    for (scope, expected) in table {
        let code = world.code_with(&json!({ "scope": scope }));
        let token = SignedIn::of(&world.redeem(&code)).access;
        assert_eq!(world.get("/auth/userinfo", &token).json(), expected, "{scope}");
        assert_eq!(world.get("/auth/me", &token).json(), expected, "{scope}");
    }
}

#[test]
fn a_narrowed_token_shows_less_and_no_claim_replaces_the_subject() {
    let forger = proofkey::User::new("u-eve")
        .with_username("eve@example.com")
        .with_claim("sub", "u-ada")
        .with_claim("scope", "internal")
        .with_claim("name", "Eve");
    let world = World::with(|builder| {
        let shown = proofkey::ScopeText::new("profile", "See your name").showing(["name", "sub", "scope"]);
        builder.scope_text("profile", shown).authenticator(Everybody(forger))
    });
    let code = world.code_with(&json!({"scope": "read profile"}));
    let tokens = SignedIn::of(&world.redeem(&code));
    let told = world.get("/auth/me", &tokens.access).json();
    assert_eq!(told, json!({"sub": "u-eve", "scope": "profile read", "name": "Eve"}));
    let narrow = refresh_with(&world, &tokens.refresh, &[("scope", "read")]);
    let told = world.get("/auth/me", &narrow.text("access_token")).json();
    assert_eq!(told, json!({"sub": "u-eve", "scope": "read"}));
}

/// A host that lets everybody in as one user.
struct Everybody(proofkey::User);

impl proofkey::Authenticator for Everybody {
    fn authenticate(&self, _: &str, _: &proofkey::Secret) -> Result<proofkey::UserAnswer, proofkey::StoreError> {
        Ok(proofkey::UserAnswer::Found(self.0.clone()))
    }

    fn find(&self, _: &str) -> Result<proofkey::UserAnswer, proofkey::StoreError> {
        Ok(proofkey::UserAnswer::Found(self.0.clone()))
    }
}

#[test]
fn a_server_without_scopes_stands_and_warns_that_it_gives_no_tokens() {
    let warned =
        |world: &World| world.server.with_config(proofkey::Config::warnings).join(" ").contains("scopes is empty");
    let world = World::with(|builder| builder.set("scopes", ""));
    assert!(warned(&world) && !warned(&World::new()));
    assert_eq!(world.authorize(&Value::Null).outcome(), refused("invalid_scope"));
}

#[test]
fn a_client_has_lifetimes_of_its_own() {
    let client = Client::public("brisk")
        .redirect_uri(REDIRECT_URI)
        .first_party()
        .access_token_lifetime(Duration::from_secs(90))
        .refresh_token_lifetime(Duration::from_secs(600))
        .grant_lifetime(Duration::from_secs(3600));
    let world = World::with(|builder| builder.client(client));
    let code = world.code_with(&json!({"client_id": "brisk"}));
    let reply = world.redeem_with(&code, &[("client_id", "brisk")]);
    assert_eq!(reply.json()["expires_in"], 90);
    let tokens = SignedIn::of(&reply);
    world.wait(90);
    assert!(!world.works(&tokens.access));
    world.wait(510);
    let fields = [("grant_type", "refresh_token"), ("client_id", "brisk"), ("refresh_token", &*tokens.refresh)];
    assert_eq!(world.form("/auth/token", &fields).outcome(), refused("invalid_grant"));
}
