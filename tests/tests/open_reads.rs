//! What anybody may read is limited for each address, within the process, and stores nothing (design section 3).

use std::net::IpAddr;
use std::time::Duration;

use proofkey_tests::World;

const METADATA: &str = "/.well-known/oauth-authorization-server/auth";

#[test]
fn a_flood_of_challenges_and_metadata_is_refused_without_a_store_call_and_spares_other_addresses() {
    let mut world = World::new();
    world.store.take_calls();
    let challenge = |world: &World| world.json("/auth/challenge", &serde_json::json!({}));
    for _ in 0..300 {
        assert_eq!(challenge(&world).status, 200);
        assert_eq!(world.get_plain(METADATA).status, 200);
    }
    for reply in [challenge(&world), world.get_plain(METADATA)] {
        assert_eq!(reply.outcome(), (429, "temporarily_unavailable".to_owned()));
        assert_eq!(reply.header("retry-after"), "60");
    }
    assert!(world.store.take_calls().is_empty());
    assert_eq!(world.refresh("x").status, 400, "other endpoints have limits of their own");
    world.peer = Some(IpAddr::from([198, 51, 100, 7]));
    assert_eq!(challenge(&world).status, 200);
    world.peer = Some(IpAddr::from([192, 0, 2, 1]));
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(challenge(&world).status, 200);
}

#[test]
fn it_goes_with_the_limit_by_address() {
    let world = World::with(|builder| builder.limit_address("off"));
    for _ in 0..700 {
        assert_eq!(world.json("/auth/challenge", &serde_json::json!({})).status, 200);
    }
}
