//! What browsers do at the same moment, in every order of their steps, with the store failing at none or one of them:
//! who signs out or takes access back ends what is being made meanwhile (invariant I14), and one request has one code.

use std::sync::Arc;

use proofkey::core::{Core, Entropy, Step, UserSource};
use proofkey::{Client, Request, Secret, UnixTime, User};
use proofkey_tests::{
    Fault, Meeting, Met, Opened, PASSWORD, Party, People, REDIRECT_URI, Reply, Rows, START, SignedIn, THIRD_URI, Taken,
    VERIFIER, Visit, World, authorization, call, code_in, core_with, drive, form_request, hidden, request,
};

const OFF: [(&str, &str); 3] = [("limit_user", "off"), ("limit_address", "off"), ("limit_client", "off")];

/// A store with browsers before it, and a core whose limits are off, so that flows have no steps but those that matter.
struct Place {
    core: Core,
    people: People,
    rows: Rows,
    opened: Opened,
    subject: String,
    /// The request of a stored client, and the token of the form in which Ada is asked.
    stored: [String; 2],
}

impl Place {
    fn new() -> Self {
        let rows = Arc::new(Rows::default());
        let world = World::with_own_users(rows.clone(), |builder| builder);
        let subject = world.server.create_user(User::new("ada@example.com"), Secret::from(PASSWORD)).unwrap();
        world.server.create_client(Client::public("stored").redirect_uri(REDIRECT_URI)).unwrap();
        let opened = Opened::in_world(&world);
        let page = Visit::with_cookies(&world, &opened.cookies).get(&authorization("stored", REDIRECT_URI));
        let stored = ["request", "form_token"].map(|name| hidden(&page, name));
        let core = core_with(UserSource::BuiltIn, 4, &OFF);
        Self { core, people: People::default(), rows: Rows::clone(&rows), opened, subject, stored }
    }

    /// The same, after Ada has consented to what the client `third` asks for.
    fn consented() -> Self {
        let place = Self::new();
        assert!(code_in(&place.finish(&place.rows, place.consent(7))).is_some());
        place
    }

    fn now() -> UnixTime {
        UnixTime::from_seconds(START + 1)
    }

    fn begin(&self, request: http::Request<bytes::Bytes>, seed: u64) -> Step {
        self.core.begin(Request::new(request, None), Self::now(), Entropy::from_seed(seed))
    }

    fn finish(&self, rows: &Rows, step: Step) -> Reply {
        drive(rows, &self.people, step).into()
    }

    fn consent(&self, seed: u64) -> Step {
        self.begin(self.opened.consent("allow"), seed)
    }

    fn start(&self, client_id: &str, redirect_uri: &str, seed: u64) -> Step {
        self.begin(self.opened.get(&authorization(client_id, redirect_uri)), seed)
    }

    fn start_web(&self, seed: u64) -> Step {
        self.start("web", REDIRECT_URI, seed)
    }

    fn withdraw(&self, client_id: &str, seed: u64) -> Step {
        self.begin(self.opened.act("withdraw", "client_id", client_id), seed)
    }

    fn sign_out(&self, seed: u64) -> Step {
        self.begin(self.opened.post("/auth/logout", &[("form_token", &self.opened.logout)]), seed)
    }

    fn sign_out_everywhere(&self, seed: u64) -> Step {
        self.begin(self.opened.act("sign_out_everywhere", "client_id", ""), seed)
    }

    /// Shows `check` every end of two flows.
    fn meet(
        &self,
        faults: usize,
        start: impl Fn() -> Vec<Box<dyn Party>>,
        mut check: impl FnMut(&Met, [&Reply; 2]),
    ) -> usize {
        let meeting = Meeting::new(&self.rows, &self.people, faults).marking(raises);
        meeting.run(start, |met| {
            let [one, two] = met.replies.as_slice() else { panic!("both end: {:?}", met.moves) };
            for reply in [one, two] {
                assert!(reply.status != 500, "{:?}: {reply:?}", met.moves);
            }
            check(met, [one, two]);
        })
    }

    /// Whether an answer holds a code for which this client gets tokens that work; on a copy of the store.
    fn lives(&self, rows: &Rows, reply: &Reply, client_id: &str, redirect_uri: &str) -> bool {
        let Some(code) = code_in(reply) else { return false };
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("code", &*code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        let rows = rows.clone();
        let redeem = self.core.begin(form_request("/auth/token", &fields), Self::now(), Entropy::from_seed(900));
        let redeemed = self.finish(&rows, redeem);
        redeemed.status == 200 && self.works(&rows, &SignedIn::of(&redeemed).access)
    }

    fn lives_at_web(&self, rows: &Rows, reply: &Reply) -> bool {
        self.lives(rows, reply, "web", REDIRECT_URI)
    }

    fn lives_at_third(&self, rows: &Rows, reply: &Reply) -> bool {
        self.lives(rows, reply, "third", THIRD_URI)
    }

    fn works(&self, rows: &Rows, access: &str) -> bool {
        let request = http::Request::get("/auth/userinfo").header("authorization", format!("Bearer {access}"));
        let step = self.begin(request.body(bytes::Bytes::new()).unwrap(), 901);
        self.finish(rows, step).status == 200
    }

    /// Whether somebody is signed in who has these cookies.
    fn is_signed_in(&self, rows: &Rows, cookies: &str) -> bool {
        let page = http::Request::get("/auth/applications").header("cookie", cookies);
        let page = self.finish(&rows.clone(), self.begin(page.body(bytes::Bytes::new()).unwrap(), 902));
        String::from_utf8_lossy(&page.body).contains("name=\"form_token\"")
    }

    /// How many grants of a client can be used.
    fn grants(&self, rows: &Rows, client_id: &str) -> usize {
        let step = self.core.grants_of(&*self.subject, Self::now(), Entropy::from_seed(903));
        let grants = drive(rows, &self.people, step).unwrap();
        grants.iter().filter(|grant| grant.client_id() == client_id).count()
    }
}

/// Steps on the record that holds a user's or a client's epoch.
fn raises(taken: &Taken) -> bool {
    taken.key.starts_with("o.")
}

fn both(one: Step, two: Step) -> Vec<Box<dyn Party>> {
    vec![request(one), request(two)]
}

fn unavailable(reply: &Reply) -> bool {
    reply.status == 503 || reply.header("location").contains("error=temporarily_unavailable")
}

/// The cookies that an answer sets.
fn cookies(reply: &Reply) -> String {
    let lines = reply.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    let pairs: Vec<&str> = lines.filter_map(|line| line.split(';').next()).collect();
    pairs.join("; ")
}

#[test]
fn one_form_sent_twice_is_one_grant_and_one_code() {
    let place = Place::new();
    let ends = place.meet(
        1,
        || both(place.consent(101), place.consent(102)),
        |met, replies| {
            let codes: Vec<String> = replies.into_iter().filter_map(code_in).collect();
            assert!(codes.windows(2).all(|two| two[0] == two[1]), "{:?}", met.moves);
            assert!(replies.iter().all(|reply| code_in(reply).is_some() || unavailable(reply)), "{:?}", met.moves);
            assert!(!met.is_faultless() || codes.len() == 2, "{:?}", met.moves);
            assert!(place.grants(&met.rows, "third") <= 1, "{:?}", met.moves);
            for reply in replies.iter().filter(|reply| code_in(reply).is_some()) {
                assert!(place.lives_at_third(&met.rows, reply), "{:?}", met.moves);
            }
        },
    );
    assert!(ends > 50, "{ends}");
}

#[test]
fn what_is_approved_while_access_is_taken_back_is_asked_for_again_or_dead() {
    // A consent that is given now, and one that was remembered.
    for place in [Place::new(), Place::consented()] {
        let start = || match place.grants(&place.rows, "third") {
            0 => place.consent(101),
            _ => place.start("third", THIRD_URI, 101),
        };
        let ends = place.meet(
            1,
            || both(start(), place.withdraw("third", 102)),
            |met, [approved, withdrawn]| {
                assert!(withdrawn.status == 303 || unavailable(withdrawn), "{withdrawn:?}");
                if withdrawn.status != 303 {
                    return;
                }
                // Alive is only what was consented to afterwards; then nobody is asked again.
                let lives = place.lives_at_third(&met.rows, approved);
                let next = place.finish(&met.rows.clone(), place.start("third", THIRD_URI, 103));
                assert!(!lives || code_in(&next).is_some(), "{:?}", met.moves);
                // Where the store failed the approval, nobody was given the code of what is left.
                let grants = place.grants(&met.rows, "third");
                assert!(unavailable(approved) || grants == usize::from(lives), "{:?}", met.moves);
            },
        );
        assert!(ends > 50, "{ends}");
    }
}

#[test]
fn a_client_of_the_house_keeps_nothing_from_before_its_access_is_taken_back() {
    let place = Place::new();
    let earlier = place.finish(&place.rows, place.start_web(7));
    assert!(place.lives_at_web(&place.rows, &earlier));
    let ends = place.meet(
        1,
        || both(place.start_web(101), place.withdraw("web", 102)),
        |met, [started, withdrawn]| {
            if withdrawn.status == 303 {
                assert!(!place.lives_at_web(&met.rows, &earlier), "{:?}", met.moves);
                // What was all done before is dead too; what was made anew afterwards is one grant.
                let first = met.moves.iter().rposition(|(flow, _)| *flow == 0);
                let over = first < met.moves.iter().position(|(flow, _)| *flow == 1);
                assert!(!over || !place.lives_at_web(&met.rows, started), "{:?}", met.moves);
                let lives = place.lives_at_web(&met.rows, started);
                let grants = place.grants(&met.rows, "web");
                assert!(unavailable(started) || grants == usize::from(lives), "{:?}", met.moves);
            }
        },
    );
    assert!(ends > 50, "{ends}");
}

#[test]
fn what_is_approved_while_its_browser_is_signed_out_is_dead() {
    let place = Place::new();
    type Approve<'a> = &'a dyn Fn() -> Step;
    let approvals: [(Approve<'_>, &str, &str); 2] =
        [(&|| place.consent(101), "third", THIRD_URI), (&|| place.start_web(101), "web", REDIRECT_URI)];
    for (approve, client_id, redirect_uri) in approvals {
        for everywhere in [false, true] {
            let sign_out = || if everywhere { place.sign_out_everywhere(102) } else { place.sign_out(102) };
            let ends = place.meet(
                1,
                || both(approve(), sign_out()),
                |met, [approved, signed_out]| {
                    assert!(signed_out.status == 200 || unavailable(signed_out), "{signed_out:?}");
                    if signed_out.status != 200 {
                        return;
                    }
                    assert!(!place.lives(&met.rows, approved, client_id, redirect_uri), "{:?}", met.moves);
                    assert!(!place.is_signed_in(&met.rows, &place.opened.cookies), "{:?}", met.moves);
                    assert!(!place.works(&met.rows, &place.opened.tokens.access), "{:?}", met.moves);
                    assert_eq!(place.is_signed_in(&met.rows, &place.opened.elsewhere), !everywhere, "{:?}", met.moves);
                },
            );
            assert!(ends > 50, "{ends}");
        }
    }
}

#[test]
fn who_signs_in_while_being_signed_out_everywhere_gets_nothing_from_before() {
    let place = Place::new();
    let revoke_all = || place.core.revoke_all(&*place.subject, Place::now(), Entropy::from_seed(102));
    let mut lived = 0;
    let ends = place.meet(
        1,
        || vec![request(place.begin(place.opened.sign_in(PASSWORD), 101)), call(revoke_all())],
        |met, [signed_in, signed_out]| {
            if signed_out.status != 200 {
                return;
            }
            // Alive is only who looked at the epoch after it was raised.
            let raised = met.marked.iter().position(|one| one.flow == 1 && one.call == "put");
            let read = met.marked.iter().position(|one| one.flow == 0);
            let before = read < raised;
            let lives = place.lives_at_web(&met.rows, signed_in);
            assert!(!(before && lives), "{:?}", met.moves);
            assert!(!(before && place.is_signed_in(&met.rows, &cookies(signed_in))), "{:?}", met.moves);
            lived += usize::from(lives);
        },
    );
    assert!(ends > 50 && lived > 0, "{ends} {lived}");
}

#[test]
fn two_requests_of_one_browser_do_not_disturb_each_other() {
    let place = Place::consented();
    let ends = place.meet(
        1,
        || both(place.start_web(101), place.start("third", THIRD_URI, 102)),
        |met, [web, third]| {
            for (reply, lives) in
                [(web, place.lives_at_web(&met.rows, web)), (third, place.lives_at_third(&met.rows, third))]
            {
                assert!(lives || unavailable(reply), "{:?}: {reply:?}", met.moves);
                assert!(lives || !met.is_faultless(), "{:?}", met.moves);
            }
        },
    );
    assert!(ends > 10, "{ends}");
}

#[test]
fn access_that_is_taken_back_twice_is_taken_back() {
    let place = Place::consented();
    let ends = place.meet(
        1,
        || both(place.withdraw("third", 101), place.withdraw("third", 102)),
        |met, replies| {
            assert!(replies.iter().all(|reply| reply.status == 303 || unavailable(reply)), "{:?}", met.moves);
            assert!(replies.iter().filter(|reply| reply.status == 303).count() >= 1, "{:?}", met.moves);
            assert_eq!(place.grants(&met.rows, "third"), 0, "{:?}", met.moves);
            let next = place.finish(&met.rows.clone(), place.start("third", THIRD_URI, 103));
            assert_eq!(code_in(&next), None, "asked again: {:?}", met.moves);
        },
    );
    assert!(ends > 20, "{ends}");
}

#[test]
fn a_client_that_is_deleted_while_ada_consents_has_nothing() {
    let place = Place::new();
    let [sealed, token] = &place.stored;
    let consent = || {
        let fields = [("request", &**sealed), ("form_token", token), ("decision", "allow")];
        request(place.begin(place.opened.post("/auth/consent", &fields), 101))
    };
    let delete = || call(place.core.delete_client("stored", Place::now(), Entropy::from_seed(102)));
    let ends = place.meet(
        1,
        || vec![consent(), delete()],
        |met, [approved, deleted]| {
            if deleted.status == 200 {
                let grants = place.grants(&met.rows, "stored");
                assert!(unavailable(approved) || grants == 0, "{:?}", met.moves);
                assert!(!place.lives(&met.rows, approved, "stored", REDIRECT_URI), "{:?}", met.moves);
            }
        },
    );
    assert!(ends > 50, "{ends}");
}

#[test]
fn a_sign_in_with_the_old_password_does_not_outlive_its_change() {
    let place = Place::new();
    let change = || place.begin(place.opened.change_password(), 102);
    let ends = place.meet(
        0, // each order has three hashes: with a fault it is sampled in `failing_store`
        || both(place.begin(place.opened.sign_in(PASSWORD), 101), change()),
        |met, [signed_in, changed]| {
            assert_eq!(changed.status, 303, "{:?}: {changed:?}", met.moves);
            assert!(!place.lives_at_web(&met.rows, signed_in), "{:?}", met.moves);
            assert!(!place.is_signed_in(&met.rows, &cookies(signed_in)), "{:?}", met.moves);
            assert!(!place.is_signed_in(&met.rows, &place.opened.elsewhere), "{:?}", met.moves);
            assert!(
                place.is_signed_in(&met.rows, &format!("{}; {}", browser(&place.opened.cookies), cookies(changed)))
            );
        },
    );
    assert!(ends > 10, "{ends}");
}

/// The cookie of the browser alone.
fn browser(cookies: &str) -> &str {
    cookies.split("; ").find(|pair| pair.contains("-browser=")).unwrap_or_default()
}

#[test]
fn a_store_that_does_not_fail_has_no_order_without_an_answer() {
    let place = Place::new();
    let ends = Meeting::new(&place.rows, &place.people, 0).run(
        || vec![request(place.consent(101)), request(place.sign_out(102)), request(place.withdraw("third", 103))],
        |met| {
            assert!(met.replies.iter().all(|reply| !unavailable(reply)), "{:?}", met.moves);
            assert!(!place.lives_at_third(&met.rows, &met.replies[0]) || met.replies[1].status != 200);
            assert!(met.moves.iter().all(|(_, fault)| *fault == Fault::None));
        },
    );
    assert!(ends > 10, "{ends}");
}
