//! Requests one after the other over one store: what an answer gave, later requests show. A model holds what codes and
//! refresh tokens may bring (invariants I1, I6, I12).

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use proofkey_core::{Core, Entropy, Request, UnixTime};
use proofkey_tests::{Operation, People, Reply, Rows, START, VERIFIER};

use crate::held::{Start, start};
use crate::source::Source;
use crate::wire::{Body, Draft, Faults, drive, judge};

const MOST_REQUESTS: usize = 12;

pub(super) fn target(bytes: &[u8]) {
    let start = start();
    let mut choices = Source::new(bytes);
    let core = &start.cores[choices.below(start.cores.len())];
    let mut talk = Talk {
        start,
        core,
        rows: start.rows.clone(),
        people: People::default(),
        now: UnixTime::from_seconds(START),
        learned: Vec::new(),
        shown: false,
        last: Last::default(),
        sets: BTreeMap::new(),
        successors: BTreeMap::new(),
    };
    for turn in 0..MOST_REQUESTS {
        if choices.is_empty() {
            break;
        }
        talk.turn(u64::try_from(turn).unwrap_or_default(), &mut choices);
    }
}

/// What answers gave last.
#[derive(Default)]
struct Last {
    code: String,
    access: String,
    refresh: String,
    form: Vec<(String, String)>,
    action: String,
    location: String,
    cookies: BTreeMap<String, String>,
}

struct Talk<'a> {
    start: &'a Start,
    core: &'a Core,
    rows: Rows,
    people: People,
    now: UnixTime,
    learned: Vec<String>,
    /// Whether something secret was sent where pages show it again.
    shown: bool,
    last: Last,
    /// How many token sets each code brought.
    sets: BTreeMap<String, usize>,
    /// The successor that each refresh token brought.
    successors: BTreeMap<String, String>,
}

impl Talk<'_> {
    fn turn(&mut self, turn: u64, choices: &mut Source<'_>) {
        self.now = self.now.after(Duration::from_secs(choices.pick(&[0, 0, 0, 1, 5, 31, 36, 61, 901, 3601])));
        let follows = choices.below(48);
        let mut draft = match follows {
            0..=22 => Draft::begun(self.start, Operation::ALL.get(follows).copied()),
            _ => self.next(follows % 8),
        };
        draft.change(self.start, &self.learned, choices);
        let revokes = follows > 22 && follows % 8 == 2 && draft.pristine;
        let request = Request::new(draft.request(), draft.peer);
        let faults = choices.below(4) == 3;
        let step = self.core.begin(request, self.now, Entropy::from_seed(1000 + turn));
        let mut none = Source::new(&[]);
        let mut faults = Faults(if faults { choices } else { &mut none });
        let driven = drive(self.core, step, &self.rows, &self.people, &mut faults);
        let done = !driven.faulted;
        self.shown |= draft.shows_secrets();
        let reply = judge(self.start, &draft, self.shown, driven);
        self.learn(&draft, &reply);
        if revokes && done && reply.status == 200 {
            self.assert_dead();
        }
    }

    /// A request with what the last answers gave.
    fn next(&self, which: usize) -> Draft {
        let last = &self.last;
        let fields = |fields: &[(&str, &str)]| {
            Body::Form(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let web = ("client_id", "web");
        let uri = ("redirect_uri", proofkey_tests::REDIRECT_URI);
        let verifier = ("code_verifier", VERIFIER);
        let form = |path: &str, body: Body| {
            let mut draft = Draft::begun(self.start, Some(Operation::Revoke));
            path.clone_into(&mut draft.path);
            draft.body = body;
            draft
        };
        match which {
            0 => form(
                "/auth/token",
                fields(&[("grant_type", "authorization_code"), web, ("code", &last.code), uri, verifier]),
            ),
            1 => form("/auth/token", fields(&[("grant_type", "refresh_token"), web, ("refresh_token", &last.refresh)])),
            2 => form("/auth/revoke", fields(&[web, ("token", &last.refresh)])),
            3 => self.userinfo(&last.access),
            4 => Draft::begun(self.start, Some(Operation::Authorize)),
            5 => self.browsing(Draft::begun(self.start, Some(Operation::Start))),
            6 => {
                let mut draft = form(&last.action, Body::Form(last.form.clone()));
                let typed =
                    [("username", "ada@example.com"), ("password", proofkey_tests::PASSWORD), ("decision", "allow")];
                if let Body::Form(fields) = &mut draft.body {
                    fields.extend(typed.map(|(name, value)| (name.to_owned(), value.to_owned())));
                }
                self.browsing(draft)
            }
            _ => {
                let path = last.location.strip_prefix("https://as.example").unwrap_or("/auth/applications");
                let request = http::Request::get(path).body(bytes::Bytes::new());
                self.browsing(request.map_or_else(|_| Draft::begun(self.start, None), |request| Draft::of(&request)))
            }
        }
    }

    fn userinfo(&self, access: &str) -> Draft {
        let mut draft = Draft::begun(self.start, Some(Operation::Userinfo));
        for (name, value) in &mut draft.headers {
            if *name == http::header::AUTHORIZATION {
                *value = format!("Bearer {access}").into_bytes();
            }
        }
        draft
    }

    /// The same, from the browser that keeps its cookies.
    fn browsing(&self, mut draft: Draft) -> Draft {
        draft.headers.retain(|(name, _)| *name != http::header::COOKIE);
        let pairs: Vec<String> = self.last.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            draft.headers.push((http::header::COOKIE, pairs.join("; ").into_bytes()));
        }
        draft
    }

    fn learn(&mut self, draft: &Draft, reply: &Reply) {
        for line in reply.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok()) {
            let (name, value) = line.split(';').next().and_then(|pair| pair.split_once('=')).unwrap_or_default();
            self.last.cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = reply.header("location");
        if let Some((_, code)) = location.split_once("?code=") {
            self.last.code = code.split('&').next().unwrap_or_default().to_owned();
            self.learned.push(self.last.code.clone());
        } else if !location.is_empty() {
            location.clone_into(&mut self.last.location);
        }
        let page = draft.method != Method::HEAD && reply.header("content-type").starts_with("text/html");
        if let Some(form) = page.then(|| reply.forms().into_iter().next()).flatten() {
            self.last.action = form.action;
            self.last.form = form.fields.into_iter().filter(|(name, _)| name != "username").collect();
            self.learned.extend(self.last.form.iter().map(|(_, value)| value.clone()));
        }
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        if !text("code").is_empty() {
            self.last.code = text("code");
            self.learned.push(text("code"));
        }
        if !text("access_token").is_empty() {
            self.count(draft, &text("refresh_token"));
            (self.last.access, self.last.refresh) = (text("access_token"), text("refresh_token"));
            self.learned.extend([text("access_token"), text("refresh_token")]);
        }
    }

    /// A code brings one token set, a refresh token one successor.
    fn count(&mut self, draft: &Draft, successor: &str) {
        let grant_type = if draft.path == "/auth/refresh" { Some("refresh_token") } else { draft.field("grant_type") };
        match (grant_type, draft.field("code"), draft.field("refresh_token")) {
            (Some("authorization_code"), Some(code), _) => {
                let sets = self.sets.entry(code.to_owned()).or_default();
                *sets += 1;
                assert_eq!(*sets, 1, "a code brought two token sets (I1)");
            }
            (Some("refresh_token"), _, Some(presented)) if !successor.is_empty() => {
                let first = self.successors.entry(presented.to_owned()).or_insert_with(|| successor.to_owned());
                assert_eq!(first, successor, "a refresh token has two successors (I6)");
            }
            _ => {}
        }
    }

    /// After an acknowledged revocation the family's access token is refused (I12).
    fn assert_dead(&self) {
        if self.last.access.is_empty() || self.last.refresh.is_empty() {
            return;
        }
        let draft = self.userinfo(&self.last.access);
        let step = self.core.begin(Request::new(draft.request(), draft.peer), self.now, Entropy::from_seed(9));
        let mut none = Source::new(&[]);
        let driven = drive(self.core, step, &self.rows, &self.people, &mut Faults(&mut none));
        assert_eq!(driven.response.status(), 401, "a revoked family's token works");
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let next = |which: u8| [0, 24 + which, 0, 0];
    let begun = |operation: u8| [0, operation, 0, 0];
    let talk = |core: u8, turns: &[[u8; 4]]| [&[core][..], &turns.concat()].concat();
    vec![
        // Sign in by JSON, redeem, use, refresh, refresh, revoke.
        talk(0, &[next(4), next(0), next(3), next(1), next(1), next(2), next(1)]),
        talk(0, &[next(4), next(0), next(0), next(3)]),
        // Through the pages.
        talk(1, &[next(5), next(6), next(0), next(3), next(7), next(6)]),
        talk(0, &[next(5), next(6), next(0), next(1), next(2)]),
        talk(2, &[next(5), next(6), next(7), next(5), next(0)]),
        talk(3, &[next(5), next(7), next(5)]),
        talk(1, &(0..12).map(begun).collect::<Vec<_>>()),
        talk(1, &(11..23).map(begun).collect::<Vec<_>>()),
        // Failing stores, then a repetition.
        [&[0, 0, 28, 0, 0][..], &[0, 24, 0, 3, 0, 220], &next(0), &next(1)].concat(),
    ]
}
