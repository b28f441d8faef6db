//! Whoever is signed out while a sign-in is under way gets nothing that outlives it (invariant I14), and what failed
//! half way is ended by its repetition.

use std::sync::Arc;

use proofkey::core::{Core, Entropy, Step, UserSource};
use proofkey::{Client, GrantType, Request, Secret, Server, UnixTime, User, UserChange};
use proofkey_tests::{
    ADA, CHALLENGE, Fault, Faulty, ISSUER, PASSWORD, People, REDIRECT_URI, Reply, Rows, START, VERIFIER, answer, basic,
    configure, core_with, drive, form_request,
};

const NEW_PASSWORD: &str = "a quite different passphrase";
/// Its hash, at cost 4.
const NEW_HASH: &str = "$2b$04$aFHtZ0XpXVirbETxbFKrKeQOadUeF0fB1qFsgTf2ssmuc/rK.9Kqi";

/// A core, its rows and its host's users, driven by hand.
struct Place {
    core: Core,
    rows: Rows,
    people: People,
}

impl Place {
    fn new(users: UserSource) -> Self {
        Self { core: core_with(users, 4, &[]), rows: Rows::default(), people: People::default() }
    }

    fn now() -> UnixTime {
        UnixTime::from_seconds(START)
    }

    fn finish<T>(&self, step: Step<T>) -> T {
        drive(&self.rows, &self.people, step)
    }

    fn sign_in(&self) -> Step {
        let body = serde_json::json!({
            "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE,
            "code_challenge_method": "S256", "scope": "read", "username": "ada@example.com", "password": PASSWORD,
        });
        let request = http::Request::post("/auth/authorize").header("content-type", "application/json");
        let request = Request::new(request.body(body.to_string().into()).unwrap(), None);
        self.core.begin(request, Self::now(), Entropy::from_seed(1))
    }

    /// Whether the answer to a sign-in is a code that gives tokens.
    fn yields_tokens(&self, reply: &Reply) -> bool {
        if reply.status != 200 {
            return false;
        }
        let code = reply.text("code");
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", "web"),
            ("code", &code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        let redeem = self.core.begin(form_request("/auth/token", &fields), Self::now(), Entropy::from_seed(2));
        Reply::from(self.finish(redeem)).status == 200
    }
}

/// Lets `act` happen after each number of steps of the flow that `start` begins, and shows `check` each end.
fn at_every_step(
    users: UserSource,
    start: impl Fn(&Place) -> Step,
    act: impl Fn(&Place),
    check: impl Fn(&Place, &Reply),
) {
    let mut moments = 0;
    loop {
        let place = Place::new(users);
        let mut step = start(&place);
        let mut taken = 0;
        while taken < moments && !matches!(step, Step::Done(_)) {
            step = answer(&place.rows, &place.people, step, Fault::None);
            taken += 1;
        }
        let over = matches!(step, Step::Done(_));
        act(&place);
        let reply = Reply::from(place.finish(step));
        check(&place, &reply);
        if over {
            assert!(moments > 4, "a flow of {moments} steps shows little");
            return;
        }
        moments += 1;
    }
}

#[test]
fn a_sign_in_with_the_old_password_does_not_outlive_its_change_wherever_it_stands() {
    at_every_step(
        UserSource::Find,
        Place::sign_in,
        |place| {
            place.people.set_hash(ADA, NEW_HASH);
            place.finish(place.core.revoke_all(ADA, Place::now(), Entropy::from_seed(3))).unwrap();
        },
        |place, reply| assert!(!place.yields_tokens(reply), "{reply:?}"),
    );
}

#[test]
fn a_user_of_the_built_in_store_who_is_disabled_gets_nothing_from_a_sign_in_under_way() {
    let with_ada = |place: &Place| {
        let ada = User::new("ada").with_username("ada@example.com");
        let created = place.core.create_user(ada, Secret::from(PASSWORD), Place::now(), Entropy::from_seed(9));
        place.finish(created).unwrap().unwrap();
        place.sign_in()
    };
    for change in [|| UserChange::Disable, || UserChange::Password(Secret::from(NEW_PASSWORD))] {
        at_every_step(
            UserSource::BuiltIn,
            with_ada,
            |place| {
                let changed = place.core.change_user("ada@example.com", change(), Place::now(), Entropy::from_seed(3));
                place.finish(changed).unwrap().unwrap();
            },
            |place, reply| assert!(!place.yields_tokens(reply), "{reply:?}"),
        );
    }
}

#[test]
fn a_sweep_of_what_an_old_sign_out_left_refuses_no_sign_in_under_way() {
    let long_ago = UnixTime::from_seconds(START - 24 * 3600);
    let after_a_sign_out = |place: &Place| {
        place.finish(place.core.revoke_all(ADA, long_ago, Entropy::from_seed(3))).unwrap();
        place.finish(place.core.revoke_client("web", long_ago, Entropy::from_seed(4))).unwrap();
        place.sign_in()
    };
    at_every_step(
        UserSource::Find,
        after_a_sign_out,
        |place| {
            proofkey::store::Store::sweep(&place.rows, Place::now(), 100).unwrap();
        },
        |place, reply| assert!(place.yields_tokens(reply), "{reply:?}"),
    );
}

#[test]
fn a_stored_client_that_is_deleted_gets_nothing_from_a_request_under_way() {
    let stored = || {
        let (secret, text) = proofkey::ClientSecret::generate([5; 32]);
        let client = Client::confidential("nightly", secret).grant_types([GrantType::ClientCredentials]);
        (client, text.expose_text().unwrap().to_owned())
    };
    at_every_step(
        UserSource::Find,
        |place| {
            let (client, secret) = stored();
            place.finish(place.core.create_client(client, Place::now(), Entropy::from_seed(9))).unwrap().unwrap();
            let header = basic("nightly", &secret);
            let request = http::Request::post("/auth/token")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("authorization", header)
                .body("grant_type=client_credentials&scope=read".into());
            place.core.begin(Request::new(request.unwrap(), None), Place::now(), Entropy::from_seed(1))
        },
        |place| {
            place.finish(place.core.delete_client("nightly", Place::now(), Entropy::from_seed(3))).unwrap().unwrap();
        },
        |place, reply| {
            if reply.status == 200 {
                let token = reply.text("access_token");
                let request = http::Request::get("/api").header("authorization", format!("Bearer {token}"));
                let request = Request::new(request.body(bytes::Bytes::new()).unwrap(), None);
                let any = proofkey::Requirement::any();
                let checked = place.core.check_access(request, any, Place::now(), Entropy::from_seed(4));
                assert!(place.finish(checked).is_err(), "{reply:?}");
            }
        },
    );
}

/// A server with its own users over a store that can be told to fail, and Ada signed in.
fn signed_in() -> (Server, Arc<Faulty>, String) {
    let store = Arc::new(Faulty::around(Arc::new(Rows::default())));
    let server = configure(Server::builder(ISSUER)).store(Arc::clone(&store)).build().unwrap();
    server.create_user(User::new("ada").with_username("ada@example.com"), Secret::from(PASSWORD)).unwrap();
    let body = serde_json::json!({
        "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        "scope": "read", "username": "ada@example.com", "password": PASSWORD,
    });
    let request = http::Request::post("/auth/authorize").header("content-type", "application/json");
    let reply: Reply = server.handle(request.body(body.to_string().into()).unwrap(), None).into();
    let redeemed = proofkey_tests::perform(&server, "redeem", &reply.text("code"));
    (server, store, redeemed.access.unwrap())
}

#[test]
fn a_deletion_or_a_disabling_that_failed_half_way_is_ended_by_its_repetition() {
    type Act = fn(&Server) -> bool;
    let disable: Act = |server| server.change_user("ada@example.com", UserChange::Disable).is_ok();
    let delete: Act = |server| server.delete_user("ada@example.com").is_ok();
    for act in [disable, delete] {
        let mut fails_at = 0;
        loop {
            let (server, store, access) = signed_in();
            assert_eq!(proofkey_tests::perform(&server, "check", &access).status, 200);
            let mut plan = vec![Fault::None; fails_at];
            plan.extend([Fault::Fail; 3]); // the write, its repetition, the look afterwards
            store.plan(plan);
            let done = act(&server);
            store.plan([]);
            if !done {
                act(&server);
            }
            let request = http::Request::get("/api").header("authorization", format!("Bearer {access}"));
            let request = Request::new(request.body(bytes::Bytes::new()).unwrap(), None);
            assert!(server.check_access(request, proofkey::Requirement::any()).is_err(), "failed at call {fails_at}");
            if done {
                assert!(fails_at > 5);
                break;
            }
            fails_at += 1;
        }
    }
}

#[test]
fn a_user_who_is_enabled_again_while_being_deleted_keeps_no_grant() {
    let mut moments = 0;
    loop {
        let place = Place::new(UserSource::BuiltIn);
        let ada = User::new("ada").with_username("ada@example.com");
        let created = place.core.create_user(ada, Secret::from(PASSWORD), Place::now(), Entropy::from_seed(9));
        place.finish(created).unwrap().unwrap();
        let mut step = place.core.delete_user("ada@example.com", Place::now(), Entropy::from_seed(3));
        let mut taken = 0;
        while taken < moments && !matches!(step, Step::Done(_)) {
            step = answer(&place.rows, &place.people, step, Fault::None);
            taken += 1;
        }
        let over = matches!(step, Step::Done(_));
        let enabled =
            place.core.change_user("ada@example.com", UserChange::Enable, Place::now(), Entropy::from_seed(4));
        let _ = place.finish(enabled).unwrap(); // refused where the deletion is over
        let reply = Reply::from(place.finish(place.sign_in()));
        place.finish(step).unwrap().unwrap();
        assert!(!place.yields_tokens(&reply), "after {moments} steps: {reply:?}");
        if over {
            assert!(moments > 5);
            return;
        }
        moments += 1;
    }
}
