//! What browsers do at once, in every order of their steps, with the store failing at every one of them in every way:
//! one decision is one grant, and nothing outlives a sign-out that was acknowledged (invariants I3, I14, I16, I17).

use std::sync::Arc;

use bytes::Bytes;
use proofkey::core::{Core, Entropy, Step};
use proofkey::{Request, UnixTime};
use proofkey_tests::{
    Browser, Explorer, Outcome, People, Reply, Rows, START, VERIFIER, World, authorize_path, core, drive, form_request,
};

const THIRD_URI: &str = "https://third.example/cb";
const THIRD: [(&str, &str); 2] = [("client_id", "third"), ("redirect_uri", THIRD_URI)];

/// Ada is signed in in two browsers; one has the page that asks for consent open, the other that of applications.
struct Situation {
    core: Core,
    people: People,
    rows: Rows,
    start: http::Request<Bytes>,
    consent: http::Request<Bytes>,
    withdraw: http::Request<Bytes>,
    sign_out: http::Request<Bytes>,
    everywhere: http::Request<Bytes>,
}

impl Situation {
    fn new() -> Self {
        let rows = Arc::new(Rows::default());
        let world = World::over(rows.clone(), |builder| builder);
        let (one, other) = (Browser::new(&world), Browser::new(&world));
        let page = one.follow(&one.sign_ada_in(&THIRD));
        // So that there is something to withdraw.
        one.decide(&one.authorize(&THIRD), "allow");
        let page_again = one.authorize(&[&THIRD[..], &[("prompt", "consent")]].concat());
        assert_eq!((page.status, page_again.status), (page.status, page.status));
        other.sign_ada_in(&[]);
        let applications = other.get("/auth/applications");
        let act = |action: &str| other.submitting(&applications.form_with("action", action), &[("client_id", "third")]);
        Self {
            core: core(),
            people: People::default(),
            start: one.asking(&authorize_path(&[])),
            consent: one.submitting(&page_again.form(), &[("decision", "allow")]),
            withdraw: act("withdraw"),
            sign_out: one.submitting(&one.get("/auth/logout").form(), &[]),
            everywhere: act("sign_out_everywhere"),
            rows: Rows::clone(&rows),
        }
    }

    /// Three switches between the two without a fault, and one with a fault.
    fn explore(&self, requests: [&http::Request<Bytes>; 2], mut check: impl FnMut(&Outcome, &[Reply])) -> usize {
        let begin = |request: &http::Request<Bytes>, seed: u64| -> Step {
            let request = Request::new(request.clone(), Some("192.0.2.1".parse().unwrap()));
            self.core.begin(request, UnixTime::from_seconds(START), Entropy::from_seed(seed))
        };
        let start = || vec![begin(requests[0], 100), begin(requests[1], 101)];
        let mut orders = 0;
        for (switches, faults) in [(3, 0), (1, 1)] {
            let explorer = Explorer::new(&self.rows, &self.people, faults).switching(switches);
            orders += explorer.run(start, |outcome| {
                let replies: Vec<Reply> = outcome.replies.iter().cloned().map(Reply::from).collect();
                assert_eq!(replies.len(), 2, "every flow ends: {:?}", outcome.moves);
                check(outcome, &replies);
            });
        }
        orders
    }

    /// Whether a code gets tokens a second later; on a copy, so that asking changes nothing.
    fn redeems(&self, outcome: &Outcome, client: (&str, &str), code: &str) -> bool {
        let request = form_request(
            "/auth/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", client.0),
                ("code", code),
                ("redirect_uri", client.1),
                ("code_verifier", VERIFIER),
            ],
        );
        let step = self.core.begin(request, UnixTime::from_seconds(START + 1), Entropy::from_seed(900));
        drive(&outcome.rows.clone(), &self.people, step).status() == 200
    }

    /// Whether a browser's request goes through to a client without a page.
    fn goes_through(&self, outcome: &Outcome, request: &http::Request<Bytes>) -> bool {
        let request = Request::new(request.clone(), Some("192.0.2.1".parse().unwrap()));
        let step = self.core.begin(request, UnixTime::from_seconds(START + 1), Entropy::from_seed(901));
        code(&Reply::from(drive(&outcome.rows.clone(), &self.people, step))).is_some()
    }
}

/// The code of a redirect to a client.
fn code(reply: &Reply) -> Option<String> {
    let location = (reply.status == 303).then(|| reply.location())?;
    Some(location.parameter("code").to_owned()).filter(|code| !code.is_empty())
}

fn error(reply: &Reply) -> Option<String> {
    let location = (reply.status == 303).then(|| reply.location())?;
    Some(location.parameter("error").to_owned()).filter(|error| !error.is_empty())
}

/// Nothing is claimed: a page, or, to a client, an error.
fn unavailable(reply: &Reply) -> bool {
    reply.status == 503 || error(reply).as_deref() == Some("temporarily_unavailable")
}

/// The keys of grants that the situation did not have before.
fn grants(before: &Rows, after: &Rows) -> usize {
    let count = |rows: &Rows| rows.all().iter().filter(|(key, _)| key.as_str().starts_with("g.")).count();
    count(after) - count(before)
}

#[test]
fn a_form_that_is_sent_twice_is_one_grant_and_one_code() {
    let situation = Situation::new();
    let requests = [&situation.consent, &situation.consent];
    let orders = situation.explore(requests, |outcome, replies| {
        let codes: Vec<String> = replies.iter().filter_map(code).collect();
        assert!(
            replies.iter().all(|reply| code(reply).is_some() || unavailable(reply)),
            "{replies:?} {:?}",
            outcome.moves
        );
        assert!(codes.iter().all(|code| *code == codes[0]), "two codes: {outcome:?}");
        assert!(grants(&situation.rows, &outcome.rows) <= 1, "{:?}", outcome.moves);
        assert!(codes.len() == 2 || !outcome.is_faultless(), "{:?}", outcome.moves);
        for code in codes {
            assert!(
                situation.redeems(outcome, ("third", THIRD_URI), &code),
                "no code without its grant: {:?}",
                outcome.moves
            );
        }
    });
    assert!(orders > 100, "{orders} orders");
}

#[test]
fn nothing_that_was_agreed_to_outlives_the_sign_out_of_its_browser() {
    let situation = Situation::new();
    let orders = situation.explore([&situation.consent, &situation.sign_out], |outcome, replies| {
        let [consent, sign_out] = replies else { panic!("two replies") };
        assert!(sign_out.status == 200 || unavailable(sign_out), "{sign_out:?}");
        if sign_out.status == 200 {
            if let Some(code) = code(consent) {
                assert!(!situation.redeems(outcome, ("third", THIRD_URI), &code), "{:?}", outcome.moves);
            }
            assert!(!situation.goes_through(outcome, &situation.start), "{:?}", outcome.moves);
        }
    });
    assert!(orders > 100, "{orders} orders");
}

#[test]
fn nothing_that_a_browser_got_outlives_signing_out_everywhere() {
    let situation = Situation::new();
    let orders = situation.explore([&situation.start, &situation.everywhere], |outcome, replies| {
        let [start, everywhere] = replies else { panic!("two replies") };
        assert!(everywhere.status == 200 || unavailable(everywhere), "{everywhere:?}");
        if everywhere.status != 200 {
            return;
        }
        if let Some(code) = code(start) {
            let client = ("web", proofkey_tests::REDIRECT_URI);
            assert!(!situation.redeems(outcome, client, &code), "{:?}", outcome.moves);
        }
        assert!(!situation.goes_through(outcome, &situation.start), "{:?}", outcome.moves);
    });
    assert!(orders > 100, "{orders} orders");
}

#[test]
fn access_that_was_taken_back_meanwhile_is_not_given_again_unasked() {
    let situation = Situation::new();
    let again = {
        let (_, query) = authorize_path(&THIRD).split_once('?').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let mut request = situation.start.clone();
        *request.uri_mut() = format!("/auth/authorize?{query}").parse().unwrap();
        request
    };
    let orders = situation.explore([&situation.consent, &situation.withdraw], |outcome, replies| {
        let [consent, withdraw] = replies else { panic!("two replies") };
        if withdraw.status != 303 {
            assert!(unavailable(withdraw), "{withdraw:?}");
            return;
        }
        // A code that works is one that was agreed to after the withdrawal: then that is remembered.
        let works = code(consent).is_some_and(|code| situation.redeems(outcome, ("third", THIRD_URI), &code));
        if works {
            assert!(situation.goes_through(outcome, &again), "{:?}", outcome.moves);
        }
    });
    assert!(orders > 100, "{orders} orders");
}
