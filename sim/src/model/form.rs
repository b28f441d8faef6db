//! Requests on their way through the pages, and the forms that carry them: each belongs to one browser, one sign-in and
//! one decision.

use super::facts::Flight;
use super::{FlightNumber, Judged, Model, broken};
use crate::call::Call;
use crate::sheet::{Page, Sheet};
use crate::visit::{Errand, Visit, Wanted};
use crate::wallet::Paper;

/// A browser as its cookie knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Id {
    number: usize,
    /// Not so where a clock that is an hour off had part in it.
    sure: bool,
}

impl Id {
    fn is_other(self, than: Self) -> bool {
        self.sure && than.sure && self.number != than.number
    }
}

/// What a form was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormOf {
    Access,
    Consent(Paper),
    LogOut,
}

/// A form.
#[derive(Clone, Copy, Debug)]
pub(super) struct FormFact {
    of: FormOf,
    cookie: Option<Paper>,
    id: Option<Id>,
}

/// A request on its way.
#[derive(Clone, Debug)]
pub(super) struct Travelling {
    /// What a client asks for; nothing on the way to a page of ours.
    pub(super) wanted: Option<Wanted>,
    id: Option<Id>,
    at: u64,
    far_off: bool,
    /// Requests that were to turn it into a code, and for whom.
    pub(super) submitted: Vec<(FlightNumber, usize)>,
    /// The first of them that wrote a grant, and in which sign-in.
    pub(super) made: Option<(FlightNumber, Option<usize>)>,
    /// The grant of its code.
    pub(super) grant: Option<usize>,
}

/// Whether a form is the one for what a request asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Fits,
    Other,
    Unsure,
}

impl Model {
    /// Which browser an answer was for, as later requests show it.
    fn id_of(&self, visit: &Visit, sheet: &Sheet) -> Option<Id> {
        let cookie = sheet.browser.or(visit.cookies.browser)?;
        self.browsers.ids.get(&cookie).copied()
    }

    /// Learns what a page hides, and which browser it was shown to.
    pub(super) fn note_page(&mut self, number: FlightNumber, visit: &Visit, sheet: &Sheet) {
        let Flight { now, far_off, .. } = self.flights[number];
        if let Some(cookie) = sheet.browser {
            let before = visit.cookies.browser.map(|before| self.browsers.ids.get(&before).copied());
            let new = self.browsers.ids.len();
            let id = match before {
                Some(Some(before)) if before.sure && !far_off => before,
                None => Id { number: new, sure: !far_off },
                Some(_) => Id { number: new, sure: false },
            };
            self.browsers.ids.insert(cookie, id);
        }
        let id = self.id_of(visit, sheet);
        let (request, form) = match sheet.page {
            Page::Access { form, .. } => (None, Some((form, FormOf::Access))),
            Page::Consent { request, form } => (Some(request), Some((form, FormOf::Consent(request)))),
            Page::LogOut { form } => (None, Some((form, FormOf::LogOut))),
            Page::SignIn { request } => (Some(request), None),
            _ => (None, None),
        };
        if let Some(request) = request {
            let wanted = match visit.errand {
                Errand::Start { wanted, .. } => Some(wanted),
                _ => None,
            };
            let new = Travelling { wanted, id, at: now, far_off, submitted: Vec::new(), made: None, grant: None };
            self.browsers.requests.entry(request).or_insert(new);
        }
        if let Some((form, of)) = form {
            self.browsers.forms.entry(form).or_insert(FormFact { of, cookie: visit.cookies.session, id });
        }
    }

    /// Whether the form that a visit sends was made for that.
    pub(super) fn fit(&self, visit: &Visit) -> Fit {
        let (form, of) = match visit.errand {
            Errand::Decide { request, form, .. } => (form, FormOf::Consent(request)),
            Errand::EndSession { form, .. } | Errand::Everywhere { form } | Errand::Withdraw { form, .. } => {
                (form, FormOf::Access)
            }
            Errand::LogOut { form } => (form, FormOf::LogOut),
            _ => return Fit::Fits,
        };
        let Some(fact) = self.browsers.forms.get(&form) else { return Fit::Unsure };
        if fact.of != of || fact.cookie != visit.cookies.session {
            return Fit::Other;
        }
        let id = visit.cookies.browser.and_then(|cookie| self.browsers.ids.get(&cookie).copied());
        match (fact.id, id) {
            (Some(made), Some(sent)) if made.is_other(sent) => Fit::Other,
            (Some(made), Some(sent)) if made.sure && sent.sure => Fit::Fits,
            _ => Fit::Unsure,
        }
    }

    /// What was asked by a form was done.
    pub(super) fn fitted(&self, visit: &Visit) -> Judged {
        match self.fit(visit) {
            Fit::Other => broken("I2", format!("{visit}: the form was not made for that")),
            Fit::Fits | Fit::Unsure => Ok(()),
        }
    }

    /// The form of a request was called foreign, 403.
    pub(super) fn not_fitted(&self, number: FlightNumber, visit: &Visit) -> Judged {
        if self.flights[number].far_off || self.fit(visit) != Fit::Fits {
            return Ok(());
        }
        broken("I9", format!("{visit}: the form was called foreign"))
    }

    /// A request that travels was opened for a browser.
    pub(super) fn opened(&self, number: FlightNumber, visit: &Visit, request: Paper) -> Judged {
        let Flight { now, far_off, .. } = self.flights[number];
        let Some(travelling) = self.browsers.requests.get(&request) else {
            return Ok(());
        };
        let id = visit.cookies.browser.and_then(|cookie| self.browsers.ids.get(&cookie).copied());
        if travelling.id.zip(id).is_some_and(|(made, sent)| made.is_other(sent)) {
            return broken("I14", format!("{request} was taken from another browser"));
        }
        if now > travelling.at + self.terms.pending_lifetime && !far_off && !travelling.far_off {
            return broken("I11", format!("{request} was taken after its end"));
        }
        Ok(())
    }

    /// A request that travels was refused: whether it is over, or of another browser.
    pub(super) fn may_not_be_opened(&self, number: FlightNumber, visit: &Visit, request: Paper) -> bool {
        let Flight { now, far_off, .. } = self.flights[number];
        let Some(travelling) = self.browsers.requests.get(&request) else { return true };
        let id = visit.cookies.browser.and_then(|cookie| self.browsers.ids.get(&cookie).copied());
        let same = travelling.id.zip(id).is_some_and(|(made, sent)| made.sure && sent.sure && !made.is_other(sent));
        far_off || travelling.far_off || !same || now >= travelling.at + self.terms.pending_lifetime
    }

    /// Whether it may be that a request has been answered before, by a code that was redeemed or is over.
    pub(super) fn may_be_used(&self, number: FlightNumber, request: Paper) -> bool {
        let Flight { call, now, far_off, .. } = self.flights[number];
        let Some(travelling) = self.browsers.requests.get(&request) else { return true };
        let Some((made, maker)) = travelling.made else { return false };
        let Call::Browse(visit) = call else { return true };
        let own = self.browsers.written.get(&number).copied().or_else(|| self.sign_in_of(visit.cookies.session));
        let groups =
            |at: Option<usize>| at.map(|at| &self.browsers.sign_ins[at].groups).filter(|groups| groups.len() == 1);
        let elsewhere = groups(own).is_none() || groups(own) != groups(maker);
        let (first, user) = (self.flights[made].now, travelling.submitted.first().map(|(_, user)| *user));
        let alike = travelling.submitted.iter().all(|(_, one)| Some(*one) == user);
        let spent = travelling.grant.is_none_or(|grant| {
            let grant = &self.grants[grant];
            grant.doomed.is_some() || grant.redeems > 0
        });
        elsewhere || far_off || self.flights[made].far_off || !alike || spent || now >= first + self.terms.code_lifetime
    }

    /// The grant of a request that travels was written, or taken back.
    pub(super) fn grant_written(&mut self, number: FlightNumber) {
        let Call::Browse(visit) = self.flights[number].call else { return };
        let (request, sign_in) = match visit.errand {
            Errand::Decide { request, .. } => (request, self.sign_in_of(visit.cookies.session)),
            Errand::SignIn { request, .. } => (request, self.browsers.written.get(&number).copied()),
            _ => return,
        };
        if let Some(travelling) = self.browsers.requests.get_mut(&request) {
            travelling.made.get_or_insert((number, sign_in));
        }
    }
}
