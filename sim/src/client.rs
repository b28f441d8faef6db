//! Clients that behave: they ask one thing after the other, or from several tabs at once, keep the last answer, and ask
//! again when none came.

use crate::answer::{Answer, Body};
use crate::call::{ALL_SCOPES, As, Call, Set, Wish};
use crate::dice::Dice;
use crate::flight::Sender;
use crate::house::{CLIENTS, FIRST_PARTY, USERS, is_public};
use crate::wallet::Paper;
use crate::world::World;

/// Requests for one thing before a client gives up.
const TRIES: u8 = 6;

/// A user's session in one client.
pub(crate) struct Session {
    pub(crate) client: usize,
    pub(crate) user: usize,
    pub(crate) holding: Holding,
    /// What had no answer, and is asked again.
    again: Option<Call>,
    tries: u8,
    under_way: u8,
    /// Refreshes among them.
    refreshing: u8,
    /// Requests that it makes at once.
    tabs: u8,
    /// Its tabs refresh one after the other, as careful clients do.
    in_turn: bool,
    /// Its codes come from browsers; it takes no passwords.
    by_browser: bool,
}

/// What it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holding {
    Code { code: Paper, pair: usize, resources: Set },
    Nothing,
    Tokens { access: Paper, refresh: Option<Paper>, resources: Set },
}

impl Session {
    pub(crate) fn drawn(dice: &mut Dice) -> Self {
        Self {
            client: dice.below(FIRST_PARTY),
            user: dice.below(USERS),
            holding: Holding::Nothing,
            again: None,
            tries: 0,
            under_way: 0,
            refreshing: 0,
            tabs: 1 + u8::try_from(dice.below(3)).unwrap_or(0),
            in_turn: dice.below(2) == 0,
            by_browser: false,
        }
    }

    /// One that waits for the codes that a browser brings.
    pub(crate) const fn of_browser() -> Self {
        Self {
            client: 0,
            user: 0,
            holding: Holding::Nothing,
            again: None,
            tries: 0,
            under_way: 0,
            refreshing: 0,
            tabs: 2,
            in_turn: false,
            by_browser: true,
        }
    }

    pub(crate) const fn holds_nothing(&self) -> bool {
        matches!(self.holding, Holding::Nothing) && self.under_way == 0
    }

    /// A browser brings a code. Whatever it held is forgotten.
    pub(crate) fn begin_with(&mut self, client: usize, code: Paper, pair: usize) {
        if self.under_way == 0 {
            (self.client, self.again, self.tries) = (client, None, 0);
            self.holding = Holding::Code { code, pair, resources: 0 };
        }
    }

    fn by(&self) -> As {
        As { client: self.client, proven: true, elsewhere: false }
    }

    /// A sign-in of its user.
    pub(crate) fn sign_in(&self, dice: &mut Dice, pairs: usize) -> Call {
        let resources = if CLIENTS[self.client].has_resources && dice.below(3) == 0 { 1 + dice.below(3) } else { 0 };
        Call::Authorize {
            by: self.by(),
            user: self.user,
            password: true,
            challenge: true,
            pair: dice.below(pairs),
            scope: if dice.below(4) == 0 { 1 } else { ALL_SCOPES },
            resources: resources as Set,
        }
    }

    pub(crate) fn redeem(&self, code: Paper, pair: usize, wish: Wish) -> Call {
        Call::Redeem { by: self.by(), code, pair, redirect: Some(self.client), wish }
    }

    pub(crate) fn refresh(&self, token: Paper, wish: Wish) -> Call {
        Call::Refresh { by: self.by(), token, wish }
    }

    pub(crate) fn revoke(&self, token: Paper) -> Call {
        Call::Revoke { by: self.by(), token }
    }

    /// What it would ask next; nothing if it waits.
    fn wants(&mut self, dice: &mut Dice, pairs: usize) -> Option<Call> {
        if self.under_way == 0
            && let Some(call) = self.again.take()
        {
            return Some(call);
        }
        match self.holding {
            Holding::Nothing if self.under_way == 0 && !self.by_browser => Some(self.sign_in(dice, pairs)),
            Holding::Code { code, pair, resources } if self.under_way == 0 => {
                Some(self.redeem(code, pair, narrower(dice, 0, resources)))
            }
            Holding::Tokens { access, refresh, resources } if self.under_way < self.tabs => {
                Some(self.uses(dice, access, refresh, resources))
            }
            Holding::Code { .. } | Holding::Nothing | Holding::Tokens { .. } => None,
        }
    }

    fn uses(&self, dice: &mut Dice, access: Paper, refresh: Option<Paper>, resources: Set) -> Call {
        let check = |dice: &mut Dice| match resources {
            0 if dice.below(2) == 0 => Call::Userinfo { token: access },
            0 => Call::Check { token: access, resource: None },
            set => Call::Check { token: access, resource: Some(usize::from(set & 1 == 0)) },
        };
        let Some(refresh) = refresh else { return check(dice) };
        // One tab gives a token back, or uses it, while another is at work.
        let waits = self.in_turn && self.refreshing > 0;
        if (waits || self.under_way > 0) && dice.below(3) == 0 {
            return self.revoke(access);
        }
        if waits {
            return check(dice);
        }
        match dice.below(100) {
            0..52 => self.refresh(refresh, Wish::default()),
            52..64 => self.refresh(refresh, narrower(dice, ALL_SCOPES, resources)),
            64..67 => self.revoke(access),
            67..70 => self.revoke(refresh),
            70..76 if !is_public(self.client) => {
                Call::Introspect { by: self.by(), token: if dice.below(2) == 0 { access } else { refresh } }
            }
            _ => check(dice),
        }
    }

    /// An answer has come.
    pub(crate) fn hears(&mut self, call: Call, answer: &Answer) {
        self.is_back(call);
        if answer.is_unavailable() || answer.status == 429 {
            self.ask_again(call);
            return;
        }
        self.tries = 0;
        match (call, answer.body) {
            (Call::Authorize { pair, resources, .. }, Body::Code { code, .. }) => {
                self.holding = Holding::Code { code, pair, resources };
            }
            (Call::Redeem { .. }, Body::Tokens(issued)) => {
                let Holding::Code { resources, .. } = self.holding else { return };
                let refresh = issued.refresh.map(|(refresh, _)| refresh);
                self.holding = Holding::Tokens { access: issued.access, refresh, resources };
            }
            (Call::Refresh { .. }, Body::Tokens(issued)) => {
                let Holding::Tokens { refresh, resources, .. } = self.holding else { return };
                let refresh = issued.refresh.map(|(refresh, _)| refresh).or(refresh);
                self.holding = Holding::Tokens { access: issued.access, refresh, resources };
            }
            (Call::Redeem { .. }, _) => self.holding = Holding::Nothing,
            (Call::Refresh { token, wish, .. }, _) if wish == Wish::default() && !answer.is_ok() => self.loses(token),
            (Call::Revoke { token, .. }, _) => self.loses(token),
            _ => {}
        }
    }

    /// What it held is gone, unless it has something newer.
    fn loses(&mut self, token: Paper) {
        if let Holding::Tokens { refresh, .. } = self.holding
            && refresh == Some(token)
        {
            self.holding = Holding::Nothing;
        }
    }

    /// No answer has come.
    pub(crate) fn misses(&mut self, call: Call) {
        self.is_back(call);
        self.ask_again(call);
    }

    fn is_back(&mut self, call: Call) {
        self.under_way = self.under_way.saturating_sub(1);
        self.refreshing = self.refreshing.saturating_sub(u8::from(matches!(call, Call::Refresh { .. })));
    }

    fn ask_again(&mut self, call: Call) {
        self.tries += 1;
        if self.tries < TRIES {
            self.again = Some(call);
            return;
        }
        self.tries = 0;
        if matches!(call, Call::Redeem { .. } | Call::Refresh { .. }) {
            self.holding = Holding::Nothing;
        }
    }
}

/// Mostly all that was granted, sometimes less.
fn narrower(dice: &mut Dice, scopes: Set, resources: Set) -> Wish {
    let scope = (scopes != 0 && dice.below(3) > 0).then_some(1);
    let resources = match resources {
        0b11 if dice.below(2) == 0 => Some(1 + dice.below(2) as Set),
        _ => None,
    };
    Wish { scope, resources }
}

impl World<'_> {
    pub(crate) fn client_moves(&mut self, session: usize) {
        if self.dismissed[self.sessions[session].user] && matches!(self.sessions[session].holding, Holding::Nothing) {
            self.sessions[session].user = self.dice.below(USERS);
        }
        let pairs = self.houses.pairs.len();
        let Some(call) = self.sessions[session].wants(&mut self.dice, pairs) else { return };
        self.sessions[session].under_way += 1;
        self.sessions[session].refreshing += u8::from(matches!(call, Call::Refresh { .. }));
        self.send(Sender::Client(session), call);
    }
}
