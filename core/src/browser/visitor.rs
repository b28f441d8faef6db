//! A browser that is known again, by a cookie that says nothing of who uses it.

use std::time::Duration;

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use super::cookie::CookieName;
use super::keys::Purpose;
use crate::io::Io;
use crate::reply::Response;
use crate::request::Request;

/// How long a browser is known again after its last visit to a page where people sign in.
const KNOWN_FOR: Duration = Duration::from_secs(180 * 86_400);
/// How old its cookie may grow before it is set anew.
const RENEWED_AFTER: u64 = 86_400;
/// The most users that a browser is known to be used by; the oldest falls out.
const MOST_KNOWN: usize = 4;

/// A browser. Travelling requests and forms are bound to its identifier; limits on guessing know its users.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Browser {
    #[n(0)]
    pub(crate) id: ByteArray<16>,
    /// Digests of the names that have signed in here.
    #[n(1)]
    known: Vec<ByteArray<8>>,
    #[n(2)]
    made_at: u64,
}

impl Browser {
    /// Whether the user of this name, in lower case, has signed in here.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.known.contains(&self.mark(name))
    }

    /// The same browser, in which the user of this name has signed in.
    pub(crate) fn knowing(mut self, name: &str) -> Self {
        let mark = self.mark(&name.to_lowercase());
        self.known.retain(|one| *one != mark);
        self.known.push(mark);
        let spare = self.known.len().saturating_sub(MOST_KNOWN);
        self.known.drain(..spare);
        self
    }

    fn mark(&self, name: &str) -> ByteArray<8> {
        let hash = Sha256::new().chain_update(b"proofkey known name 1 ").chain_update(&self.id[..]).chain_update(name);
        hash.finalize().first_chunk::<8>().copied().unwrap_or_default().into()
    }
}

impl Io {
    /// The browser that a request comes from, if it is known. Of several cookies of the name, exactly one must be ours:
    /// else somebody planted one, and none counts.
    pub(crate) fn browser(&self, request: &Request) -> Option<Browser> {
        let cookies = self.config.cookies.read(request, CookieName::Browser);
        let mut ours = cookies
            .filter_map(|value| self.config.session_keys()?.open(Purpose::Browser, value, KNOWN_FOR, self.now).ok());
        let browser: Browser = ours.next()?;
        ours.all(|other: Browser| other.id == browser.id).then_some(browser)
    }

    /// The browser that a request comes from, known or new; new ones, and old cookies, are to be set.
    pub(crate) fn browser_or_new(&mut self, request: &Request) -> (Browser, bool) {
        match self.browser(request) {
            Some(browser) => {
                let old = self.now.seconds() >= browser.made_at.saturating_add(RENEWED_AFTER);
                (browser, old)
            }
            None => (Browser { id: self.random().into(), known: Vec::new(), made_at: 0 }, true),
        }
    }

    /// Lets the browser show itself again.
    pub(crate) fn remember_browser(&mut self, response: &mut Response, browser: &Browser) {
        let iv = self.random();
        let renewed = Browser { made_at: self.now.seconds(), ..browser.clone() };
        let sealed = self.config.session_keys().map(|keys| keys.seal(Purpose::Browser, &renewed, self.now, iv));
        if let Some(sealed) = sealed {
            self.config.cookies.set(response, CookieName::Browser, &sealed, Some(KNOWN_FOR));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_knows_its_last_four_users_whatever_the_case() {
        let new = Browser { id: [1; 16].into(), known: Vec::new(), made_at: 0 };
        let browser = ["Ada", "bob", "cy", "dee", "ada", "eve"].into_iter().fold(new, Browser::knowing);
        for (name, known) in [("ada", true), ("bob", false), ("cy", true), ("dee", true), ("eve", true), ("fay", false)]
        {
            assert_eq!(browser.knows(name), known, "{name}");
        }
        let other = Browser { id: [2; 16].into(), ..browser };
        assert!(!other.knows("ada"), "a mark says nothing in another browser");
    }
}
