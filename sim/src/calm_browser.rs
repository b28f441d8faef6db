//! The second phase for browsers: whoever is signed in gets a code unasked, and whoever is not signs in (I26).

use crate::answer::Body;
use crate::call::Call;
use crate::calm::stuck;
use crate::flight::Sender;
use crate::model::Violation;
use crate::sheet::{Page, Sheet};
use crate::visit::{Errand, Prompt, Visit, Wanted};
use crate::world::World;

/// Asks for a code of the operator's own client.
const WANTED: Wanted = Wanted { client: 0, pair: 0, scope: 1, prompt: Prompt::Any };
const START: Errand = Errand::Start { wanted: WANTED, redirect: Some(WANTED.client) };

impl World<'_> {
    /// A browser in which somebody is signed in gets a code without a password.
    pub(crate) fn goes_on(&mut self, at: usize) -> Result<(), Violation> {
        let cookie = self.browsers[at].cookies.session;
        if !self.model.must_be_signed_in(cookie, self.now_at(0)) {
            return Ok(());
        }
        match self.visit_in_calm(at, START)?.page {
            Page::Code { .. } => Ok(()),
            page => Err(without(page, "get a code in a sign-in that holds")),
        }
    }

    /// Somebody signs in, unless somebody is signed in, gets a code, and signs out.
    pub(crate) fn comes_anew(&mut self, at: usize) -> Result<(), Violation> {
        let mut sheet = self.visit_in_calm(at, START)?;
        if let Page::SignIn { request } = sheet.page {
            let user = self.browsers[at].user;
            sheet = self.visit_in_calm(at, Errand::SignIn { request, user, password: true })?;
            let Page::Code { .. } = sheet.page else { return Err(without(sheet.page, "sign in")) };
        }
        let sheet = self.visit_in_calm(at, Errand::SeeLogOut)?;
        let Page::LogOut { form } = sheet.page else { return Err(without(sheet.page, "come to sign out")) };
        let sheet = self.visit_in_calm(at, Errand::LogOut { form })?;
        if sheet.page == Page::SignedOut { Ok(()) } else { Err(without(sheet.page, "sign out")) }
    }

    fn visit_in_calm(&mut self, at: usize, errand: Errand) -> Result<Sheet, Violation> {
        let visit = Visit { cookies: self.browsers[at].cookies, errand };
        let answer = self.through_by(Sender::Browser(at, 0), Call::Browse(visit))?;
        match answer.body {
            Body::Sheet(sheet) => Ok(sheet),
            _ => stuck(&answer, "open a page"),
        }
    }
}

fn without(page: Page, what: &str) -> Violation {
    Violation { invariant: "I26", what: format!("somebody who may could not {what}: {page:?}") }
}
