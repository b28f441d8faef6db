//! Where small worlds begin: one grant, in each state in which it matters what happens to it.

use std::time::Duration;

use proofkey_core::{
    Client, Config, Core, Entropy, KeyRing, Pages, Secret, SessionKeys, Settings, UnixTime, UserSource,
};

use super::flows::{Call, Flows, SUBJECT, Wanted};
use super::wire::{CLIENT, ISSUER, REDIRECT_URI, STRANGER, Token, challenge, post};

/// What clients do, and the operator's sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Operation {
    /// The code, by its client and with its verifier.
    Redeem,
    /// One of the refresh tokens of [`Start::refreshes`].
    Refresh(usize),
    /// By the client with one of [`Start::revocations`].
    Revoke(usize),
    /// By a clock of [`Start::sweeps`].
    Sweep(usize),
}

impl Operation {
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Redeem => "redeem",
            Self::Refresh(_) => "refresh",
            Self::Revoke(_) => "revoke",
            Self::Sweep(_) => "sweep",
        }
    }
}

/// What design section 4 says of a refresh token that is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It rotates.
    Current,
    /// Its successor again, while nobody has presented that.
    Repeat,
    /// Refused, and nothing else.
    Stale,
    /// Refused, and the grant is revoked.
    Theft,
}

/// A refresh token that operations present.
#[derive(Clone, Copy, Debug)]
pub(super) struct Presented {
    pub(super) token: Token,
    pub(super) narrower: bool,
    pub(super) judgement: Judgement,
}

/// A grant in some state, and all that is known of it.
pub(super) struct Start {
    pub(super) name: &'static str,
    pub(super) flows: Flows,
    /// The clock of all operations.
    pub(super) now: UnixTime,
    /// When it is looked at afterwards: the last moment of the leeway, where the grant lives so long.
    pub(super) later: UnixTime,
    /// When no token of it may work any more, where that is near.
    pub(super) end: Option<UnixTime>,
    /// Whether the code was redeemed.
    pub(super) spent: bool,
    /// Whether nothing works any more.
    pub(super) over: bool,
    /// Whether there is no leeway.
    pub(super) strict: bool,
    /// Access and refresh tokens that were given out, the current ones last.
    pub(super) tokens: Vec<(Token, Token)>,
    pub(super) refreshes: Vec<Presented>,
    pub(super) revocations: Vec<Wanted>,
    pub(super) sweeps: Vec<UnixTime>,
}

/// When the code is given.
const BEGIN: UnixTime = UnixTime::from_seconds(1_800_000_000);
pub(super) const LEEWAY: u64 = 30;
/// Clocks agree within this.
pub(super) const MARGIN: u64 = 5;
const CODE_LIFETIME: u64 = 60;
/// Of refresh tokens, and of the grant.
const LIFETIME: u64 = 30 * 86_400;
/// The audiences of the grant.
const RESOURCES: [&str; 2] = ["https://api.example", ISSUER];
/// How far ahead the clock of the process that sweeps may be.
const AHEAD: u64 = 3600;

const fn at(seconds: u64) -> UnixTime {
    BEGIN.after(Duration::from_secs(seconds))
}

impl Start {
    /// All of them.
    pub(super) fn all() -> [fn() -> Self; 12] {
        [
            Self::unspent,
            Self::unspent_and_expired,
            Self::live,
            Self::live_in_its_last_second,
            Self::live_without_leeway,
            Self::rotated,
            Self::rotated_twice,
            Self::rotated_before_the_leeway,
            Self::rotated_long_ago,
            Self::rotated_long_ago_in_its_last_second,
            Self::rotated_and_expired,
            Self::revoked,
        ]
    }

    fn unspent() -> Self {
        let mut start = Self::given("code in its last second", LEEWAY);
        start.now = at(CODE_LIFETIME - 1);
        start.later = start.now;
        start.sweeps = vec![start.now, at(CODE_LIFETIME - 1 + AHEAD)];
        start
    }

    fn unspent_and_expired() -> Self {
        Self::given("code expired", LEEWAY).expired()
    }

    fn live() -> Self {
        Self::redeemed("tokens live", LEEWAY)
            .presenting(&[(0, false, Judgement::Current), (0, true, Judgement::Current)])
    }

    fn live_in_its_last_second() -> Self {
        let start = Self::redeemed("tokens in their last second", LEEWAY);
        start.in_its_last_second().presenting(&[(0, false, Judgement::Current), (0, true, Judgement::Current)])
    }

    fn live_without_leeway() -> Self {
        let mut start = Self::redeemed("tokens live, no leeway", 0);
        start.rotate(100);
        start.now = at(101);
        start.later = start.now;
        start.presenting(&[(1, false, Judgement::Current), (0, false, Judgement::Theft)])
    }

    fn rotated() -> Self {
        let mut start = Self::redeemed("tokens rotated 10 s ago", LEEWAY);
        start.rotate(100);
        start.now = at(110);
        start.later = at(100 + LEEWAY);
        start.presenting(&[(1, false, Judgement::Current), (0, false, Judgement::Repeat), (0, true, Judgement::Repeat)])
    }

    fn rotated_twice() -> Self {
        let mut start = Self::redeemed("tokens rotated twice, 5 and 10 s ago", LEEWAY);
        start.rotate(100);
        start.rotate(105);
        start.now = at(110);
        start.later = at(100 + LEEWAY);
        start.presenting(&[(2, false, Judgement::Current), (1, false, Judgement::Repeat), (0, false, Judgement::Stale)])
    }

    fn rotated_before_the_leeway() -> Self {
        let mut start = Self::redeemed("tokens rotated 34 s ago", LEEWAY);
        start.rotate(100);
        start.now = at(100 + LEEWAY + MARGIN - 1);
        start.later = at(100 + LEEWAY + MARGIN - 1 + LEEWAY);
        start.presenting(&[(1, false, Judgement::Current), (0, false, Judgement::Stale)])
    }

    fn rotated_long_ago() -> Self {
        let mut start = Self::redeemed("tokens rotated 36 s ago", LEEWAY);
        start.rotate(100);
        start.now = at(100 + LEEWAY + MARGIN + 1);
        start.later = at(100 + LEEWAY + MARGIN + 1 + LEEWAY);
        start.presenting(&[(1, false, Judgement::Current), (0, false, Judgement::Theft)])
    }

    fn rotated_long_ago_in_its_last_second() -> Self {
        let mut start = Self::redeemed("tokens rotated long ago, in their last second", LEEWAY);
        start.rotate(100);
        start.in_its_last_second().presenting(&[(1, false, Judgement::Current), (0, false, Judgement::Theft)])
    }

    fn rotated_and_expired() -> Self {
        let mut start = Self::redeemed("tokens rotated and expired", LEEWAY);
        start.rotate(100);
        start.expired().presenting(&[(1, false, Judgement::Current), (0, false, Judgement::Theft)])
    }

    fn revoked() -> Self {
        let mut start = Self::redeemed("grant revoked", LEEWAY);
        start.run(Wanted::Revoke(start.tokens[0].1), 2);
        start.over = true;
        start.presenting(&[(0, false, Judgement::Current)])
    }

    /// A grant whose code was given.
    fn given(name: &'static str, leeway: u64) -> Self {
        let mut flows = Flows::new(core(leeway));
        let body = serde_json::json!({
            "client_id": CLIENT, "redirect_uri": REDIRECT_URI, "code_challenge": challenge(),
            "code_challenge_method": "S256", "scope": "read write", "username": SUBJECT,
            "password": "a passphrase that the host takes", "resource": RESOURCES,
        });
        let request = post("/authorize", "application/json", body.to_string());
        let response = flows.prepare(|core| core.begin(request, BEGIN, Entropy::from_driver([1; 32])));
        let answer: serde_json::Value = serde_json::from_slice(response.body()).unwrap_or_default();
        flows.held.code = answer["code"].as_str().unwrap_or_default().to_owned();
        let grants = flows.prepare(|core| core.grants_of(SUBJECT, BEGIN, Entropy::from_driver([2; 32])));
        let grants = grants.expect("the store of a small world does not fail by itself");
        flows.held.grant = grants.first().expect("Ada has given a grant").id().to_owned();
        Self {
            name,
            flows,
            now: at(10),
            later: at(10),
            end: None,
            spent: false,
            over: false,
            strict: leeway == 0,
            tokens: Vec::new(),
            refreshes: Vec::new(),
            revocations: vec![Wanted::RevokeGrant],
            sweeps: Vec::new(),
        }
    }

    /// The same, with tokens.
    fn redeemed(name: &'static str, leeway: u64) -> Self {
        let mut start = Self::given(name, leeway);
        start.run(Wanted::Redeem, 1);
        start.spent = true;
        start.later = at(10 + leeway);
        start
    }

    fn rotate(&mut self, seconds: u64) {
        let current = self.tokens.last().expect("what was redeemed has tokens").1;
        self.run(Wanted::Refresh(current), seconds);
    }

    /// Does something that succeeds, before the operations.
    fn run(&mut self, wanted: Wanted, seconds: u64) {
        let call = Call { wanted, at: at(seconds), seed: u8::try_from(3 + self.tokens.len()).unwrap_or(0) };
        let (answered, next) = self.flows.end(call, self.flows.start);
        self.flows.start = next;
        let reply = self.flows.replies.reply(answered);
        assert_eq!(reply.status, 200, "{}: a world begins without failures", self.name);
        self.tokens.extend(reply.access.zip(reply.refresh));
    }

    fn in_its_last_second(mut self) -> Self {
        self.now = at(LIFETIME - 1);
        self.later = self.now;
        self.end = Some(at(LIFETIME));
        self.sweeps = vec![at(LIFETIME - 1 + AHEAD)];
        self
    }

    /// An hour before its row may be swept, by a clock that is an hour behind.
    fn expired(mut self) -> Self {
        let rows = self.flows.stores.rows(self.flows.start);
        let end = rows.iter().map(|row| self.flows.stores.expires_at(*row)).max().unwrap_or(BEGIN);
        let before = |seconds| UnixTime::from_seconds(end.seconds() - seconds);
        (self.now, self.later, self.over) = (before(AHEAD), before(AHEAD), true);
        self.sweeps = vec![before(1), end];
        self
    }

    /// With refresh tokens to present: which, whether for less, and what is to become of it.
    fn presenting(mut self, which: &[(usize, bool, Judgement)]) -> Self {
        let presented = |(at, narrower, judgement): &(usize, bool, Judgement)| {
            let token = self.tokens[*at].1;
            Presented { token, narrower: *narrower, judgement: *judgement }
        };
        self.refreshes = which.iter().map(presented).collect();
        self.revocations = match self.tokens.as_slice() {
            [.., (_, before), (_, current)] => vec![Wanted::Revoke(*current), Wanted::Revoke(*before)],
            [(_, current)] => vec![Wanted::Revoke(*current)],
            [] => vec![Wanted::RevokeGrant],
        };
        if self.sweeps.is_empty() {
            self.sweeps = vec![self.now.after(Duration::from_secs(AHEAD))];
        }
        self
    }

    /// The flow of an operation; none of a sweep. `nth` of its kind in this world.
    pub(super) fn call(&self, operation: Operation, nth: u8) -> Option<Call> {
        let (wanted, seed) = match operation {
            Operation::Redeem => (Wanted::Redeem, 20),
            Operation::Refresh(which) => match self.refreshes[which] {
                Presented { token, narrower: false, .. } => (Wanted::Refresh(token), 30),
                Presented { token, narrower: true, .. } => (Wanted::RefreshNarrower(token), 30),
            },
            Operation::Revoke(which) => (self.revocations[which], 40),
            Operation::Sweep(_) => return None,
        };
        Some(Call { wanted, at: self.now, seed: seed + nth })
    }

    /// As people read it.
    pub(super) fn describe(&self, operation: Operation) -> String {
        match operation {
            Operation::Redeem => "redeem".to_owned(),
            Operation::Refresh(which) => {
                let Presented { narrower, judgement, .. } = self.refreshes[which];
                let token = match judgement {
                    Judgement::Current => "",
                    Judgement::Repeat => " predecessor",
                    Judgement::Stale => " stale",
                    Judgement::Theft => " stolen",
                };
                format!("refresh{token}{}", if narrower { " narrower" } else { "" })
            }
            Operation::Revoke(0) => "revoke".to_owned(),
            Operation::Revoke(_) => "revoke by predecessor".to_owned(),
            Operation::Sweep(which) => {
                let clock = self.sweeps[which];
                if self.over && which > 0 {
                    "sweep of the row".to_owned()
                } else {
                    format!("sweep {} s ahead", clock.since(self.now))
                }
            }
        }
    }
}

fn core(leeway: u64) -> Core {
    let mut settings = Settings::new();
    for (name, text) in [
        ("issuer", ISSUER),
        ("scopes", "read write more"),
        ("code_lifetime", "60"),
        ("refresh_token_lifetime", "30d"),
        ("grant_lifetime", "30d"),
        ("limit_user", "off"),
        ("limit_address", "off"),
        ("limit_client", "off"),
        ("reuse_leeway", if leeway == 0 { "0" } else { "30" }),
    ] {
        settings.set(name, text).expect("a setting in its range");
    }
    let ring = KeyRing::new(&[std::array::from_fn(|at| at as u8).into()]).expect("a key of a world");
    let mut pages = Pages::default();
    pages.session_keys = SessionKeys::parse(&Secret::from("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")).ok();
    let client = Client::public(CLIENT).redirect_uri(REDIRECT_URI).first_party();
    let client = RESOURCES.iter().fold(client, |client, resource| client.resource(*resource));
    let stranger = Client::public(STRANGER).redirect_uri(REDIRECT_URI);
    Core::new(
        Config::new(settings, ring, UserSource::Authenticate, [client, stranger], pages)
            .expect("a configuration of a world"),
    )
}
