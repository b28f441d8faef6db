//! The same for what browsers do (see `aftermath`).

use crate::opened::NEW_PASSWORD;
use crate::visit::code_in;
use crate::{Held, Operation, PASSWORD, Reply, SignedIn, THIRD_URI, Visit, World, assert_well_formed};

/// Checks that an answer to a browser claims nothing: a page that says so or, where the client is known before anybody
/// has sent a form, an error for the client.
pub(crate) fn assert_unavailable(operation: Operation, reply: &Reply, context: &str) {
    assert_well_formed(reply, context);
    let context = format!("{operation:?} {context}: {reply:?}");
    let starts = matches!(operation, Operation::Start | Operation::StartAnonymous);
    if starts && reply.status == 303 {
        let location = reply.header("location");
        assert!(location.contains("error=temporarily_unavailable") && location.contains("&state=s&iss="), "{context}");
        assert!(code_in(reply).is_none(), "{context}");
    } else {
        assert_eq!(reply.status, 503, "{context}");
        // Whoever has signed in keeps the new cookie, for the one before is worth nothing any more.
        assert!(operation == Operation::SignIn || reply.header("set-cookie").is_empty(), "{context}");
        assert!(!reply.header("set-cookie").contains("Max-Age=0"), "nobody is signed out: {context}");
    }
}

/// Checks what holds when the store is well again, and what sending the same again gives.
pub(crate) fn assert_aftermath(world: &World, held: &Held, operation: Operation, reply: &Reply, context: &str) {
    let done = operation.is_done(reply);
    let opened = &held.opened;
    let ada = Visit::with_cookies(world, &opened.cookies);
    let elsewhere = Visit::with_cookies(world, &opened.elsewhere);
    let again = || world.send(operation.request(held));
    let repeated = || {
        let again = again();
        assert!(operation.is_done(&again), "sending it again does it: {context}: {again:?}");
        again
    };
    let alive = |tokens: &SignedIn| world.works(&tokens.access);
    match operation {
        Operation::Consent | Operation::SignIn => assert_one_code(world, held, operation, reply, context),
        Operation::Start => {
            for reply in done.then(|| reply.clone()).into_iter().chain([repeated()]) {
                let code = code_in(&reply).unwrap_or_default();
                assert_eq!(world.redeem(&code).status, 200, "no code without its record: {context}");
            }
        }
        Operation::AskForLink
        | Operation::Deny
        | Operation::OpenApplications
        | Operation::OpenConsent
        | Operation::OpenLogin
        | Operation::OpenLogout
        | Operation::OpenPassword
        | Operation::OpenReset
        | Operation::StartAnonymous => {
            repeated();
            assert!(ada.is_signed_in() && elsewhere.is_signed_in(), "{context}");
            assert!(alive(&opened.tokens) && alive(&opened.tokens_elsewhere), "{context}");
        }
        Operation::Withdraw => {
            if !done {
                repeated();
            }
            assert!(!alive(&opened.tokens) && !alive(&opened.tokens_elsewhere) && ada.is_signed_in(), "{context}");
        }
        Operation::EndSession => {
            if !done {
                repeated();
            }
            assert!(!elsewhere.is_signed_in() && !alive(&opened.tokens_elsewhere), "{context}");
            assert!(ada.is_signed_in() && alive(&opened.tokens), "{context}");
        }
        Operation::SignOut => {
            if !done {
                repeated();
            }
            assert!(!ada.is_signed_in() && !alive(&opened.tokens), "{context}");
            assert!(elsewhere.is_signed_in() && alive(&opened.tokens_elsewhere), "{context}");
        }
        Operation::SignOutEverywhere => {
            if !done {
                // Her own sign-in may be over already; then she has to show who she is.
                if !ada.is_signed_in() {
                    assert_eq!(ada.sign_in("ada@example.com", PASSWORD).status, 303, "{context}");
                }
                let fields = [("action", "sign_out_everywhere")];
                assert_eq!(ada.submit("/auth/applications", "form_token", &fields).status, 200, "{context}");
            }
            assert!(!ada.is_signed_in() && !elsewhere.is_signed_in(), "{context}");
            assert!(!alive(&opened.tokens) && !alive(&opened.tokens_elsewhere), "{context}");
        }
        Operation::ChangePassword => {
            let [old, new] = passwords(world);
            assert!(old != new && (new || !done), "{old} {new}: {context}");
            if !done {
                // Whoever sees the page tries again with the password that works.
                let visit = Visit::new(world);
                let current = if new { NEW_PASSWORD } else { PASSWORD };
                assert_eq!(visit.sign_in("ada@example.com", current).status, 303, "{context}");
                let fields = [("current_password", current), ("new_password", "yet another passphrase")];
                let fields = [fields.as_slice(), &[("end_others", "yes")]].concat();
                assert_eq!(visit.submit("/auth/password", "form_token", &fields).status, 303, "{context}");
            }
            assert!(!elsewhere.is_signed_in() && !alive(&opened.tokens_elsewhere), "{context}");
        }
        Operation::Reset => {
            let [old, new] = passwords(world);
            assert!(old != new && (new || !done), "{old} {new}: {context}");
            if !new {
                repeated();
            } else {
                assert_eq!(again().status, 400, "a link works once: {context}");
            }
            assert!(!ada.is_signed_in() && !elsewhere.is_signed_in(), "{context}");
            assert!(!alive(&opened.tokens) && !alive(&opened.tokens_elsewhere), "{context}");
        }
        other => panic!("{other:?} is nothing that a browser does"),
    }
}

/// Whether the old password, and the new one, let Ada in.
fn passwords(world: &World) -> [bool; 2] {
    [PASSWORD, NEW_PASSWORD].map(|password| Visit::new(world).sign_in("ada@example.com", password).status == 303)
}

/// One request has one code: sent again it is the same one, until it is redeemed; and signing out of the browser that
/// got it ends what came of it.
fn assert_one_code(world: &World, held: &Held, operation: Operation, reply: &Reply, context: &str) {
    let opened = &held.opened;
    let (cookies, client_id, redirect_uri) = match operation {
        Operation::Consent => (&opened.cookies, "third", THIRD_URI),
        _ => (&opened.stranger, "web", crate::REDIRECT_URI),
    };
    let visit = Visit::with_cookies(world, cookies);
    let again = visit.follow(operation.request(held));
    let code = code_in(&again).unwrap_or_else(|| panic!("sending it again does it: {context}: {again:?}"));
    assert!(code_in(reply).is_none_or(|first| first == code), "one request, one code: {context}");
    let changes = [("client_id", client_id), ("redirect_uri", redirect_uri)];
    let tokens = SignedIn::of(&world.redeem_with(&code, &changes));
    assert!(world.works(&tokens.access), "{context}");
    let over = world.send(operation.request(held));
    assert_eq!((over.status.as_u16(), code_in(&over)), (400, None), "it was redeemed: {context}: {over:?}");
    assert!(world.works(&tokens.access), "{context}");
    assert_eq!(visit.submit("/auth/logout", "form_token", &[]).status, 200, "{context}");
    assert!(!visit.is_signed_in() && !world.works(&tokens.access), "signed out: {context}");
}
