//! Types that hold secrets: they print nothing, compare in constant time, and cannot be copied or written out by chance.

use std::fmt::{Debug, Display};

use proofkey::core::{Entropy, FernetKey, FernetRing, KeyRing, SecretDigest};
use proofkey::{
    Client, ClientCredentials, ClientSecret, CodeExchange, Keys, Request, Secret, Server, User, UserQuestion,
};
use proofkey_tests::{REDIRECT_URI, World, configure};
use serde::Serialize;

const CANARY: &str = "canary-Vb7-quite-secret";
const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

fn canary() -> Secret {
    Secret::from(CANARY)
}

/// Fails to compile where `$type` implements `$bound`: then two implementations fit and none can be chosen.
macro_rules! lacks {
    ($type:ty: $($bound:path),+) => {$({
        trait Ambiguous<A> {
            fn chosen() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        struct Implements;
        impl<T: ?Sized + $bound> Ambiguous<Implements> for T {}
        <$type as Ambiguous<_>>::chosen();
    })+};
}

#[test]
fn secrets_have_no_equality_but_the_constant_time_one() {
    let _rows = proofkey_conformance::shows(&["secrets-store-3"]);
    lacks!(Secret: PartialEq, PartialOrd, std::hash::Hash, AsRef<[u8]>, std::ops::Deref);
    lacks!(SecretDigest: PartialEq, PartialOrd, std::hash::Hash);
    lacks!(ClientSecret: PartialEq, PartialOrd, std::hash::Hash);
    lacks!(FernetKey: PartialEq, PartialOrd, std::hash::Hash);
    assert!(canary().matches(&canary()) && canary().digest().matches(&SecretDigest::of(CANARY.as_bytes())));
    for other in ["", "canary-Vb7-quite-secreu", "danary-Vb7-quite-secret", "canary-Vb7-quite-secre"] {
        assert!(!canary().matches(&Secret::from(other)), "{other}");
        assert!(!canary().digest().matches(&SecretDigest::of(other.as_bytes())), "{other}");
    }
}

#[test]
fn secrets_cannot_be_printed_copied_or_written_out() {
    let _rows = proofkey_conformance::shows(&["secrets-mem-1"]);
    lacks!(Secret: Display, Clone, Serialize, ToString);
    lacks!(SecretDigest: Display, Serialize);
    lacks!(ClientSecret: Display, Serialize);
    lacks!(FernetKey: Display, Clone, Serialize);
    lacks!(FernetRing: Display, Clone, Serialize);
    lacks!(Entropy: Display, Clone, Serialize);
    lacks!(KeyRing: Display, Clone, Serialize);
    lacks!(Keys: Display, Clone, Serialize);
    lacks!(User: Serialize);
    for printed in [
        format!("{:?}", canary()),
        format!("{:#?}", canary()),
        format!("{:?}", FernetKey::parse(KEY).unwrap()),
        format!("{:?}", Entropy::from_seed(1)),
    ] {
        assert_eq!(printed, "[redacted]");
    }
    assert_eq!(format!("{:?}", canary().digest()), "[digest]");
}

#[test]
fn what_contains_a_secret_prints_without_it() {
    let _rows = proofkey_conformance::shows(&["secrets-mem-1", "secrets-log-1"]);
    let chosen = ClientSecret::from_text(&canary());
    let digest = format!("{:?}", canary().digest().as_bytes());
    let key = || Secret::from(KEY);
    let request = http::Request::post(format!("/auth/token?code={CANARY}")).header("authorization", CANARY);
    let keys = Keys::parse(&key()).unwrap();
    let builder = configure(Server::builder("https://as.example")).keys(proofkey_tests::keys(KEY));
    let world = World::new();
    let pkce = world.server.pkce().unwrap();
    let things: Vec<Box<dyn Debug>> = vec![
        Box::new(Client::confidential("c", chosen.clone()).redirect_uri(REDIRECT_URI)),
        Box::new(chosen),
        Box::new(ClientCredentials::secret("c", canary())),
        Box::new(CodeExchange::new(canary(), canary())),
        Box::new(UserQuestion::Authenticate { name: "ada".to_owned(), password: canary() }),
        Box::new(UserQuestion::StorePasswordHash {
            subject: "ada".to_owned(),
            hash: CANARY.to_owned(),
            replaces: Some(CANARY.to_owned()),
        }),
        Box::new(User::new("ada").with_password_hash(CANARY)),
        Box::new(Request::new(request.body(CANARY.into()).unwrap(), None)),
        Box::new(KeyRing::parse(&key()).unwrap()),
        Box::new(FernetRing::new(FernetKey::parse(KEY).unwrap(), vec![FernetKey::parse(KEY).unwrap()])),
        Box::new(keys),
        Box::new(builder),
        Box::new(world.server),
    ];
    for thing in things {
        for printed in [format!("{thing:?}"), format!("{thing:#?}")] {
            for secret in [CANARY, KEY.trim_end_matches('='), &digest] {
                assert!(!printed.contains(secret), "{printed}");
            }
        }
    }
    assert!(!format!("{pkce:?}").contains(pkce.code_verifier().expose_text().unwrap()));
}

#[test]
fn tokens_of_a_typed_call_print_nothing_of_themselves() {
    let _rows = proofkey_conformance::shows(&["secrets-mem-1"]);
    let world = World::new();
    let exchange = CodeExchange::new(Secret::from(&*world.code()), Secret::from(proofkey_tests::VERIFIER));
    let tokens = world.server.redeem(ClientCredentials::public("web"), exchange.redirect_uri(REDIRECT_URI)).unwrap();
    let printed = format!("{tokens:?}");
    for token in [tokens.access_token(), tokens.refresh_token().unwrap()] {
        assert!(!printed.contains(token.expose_text().unwrap()), "{printed}");
    }
}
