//! What the tokens of a grant are good for, and until when.

use std::time::Duration;

use minicbor::bytes::ByteArray;
use serde_json::json;

use super::{BEGIN, CODE, Given, ID, URI, approval, fresh, issued, live, revoked, ring, rotated, terms, verifier};
use crate::UnixTime;
use crate::keys::{KeyId, KeyRing};
use crate::pkce::Challenge;
use crate::record::Body as _;
use crate::record::grant::{
    Access, Approval, Binding, Grant, Live, Presented, Redeem, Redemption, RefreshAsk, Refreshed, Rotate, State, Terms,
    terms as moves,
};
use crate::refusal::ErrorCode;
use crate::scope::Scope;
use crate::secret::{Secret, SecretDigest};
use crate::token::{Token, TokenKind};

const HERE: &str = "https://here.example/";
const THERE: &str = "https://there.example/";

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_seconds(BEGIN).after(Duration::from_secs(seconds))
}

fn state(grant: &Grant) -> &Live {
    let State::Live(live) = &grant.state else { panic!("not live") };
    live
}

/// A grant whose code was given for these resources.
fn issued_for(resources: &[&str]) -> Grant {
    let resources = resources.iter().map(|&uri| uri.to_owned()).collect();
    let binding = Binding::new(&SecretDigest::of(CODE), &Challenge::of(&verifier(3)), URI.into(), true);
    Grant::issued(Approval { resources, ..approval(Some("u")) }, binding, at(60))
}

fn redeem(grant: &Grant, redirect_uri: Option<&str>, resources: &[&str], oauth21: bool) -> Redemption {
    let (ring, verifier) = (ring(), verifier(3));
    let resources: Vec<String> = resources.iter().map(|&uri| uri.to_owned()).collect();
    let attempt = Redeem {
        code: SecretDigest::of(CODE),
        client_id: "c",
        redirect_uri,
        verifier: Some(&verifier),
        resources: &resources,
        oauth21,
    };
    grant.redeem(&attempt, &terms(), &fresh(&ring), at(0))
}

fn refresh(given: &Given, resources: &[&str], ring: &KeyRing, seed: u8) -> Refreshed {
    let token = Token::new(TokenKind::Refresh, ID, given.newest(), given.refresh.last().unwrap().clone());
    let ask = RefreshAsk { scope: None, resources: resources.iter().map(|&uri| uri.to_owned()).collect() };
    let terms = &terms();
    given.grant.refresh(&Presented {
        token: &token,
        client_id: "c",
        ask: &ask,
        terms,
        ring,
        seed: [seed; 32],
        now: at(1),
    })
}

#[test]
fn an_access_token_entitles_until_it_expires_or_is_revoked() {
    let given = live();
    let digest = SecretDigest::of(&given.access[0][..]);
    let entitled = given.grant.access(&digest, at(599)).unwrap();
    assert_eq!((entitled.scope.as_str(), entitled.resources), ("read write", &[][..]));
    assert_eq!((entitled.issued_at, entitled.expires_at), (BEGIN, BEGIN + 600));
    assert!(given.grant.access(&digest, at(600)).is_none(), "expired");
    assert!(given.grant.access(&SecretDigest::of(&given.refresh[0][..]), at(0)).is_none(), "another token");
    let without = given.grant.revoke_access(&digest).unwrap();
    assert!(without.access(&digest, at(0)).is_none(), "revoked");
    assert!(without.revoke_access(&digest).is_none(), "nothing is left to revoke");
    assert!(issued().grant.access(&digest, at(0)).is_none());
    assert!(revoked().grant.access(&digest, at(0)).is_none());
}

#[test]
fn an_access_token_ends_with_its_grant_whatever_is_written_in_it() {
    let mut grant = live().grant;
    let State::Live(live) = &mut grant.state else { panic!("not live") };
    live.access[0].expires_at = BEGIN + 200_000;
    let digest = SecretDigest::of(&[4; 20]);
    assert!(grant.access(&digest, at(99_999)).is_some());
    assert!(grant.access(&digest, at(100_000)).is_none());
}

#[test]
fn an_access_token_holds_the_scope_and_the_audience_it_was_asked_for_and_no_more() {
    let Redemption::Spend(grant, tokens) = redeem(&issued_for(&[HERE, THERE]), Some(URI), &[HERE], false) else {
        panic!("not spent")
    };
    assert_eq!(grant.access(&SecretDigest::of(&tokens.access[..]), at(0)).unwrap().resources, [HERE]);
    let mut given = Given { grant, access: vec![tokens.access], refresh: vec![tokens.refresh.unwrap()] };
    for (resources, audience) in [(&[][..], &[HERE, THERE][..]), (&[THERE], &[THERE])] {
        let Refreshed::Rotate(next, tokens) = refresh(&given, resources, &ring(), 7) else { panic!("not rotated") };
        assert_eq!(next.access(&SecretDigest::of(&tokens.access[..]), at(1)).unwrap().resources, audience);
        given = Given { grant: next, access: vec![tokens.access], refresh: vec![tokens.refresh.unwrap(); 2] };
    }
    let given = live();
    for (asked, granted) in [(Some("read"), "read"), (None, "read write")] {
        let Refreshed::Rotate(next, tokens) = given.refresh(0, "c", asked, BEGIN, &terms()) else {
            panic!("not rotated")
        };
        let entitled = next.access(&SecretDigest::of(&tokens.access[..]), at(0)).unwrap();
        assert_eq!((entitled.scope.as_str(), tokens.scope.as_str()), (granted, granted));
    }
}

#[test]
fn a_resource_beyond_the_grant_is_refused_and_the_whole_audience_is_not_written_twice() {
    let (both, one) = (issued_for(&[HERE, THERE]), issued_for(&[HERE]));
    assert!(matches!(redeem(&one, Some(URI), &[HERE, THERE], false),
        Redemption::Deny(refusal) if refusal.code() == ErrorCode::InvalidTarget));
    for resources in [&[][..], &[HERE, THERE]] {
        let Redemption::Spend(grant, tokens) = redeem(&both, Some(URI), resources, false) else { panic!("not spent") };
        assert_eq!(grant.access(&SecretDigest::of(&tokens.access[..]), at(0)).unwrap().resources, [HERE, THERE]);
        assert_eq!(state(&grant).access[0].resources, None);
    }
    let Refreshed::Rotate(next, _) = live().refresh(0, "c", None, BEGIN, &terms()) else { panic!("not rotated") };
    let newest = state(&next).access.last().unwrap();
    assert!(newest.scope.is_none() && newest.resources.is_none());
}

#[test]
fn the_redirect_uri_is_asked_for_again_where_it_was_sent() {
    let other = Some("https://c.example/other");
    for (sent, oauth21, named, spent) in [
        (true, false, Some(URI), true),
        (true, false, other, false),
        (true, false, None, false),
        (true, true, None, true),
        (true, true, other, false),
        (false, false, None, true),
        (false, false, other, false),
        (false, true, None, true),
    ] {
        let binding = Binding::new(&SecretDigest::of(CODE), &Challenge::of(&verifier(3)), URI.into(), sent);
        let grant = Grant::issued(approval(Some("u")), binding, at(60));
        let outcome = redeem(&grant, named, &[], oauth21);
        assert_eq!(matches!(outcome, Redemption::Spend(..)), spent, "{sent} {oauth21} {named:?}: {outcome:?}");
    }
}

#[test]
fn a_refresh_token_is_current_until_it_expires_or_is_rotated() {
    let (once, given) = (rotated(&[BEGIN]), live());
    let digest = |given: &Given, generation: usize| SecretDigest::of(&given.refresh[generation][..]);
    let first = digest(&given, 0);
    assert_eq!(given.grant.current_refresh(0, &first, at(5999)), Some(BEGIN + 6000));
    assert_eq!(given.grant.current_refresh(0, &first, at(6000)), None, "expired");
    assert_eq!(given.grant.current_refresh(1, &first, at(0)), None, "another generation");
    assert_eq!(given.grant.current_refresh(0, &SecretDigest::of(&[0; 20]), at(0)), None, "another secret");
    assert_eq!(once.grant.current_refresh(0, &first, at(0)), None, "rotated");
    assert_eq!(once.grant.current_refresh(1, &digest(&once, 1), at(0)), Some(BEGIN + 6000));
    assert_eq!(issued().grant.current_refresh(0, &first, at(0)), None);
}

#[test]
fn a_refresh_token_that_is_not_rotated_lives_on_from_its_last_use() {
    let (given, terms) = (live(), Terms { rotate: Rotate::Never, ..terms() });
    let Refreshed::Rotate(next, tokens) = given.refresh(0, "c", None, BEGIN + 10, &terms) else {
        panic!("not refreshed")
    };
    assert!(tokens.refresh.is_none());
    assert_eq!(next.current_refresh(0, &SecretDigest::of(&given.refresh[0][..]), at(10)), Some(BEGIN + 6010));
}

#[test]
fn a_rotation_makes_tokens_that_nothing_else_makes() {
    let given = live();
    let made = |given: &Given, seed| match refresh(given, &[], &ring(), seed) {
        Refreshed::Rotate(_, tokens) => (tokens.access, tokens.refresh.unwrap()),
        other => panic!("{other:?}"),
    };
    assert_eq!(made(&given, 7), made(&given, 7));
    let (access, successor) = made(&given, 7);
    let (other_access, other_successor) = made(&given, 8);
    assert_ne!(access, other_access);
    assert_ne!(successor, other_successor);
    assert_ne!(access, successor);
    let twice = rotated(&[BEGIN, BEGIN]);
    assert_ne!(twice.refresh[1], twice.refresh[2]);
}

#[test]
fn a_code_that_waits_is_known_for_the_same_request_until_it_expires() {
    let (given, code) = (issued(), SecretDigest::of(CODE));
    let same = approval(Some("u"));
    assert!(given.grant.waits_with(&code, &same, at(59)));
    assert!(!given.grant.waits_with(&code, &same, at(60)), "expired");
    assert!(!given.grant.waits_with(&SecretDigest::of(&[0; 20]), &same, at(0)), "another code");
    assert!(!given.grant.waits_with(&code, &approval(Some("v")), at(0)), "another user");
    let narrower = Approval { scope: Scope::parse("read").unwrap(), ..approval(Some("u")) };
    assert!(!given.grant.waits_with(&code, &narrower, at(0)), "another scope");
    assert!(!live().grant.waits_with(&code, &same, at(0)), "redeemed");
}

#[test]
fn a_grant_is_usable_until_its_last_code_or_token_ends() {
    for (given, last) in [(issued(), 60), (live(), 6000), (rotated(&[BEGIN + 7]), 6007)] {
        assert!(given.grant.is_usable(at(last - 1)));
        assert!(!given.grant.is_usable(at(last)));
        assert!(!given.grant.revoke(at(0)).unwrap().is_usable(at(0)));
    }
}

#[test]
fn a_grant_names_every_key_that_one_of_its_tokens_was_made_under() {
    let keys = ["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=", "aGVsbG8gd29ybGQsIHRoaXMgaXMgMzIgYnl0ZXMuLi4="];
    let [old, new] = keys.map(|key| KeyRing::parse(&Secret::from(key)).unwrap().primary().unwrap().id);
    let both = KeyRing::parse(&Secret::from(&*format!("{},{}", keys[1], keys[0]))).unwrap();
    let given = live();
    assert!(given.grant.names_key(old) && !given.grant.names_key(new));
    let Refreshed::Rotate(next, _) = refresh(&given, &[], &both, 7) else { panic!("not rotated") };
    assert!(next.names_key(old), "the access token from before is there still");
    assert!(next.names_key(new));
    assert!(!next.names_key(KeyId([0; 4])) && !issued().grant.names_key(old));
    let mut refresh_only = next;
    let State::Live(live) = &mut refresh_only.state else { panic!("not live") };
    live.access.clear();
    assert!(refresh_only.names_key(new) && !refresh_only.names_key(old));
}

#[test]
fn access_tokens_leave_when_they_have_expired_and_their_generation_is_over() {
    let access = |mark: u8, generation, expires_at| Access {
        digest: ByteArray::from([mark; 32]),
        generation,
        scope: None,
        resources: None,
        issued_at: BEGIN,
        expires_at,
        key: ByteArray::from([0; 4]),
        revoked: false,
    };
    let mut live = Live { spent: None, generation: 5, refresh: None, turns: Vec::new(), access: Vec::new() };
    live.access = vec![access(1, 4, BEGIN), access(2, 4, BEGIN + 1), access(3, 5, BEGIN), access(4, 5, BEGIN + 1)];
    moves::push(&mut live, access(5, 5, BEGIN + 1), at(0));
    let marks = |live: &Live| live.access.iter().map(|access| access.digest[0]).collect::<Vec<_>>();
    assert_eq!(marks(&live), [2, 3, 4, 5]);
    for mark in 6..40 {
        moves::push(&mut live, access(mark, 5, BEGIN + 1), at(0));
    }
    assert_eq!(marks(&live), (8..40).collect::<Vec<_>>(), "the oldest of more than 32 fall out");
}

#[test]
fn a_rotation_is_remembered_for_the_leeway_and_ten_seconds() {
    for (leeway, remembered) in [(30, 40), (0, 10)] {
        let terms = Terms { leeway: Duration::from_secs(leeway), ..terms() };
        for (age, turns) in [(remembered - 1, 2), (remembered, 1)] {
            let Refreshed::Rotate(next, _) = rotated(&[BEGIN]).refresh(1, "c", None, BEGIN + age, &terms) else {
                panic!("not rotated")
            };
            assert_eq!(state(&next).turns.len(), turns, "{age} s after it, leeway {leeway} s");
        }
    }
}

#[test]
fn issued_tokens_are_printed_without_a_secret() {
    let Redemption::Spend(_, tokens) = issued().redeem("c", 3, BEGIN, &ring()) else { panic!("not spent") };
    assert_eq!(format!("{tokens:?}"), "Issued { scope: Scope(\"read write\"), expires_in: 600, .. }");
}

#[test]
fn an_operator_sees_what_was_approved_and_when_things_end() {
    let Refreshed::Rotate(grant, _) = live().refresh(0, "c", Some("read"), BEGIN + 9, &terms()) else {
        panic!("not rotated")
    };
    let shown = |grant: &Grant| grant.shown();
    let about = shown(&grant);
    assert_eq!((&about["id"], &about["client_id"], &about["subject"]), (&json!(grant.id()), &json!("c"), &json!("u")));
    assert_eq!((&about["scope"], &about["ends_at"]), (&json!("read write"), &json!(BEGIN + 100_000)));
    let state = json!({
        "name": "live", "generation": 1, "refresh_token_expires_at": BEGIN + 6009, "rotated_at": [BEGIN + 9],
        "access_tokens": [
            { "generation": 0, "scope": null, "resources": null, "issued_at": BEGIN, "expires_at": BEGIN + 600,
                "revoked": false },
            { "generation": 1, "scope": "read", "resources": null, "issued_at": BEGIN + 9, "expires_at": BEGIN + 609,
                "revoked": false },
        ],
    });
    assert_eq!(about["state"], state);
    let waiting = json!({ "name": "issued", "redirect_uri": URI, "code_expires_at": BEGIN + 60 });
    assert_eq!(shown(&issued().grant)["state"], waiting);
    let over = json!({ "name": "revoked", "at": BEGIN, "until": BEGIN + 6000 });
    assert_eq!(shown(&revoked().grant)["state"], over);
}

#[test]
fn another_code_of_the_same_grant_is_no_code() {
    let (ring, verifier) = (ring(), verifier(3));
    for given in [issued(), live()] {
        let attempt = Redeem {
            code: SecretDigest::of(&[0; 20]),
            client_id: "c",
            redirect_uri: Some(URI),
            verifier: Some(&verifier),
            resources: &[],
            oauth21: false,
        };
        let outcome = given.grant.redeem(&attempt, &terms(), &fresh(&ring), at(0));
        assert!(matches!(outcome, Redemption::Deny(_)), "nothing changes: {outcome:?}");
    }
}

#[test]
fn a_repeat_brings_no_revoked_token_back_and_gets_no_more_than_was_granted() {
    let mut given = rotated(&[BEGIN]);
    let repeat = |given: &Given, scope| given.refresh(0, "c", scope, BEGIN + 1, &terms());
    let code = |outcome| match outcome {
        Refreshed::Deny(refusal) => refusal.code(),
        other => panic!("{other:?}"),
    };
    assert_eq!(code(repeat(&given, Some("admin"))), ErrorCode::InvalidScope);
    assert!(matches!(repeat(&given, None), Refreshed::Repeat(_)));
    given.grant = given.grant.revoke_access(&SecretDigest::of(&given.access[1][..])).unwrap();
    assert_eq!(code(repeat(&given, None)), ErrorCode::InvalidGrant);
    assert!(matches!(repeat(&given, Some("read")), Refreshed::Further(..)), "another token is none of that");
}

#[test]
fn a_repeat_needs_the_key_that_its_rotation_was_made_under() {
    let keys = ["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=", "aGVsbG8gd29ybGQsIHRoaXMgaXMgMzIgYnl0ZXMuLi4="];
    let both = KeyRing::parse(&Secret::from(&*format!("{},{}", keys[1], keys[0]))).unwrap();
    let mut given = live();
    let Refreshed::Rotate(next, tokens) = refresh(&given, &[], &both, 7) else { panic!("not rotated") };
    given.grant = next;
    let Refreshed::Repeat(again) = refresh(&given, &[], &both, 8) else { panic!("not repeated") };
    assert_eq!((again.access, again.refresh), (tokens.access, tokens.refresh));
    let missing = both.primary().unwrap().id;
    assert!(matches!(refresh(&given, &[], &ring(), 8), Refreshed::UnknownKey(id) if id == missing));
}
