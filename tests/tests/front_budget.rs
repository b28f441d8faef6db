//! How many store calls a browser costs, page by page (docs/design.md, "The pages"): bounded by stated constants
//! (invariant I19).

use proofkey_tests::{CHALLENGE, Held, Operation, REDIRECT_URI, THIRD_URI, World, authorization, code_in};

/// What a code costs: two epochs and the session; whether the challenge was seen; the consent; the grant; and the
/// session, the epochs and the consent once more.
const APPROVAL: &str = "get get get get get put get get get get";
/// The same with a challenge that the client shows for the first time in an hour, which is written down.
const APPROVAL_OF_NEW_CHALLENGE: &str = "get get get get put get put get get get get";

/// A world with browsers before it, and what they hold.
fn opened(settings: &[(&str, &str)]) -> (World, Held) {
    let world = World::with(|builder| settings.iter().fold(builder, |builder, (name, text)| builder.set(name, text)));
    let held = Held::prepare(&world);
    (world, held)
}

fn cost(status: u16, calls: &str) -> (u16, String) {
    (status, calls.to_owned())
}

/// What one page costs, and its status.
fn page(world: &World, request: http::Request<bytes::Bytes>) -> (u16, String) {
    world.store.take_calls();
    let status = world.send(request).status.as_u16();
    let calls: Vec<String> = world.store.take_calls().iter().map(ToString::to_string).collect();
    (status, calls.join(" "))
}

#[test]
fn a_browser_in_which_nobody_is_signed_in_costs_nothing_where_the_client_is_configured() {
    let (world, held) = opened(&[]);
    let start = |client_id| http::Request::get(authorization(client_id, REDIRECT_URI)).body(bytes::Bytes::new());
    assert_eq!(page(&world, start("web").unwrap()), cost(200, ""));
    assert_eq!(page(&world, start("stored").unwrap()), cost(200, "get"));
    for path in ["/auth/login", "/auth/logout", "/auth/applications", "/auth/password"] {
        let request = http::Request::get(path).body(bytes::Bytes::new()).unwrap();
        assert_eq!(page(&world, request), cost(200, ""), "{path}");
    }
    // A cookie that is not ours is not looked for.
    let mut forged = held.opened.get("/auth/applications");
    forged.headers_mut().insert("cookie", "__Secure-proofkey=gAAAAAB".parse().unwrap());
    assert_eq!(page(&world, forged), cost(200, ""));
}

#[test]
fn a_browser_in_which_somebody_is_signed_in_costs_what_the_design_says() {
    let (world, held) = opened(&[]);
    let opened = &held.opened;
    // The session and its user's epoch, before anything else.
    let session = "get get";
    let fresh = authorization("web", REDIRECT_URI).replace(CHALLENGE, &"A".repeat(43));
    assert_eq!(page(&world, opened.get(&fresh)), cost(303, &format!("{session} {APPROVAL_OF_NEW_CHALLENGE}")));
    let web = opened.get(&authorization("web", REDIRECT_URI));
    assert_eq!(page(&world, web), cost(303, &format!("{session} {APPROVAL}")));
    // A client that needs consent: whether it is remembered.
    let third = || opened.get(&authorization("third", THIRD_URI));
    assert_eq!(page(&world, third()), cost(200, &format!("{session} get")));
    let remembered = "get put";
    let approval = APPROVAL_OF_NEW_CHALLENGE;
    assert_eq!(page(&world, opened.consent("allow")), cost(303, &format!("{session} get {remembered} {approval}")));
    assert_eq!(page(&world, third()), cost(303, &format!("{session} get {APPROVAL}")));
    assert_eq!(page(&world, opened.consent("deny")), cost(303, &format!("{session} get")));
    // Use is written down once a minute.
    world.wait(60);
    assert_eq!(page(&world, opened.get("/auth/logout")), cost(200, &format!("{session} put")));
    assert_eq!(page(&world, opened.get("/auth/logout")), cost(200, session));
}

#[test]
fn signing_in_on_the_page_costs_a_session_and_a_code() {
    let (world, held) = opened(&[("limit_user", "off"), ("limit_address", "off"), ("limit_client", "off")]);
    let (status, calls) = page(&world, Operation::SignIn.request(&held));
    // The epochs before the password is looked at; the session, and the epoch after it; then the code.
    assert_eq!((status, calls), cost(303, &format!("get get put get {APPROVAL}")));
    let again = world.send(Operation::SignIn.request(&held));
    assert!(code_in(&again).is_some());
}

#[test]
fn the_page_of_applications_reads_each_record_once() {
    let (world, held) = opened(&[]);
    let calls = |world: &World| {
        let (status, calls) = page(world, held.opened.get("/auth/applications"));
        assert_eq!(status, 200);
        (calls.matches("get").count(), calls.matches("find").count(), calls.matches("put").count())
    };
    let (gets, finds, puts) = calls(&world);
    assert_eq!((finds, puts), (3, 0), "grants, consent, sign-ins");
    world.sign_in();
    assert_eq!(calls(&world), (gets + 1, 3, 0), "one more grant");
    world.send(held.opened.consent("allow"));
    assert_eq!(calls(&world), (gets + 3, 3, 0), "one more grant, and a consent");
}
