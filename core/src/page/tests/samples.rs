//! Every page in every state, with realistic words and with hostile ones.

use std::collections::BTreeMap;

use super::super::*;

pub(super) const HOSTILE: &str =
    "\u{202e}<img src=x onerror=alert(1)>\"'&amp;</style></title><script>\u{2066}\0\u{200f}";
pub(super) const TOKEN: &str = "pk_Zm9yIGV2ZXJ5IGZvcm0gb25lIHRva2VuIG9mIGZvcnR5IGJ5dGVzIQ.c2VhbGVkIGFuZCBjaGVja2Vk";

/// What differs between realistic and hostile pages.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) client: &'a str,
    pub(super) host: &'a str,
    pub(super) scopes: &'a [&'a str],
    pub(super) username: &'a str,
    pub(super) token: &'a str,
    pub(super) description: &'a str,
    pub(super) back: &'a str,
}

pub(super) const REALISTIC: Words<'_> = Words {
    client: "The Orders Workbench of Example & Daughters",
    host: "orders.workbench.example.com",
    scopes: &[
        "See your orders and their state",
        "Change and cancel your orders",
        "See your name and your e-mail address",
    ],
    username: "ada.lovelace@example.com",
    token: TOKEN,
    description: "redirect_uri is not registered for this client",
    back: "https://orders.workbench.example.com/start",
};

pub(super) const BAD: Words<'_> = Words {
    client: HOSTILE,
    host: HOSTILE,
    scopes: &[HOSTILE],
    username: HOSTILE,
    token: HOSTILE,
    description: HOSTILE,
    back: "https://x.example/\"><script>",
};

pub(super) const KINDS: [ProblemKind; 10] = [
    ProblemKind::AlreadyUsed,
    ProblemKind::BadRequest,
    ProblemKind::Expired,
    ProblemKind::Failed,
    ProblemKind::Forged,
    ProblemKind::Method,
    ProblemKind::NoLongerSignedIn,
    ProblemKind::NotFound,
    ProblemKind::TooMany,
    ProblemKind::Unavailable,
];

/// Every page in every state, by name.
pub(super) fn pages(frame: &Frame<'_>, words: Words<'_>) -> BTreeMap<String, String> {
    let Words { client, host, scopes, username, token, description, back } = words;
    let request = token.repeat(8);
    let mut pages = BTreeMap::new();
    let mut add = |name: String, page: String| assert!(pages.insert(name, page).is_none());

    let form = SignIn { request: &request, client: Some(client), username: "", problem: None, may_reset: true };
    add("sign_in".to_owned(), sign_in(frame, &form));
    add("sign_in hinted".to_owned(), sign_in(frame, &SignIn { username, client: None, may_reset: false, ..form }));
    for problem in [
        SignInProblem::Busy,
        SignInProblem::Missing,
        SignInProblem::TooMany { minutes: 1 },
        SignInProblem::TooMany { minutes: 15 },
        SignInProblem::Wrong,
    ] {
        let page =
            SignIn { request: &request, client: Some(client), username, problem: Some(problem), may_reset: true };
        add(format!("sign_in {problem:?}"), sign_in(frame, &page));
    }
    for (days, loopback_or_private) in [(90, false), (1, true)] {
        let page = ConsentPage {
            request: &request,
            token,
            client,
            redirect_host: host,
            scopes,
            username,
            days,
            loopback_or_private,
        };
        add(format!("consent {days}"), consent(frame, &page));
    }
    for kind in KINDS {
        let page = ProblemPage { kind, description, reference: "7Qe2-kk01", back: Some((host, back)) };
        add(format!("problem {kind:?}"), problem(frame, &page));
    }
    add("sign_out".to_owned(), sign_out(frame, &SignOut { token, username }));
    add("signed_out".to_owned(), signed_out(frame));

    let application = |since| Application {
        client_id: client,
        name: client,
        redirect_host: Some(host),
        scopes: scopes.to_vec(),
        since,
    };
    let session = |current, last_used| BrowserSession { id: token, since: 1_795_000_000, last_used, current };
    for done in [None, Some(Done::PasswordChanged), Some(Done::SessionEnded), Some(Done::Withdrawn)] {
        let some = [1_790_000_000, 1_791_000_000, 1_792_000_000, 1_793_000_000].map(application);
        let sessions = [session(true, 1_795_000_600), session(false, 1_795_000_060), session(false, 1_795_000_000)];
        let page = ApplicationsPage {
            token,
            username,
            applications: &some,
            sessions: &sessions,
            done,
            may_change_password: true,
        };
        add(format!("applications {done:?}"), applications(frame, &page));
    }
    let sessions = [session(true, 1_795_000_600)];
    let page = ApplicationsPage {
        token,
        username,
        applications: &[],
        sessions: &sessions,
        done: None,
        may_change_password: false,
    };
    add("applications none".to_owned(), applications(frame, &page));

    for problem in [
        None,
        Some(PasswordProblem::Busy),
        Some(PasswordProblem::Missing),
        Some(PasswordProblem::TooCommon),
        Some(PasswordProblem::TooLong),
        Some(PasswordProblem::TooMany { minutes: 3 }),
        Some(PasswordProblem::TooShort),
        Some(PasswordProblem::WrongCurrent),
    ] {
        let page = PasswordPage { token, username, problem, min_length: 15 };
        add(format!("password {problem:?}"), password(frame, &page));
        add(format!("reset {problem:?}"), reset(frame, &ResetPage { token, problem, min_length: 15 }));
    }
    for problem in
        [None, Some(ForgotProblem::Busy), Some(ForgotProblem::Missing), Some(ForgotProblem::TooMany { minutes: 9 })]
    {
        add(format!("forgot {problem:?}"), forgot(frame, problem));
    }
    add("forgot_sent".to_owned(), forgot_sent(frame));
    add("password_set".to_owned(), password_set(frame));
    pages
}
