//! Browsers at the pages: what their requests may come to, and what the answers say (I1, I14, I23, I25, I26).

use super::facts::{Fact, Flight, Grant, Whom};
use super::form::Fit;
use super::session::Origin;
use super::{FlightNumber, Judged, Model, broken};
use crate::answer::{Answer, Body};
use crate::house::{FIRST_PARTY, OFFLINE};
use crate::sheet::{Change, Page, Sheet};
use crate::visit::{Errand, Prompt, Visit, Wanted};
use crate::wallet::Paper;

/// Races that a request about a browser's sign-in may lose before it gives up.
const SIGN_IN_ATTEMPTS: u32 = 2;

impl Model {
    pub(super) fn begin_visit(&mut self, number: FlightNumber, visit: Visit) {
        let now = self.flights[number].now;
        let sign_in = self.sign_in_of(visit.cookies.session);
        if let Some(at) = sign_in {
            let sign_in = &mut self.browsers.sign_ins[at];
            sign_in.uses.push((number, now));
            self.browsers.sure.insert(number, sign_in.sure_until);
        }
        if let Errand::SignIn { request, user, password } = visit.errand {
            self.guessed |= !password;
            if let Some(at) = sign_in.filter(|_| password) {
                self.begin_replacing(number, at);
            }
            if let Some(travelling) = self.browsers.requests.get_mut(&request) {
                travelling.submitted.push((number, user));
            }
        }
        let Some(at) = sign_in.filter(|_| self.fit(&visit) != Fit::Other) else { return };
        let user = self.browsers.sign_ins[at].user;
        match visit.errand {
            Errand::Decide { request, allow: true, .. } => {
                let Some(travelling) = self.browsers.requests.get_mut(&request) else { return };
                travelling.submitted.push((number, user));
                if let Some(wanted) = travelling.wanted {
                    self.begin_agreement(number, user, wanted);
                }
            }
            Errand::EndSession { session, .. } => {
                let other = self.browsers.names.get(&session).copied();
                if let Some(other) = other.filter(|other| self.browsers.sign_ins[*other].user == user) {
                    self.begin_log_out(number, other);
                }
            }
            Errand::Everywhere { .. } => self.begin_sign_out(number, Whom::User(user)),
            Errand::LogOut { .. } => self.begin_log_out(number, at),
            Errand::Withdraw { client, .. } => self.begin_withdrawal(number, user, client),
            _ => {}
        }
    }

    /// The answer to a browser.
    pub(super) fn browsed(&mut self, number: FlightNumber, visit: &Visit, answer: &Answer) -> Judged {
        if let Some(one) = self.browsers.agreements.iter_mut().find(|one| one.flight == number) {
            one.ended = Some(self.tick);
        }
        let Body::Sheet(sheet) = answer.body else { return self.unavailable(number, answer) };
        self.note_page(number, visit, &sheet);
        self.judge_cookie(number, visit, &sheet)?;
        match answer.status {
            503 => self.unavailable(number, answer),
            429 => self.held_off(number),
            200 | 400 | 403 => self.judge_sheet(number, visit, answer, &sheet),
            status => broken("I24", format!("{visit}: status {status}")),
        }
    }

    fn unavailable(&self, number: FlightNumber, answer: &Answer) -> Judged {
        let Flight { hurt, lost, .. } = self.flights[number];
        if answer.status != 503 || (!hurt && lost < self.terms.attempts.min(SIGN_IN_ATTEMPTS)) {
            return broken("I24", format!("{answer}, and nothing was wrong"));
        }
        if answer.error == "temporarily_unavailable" { Ok(()) } else { broken("I17", format!("503 says {answer}")) }
    }

    fn judge_cookie(&mut self, number: FlightNumber, visit: &Visit, sheet: &Sheet) -> Judged {
        match sheet.session {
            Change::Kept => Ok(()),
            Change::Set(cookie) => self.signed_in_here(number, cookie),
            Change::Cleared => match visit.errand {
                Errand::Everywhere { .. } | Errand::LogOut { .. } if sheet.page == Page::SignedOut => Ok(()),
                _ if self.may_not_be_signed_in(number) => Ok(()),
                _ => broken("I9", format!("{visit}: the browser is to forget a sign-in that holds")),
            },
        }
    }

    fn judge_sheet(&mut self, number: FlightNumber, visit: &Visit, answer: &Answer, sheet: &Sheet) -> Judged {
        let page = sheet.page;
        if let Errand::Decide { request, .. } | Errand::SeeConsent { request } | Errand::SignIn { request, .. } =
            visit.errand
            && page != Page::Problem
        {
            self.opened(number, visit, request)?;
        }
        match visit.errand {
            Errand::Decide { request, allow, .. } => self.judge_decision(number, visit, answer, page, request, allow),
            Errand::EndSession { .. } | Errand::Everywhere { .. } | Errand::LogOut { .. } | Errand::Withdraw { .. } => {
                self.judge_end(number, visit, answer, page)
            }
            Errand::SeeAccess | Errand::SeeLogOut => match page {
                Page::Access { .. } | Page::LogOut { .. } => self.taken(number, sheet.user),
                Page::SignIn { .. } | Page::SignedOut => self.not_taken(number),
                _ => strange(visit, answer),
            },
            Errand::SeeConsent { request } => match page {
                Page::Consent { .. } => self.taken(number, sheet.user),
                Page::SignIn { .. } if self.is_for_a_new_sign_in(visit, request) => Ok(()),
                Page::SignIn { .. } => self.not_taken(number),
                Page::Problem if self.leads_nowhere(number, visit, request) => Ok(()),
                _ => strange(visit, answer),
            },
            Errand::SignIn { request, user, password } => {
                self.judge_sign_in(number, visit, answer, sheet, (request, user, password))
            }
            Errand::Start { wanted, redirect } if redirect != Some(wanted.client) => match page {
                Page::Problem if answer.status == 400 => Ok(()),
                _ => broken("I23", format!("{visit} was answered by {answer}")),
            },
            Errand::Start { wanted, .. } => self.judge_start(number, visit, answer, sheet, wanted),
        }
    }

    fn judge_start(
        &mut self,
        number: FlightNumber,
        visit: &Visit,
        answer: &Answer,
        sheet: &Sheet,
        wanted: Wanted,
    ) -> Judged {
        let silent = wanted.prompt == Prompt::None;
        match sheet.page {
            Page::Code { code, seen, .. } => {
                self.taken(number, None)?;
                came_back(wanted, sheet.page)?;
                let sign_in = self.sign_in_of(visit.cookies.session);
                self.approved(number, sign_in, wanted, None, (code, seen))
            }
            Page::Consent { .. } if !silent => {
                self.taken(number, sheet.user)?;
                self.is_asked(number, visit, wanted)
            }
            Page::SignIn { .. } if wanted.prompt == Prompt::Login => Ok(()),
            Page::SignIn { .. } if !silent => self.not_taken(number),
            Page::Denied { .. } => {
                came_back(wanted, sheet.page)?;
                match &*answer.error {
                    "login_required" if silent => self.not_taken(number),
                    "consent_required" if silent => {
                        self.taken(number, None)?;
                        self.is_asked(number, visit, wanted)
                    }
                    "access_denied" => self.denied(number, self.sign_in_of(visit.cookies.session), wanted.client),
                    // Its own grant, of a write whose outcome it did not know, was ended before it looked.
                    "invalid_request" if self.flights[number].hurt => {
                        self.denied(number, self.sign_in_of(visit.cookies.session), wanted.client)
                    }
                    _ => strange(visit, answer),
                }
            }
            _ => strange(visit, answer),
        }
    }

    fn is_asked(&self, number: FlightNumber, visit: &Visit, wanted: Wanted) -> Judged {
        match self.sign_in_of(visit.cookies.session) {
            Some(at) => self.asked_again(number, self.browsers.sign_ins[at].user, wanted),
            None => Ok(()),
        }
    }

    fn judge_sign_in(
        &mut self,
        number: FlightNumber,
        visit: &Visit,
        answer: &Answer,
        sheet: &Sheet,
        (request, user, password): (Paper, usize, bool),
    ) -> Judged {
        let wanted = self.browsers.requests.get(&request).and_then(|travelling| travelling.wanted);
        let Change::Set(_) = sheet.session else {
            let dismissed = self.dismissed[user].is_some();
            return match sheet.page {
                Page::SignIn { .. } if answer.status == 403 && (!password || dismissed) => Ok(()),
                Page::Problem if self.may_not_be_opened(number, visit, request) => Ok(()),
                Page::Problem if self.is_signed_out_beside(number, user, None) => Ok(()),
                _ => broken("I26", format!("user{user} could not sign in: {answer}")),
            };
        };
        let sign_in = self.browsers.written.get(&number).copied();
        match (sheet.page, wanted) {
            (Page::Code { code, seen, .. }, Some(wanted)) => {
                came_back(wanted, sheet.page)?;
                self.approved(number, sign_in, wanted, Some(request), (code, seen))
            }
            (Page::ToConsent { .. }, Some(wanted)) => self.asked_again(number, user, wanted),
            (Page::Denied { .. }, Some(wanted)) if answer.error == "access_denied" => {
                came_back(wanted, sheet.page)?;
                self.denied(number, sign_in, wanted.client)
            }
            (Page::Done, None) => Ok(()),
            (Page::Problem, Some(_)) if answer.status == 400 && self.may_be_used(number, request) => Ok(()),
            _ => strange(visit, answer),
        }
    }

    fn judge_decision(
        &mut self,
        number: FlightNumber,
        visit: &Visit,
        answer: &Answer,
        page: Page,
        request: Paper,
        allow: bool,
    ) -> Judged {
        let wanted = self.browsers.requests.get(&request).and_then(|travelling| travelling.wanted);
        let sign_in = self.sign_in_of(visit.cookies.session);
        match (page, wanted) {
            (Page::Code { code, seen, .. }, Some(wanted)) => {
                self.taken(number, None)?;
                self.fitted(visit)?;
                came_back(wanted, page)?;
                if !allow || self.is_for_a_new_sign_in(visit, request) {
                    return broken("I14", format!("{visit}: a code, and nobody agreed to that"));
                }
                if let Some(one) = self.browsers.agreements.iter_mut().find(|one| one.flight == number) {
                    one.surely = true;
                }
                self.approved(number, sign_in, wanted, Some(request), (code, seen))
            }
            (Page::Denied { .. }, Some(wanted)) if answer.error == "access_denied" => {
                came_back(wanted, page)?;
                self.fitted(visit)?;
                if allow { self.denied(number, sign_in, wanted.client) } else { Ok(()) }
            }
            (Page::SignIn { .. }, Some(_)) => {
                self.drop_intent(number);
                if self.is_for_a_new_sign_in(visit, request) { Ok(()) } else { self.not_taken(number) }
            }
            (Page::Problem, _) if self.leads_nowhere(number, visit, request) => Ok(()),
            (Page::Problem, _) if answer.status == 400 && self.may_be_used(number, request) => Ok(()),
            (Page::Problem, _) if answer.status == 403 => {
                self.drop_intent(number);
                self.not_fitted(number, visit)
            }
            _ => strange(visit, answer),
        }
    }

    /// A form that ends something.
    fn judge_end(&mut self, number: FlightNumber, visit: &Visit, answer: &Answer, page: Page) -> Judged {
        match (visit.errand, page) {
            (_, Page::Problem) if answer.status == 403 => {
                self.drop_intent(number);
                self.not_fitted(number, visit)
            }
            (Errand::LogOut { .. }, Page::SignedOut) => {
                if !self.may_not_be_ended(number) {
                    self.fitted(visit)?;
                }
                self.logged_out(number);
                Ok(())
            }
            (Errand::LogOut { .. }, _) => strange(visit, answer),
            (_, Page::SignIn { .. }) => {
                self.drop_intent(number);
                self.not_taken(number)
            }
            (Errand::Everywhere { .. }, Page::SignedOut) => {
                self.taken(number, None)?;
                self.fitted(visit)?;
                self.signed_out(number);
                Ok(())
            }
            (Errand::EndSession { .. }, Page::Done) => {
                self.taken(number, None)?;
                self.fitted(visit)?;
                self.logged_out(number);
                Ok(())
            }
            (Errand::Withdraw { .. }, Page::Done) => {
                self.taken(number, None)?;
                self.fitted(visit)?;
                self.withdrawn(number);
                Ok(())
            }
            _ => strange(visit, answer),
        }
    }

    /// Whether the sign-in that a request came with may be over, but for the request itself.
    fn may_not_be_ended(&self, number: FlightNumber) -> bool {
        // A form that surely does not fit has doomed nothing.
        self.may_not_be_signed_in(number)
    }

    /// What a request was to do was not done.
    fn drop_intent(&mut self, number: FlightNumber) {
        self.browsers.agreements.retain(|one| one.flight != number);
        self.browsers.log_outs.retain(|one| one.flight != number);
        self.browsers.withdrawals.retain(|one| one.flight != number);
        self.sign_outs.retain(|one| one.flight != number);
    }

    /// Whether the client insists on a sign-in for this request, and the cookie is that of another one.
    fn is_for_a_new_sign_in(&self, visit: &Visit, request: Paper) -> bool {
        let travelling = self.browsers.requests.get(&request);
        let insists = travelling.and_then(|one| one.wanted).is_some_and(|wanted| wanted.prompt == Prompt::Login);
        let sign_in = self.sign_in_of(visit.cookies.session);
        insists && sign_in.is_none_or(|at| self.browsers.sign_ins[at].occasion != request)
    }

    /// Whether a request that travels is over, or of another browser, or leads to no client.
    fn leads_nowhere(&self, number: FlightNumber, visit: &Visit, request: Paper) -> bool {
        let travelling = self.browsers.requests.get(&request);
        travelling.is_none_or(|one| one.wanted.is_none()) || self.may_not_be_opened(number, visit, request)
    }

    /// Whether an owner was being signed out beside a request.
    pub(super) fn is_signed_out_beside(&self, number: FlightNumber, user: usize, client: Option<usize>) -> bool {
        let began = self.flights[number].began;
        self.sign_outs.iter().any(|one| {
            let whose = one.whom == Whom::User(user) || client.is_some_and(|client| one.whom == Whom::Client(client));
            whose && one.done.is_none_or(|done| done > began)
        })
    }

    /// A code was denied to somebody who is signed in.
    fn denied(&self, number: FlightNumber, sign_in: Option<usize>, client: usize) -> Judged {
        let Some(at) = sign_in else { return broken("I26", "a code was denied to nobody") };
        let sign_in = &self.browsers.sign_ins[at];
        let (now, far_off) = (self.flights[number].now, self.flights[number].far_off);
        let ended = sign_in.doomed.is_some() || sign_in.replacers.iter().any(|one| *one != number);
        let over = now >= sign_in.sure_until || sign_in.far_off || far_off;
        let user = sign_in.user;
        if ended
            || over
            || self.dismissed[user].is_some()
            || self.is_signed_out_beside(number, user, Some(client))
            || self.is_withdrawn_beside(number, user, client)
        {
            return Ok(());
        }
        broken("I26", format!("user{user} is signed in, and was denied a code"))
    }

    /// A browser was sent back with a code.
    fn approved(
        &mut self,
        number: FlightNumber,
        sign_in: Option<usize>,
        wanted: Wanted,
        request: Option<Paper>,
        (code, seen): (Paper, bool),
    ) -> Judged {
        let Flight { began, user_found, landed, .. } = self.flights[number];
        let Some(at) = sign_in else { return broken("I14", format!("{code} was given to nobody")) };
        let user = self.browsers.sign_ins[at].user;
        if self.dismissed[user].is_some_and(|tick| tick < began) {
            return broken("I14", format!("{code} for user{user}, who is dismissed"));
        }
        let Some(approved) = user_found else {
            return broken("I14", format!("{code}, and the host was not asked for the user"));
        };
        self.agreed(number, user, wanted)?;
        self.flights[number].granted = true;
        let travelling = request.and_then(|request| self.browsers.requests.get(&request)).cloned();
        if let Some(known) = travelling.as_ref().and_then(|one| one.grant) {
            return self.given_again(number, known, at, code);
        }
        if seen {
            return broken("I1", format!("{code} was given for another request"));
        }
        let made = match &travelling {
            None => (landed > 0).then_some((number, sign_in)),
            Some(travelling) => travelling.made,
        };
        let Some((maker, origin)) = made else {
            return broken("I17", format!("{code} left before its grant was written"));
        };
        let Flight { now, far_off, .. } = self.flights[maker];
        let Wanted { client, pair, scope, .. } = wanted;
        self.grants.push(Grant {
            client,
            user,
            pair,
            scope,
            resources: 0,
            code_expires_at: now + self.terms.code_lifetime,
            ends_at: now + self.terms.grant_lifetime,
            approved,
            made: self.tick,
            origin: Some(Origin {
                sign_in: origin,
                given: vec![at],
                lent: maker != number,
                offline: scope & OFFLINE != 0,
            }),
            redeemed: None,
            redeems: 0,
            chain: Vec::new(),
            accesses: 0,
            dead: None,
            doomed: None,
            rotations: Vec::new(),
            far_off,
            access_revoked: false,
        });
        let grant = self.grants.len() - 1;
        self.set_fact(code, Fact::Code { grant });
        if let Some(travelling) = request.and_then(|request| self.browsers.requests.get_mut(&request)) {
            travelling.grant = Some(grant);
        }
        self.judge_made(number, grant, approved.min(self.browsers.sign_ins[at].approved));
        self.judge_origin(number, grant);
        Ok(())
    }

    /// The same decision once more: the same code, while nobody has redeemed it.
    fn given_again(&mut self, number: FlightNumber, grant: usize, sign_in: usize, code: Paper) -> Judged {
        let user = self.browsers.sign_ins[sign_in].user;
        let began = self.flights[number].began;
        self.not_dead(grant, number)?;
        let known = &self.grants[grant];
        if self.grant_of(code) != Some(grant) {
            return broken("I1", format!("{code} is the second code for one request"));
        }
        if known.user != user {
            return broken("I14", format!("{code} was given to user{user}, and is another's"));
        }
        if known.redeemed.is_some_and(|tick| tick < began) {
            return broken("I1", format!("{code} was given again after it was redeemed"));
        }
        if let Some(origin) = &mut self.grants[grant].origin {
            origin.given.push(sign_in);
        }
        self.judge_origin(number, grant);
        Ok(())
    }
}

/// The answer to a client comes back where it was to, with what it sent.
fn came_back(wanted: Wanted, page: Page) -> Judged {
    let (Page::Code { client, pair, .. } | Page::Denied { client, pair }) = page else { return Ok(()) };
    if client != wanted.client {
        return broken("I23", "an answer went to the redirect URI of another client");
    }
    if pair != wanted.pair {
        return broken("I25", "the state of another request came back");
    }
    Ok(())
}

fn strange(visit: &Visit, answer: &Answer) -> Judged {
    let invariant =
        if matches!(visit.errand, Errand::Start { wanted, .. } if wanted.client < FIRST_PARTY) { "I26" } else { "I24" };
    broken(invariant, format!("{visit} was answered by {answer}"))
}
