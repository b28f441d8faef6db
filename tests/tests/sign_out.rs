//! Signing a user or a client out, against everything that can run beside it, in every order of their steps
//! (invariant I14), and grants from the owner's side.

use proofkey::core::{Core, Entropy, Step, UserSource};
use proofkey::{EventKind, Request, UnixTime};
use proofkey_tests::{
    ADA, BOB, CHALLENGE, Fault, PASSWORD, People, REDIRECT_URI, Reply, Rows, START, SignedIn, VERIFIER, World, answer,
    basic, core_with, drive, form_request, secret_of,
};
use serde_json::json;

/// A core whose limits are off, so that flows have no steps but those that matter here.
fn core() -> Core {
    core_with(UserSource::Find, 4, &[("limit_user", "off"), ("limit_address", "off"), ("limit_client", "off")])
}

fn now() -> UnixTime {
    UnixTime::from_seconds(START)
}

fn form(core: &Core, seed: u64, fields: &[(&str, &str)]) -> Step {
    core.begin(form_request("/auth/token", fields), now(), Entropy::from_seed(seed))
}

fn sign_in(core: &Core, seed: u64) -> Step {
    let body = json!({
        "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        "scope": "read", "username": "ada@example.com", "password": PASSWORD,
    });
    let request = http::Request::post("/auth/authorize").header("content-type", "application/json");
    core.begin(Request::new(request.body(body.to_string().into()).unwrap(), None), now(), Entropy::from_seed(seed))
}

fn redeem(core: &Core, seed: u64, code: &str) -> Step {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "web"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    form(core, seed, &fields)
}

fn refresh(core: &Core, seed: u64, token: &str) -> Step {
    form(core, seed, &[("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", token)])
}

/// A token of the service for itself.
fn issue(core: &Core, seed: u64) -> Step {
    let request = http::Request::post("/auth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", basic("service", &secret_of("service")))
        .body("grant_type=client_credentials&scope=read".into());
    core.begin(Request::new(request.unwrap(), None), now(), Entropy::from_seed(seed))
}

/// Whether an access token works, of a user or of a client.
fn works(core: &Core, rows: &Rows, access_token: &str) -> bool {
    let request = http::Request::get("/auth/userinfo").header("authorization", format!("Bearer {access_token}"));
    let request = Request::new(request.body(bytes::Bytes::new()).unwrap(), None);
    // A client's own token is known by its 403.
    drive(rows, &People::default(), core.begin(request, now(), Entropy::from_seed(90))).status() != 401
}

/// One step that was taken: by the sign-out or by the other flow, of which kind, on which key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Taken {
    signs_out: bool,
    kind: &'static str,
    key: String,
}

fn taken<T>(signs_out: bool, step: &Step<T>) -> Taken {
    let (kind, key) = match step {
        Step::Get(get) => ("get", get.key().as_str()),
        Step::Put(put) => ("put", put.write().key().as_str()),
        Step::Find(_) => ("find", ""),
        _ => ("other", ""),
    };
    Taken { signs_out, kind, key: key.to_owned() }
}

/// Runs a sign-out and another flow in every order of their steps from copies of `rows`, and shows `check` each end.
/// Returns how many orders there are.
fn every_order<S>(
    rows: &Rows,
    start: impl Fn() -> (Step<S>, Step),
    mut check: impl FnMut(&Rows, S, &Reply, &[Taken]),
) -> usize {
    let people = People::default();
    let mut digits: Vec<bool> = Vec::new();
    let mut orders = 0;
    loop {
        let (rows, (mut sign_out, mut other)) = (rows.clone(), start());
        let (mut choices, mut order) = (Vec::new(), Vec::new());
        let (left, right) = loop {
            let sign_out_next = match (&sign_out, &other) {
                (Step::Done(_), Step::Done(_)) => false,
                (_, Step::Done(_)) => true,
                (Step::Done(_), _) => false,
                _ => {
                    let digit = digits.get(choices.len()).copied().unwrap_or(false);
                    choices.push(digit);
                    digit
                }
            };
            match (sign_out, other) {
                (Step::Done(left), Step::Done(right)) => break (left.into_value(), Reply::from(right.into_value())),
                (left, right) if sign_out_next => {
                    order.push(taken(true, &left));
                    (sign_out, other) = (answer(&rows, &people, left, Fault::None), right);
                }
                (left, right) => {
                    order.push(taken(false, &right));
                    (sign_out, other) = (left, answer(&rows, &people, right, Fault::None));
                }
            }
        };
        check(&rows, left, &right, &order);
        orders += 1;
        let Some(at) = choices.iter().rposition(|digit| !digit) else { return orders };
        choices.truncate(at);
        choices.push(true);
        digits = choices;
    }
}

/// Whether what the other flow created may outlive the sign-out: it looked at the owner only after the epoch was
/// raised, and what it created came only after the sign-out had listed the grants. Such a sign-in is a new one.
fn may_live(order: &[Taken]) -> bool {
    let position = |wanted: &dyn Fn(&Taken) -> bool| order.iter().position(wanted).unwrap();
    let raised = position(&|one| one.signs_out && one.kind == "put");
    let found = position(&|one| one.signs_out && one.kind == "find");
    let epoch = &order[raised].key;
    let read = position(&|one| !one.signs_out && one.kind == "get" && one.key == *epoch);
    let again = order.iter().rposition(|one| !one.signs_out && one.kind == "get" && one.key == *epoch).unwrap();
    let created = order[..again].iter().rposition(|one| !one.signs_out && one.kind == "put").unwrap();
    read > raised && created > found
}

#[test]
fn a_user_who_is_signed_out_while_signing_in_has_no_grant_from_before() {
    let (core, rows, people) = (core(), Rows::default(), People::default());
    let (mut lived, mut died) = (0, 0);
    let start = || (core.revoke_all(ADA, now(), Entropy::from_seed(3)), sign_in(&core, 2));
    let orders = every_order(&rows, start, |rows, revoked, reply, order| {
        revoked.unwrap();
        let lives = reply.status == 200 && drive(rows, &people, redeem(&core, 4, &reply.text("code"))).status() == 200;
        assert!(!lives || may_live(order), "{order:?}");
        assert!(lives || !order[..3].iter().all(|one| one.signs_out), "a later sign-in is a good one: {order:?}");
        if lives { lived += 1 } else { died += 1 }
    });
    assert!(orders > 200 && lived > 0 && died > orders / 2, "{lived} of {orders} orders leave a grant");
}

#[test]
fn what_a_client_gets_for_itself_while_it_is_signed_out_is_dead_by_the_end() {
    let (core, rows) = (core(), Rows::default());
    assert_eq!(drive(&rows, &People::default(), issue(&core, 1)).status(), 200);
    let (mut lived, mut died) = (0, 0);
    let start = || (core.revoke_client("service", now(), Entropy::from_seed(3)), issue(&core, 2));
    every_order(&rows, start, |rows, revoked, reply, order| {
        assert!(revoked.unwrap() >= 1);
        let lives = reply.status == 200 && works(&core, rows, &reply.text("access_token"));
        assert!(!lives || may_live(order), "{order:?}");
        if lives { lived += 1 } else { died += 1 }
    });
    assert!(lived > 0 && died > 0, "{lived} lived, {died} died");
}

#[test]
fn a_sign_in_beside_the_end_of_its_client_gives_no_grant_from_before() {
    let (core, rows, people) = (core(), Rows::default(), People::default());
    let start = || (core.revoke_client("web", now(), Entropy::from_seed(3)), sign_in(&core, 2));
    let orders = every_order(&rows, start, |rows, revoked, reply, order| {
        revoked.unwrap();
        let lives = reply.status == 200 && drive(rows, &people, redeem(&core, 4, &reply.text("code"))).status() == 200;
        assert!(!lives || may_live(order), "{order:?}");
    });
    assert!(orders > 200, "{orders}");
}

#[test]
fn no_code_or_refresh_token_from_before_survives_a_sign_out_whatever_is_done_with_it_meanwhile() {
    let (core, rows, people) = (core(), Rows::default(), People::default());
    let code = Reply::from(drive(&rows, &people, sign_in(&core, 1))).text("code");
    let spent = Reply::from(drive(&rows, &people, sign_in(&core, 2))).text("code");
    let tokens = SignedIn::of(&drive(&rows, &people, redeem(&core, 3, &spent)).into());
    let beside: [&dyn Fn() -> Step; 3] =
        [&|| redeem(&core, 4, &code), &|| refresh(&core, 4, &tokens.refresh), &|| redeem(&core, 4, &spent)];
    for other in beside {
        for user in [true, false] {
            let start = || {
                let entropy = Entropy::from_seed(5);
                let sign_out =
                    if user { core.revoke_all(ADA, now(), entropy) } else { core.revoke_client("web", now(), entropy) };
                (sign_out, other())
            };
            every_order(&rows, start, |rows, revoked, reply, order| {
                revoked.unwrap();
                assert!(!works(&core, rows, &tokens.access), "{order:?}");
                assert_eq!(drive(rows, &people, refresh(&core, 6, &tokens.refresh)).status(), 400, "{order:?}");
                assert_eq!(drive(rows, &people, redeem(&core, 7, &code)).status(), 400, "{order:?}");
                if reply.status == 200 {
                    let got = SignedIn::of(reply);
                    assert!(!works(&core, rows, &got.access), "{order:?}");
                    assert_eq!(drive(rows, &people, refresh(&core, 8, &got.refresh)).status(), 400, "{order:?}");
                }
            });
        }
    }
}

#[test]
fn an_owner_or_an_operator_lists_grants_and_revokes_one_or_all() {
    let _rows = proofkey_conformance::shows(&["oauth21-7.9-2"]);
    let world = World::new();
    let (one, two) = (world.sign_in(), world.sign_in());
    let bobs = world.authorize(&json!({"username": "bob", "password": "another long passphrase", "scope": "read"}));
    let bobs = SignedIn::of(&world.redeem(&bobs.text("code")));
    let (grants, of_bob) = (world.server.grants_of(ADA).unwrap(), world.server.grants_of(BOB).unwrap());
    assert_eq!((grants.len(), of_bob.len()), (2, 1));
    assert_eq!(world.server.grants_of_client("web").unwrap().len(), 3);
    assert!(grants.iter().all(|grant| grant.subject() == Some(ADA) && grant.client_id() == "web"));
    assert!(grants.iter().all(|grant| grant.scope() == "email profile read write" && grant.created_at() == START));
    assert!(grants.iter().all(|grant| grant.expires_at() == START + 30 * 86_400), "when its refresh token ends");
    let first = grants[0].id();
    world.take_events();
    assert!(world.server.revoke_grant(first).unwrap());
    assert_eq!(world.take_events(), [EventKind::GrantRevoked]);
    assert!(!world.server.revoke_grant(first).unwrap(), "once is enough");
    assert!(!world.server.revoke_grant("no such grant").unwrap());
    let live: Vec<bool> = [&one, &two, &bobs].map(|tokens| world.works(&tokens.access)).into();
    assert_eq!(live.iter().filter(|works| **works).count(), 2);
    for (tokens, lives) in [&one, &two].into_iter().zip(&live) {
        assert_eq!(world.refresh(&tokens.refresh).status == 200, *lives);
    }
    assert_eq!(world.server.grants_of(ADA).unwrap().len(), 1);
    assert_eq!(world.server.revoke_all(ADA).unwrap(), 1);
    assert!(!world.works(&one.access) && !world.works(&two.access) && world.works(&bobs.access));
    assert_eq!(world.server.revoke_client("web").unwrap(), 1);
    assert!(!world.works(&bobs.access));
    assert!(world.works(&world.sign_in().access), "the door is open again");
}

/// A listing is read in pages of a hundred.
#[test]
fn every_one_of_many_grants_is_listed_and_revoked() {
    for many in [99, 100, 101, 200, 203] {
        let world = World::with(|builder| builder.limit_client("off"));
        let fields = [("grant_type", "client_credentials"), ("scope", "read")];
        for _ in 0..many {
            assert_eq!(world.form_as("service", "/auth/token", &fields).status, 200);
        }
        assert_eq!(world.server.grants_of_client("service").unwrap().len(), many);
        assert_eq!(world.server.revoke_client("service").unwrap(), many);
        assert_eq!(world.server.grants_of_client("service").unwrap().len(), 0);
    }
}

#[test]
fn a_store_that_fails_ends_a_sign_out_at_once_and_its_repetition_goes_on() {
    let world = World::new();
    let tokens: Vec<SignedIn> = (0..5).map(|_| world.sign_in()).collect();
    world.store.take_calls();
    // The epoch is raised, the grants are found, two of them are revoked.
    world.store.plan([Fault::None; 7].into_iter().chain([Fault::Fail; 100]));
    assert!(world.server.revoke_all(ADA).is_err());
    assert_eq!(world.store.take_calls().len(), 8, "the next get is the last call");
    world.store.plan([]);
    assert_eq!(tokens.iter().filter(|tokens| world.works(&tokens.access)).count(), 3);
    assert_eq!(world.server.revoke_all(ADA).unwrap(), 3);
}
