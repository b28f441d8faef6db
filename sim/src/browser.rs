//! Browsers: people who sign in at the pages, agree, refuse, go back, send forms twice, and sign out.

use crate::answer::{Answer, Body};
use crate::call::Call;
use crate::dice::Dice;
use crate::flight::Sender;
use crate::house::{CLIENTS, OFFLINE, USERS};
use crate::sheet::{Change, Page, Sheet};
use crate::visit::{Cookies, Errand, Prompt, Visit, Wanted};
use crate::wallet::Paper;
use crate::world::World;

/// Forms and cookies that are remembered, to be sent late.
const REMEMBERED: usize = 6;
/// Draws what a world without browsers never draws.
const SALT: u64 = 0x6272_6f77_7365_7273;

/// A browser, and who sits at it.
pub(crate) struct Browser {
    pub(crate) user: usize,
    pub(crate) cookies: Cookies,
    /// How many of a hundred moves are those of browsers.
    pub(crate) pace: usize,
    tabs: Vec<Tab>,
    /// Forms that it sent, or had before it; the last one comes last.
    sent: Vec<Errand>,
    /// Cookies that it had, which somebody may have copied.
    had: Vec<Cookies>,
    /// What its pages hid, to be mixed up.
    requests: Vec<Paper>,
    forms: Vec<Paper>,
}

#[derive(Clone, Copy)]
struct Tab {
    page: Page,
    waits: bool,
}

impl Browser {
    /// The browsers of a world: one or two in every other one, mostly of one user.
    pub(crate) fn drawn(seed: u64) -> Vec<Self> {
        let mut dice = Dice::seeded(seed ^ SALT);
        if dice.below(2) == 0 {
            return Vec::new();
        }
        let pace = if dice.below(3) == 0 { 50 } else { 10 };
        let (user, alone) = (dice.below(USERS), dice.below(3) == 0);
        let browsers = if alone { 1 } else { 2 };
        (0..browsers)
            .map(|_| Self {
                user: if dice.below(4) == 0 { dice.below(USERS) } else { user },
                cookies: Cookies::default(),
                pace,
                tabs: vec![Tab { page: Page::Done, waits: false }; 1 + dice.below(2)],
                sent: Vec::new(),
                had: Vec::new(),
                requests: Vec::new(),
                forms: Vec::new(),
            })
            .collect()
    }

    /// No answer has come.
    pub(crate) fn misses(&mut self, tab: usize) {
        self.tabs[tab].waits = false;
    }

    fn hears(&mut self, tab: usize, sheet: &Sheet) {
        self.tabs[tab] = Tab { page: sheet.page, waits: false };
        if sheet.session != Change::Kept {
            keep(&mut self.had, self.cookies);
        }
        match sheet.session {
            Change::Cleared => self.cookies.session = None,
            Change::Kept => {}
            Change::Set(cookie) => self.cookies.session = Some(cookie),
        }
        self.cookies.browser = sheet.browser.or(self.cookies.browser);
        match sheet.page {
            Page::Access { form, .. } | Page::LogOut { form } => keep(&mut self.forms, form),
            Page::Consent { request, form } => {
                keep(&mut self.forms, form);
                keep(&mut self.requests, request);
            }
            Page::SignIn { request } => keep(&mut self.requests, request),
            _ => {}
        }
    }

    /// What somebody does who sees this page.
    fn wants(&self, dice: &mut Dice, page: Page) -> Option<Errand> {
        let chance = dice.below(100);
        Some(match page {
            Page::Access { form, clients, others } => {
                let clients: Vec<usize> = (0..CLIENTS.len()).filter(|client| clients >> client & 1 == 1).collect();
                let others: Vec<Paper> = others.into_iter().flatten().collect();
                match chance {
                    0..45 if !clients.is_empty() => {
                        // Whoever reads the page thinks of the client that is not the operator's first.
                        let last = clients.len() - 1;
                        let at = if dice.below(2) == 0 { last } else { dice.below(clients.len()) };
                        Errand::Withdraw { form, client: clients[at] }
                    }
                    45..75 if !others.is_empty() => {
                        Errand::EndSession { form, session: others[dice.below(others.len())] }
                    }
                    75..82 => Errand::Everywhere { form },
                    _ => return None,
                }
            }
            Page::Consent { request, form } => match chance {
                0..82 => Errand::Decide { request, form, allow: true },
                82..90 => Errand::Decide { request, form, allow: false },
                _ => return None,
            },
            Page::LogOut { form } if chance < 85 => Errand::LogOut { form },
            Page::SignIn { request } => match chance {
                0..80 => Errand::SignIn { request, user: self.user, password: true },
                80..85 => Errand::SignIn { request, user: self.user, password: false },
                85..92 => Errand::SignIn { request, user: dice.below(USERS), password: true },
                _ => return None,
            },
            Page::ToConsent { request } => Errand::SeeConsent { request },
            _ => return None,
        })
    }

    /// What it sent before, or a form of one page with what another page hid.
    fn mixes_up(&self, dice: &mut Dice) -> Option<Errand> {
        let one_of = |from: &[Paper], dice: &mut Dice| (!from.is_empty()).then(|| from[dice.below(from.len())]);
        if dice.below(4) > 0 {
            return (!self.sent.is_empty()).then(|| self.sent[dice.below(self.sent.len())]);
        }
        let form = one_of(&self.forms, dice)?;
        Some(match dice.below(4) {
            0 => Errand::LogOut { form },
            1 => Errand::Withdraw { form, client: dice.below(CLIENTS.len()) },
            _ => Errand::Decide { request: one_of(&self.requests, dice)?, form, allow: true },
        })
    }
}

/// Remembers the last few.
fn keep<T: PartialEq>(all: &mut Vec<T>, one: T) {
    all.retain(|other| *other != one);
    if all.len() == REMEMBERED {
        all.remove(0);
    }
    all.push(one);
}

impl World<'_> {
    pub(crate) fn browser_moves(&mut self) {
        let at = self.dice.below(self.browsers.len());
        let tab = self.dice.below(self.browsers[at].tabs.len());
        let chance = self.dice.below(100);
        if chance < 4 {
            self.copied_cookies(at);
            return;
        }
        let Tab { page, waits } = self.browsers[at].tabs[tab];
        if waits {
            // The button is pressed once more.
            if let Some(&errand) = self.browsers[at].sent.last().filter(|_| chance < 30) {
                self.browse(at, tab, errand);
            }
            return;
        }
        if chance < 12
            && let Some(errand) = self.browsers[at].mixes_up(&mut self.dice)
        {
            self.browse(at, tab, errand);
            return;
        }
        if self.dismissed[self.browsers[at].user] && self.dice.below(2) == 0 {
            self.browsers[at].user = self.dice.below(USERS);
        }
        let errand = self.browsers[at].wants(&mut self.dice, page);
        let errand = errand.unwrap_or_else(|| self.comes(at));
        self.browse(at, tab, errand);
    }

    /// Somebody comes with a link, or types an address.
    fn comes(&mut self, at: usize) -> Errand {
        match self.dice.below(100) {
            0..14 => Errand::SeeAccess,
            14..26 => Errand::SeeLogOut,
            26..30 => {
                // A link that a stranger's browser was given.
                let stranger = self.dice.below(self.browsers.len());
                let request = self.browsers[stranger].requests.last().copied();
                let user = self.browsers[at].user;
                request.map_or(Errand::SeeAccess, |request| Errand::SignIn { request, user, password: true })
            }
            _ => self.start(),
        }
    }

    fn start(&mut self) -> Errand {
        let client = if self.dice.below(2) == 0 { CLIENTS.len() - 1 } else { self.dice.below(CLIENTS.len()) };
        let scope = if self.dice.below(4) == 0 { 1 } else { 0b11 };
        let offline = if self.dice.below(4) == 0 { OFFLINE } else { 0 };
        let prompt = match self.dice.below(10) {
            0 => Prompt::Login,
            1 => Prompt::None,
            _ => Prompt::Any,
        };
        let redirect = match self.dice.below(30) {
            0 => None,
            1 => Some((client + 1) % CLIENTS.len()),
            _ => Some(client),
        };
        let pair = self.dice.below(self.houses.pairs.len());
        Errand::Start { wanted: Wanted { client, pair, scope: scope | offline, prompt }, redirect }
    }

    /// Somebody who has copied the cookies that a browser had uses them.
    fn copied_cookies(&mut self, at: usize) {
        let had = &self.browsers[at].had;
        let Some(&cookies) = had.get(self.dice.below(had.len().max(1))) else { return };
        let errand = if self.dice.below(2) == 0 { Errand::SeeAccess } else { self.start() };
        self.send(Sender::Attacker, Call::Browse(Visit { cookies, errand }));
    }

    fn browse(&mut self, at: usize, tab: usize, errand: Errand) {
        let browser = &mut self.browsers[at];
        if !matches!(errand, Errand::SeeAccess | Errand::SeeConsent { .. } | Errand::SeeLogOut | Errand::Start { .. }) {
            keep(&mut browser.sent, errand);
        }
        browser.tabs[tab].waits = true;
        let visit = Visit { cookies: browser.cookies, errand };
        let twice = self.dice.below(16) == 0;
        self.send(Sender::Browser(at, tab), Call::Browse(visit));
        if twice {
            self.send(Sender::Browser(at, tab), Call::Browse(visit));
        }
    }

    pub(crate) fn browser_hears(&mut self, at: usize, tab: usize, answer: &Answer) {
        let Body::Sheet(sheet) = answer.body else {
            self.browsers[at].misses(tab);
            return;
        };
        let before = self.browsers[at].tabs[tab].page;
        self.browsers[at].hears(tab, &sheet);
        if answer.is_unavailable() {
            // The page is still there, and its form can be sent again.
            self.browsers[at].tabs[tab].page = before;
        }
        if let Page::Code { client, pair, code, .. } = sheet.page {
            self.bring(at, client, code, pair);
        }
    }

    /// Brings a code to a session of its client: one that holds nothing, or else one that begins anew.
    fn bring(&mut self, at: usize, client: usize, code: Paper, pair: usize) {
        let first = self.sessions.len() - 2 * self.browsers.len() + 2 * at;
        let free = (first..first + 2).find(|slot| self.sessions[*slot].holds_nothing());
        let slot = free.unwrap_or_else(|| first + self.dice.below(2));
        self.sessions[slot].begin_with(client, code, pair);
    }
}
