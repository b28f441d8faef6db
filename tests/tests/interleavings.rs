//! Every pair of redeem, refresh and revoke on one grant, in every order of their steps, with the store failing at
//! every one of them in every way (invariants I1, I3, I7, I9, I12, I13, I16, I17, I19).

use std::sync::Arc;

use proofkey::UnixTime;
use proofkey::core::{Core, Entropy, Step};
use proofkey_tests::{
    Explorer, Fault, Move, Outcome, People, REDIRECT_URI, Reply, Rows, START, VERIFIER, World, core, drive,
    form_request,
};

/// One grant, spent or not, and all that a client holds of it.
struct Situation {
    core: Core,
    people: People,
    rows: Rows,
    code: String,
    access: String,
    refresh: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    /// The code is presented, by its client and with its verifier.
    Redeem,
    /// The current refresh token is presented.
    Refresh,
    /// The same with fewer scopes.
    RefreshNarrower,
    /// The refresh token is revoked by its client.
    Revoke,
    /// The access token is revoked by its client.
    RevokeAccess,
}

use Operation::{Redeem, Refresh, RefreshNarrower, Revoke, RevokeAccess};

impl Situation {
    /// A grant whose code nobody has redeemed.
    fn fresh() -> Self {
        let rows = Arc::new(Rows::default());
        let world = World::over(rows.clone(), |builder| builder);
        let code = world.code();
        let (core, people) = (core(), People::default());
        Self { core, people, rows: Rows::clone(&rows), code, access: String::new(), refresh: String::new() }
    }

    /// A grant whose tokens are in use.
    fn live() -> Self {
        let fresh = Self::fresh();
        let reply = fresh.run(&fresh.rows, Redeem, 7, START);
        Self { access: reply.text("access_token"), refresh: reply.text("refresh_token"), ..fresh }
    }

    fn begin(&self, operation: Operation, seed: u64, at: u64) -> Step {
        let token = ("client_id", "web");
        let request = match operation {
            Redeem => form_request(
                "/auth/token",
                &[
                    ("grant_type", "authorization_code"),
                    token,
                    ("code", &self.code),
                    ("redirect_uri", REDIRECT_URI),
                    ("code_verifier", VERIFIER),
                ],
            ),
            Refresh => {
                form_request("/auth/token", &[("grant_type", "refresh_token"), token, ("refresh_token", &self.refresh)])
            }
            RefreshNarrower => form_request(
                "/auth/token",
                &[("grant_type", "refresh_token"), token, ("refresh_token", &self.refresh), ("scope", "read")],
            ),
            Revoke => form_request("/auth/revoke", &[token, ("token", &self.refresh)]),
            RevokeAccess => form_request("/auth/revoke", &[token, ("token", &self.access)]),
        };
        self.core.begin(request, UnixTime::from_seconds(at), Entropy::from_seed(seed))
    }

    /// Runs one operation to its end, without faults.
    fn run(&self, rows: &Rows, operation: Operation, seed: u64, at: u64) -> Reply {
        drive(rows, &self.people, self.begin(operation, seed, at)).into()
    }

    fn explore(&self, operations: &[Operation], faults: usize, mut check: impl FnMut(&Outcome, &[Reply])) -> usize {
        let start = || {
            let seeds = 100..;
            operations.iter().zip(seeds).map(|(operation, seed)| self.begin(*operation, seed, START)).collect()
        };
        Explorer::new(&self.rows, &self.people, faults).run(start, |outcome| {
            let replies: Vec<Reply> = outcome.replies.iter().cloned().map(Reply::from).collect();
            assert_eq!(replies.len(), operations.len(), "every flow ends: {:?}", outcome.moves);
            check(outcome, &replies);
        })
    }

    fn access_works(&self, rows: &Rows, access_token: &str) -> bool {
        let request = http::Request::get("/auth/userinfo").header("authorization", format!("Bearer {access_token}"));
        let request = proofkey::Request::new(request.body(bytes::Bytes::new()).unwrap(), None);
        let step = self.core.begin(request, UnixTime::from_seconds(START + 1), Entropy::from_seed(900));
        drive(rows, &self.people, step).status() == 200
    }

    /// Whether a refresh with this token succeeds a second later; on a copy, so that asking changes nothing.
    fn refresh_works(&self, rows: &Rows, refresh_token: &str) -> bool {
        let fields = [("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", refresh_token)];
        let request = form_request("/auth/token", &fields);
        let step = self.core.begin(request, UnixTime::from_seconds(START + 1), Entropy::from_seed(901));
        drive(&rows.clone(), &self.people, step).status() == 200
    }
}

fn ok(reply: &Reply) -> bool {
    reply.status == 200
}

fn refused(reply: &Reply) -> bool {
    reply.outcome() == (400, "invalid_grant".to_owned())
}

/// 503 with the error of RFC 6749, or 429: nothing claimed, a retry is safe.
fn unavailable(reply: &Reply) -> bool {
    reply.outcome() == (503, "temporarily_unavailable".to_owned())
}

#[test]
fn two_redemptions_give_tokens_once_and_the_second_kills_them() {
    let _shows = proofkey_conformance::shows(&["secrets-store-4", "secrets-store-5"]);
    let situation = Situation::fresh();
    let orders = situation.explore(&[Redeem, Redeem], 1, |outcome, replies| {
        let won: Vec<&Reply> = replies.iter().filter(|reply| ok(reply)).collect();
        assert!(won.len() <= 1, "a code yields one token set: {outcome:?}");
        for reply in replies {
            assert!(ok(reply) || refused(reply) || unavailable(reply), "{reply:?} {:?}", outcome.moves);
        }
        if outcome.is_faultless() {
            assert!(won.len() == 1 && replies.iter().any(refused), "{outcome:?}");
        }
        for winner in won {
            // The other one was a replay, unless it never got that far.
            let replayed = replies.iter().any(refused);
            assert_eq!(situation.access_works(&outcome.rows, &winner.text("access_token")), !replayed, "{outcome:?}");
            assert_eq!(situation.refresh_works(&outcome.rows, &winner.text("refresh_token")), !replayed);
        }
        // A retry is invited unless the store failed this very flow: then the redemption may have been done.
        for (at, reply) in replies.iter().enumerate().filter(|(_, reply)| unavailable(reply)) {
            let failed = |one: &Move| match one {
                Move::Take(flow, fault) => *flow == at && matches!(fault, Fault::Fail | Fault::Lost),
                Move::TakeLate(flow) => *flow == at,
                _ => false,
            };
            if !outcome.moves.iter().any(failed) {
                assert_eq!(reply.header("retry-after"), "1", "{outcome:?}");
            }
        }
    });
    assert!(orders > 100, "{orders} orders");
}

#[test]
fn one_redemption_alone_survives_a_fault_or_says_that_it_did_not() {
    let situation = Situation::fresh();
    situation.explore(&[Redeem], 2, |outcome, replies| {
        let reply = &replies[0];
        assert!(ok(reply) || unavailable(reply), "a good code is never invalid_grant: {outcome:?}");
        if ok(reply) {
            assert!(situation.access_works(&outcome.rows, &reply.text("access_token")), "{outcome:?}");
        }
    });
}

#[test]
fn two_refreshes_give_the_same_tokens_and_the_session_goes_on() {
    let _shows = proofkey_conformance::shows(&["secrets-store-4", "secrets-store-5"]);
    let situation = Situation::live();
    situation.explore(&[Refresh, Refresh], 1, |outcome, replies| {
        let won: Vec<&Reply> = replies.iter().filter(|reply| ok(reply)).collect();
        for reply in replies {
            assert!(ok(reply) || unavailable(reply), "a good refresh token is never refused: {reply:?} {outcome:?}");
        }
        if outcome.is_faultless() {
            assert_eq!(won.len(), 2, "{outcome:?}");
        }
        if let [one, two] = won.as_slice() {
            assert_eq!(one.text("access_token"), two.text("access_token"));
            assert_eq!(one.text("refresh_token"), two.text("refresh_token"));
        }
        for winner in &won {
            assert!(situation.access_works(&outcome.rows, &winner.text("access_token")), "{outcome:?}");
            assert!(situation.refresh_works(&outcome.rows, &winner.text("refresh_token")), "{outcome:?}");
        }
        // Whoever got no answer still holds the old token, and it still opens the way (invariant I9).
        assert!(situation.refresh_works(&outcome.rows, &situation.refresh), "{outcome:?}");
    });
}

#[test]
fn refreshes_with_different_scopes_share_a_refresh_token_and_widen_nothing() {
    let situation = Situation::live();
    situation.explore(&[Refresh, RefreshNarrower], 1, |outcome, replies| {
        for reply in replies {
            assert!(ok(reply) || unavailable(reply), "{reply:?} {outcome:?}");
        }
        if ok(&replies[1]) {
            assert_eq!(replies[1].text("scope"), "read");
        }
        if replies.iter().all(ok) {
            assert_eq!(replies[0].text("refresh_token"), replies[1].text("refresh_token"), "one leaf: {outcome:?}");
            assert_ne!(replies[0].text("access_token"), replies[1].text("access_token"));
            assert_eq!(replies[0].text("scope"), "email profile read write");
        }
        for reply in replies.iter().filter(|reply| ok(reply)) {
            assert!(situation.access_works(&outcome.rows, &reply.text("access_token")), "{outcome:?}");
        }
    });
}

#[test]
fn a_revocation_that_was_acknowledged_holds_against_every_refresh() {
    let _shows = proofkey_conformance::shows(&["secrets-store-4", "rfc7009-2.2.1-2"]);
    let situation = Situation::live();
    situation.explore(&[Refresh, Revoke], 1, |outcome, replies| {
        let [refresh, revoke] = replies else { panic!("two replies") };
        assert!(ok(refresh) || unavailable(refresh) || refused(refresh), "{outcome:?}");
        assert!(ok(revoke) || unavailable(revoke), "{outcome:?}");
        if ok(revoke) {
            assert!(!situation.access_works(&outcome.rows, &situation.access), "{outcome:?}");
            assert!(!situation.refresh_works(&outcome.rows, &situation.refresh), "{outcome:?}");
            if ok(refresh) {
                assert!(!situation.access_works(&outcome.rows, &refresh.text("access_token")), "{outcome:?}");
                assert!(!situation.refresh_works(&outcome.rows, &refresh.text("refresh_token")), "{outcome:?}");
            }
        }
        if outcome.is_faultless() {
            assert!(ok(revoke), "{outcome:?}");
        }
    });
}

#[test]
fn an_access_token_that_was_revoked_does_not_come_back_with_a_refresh() {
    let situation = Situation::live();
    situation.explore(&[Refresh, RevokeAccess], 1, |outcome, replies| {
        let [refresh, revoke] = replies else { panic!("two replies") };
        assert!(ok(refresh) || unavailable(refresh), "{outcome:?}");
        if ok(revoke) {
            assert!(!situation.access_works(&outcome.rows, &situation.access), "{outcome:?}");
        }
        if ok(refresh) {
            assert!(situation.access_works(&outcome.rows, &refresh.text("access_token")), "{outcome:?}");
        }
    });
}

#[test]
fn a_replayed_code_ends_the_grant_whatever_runs_beside_it() {
    for beside in [Refresh, Revoke, RevokeAccess, Redeem] {
        let situation = Situation::live();
        situation.explore(&[Redeem, beside], 1, |outcome, replies| {
            assert!(refused(&replies[0]) || unavailable(&replies[0]), "{beside:?}: {outcome:?}");
            if refused(&replies[0]) {
                // Every token that was ever given out is dead by now (invariant I3).
                assert!(!situation.access_works(&outcome.rows, &situation.access), "{beside:?}: {outcome:?}");
                assert!(!situation.refresh_works(&outcome.rows, &situation.refresh), "{beside:?}: {outcome:?}");
                if beside == Refresh && ok(&replies[1]) {
                    assert!(!situation.access_works(&outcome.rows, &replies[1].text("access_token")), "{outcome:?}");
                    assert!(!situation.refresh_works(&outcome.rows, &replies[1].text("refresh_token")), "{outcome:?}");
                }
            }
        });
    }
}

#[test]
fn two_revocations_are_as_good_as_one() {
    let situation = Situation::live();
    situation.explore(&[Revoke, Revoke], 1, |outcome, replies| {
        assert!(replies.iter().all(|reply| ok(reply) || unavailable(reply)), "{outcome:?}");
        assert!(!replies.iter().any(ok) || !situation.refresh_works(&outcome.rows, &situation.refresh), "{outcome:?}");
    });
}
