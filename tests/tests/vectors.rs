//! The test vectors of `tests/conformance/vectors.toml`, run against whole servers where a server sees them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use proofkey::core::{FernetKey, UnixTime};
use proofkey::{AuthMethod, Client, ClientSecret, GrantType, Secret, UserChange};
use proofkey_tests::{ADA, REDIRECT_URI, World};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use toml::{Table, Value};

/// Vectors of features that do not exist yet, and of base64url alone, which is a library's.
const NOT_RUN: [&str; 7] =
    ["at-hash", "base64url", "dpop-ath", "dpop-proof", "jwk-thumbprint", "jws", "well-known of another document"];
const RUN: [&str; 9] = [
    "basic-auth",
    "bcrypt",
    "bcrypt-limit",
    "fernet-generate",
    "fernet-verify",
    "form",
    "pkce",
    "redirect-match",
    "well-known",
];

struct Vector(Table);

impl Vector {
    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{name} of {:?}", self.0))
    }

    fn number(&self, name: &str) -> u64 {
        self.0[name].as_integer().unwrap().try_into().unwrap()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        let hex = self.text(name).as_bytes();
        hex.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn is_valid(&self) -> bool {
        self.0["valid"].as_bool().unwrap()
    }

    /// The kind, where vectors of documents that do not exist are a kind of their own.
    fn kind(&self) -> &str {
        match self.text("kind") {
            "well-known" if !self.text("url").contains("oauth-authorization-server") => NOT_RUN[6],
            kind => kind,
        }
    }
}

fn all() -> Vec<Vector> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/vectors.toml");
    let table: Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    table["vector"].as_array().unwrap().iter().map(|one| Vector(one.as_table().unwrap().clone())).collect()
}

/// Runs the vectors of one kind; `check` says whether a vector was accepted.
fn run(kind: &str, check: impl Fn(&Vector) -> bool) {
    let vectors: Vec<Vector> = all().into_iter().filter(|one| one.kind() == kind).collect();
    assert!(RUN.contains(&kind) && !vectors.is_empty(), "{kind}");
    for vector in vectors {
        let valid = !vector.0.contains_key("valid") || vector.is_valid();
        assert_eq!(check(&vector), valid, "{}", vector.text("id"));
    }
}

/// A confidential client with this secret, which may get a token for itself.
fn client(client_id: &str, secret: &str, method: AuthMethod) -> Client {
    let secret = ClientSecret::from_text(&Secret::from(secret));
    Client::confidential(client_id, secret).auth_method(method).grant_types([GrantType::ClientCredentials])
}

#[test]
fn every_kind_of_vector_is_run_or_belongs_to_something_that_does_not_exist() {
    for vector in all() {
        let kind = vector.kind();
        assert!(RUN.contains(&kind) != NOT_RUN.contains(&kind), "{kind}");
    }
}

#[test]
fn verifiers_are_accepted_as_the_vectors_say() {
    let _rows = proofkey_conformance::shows(&["rfc7636-4.1-1", "rfc7636-4.2-2"]);
    run("pkce", |vector| {
        let (world, verifier) = (World::new(), vector.text("code_verifier"));
        // A verifier that is refused is refused for its form: its challenge would fit.
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        assert!(!vector.is_valid() || challenge == vector.text("code_challenge"));
        let changes =
            json!({ "code_challenge": challenge, "code_challenge_method": vector.text("code_challenge_method") });
        let code = world.authorize(&changes).text("code");
        let reply = world.form(
            "/auth/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", "web"),
                ("code", &code),
                ("redirect_uri", REDIRECT_URI),
                ("code_verifier", verifier),
            ],
        );
        assert!([(200, String::new()), (400, "invalid_grant".to_owned())].contains(&reply.outcome()), "{reply:?}");
        reply.status == 200
    });
}

#[test]
fn basic_credentials_are_form_decoded() {
    let _rows = proofkey_conformance::shows(&["rfc6749-2.3.1-1", "rfc6749-2.3.1-2"]);
    run("basic-auth", |vector| {
        let one = client(vector.text("client_id"), vector.text("client_secret"), AuthMethod::ClientSecretBasic);
        let world = World::with(|builder| builder.client(one));
        let token = |header: &str| {
            let fields = [("grant_type", "client_credentials"), ("scope", "read")];
            world.form_with("/auth/token", &[("authorization", header)], &fields).status
        };
        let raw = STANDARD.encode(format!("{}:{}", vector.text("client_id"), vector.text("client_secret")));
        let is_plain = format!("Basic {raw}") == vector.text("header");
        assert_eq!(token(&format!("Basic {raw}")), if is_plain { 200 } else { 401 });
        token(vector.text("header")) == 200
    });
}

#[test]
fn forms_are_decoded_as_utf8() {
    let _rows = proofkey_conformance::shows(&["rfc6749-B-1"]);
    run("form", |vector| {
        let world =
            World::with(|builder| builder.client(client("form", vector.text("decoded"), AuthMethod::ClientSecretPost)));
        let encoded = vector.text("encoded");
        let body = format!("grant_type=client_credentials&scope=read&client_id=form&client_secret={encoded}");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        world.request(Method::POST, "/auth/token", &headers, body).status == 200
    });
}

#[test]
fn the_metadata_is_where_rfc_8414_puts_it() {
    let _rows = proofkey_conformance::shows(&["rfc8414-3-1"]);
    run("well-known", |vector| {
        let issuer = vector.text("issuer");
        let world = World::with(|builder| builder.set("issuer", issuer));
        let (_, path) = vector.text("url").split_once("/.well-known").unwrap();
        let reply = world.get_plain(&format!("/.well-known{path}"));
        reply.status == 200 && reply.text("issuer") == issuer
    });
}

#[test]
fn redirect_uris_match_as_the_vectors_say() {
    let _rows = proofkey_conformance::shows(&["rfc6749-3.1.2.3-2", "rfc8252-7.3-1"]);
    run("redirect-match", |vector| {
        let client = Client::public("one").redirect_uri(vector.text("registered")).native().first_party();
        let world = World::with(|builder| builder.client(client));
        let reply = world.authorize(&json!({ "client_id": "one", "redirect_uri": vector.text("requested") }));
        assert!([(200, String::new()), (400, "invalid_request".to_owned())].contains(&reply.outcome()), "{reply:?}");
        reply.status == 200
    });
}

#[test]
fn fernet_tokens_are_made_as_the_vectors_say() {
    let _rows = proofkey_conformance::shows(&["fernet-token-1"]);
    run("fernet-generate", |vector| {
        let key = FernetKey::parse(vector.text("key")).unwrap();
        let (now, message) = (UnixTime::from_seconds(vector.number("now")), vector.bytes("message_hex"));
        let token = key.encrypt(&message, now, vector.bytes("iv_hex").try_into().unwrap());
        assert_eq!(key.decrypt(&token, Some(Duration::from_secs(60)), now).unwrap().expose(), message);
        token == vector.text("token")
    });
}

#[test]
fn fernet_tokens_are_read_as_the_vectors_say() {
    let _rows = proofkey_conformance::shows(&["fernet-verify-3", "fernet-verify-4", "fernet-verify-6"]);
    run("fernet-verify", |vector| {
        let key = FernetKey::parse(vector.text("key")).unwrap();
        let (ttl, now) = (Duration::from_secs(vector.number("ttl")), UnixTime::from_seconds(vector.number("now")));
        let opened = key.decrypt(vector.text("token"), Some(ttl), now);
        if let (Ok(message), true) = (&opened, vector.0.contains_key("message_hex")) {
            assert_eq!(message.expose(), vector.bytes("message_hex"));
        }
        opened.is_ok()
    });
}

#[test]
fn imported_hashes_are_verified_as_the_vectors_say() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-3", "passwords-hash-6", "passwords-hash-8"]);
    run("bcrypt", |vector| {
        let password = String::from_utf8(vector.bytes("password_hex")).unwrap();
        let signs_in = signs_in(vector.text("hash"), &password);
        // The vector is bcrypt's; that nobody signs in without a password is ours.
        if password.is_empty() { vector.is_valid() && !signs_in } else { signs_in }
    });
}

#[test]
fn what_is_longer_than_bcrypt_sees_is_verified_as_it_was_made_and_never_set() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-1"]);
    run("bcrypt-limit", |vector| {
        let password = String::from_utf8(vector.bytes("password_hex")).unwrap();
        assert!(signs_in(vector.text("hash"), &password), "an imported hash cuts as its maker did");
        let world = World::new();
        let user = proofkey::User::new("long").with_username("long");
        let created = world.server.create_user(user.clone(), Secret::from(&*password));
        assert!(created.unwrap_err().to_string().contains("longer than 71 bytes"));
        world.server.create_user(user, Secret::from("an own passphrase of ours")).unwrap();
        world.server.change_user("long", UserChange::Password(Secret::from(&*password))).is_ok()
    });
}

/// Whether Ada signs in with `password` where the host's table has `hash`.
fn signs_in(hash: &str, password: &str) -> bool {
    let world = World::new();
    world.people.set_hash(ADA, hash);
    world.authorize(&json!({ "password": password })).status == 200
}
