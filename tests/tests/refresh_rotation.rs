//! Refresh tokens: rotation, repeats, slow duplicates and theft (design section 4; invariants I6 to I11).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use proofkey::EventKind;
use proofkey_tests::{Call, Reply, Rows, SignedIn, World};
use serde_json::json;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judgement {
    /// The tokens of the last rotation once more.
    Again,
    /// Refused; the grant goes on.
    Refused,
    /// New tokens.
    Rotated,
    /// Refused; the grant is over.
    Revoked,
}

use EventKind::{RefreshRepeated, RefreshReplayed, RefreshStale, Refreshed};
use Judgement::{Again, Refused, Revoked, Rotated};

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

/// A grant whose refresh token has been rotated some times: all that was ever issued, the newest last.
struct Family {
    world: World,
    issued: Vec<SignedIn>,
}

impl Family {
    /// Rotates at these moments, in seconds after the sign-in.
    fn new(world: World, rotations: &[u64]) -> Self {
        let mut issued = vec![world.sign_in()];
        let mut now = 0;
        for at in rotations {
            world.wait(at - now);
            now = *at;
            issued.push(SignedIn::of(&world.refresh(&issued[issued.len() - 1].refresh)));
        }
        Self { world, issued }
    }

    fn newest(&self) -> &SignedIn {
        &self.issued[self.issued.len() - 1]
    }

    /// How the token of a generation is judged now, and the event that tells of it.
    fn present(&self, generation: usize) -> (Judgement, Vec<EventKind>) {
        self.world.take_events();
        let reply = self.world.refresh(&self.issued[generation].refresh);
        let mut events = self.world.take_events();
        events.retain(|kind| *kind != EventKind::Refused);
        let lives = self.world.works(&self.newest().access);
        if reply.status != 200 {
            assert_eq!(reply.outcome(), invalid_grant());
            return (if lives { Refused } else { Revoked }, events);
        }
        assert!(lives);
        let tokens = SignedIn::of(&reply);
        let same = tokens.access == self.newest().access && tokens.refresh == self.newest().refresh;
        assert!(same || !self.issued.iter().any(|one| one.refresh == tokens.refresh || one.access == tokens.access));
        (if same { Again } else { Rotated }, events)
    }
}

struct Case {
    leeway: &'static str,
    /// In seconds after the sign-in.
    rotations: &'static [u64],
    /// Of the token that is presented.
    generation: usize,
    /// Seconds since the last rotation.
    age: u64,
    judgement: Judgement,
    event: EventKind,
}

const fn case(
    leeway: &'static str,
    rotations: &'static [u64],
    generation: usize,
    age: u64,
    judgement: Judgement,
    event: EventKind,
) -> Case {
    Case { leeway, rotations, generation, age, judgement, event }
}

#[test]
fn a_presented_refresh_token_is_judged_by_its_generation_and_its_age() {
    let _rows = proofkey_conformance::shows(&["rfc9700-4.14.2-3", "rfc9700-4.14.2-7"]);
    let table = [
        // The current one.
        case("30", &[], 0, 0, Rotated, Refreshed),
        case("30", &[5], 1, 0, Rotated, Refreshed),
        case("30", &[5, 20], 2, 3500, Rotated, Refreshed),
        case("0", &[5, 20], 2, 1, Rotated, Refreshed),
        // The predecessor, whose successor nobody has used.
        case("30", &[5], 0, 0, Again, RefreshRepeated),
        case("30", &[5], 0, 30, Again, RefreshRepeated),
        case("60", &[5], 0, 60, Again, RefreshRepeated),
        case("12", &[5], 0, 12, Again, RefreshRepeated),
        case("30", &[0, 20, 40], 2, 30, Again, RefreshRepeated),
        case("30", &[5], 0, 31, Refused, RefreshStale),
        case("30", &[5], 0, 34, Refused, RefreshStale),
        case("30", &[5], 0, 35, Revoked, RefreshReplayed),
        case("30", &[5], 0, 3000, Revoked, RefreshReplayed),
        case("12", &[5], 0, 17, Revoked, RefreshReplayed),
        // One whose successor has been used: a slow duplicate at best.
        case("30", &[5, 6], 0, 0, Refused, RefreshStale),
        case("30", &[5, 6], 0, 33, Refused, RefreshStale),
        case("30", &[5, 6], 0, 34, Revoked, RefreshReplayed),
        case("60", &[0, 1, 2, 3], 0, 60, Refused, RefreshStale),
        case("60", &[0, 1, 2, 3], 0, 62, Revoked, RefreshReplayed),
        case("30", &[0, 1, 2, 40], 1, 0, Revoked, RefreshReplayed),
        case("30", &[0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30], 0, 4, Refused, RefreshStale),
        case("30", &[0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30], 0, 5, Revoked, RefreshReplayed),
        case("30", &[0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30], 8, 5, Refused, RefreshStale),
        // Without leeway every retired one is a replay.
        case("0", &[5], 0, 0, Revoked, RefreshReplayed),
        case("0", &[5], 0, 4, Revoked, RefreshReplayed),
        case("0", &[5, 6], 0, 0, Revoked, RefreshReplayed),
        case("0", &[5, 6], 1, 3000, Revoked, RefreshReplayed),
    ];
    for Case { leeway, rotations, generation, age, judgement, event } in table {
        let deadline = if leeway == "12" { "5" } else { "6" };
        let world = World::with(|builder| builder.set("reuse_leeway", leeway).set("flow_deadline", deadline));
        let family = Family::new(world, rotations);
        family.world.wait(age);
        let told = family.present(generation);
        assert_eq!(told, (judgement, vec![event]), "leeway {leeway}, {rotations:?}, {generation} after {age} s");
        if judgement == Revoked {
            for one in &family.issued {
                assert!(!family.world.works(&one.access), "every access token is dead");
                assert_eq!(family.world.refresh(&one.refresh).outcome(), invalid_grant());
            }
        }
    }
}

#[test]
fn a_token_that_is_newer_than_its_record_means_lost_writes_and_revokes_nothing() {
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| builder);
    let restore = |backup: Vec<_>| backup.into_iter().for_each(|(key, record)| rows.overwrite(&key, record));
    let code = world.code();
    let unredeemed = rows.all();
    let first = SignedIn::of(&world.redeem(&code));
    let backup = rows.all();
    let lost = SignedIn::of(&world.refresh(&first.refresh));
    let assert_rolled_back = |token: &str| {
        world.take_events();
        world.store.take_calls();
        assert_eq!(world.refresh(token).outcome(), invalid_grant());
        assert!(world.take_events().contains(&EventKind::StoreRolledBack));
        assert_eq!(world.store.take_calls(), [Call::Get], "nothing is written");
    };
    restore(backup);
    assert_rolled_back(&lost.refresh);
    let second = SignedIn::of(&world.refresh(&first.refresh));
    assert_ne!(second.refresh, lost.refresh);
    // The lost one has a twin now: the same generation, another secret.
    assert_rolled_back(&lost.refresh);
    let third = SignedIn::of(&world.refresh(&second.refresh));
    assert_rolled_back(&lost.refresh);
    assert!(world.works(&third.access), "the grant goes on");
    restore(unredeemed);
    assert_rolled_back(&third.refresh);
}

#[test]
fn a_rotation_leaves_one_refresh_token_that_works() {
    let _rows = proofkey_conformance::shows(&["rfc9700-2.2.2-1"]);
    let family = Family::new(World::new(), &[5, 10]);
    let all: BTreeSet<&str> = family.issued.iter().map(|one| &*one.refresh).collect();
    assert_eq!(all.len(), 3, "each rotation gives a new one");
    family.world.wait(100);
    assert_eq!(family.world.refresh(&family.newest().refresh).status, 200);
    family.world.wait(100);
    assert_eq!(family.world.refresh(&family.issued[0].refresh).outcome(), invalid_grant());
}

#[test]
fn with_rotation_for_public_clients_only_a_confidential_one_keeps_its_token_and_a_public_one_does_not() {
    let world = World::with(|builder| builder.set("rotation", "public_clients"));
    let uri = proofkey_tests::SERVICE_URI;
    let code = world.code_with(&json!({"client_id": "service", "redirect_uri": uri}));
    let tokens = SignedIn::of(&world.redeem_as("service", &code, &[("redirect_uri", uri)]));
    for _ in 0..3 {
        world.wait(300);
        let fields = [("grant_type", "refresh_token"), ("refresh_token", &*tokens.refresh)];
        let reply = world.form_as("service", "/auth/token", &fields);
        assert!(world.works(&reply.text("access_token")));
        assert!(reply.json().get("refresh_token").is_none(), "the presented one goes on");
    }
    let public = world.sign_in();
    assert_ne!(SignedIn::of(&world.refresh(&public.refresh)).refresh, public.refresh);
}

#[test]
fn a_refresh_token_works_for_its_own_client_only() {
    let _rows = proofkey_conformance::shows(&["rfc6749-6-2"]);
    let world = World::new();
    let tokens = world.sign_in();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", &*tokens.refresh)];
    assert_eq!(world.form_as("service", "/auth/token", &fields).outcome(), invalid_grant());
    for other in ["other", "modern", "native"] {
        let named = [fields.as_slice(), &[("client_id", other)]].concat();
        assert_eq!(world.form("/auth/token", &named).outcome(), invalid_grant(), "{other}");
    }
    let next = SignedIn::of(&world.refresh(&tokens.refresh));
    // A retired one in foreign hands is not judged at all.
    world.wait(3000);
    assert_eq!(world.form_as("service", "/auth/token", &fields).outcome(), invalid_grant());
    assert!(world.works(&next.access));
}

#[test]
fn who_gets_refresh_tokens_is_a_matter_of_the_client() {
    let _rows = proofkey_conformance::shows(&["rfc9700-4.14.2-1"]);
    let world = World::new();
    for (client, given) in [("web", true), ("brief", false)] {
        let code = world.code_with(&json!({ "client_id": client }));
        let tokens = world.redeem_with(&code, &[("client_id", client)]).json();
        assert_eq!(tokens.get("refresh_token").is_some(), given, "{client}");
    }
    let fields = [("grant_type", "refresh_token"), ("client_id", "brief"), ("refresh_token", "pfk_refresh_x")];
    assert_eq!(world.form("/auth/token", &fields).outcome(), (400, "unauthorized_client".to_owned()));
    let none = World::with(|builder| builder.set("refresh_token_lifetime", "0"));
    let tokens = none.redeem(&none.code()).json();
    assert!(tokens.get("refresh_token").is_none() && tokens.get("access_token").is_some());
}

const DAY: u64 = 86_400;

#[test]
fn a_refresh_token_ends_unused_and_each_use_extends_it_up_to_the_end_of_the_grant() {
    let _rows = proofkey_conformance::shows(&["rfc9700-4.14.2-4"]);
    let world = World::new();
    let idle = world.sign_in();
    world.wait(30 * DAY);
    assert_eq!(world.refresh(&idle.refresh).outcome(), invalid_grant());
    let mut tokens = world.sign_in();
    for _ in 0..3 {
        world.wait(29 * DAY);
        tokens = SignedIn::of(&world.refresh(&tokens.refresh));
    }
    // 87 days on, of 90: no use lengthens the grant itself (invariant I11).
    world.wait(3 * DAY - 1);
    let last = world.refresh(&tokens.refresh);
    assert_eq!(last.json()["expires_in"], 1, "no access token outlives the grant");
    world.wait(1);
    assert!(!world.works(&last.text("access_token")));
    assert_eq!(world.refresh(&last.text("refresh_token")).outcome(), invalid_grant());
}

#[test]
fn a_repeat_after_the_end_of_the_grant_is_refused_like_everything_else() {
    let world = World::with(|builder| builder.set("grant_lifetime", "1h").set("refresh_token_lifetime", "1h"));
    let tokens = world.sign_in();
    world.wait(3595);
    let last = SignedIn::of(&world.refresh(&tokens.refresh));
    world.wait(4);
    assert_eq!(SignedIn::of(&world.refresh(&tokens.refresh)).refresh, last.refresh);
    world.wait(1);
    for again in [&[][..], &[("scope", "read")]] {
        let fields = [("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", &*tokens.refresh)];
        let reply = world.form("/auth/token", &[fields.as_slice(), again].concat());
        assert_eq!(reply.outcome(), invalid_grant(), "{again:?}");
    }
}

fn refresh_for(world: &World, token: &str, scope: &str) -> Reply {
    let fields = [("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", token), ("scope", scope)];
    world.form("/auth/token", &fields)
}

#[test]
fn a_sixth_rotation_within_ten_seconds_has_to_wait_and_writes_nothing() {
    let family = Family::new(World::new(), &[0, 2, 4, 6, 8]);
    let newest = &family.newest().refresh;
    family.world.wait(1);
    family.world.store.take_calls();
    let refused = family.world.refresh(newest);
    assert_eq!(refused.outcome(), (429, "temporarily_unavailable".to_owned()));
    assert_eq!(refused.header("retry-after"), "10");
    assert_eq!(family.world.store.take_calls(), [Call::Get]);
    // A repeat, a revocation and an access check are not held up.
    let repeated = SignedIn::of(&family.world.refresh(&family.issued[4].refresh));
    assert_eq!(&repeated.refresh, newest);
    assert!(family.world.works(&repeated.access));
    family.world.wait(1);
    assert_eq!(family.world.refresh(newest).status, 200, "the first of the five is ten seconds old");
    assert_eq!(family.world.revoke(newest).status, 200);
    assert!(!family.world.works(&repeated.access));
}

#[test]
fn a_rotation_has_at_most_four_access_tokens_and_one_refresh_token() {
    let world = World::new();
    let tokens = world.sign_in();
    let scopes = ["read", "write", "profile", "email"];
    let replies = scopes.map(|scope| refresh_for(&world, &tokens.refresh, scope));
    let successors: BTreeSet<String> = replies.iter().map(|reply| reply.text("refresh_token")).collect();
    let access: BTreeSet<String> = replies.iter().map(|reply| reply.text("access_token")).collect();
    assert_eq!((successors.len(), access.len()), (1, 4));
    world.store.take_calls();
    let fifth = refresh_for(&world, &tokens.refresh, "read write");
    assert_eq!(fifth.outcome(), (429, "temporarily_unavailable".to_owned()));
    assert_eq!(world.store.take_calls(), [Call::Get]);
    for (scope, reply) in scopes.iter().zip(&replies) {
        assert_eq!(reply.text("scope"), *scope);
        let again = refresh_for(&world, &tokens.refresh, scope);
        assert_eq!(again.text("access_token"), reply.text("access_token"), "each is repeated as it was");
    }
    let next = world.refresh(&replies[0].text("refresh_token"));
    assert_eq!(next.status, 200, "the next rotation has four of its own");
}

#[test]
fn a_grant_has_at_most_32_live_access_tokens_and_the_oldest_falls_out() {
    let moments: Vec<u64> = (1..=32).map(|turn| turn * 3).collect();
    let family = Family::new(World::new(), &moments);
    let live: Vec<bool> = family.issued.iter().map(|one| family.world.works(&one.access)).collect();
    assert_eq!(live.len(), 33);
    assert!(!live[0] && live[1..].iter().all(|works| *works), "{live:?}");
}

#[test]
fn a_repeat_tells_how_long_the_token_has_left() {
    let world = World::new();
    let tokens = world.sign_in();
    assert_eq!(world.refresh(&tokens.refresh).json()["expires_in"], 3600);
    world.wait(20);
    assert_eq!(world.refresh(&tokens.refresh).json()["expires_in"], 3580);
}

#[test]
fn a_server_whose_refresh_tokens_were_switched_off_takes_none_and_leaves_access_tokens_alone() {
    let rows = Arc::new(Rows::default());
    let tokens = World::over(rows.clone(), |builder| builder).sign_in();
    let off = World::over(rows, |builder| builder.refresh_token_lifetime(Duration::ZERO));
    assert_eq!(off.refresh(&tokens.refresh).outcome(), invalid_grant());
    assert!(off.works(&tokens.access));
}
