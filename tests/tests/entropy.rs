//! Random values: their source, their form, and what happens without them.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;

use proofkey::{ClientSecret, Secret};
use proofkey_tests::{Admitted, Rows, World};

#[test]
fn without_entropy_every_request_is_a_500_and_nothing_is_stored() {
    let _rows = proofkey_conformance::shows(&["secrets-gen-1"]);
    let rows = Arc::new(Rows::default());
    let (good, code) = {
        let world = World::over(rows.clone(), |builder| builder);
        (world.sign_in(), world.code())
    };
    let versions = || rows.all().iter().map(|(_, record)| *record.version()).collect::<Vec<_>>();
    let before = versions();
    let dry = World::over(rows.clone(), |builder| builder.without_entropy());
    let replies = [dry.redeem(&code), dry.refresh(&good.refresh), dry.authorize(&serde_json::json!({}))];
    for reply in replies {
        assert_eq!(reply.outcome(), (500, "server_error".to_owned()));
        assert_eq!(reply.header("retry-after"), "");
    }
    let refusal = dry.server.pkce().unwrap_err();
    assert!(refusal.cause().unwrap().to_string().contains("no random bytes"));
    assert!(dry.store.take_calls().is_empty());
    assert_eq!(versions(), before);
}

#[test]
fn the_core_depends_on_no_generator_that_seeds_itself() {
    let _rows = proofkey_conformance::shows(&["secrets-gen-1"]);
    let tree = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--package", "proofkey-core", "--edges", "normal", "--prefix", "none", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("chacha20") && crates.contains("rand_core"), "{tree}");
    for source in ["getrandom", "rand", "rand_chacha", "fastrand", "oorandom", "rand_pcg"] {
        assert!(!crates.contains(source), "the core depends on {source}");
    }
}

#[test]
fn every_secret_is_url_safe_of_one_length_a_kind_and_new_each_time() {
    let _rows = proofkey_conformance::shows(&["secrets-gen-2"]);
    let world = World::with(|builder| builder.authenticator(Admitted::default()).limit_user("off"));
    let mut kinds: [Vec<String>; 6] = Default::default();
    let owned = |secret: &Secret| secret.expose_text().unwrap().to_owned();
    for at in 0..1000_u32 {
        let code = world.code();
        let tokens = proofkey_tests::SignedIn::of(&world.redeem(&code));
        let pkce = world.server.pkce().unwrap();
        let mut random = [0; 32];
        random[..4].copy_from_slice(&at.to_be_bytes());
        let client_secret = owned(&ClientSecret::generate(random).1);
        let made =
            [code, tokens.access, tokens.refresh, owned(pkce.code_verifier()), pkce.state().to_owned(), client_secret];
        for (kind, value) in kinds.iter_mut().zip(made) {
            kind.push(value);
        }
    }
    for values in kinds {
        let example = &values[0];
        assert!(values.iter().all(|value| value.len() == example.len()), "{example}");
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        assert!(values.iter().all(|value| value.bytes().all(safe)), "{example}");
        assert_eq!(values.iter().collect::<BTreeSet<_>>().len(), 1000, "{example}");
    }
}
