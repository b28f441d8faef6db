//! A browser's sign-in, from its cookie to its record and back.

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use zeroize::Zeroize as _;

use super::cookie::CookieName;
use super::forms::FormOf;
use super::keys::Purpose;
use super::travel::Travel;
use crate::event::{Event, EventKind};
use crate::grants::{Epochs, is_raised};
use crate::io::{Io, Listing, Written};
use crate::login::SignedIn;
use crate::record::{Active, End, Kind, Session, Stored};
use crate::refusal::Refusal;
use crate::reply::Response;
use crate::request::Request;
use crate::secret::SecretDigest;
use crate::store::Key;

/// What the cookie holds: where the record is, and what shows that it is ours to use.
#[derive(Encode, Decode)]
pub(crate) struct Ticket {
    #[n(0)]
    id: ByteArray<16>,
    #[n(1)]
    secret: ByteArray<20>,
}

impl Ticket {
    fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.secret[..])
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// The sign-in that a request shows.
pub(crate) struct Current {
    pub(crate) id: [u8; 16],
    pub(crate) key: Key,
    pub(crate) active: Active,
}

impl Io {
    /// The sign-in of the browser that a request comes from, if it holds; that it was used is written down. Of several
    /// cookies of the name, exactly one must be ours.
    pub(crate) async fn session(&mut self, request: &Request) -> Result<Option<Current>, Refusal> {
        let Some(ticket) = self.ticket(request) else { return Ok(None) };
        let key = self.names().key(Kind::Session, &ticket.id[..]);
        let digest = ticket.digest();
        // Two reads at most: a lost race on writing down its use may have been its end.
        for _ in 0..2 {
            let Some(stored) = self.load::<Session>(&key).await? else { return Ok(None) };
            let Some(active) = stored.body.active(&digest, self.now).cloned() else { return Ok(None) };
            let epoch = self.user_epoch(&active.subject).await?;
            if !active.is_of_epoch(epoch.as_ref()) {
                return Ok(None);
            }
            let used = active.used(self.now, self.config.settings.session_idle);
            let written = match used {
                None => Written::Done,
                Some(used) => self.replace(&stored, &Session::Active(used)).await?,
            };
            if written == Written::Done {
                return Ok(Some(Current { id: *ticket.id, key, active }));
            }
        }
        Err(Refusal::unavailable("too many lost races on one sign-in"))
    }

    fn ticket(&self, request: &Request) -> Option<Ticket> {
        let lifetime = self.config.settings.session_lifetime;
        let cookies = self.config.cookies.read(request, CookieName::Session);
        let mut ours = cookies
            .filter_map(|value| self.config.session_keys()?.open(Purpose::Session, value, lifetime, self.now).ok());
        let ticket: Ticket = ours.next()?;
        ours.all(|other: Ticket| other.id == ticket.id).then_some(ticket)
    }

    /// Whether the browser sent any cookie of the session's name.
    pub(crate) fn has_session_cookie(&self, request: &Request) -> bool {
        self.config.cookies.read(request, CookieName::Session).next().is_some()
    }

    /// Makes the browser forget a cookie of the session's name that is not ours, unless the answer sets one.
    pub(crate) fn drop_foreign_session(&self, request: &Request, response: &mut Response) {
        if self.has_session_cookie(request)
            && self.ticket(request).is_none()
            && !self.config.cookies.sets(response, CookieName::Session)
        {
            self.forget_session(response);
        }
    }

    /// Whether a sign-in holds still: asked after something was made in it.
    pub(crate) async fn session_holds(&mut self, key: &Key) -> Result<bool, Refusal> {
        let stored = self.load::<Session>(key).await?;
        Ok(stored.is_some_and(|stored| stored.body.listed(self.now).is_some()))
    }

    /// Signs a browser in for a travelling request.
    pub(crate) async fn start_session(
        &mut self,
        signed_in: &SignedIn,
        travel: &Travel,
        request: &Request,
    ) -> Result<(Current, String), Refusal> {
        let before = self.session(request).await?;
        // The answer may be lost of a sign-in that took the place of the browser's.
        let replaced = if before.is_none() { self.replaced(request, &signed_in.subject).await? } else { None };
        let sid = replaced.unwrap_or_else(|| travel.sid(&signed_in.subject));
        self.open_session(signed_in, travel.occasion(), sid, before).await
    }

    /// The tag of the grants of this user in the sign-in that a request shows, if another one took its place.
    async fn replaced(&mut self, request: &Request, subject: &str) -> Result<Option<[u8; 16]>, Refusal> {
        let Some(ticket) = self.ticket(request) else { return Ok(None) };
        let key = self.names().key(Kind::Session, &ticket.id[..]);
        Ok(self.load::<Session>(&key).await?.and_then(|stored| stored.body.replaced(subject)))
    }

    /// Goes on with a sign-in under a new identifier, after its user has shown the password again.
    pub(crate) async fn renew_session(
        &mut self,
        signed_in: &SignedIn,
        before: Current,
    ) -> Result<(Current, String), Refusal> {
        self.open_session(signed_in, *before.active.occasion, *before.active.sid, Some(before)).await
    }

    /// Signs a browser in: always under a new identifier, whatever cookie it came with, which ends. Returns the sign-in,
    /// and what its cookie holds.
    async fn open_session(
        &mut self,
        signed_in: &SignedIn,
        occasion: [u8; 8],
        sid: [u8; 16],
        before: Option<Current>,
    ) -> Result<(Current, String), Refusal> {
        let ticket = Ticket { id: self.random().into(), secret: self.random().into() };
        let before = before.as_ref();
        let same_user = before.filter(|before| before.active.subject == signed_in.subject);
        let settings = &self.config.settings;
        let active = Active {
            secret: ByteArray::from(*ticket.digest().as_bytes()),
            subject: signed_in.subject.clone(),
            username: signed_in.username.clone(),
            epoch: signed_in.epochs.user().map(|epoch| epoch.as_str().to_owned()),
            sid: same_user.map_or_else(|| sid.into(), |before| before.active.sid),
            amr: vec!["pwd".to_owned()],
            signed_in_at: self.now.seconds(),
            used_at: self.now.seconds(),
            idle_until: self.now.after(settings.session_idle).seconds(),
            ends_at: self.now.after(settings.session_lifetime).seconds(),
            occasion: occasion.into(),
        };
        let key = self.names().key(Kind::Session, &ticket.id[..]);
        if self.create(key.clone(), &Session::Active(active.clone())).await? == Written::Lost {
            return Err(Refusal::unavailable("a fresh key exists already"));
        }
        // Whoever was signed out meanwhile is not signed in (invariant I14).
        if is_raised(signed_in.epochs.user(), self.user_epoch(&active.subject).await?.as_ref()) {
            self.end_session_key(&key, End::Replaced).await?;
            return Err(Refusal::access_denied("the user was signed out meanwhile"));
        }
        if let Some(before) = before {
            self.end_session_key(&before.key, End::Replaced).await?;
        }
        self.event(Event::new(EventKind::SessionStarted).subject(Some(&active.subject)));
        let iv = self.random();
        let sealed = self.config.session_keys().map(|keys| keys.seal(Purpose::Session, &ticket, self.now, iv));
        let current = Current { id: *ticket.id, key, active };
        Ok((current, sealed.unwrap_or_default()))
    }

    /// Gives the browser the cookie of its sign-in.
    pub(crate) fn hand_over_session(&self, response: &mut Response, sealed: &str) {
        self.config.cookies.set(response, CookieName::Session, sealed, None);
    }

    /// Makes the browser forget its sign-in.
    pub(crate) fn forget_session(&self, response: &mut Response) {
        self.config.cookies.clear(response, CookieName::Session);
    }

    /// Ends the sign-in under a key, and not yet its grants; whether there was one to end.
    pub(crate) async fn end_session_key(&mut self, key: &Key, end: End) -> Result<bool, Refusal> {
        self.end_session_key_if(key, end, |_| true).await
    }

    /// The same, if it is `meant`.
    pub(crate) async fn end_session_key_if(
        &mut self,
        key: &Key,
        end: End,
        meant: impl Fn(&Session) -> bool,
    ) -> Result<bool, Refusal> {
        let mut tries = self.tries();
        loop {
            let Some(stored) = self.load::<Session>(key).await?.filter(|stored| meant(&stored.body)) else {
                return Ok(false);
            };
            let Some(ended) = stored.body.end(self.now, end) else { return Ok(false) };
            tries.again_to_end()?;
            if self.replace(&stored, &ended).await? == Written::Done {
                if let Session::Active(active) = &stored.body {
                    self.event(Event::new(EventKind::SessionEnded).subject(Some(&active.subject)));
                }
                return Ok(true);
            }
        }
    }

    /// Ends one of a user's sign-ins, by its key as listings show it; whether there was anything to end: one that is
    /// signed out already may have grants that a failure left over.
    pub(crate) async fn end_session_of(&mut self, subject: &str, key: &str) -> Result<bool, Refusal> {
        let Ok(key) = Key::parse(key) else { return Ok(false) };
        if !self.names().is_of_kind(&key, Kind::Session) {
            return Ok(false);
        }
        let found = self.load::<Session>(&key).await?;
        let grants = found.as_ref().and_then(|stored| stored.body.grants(self.now));
        let Some((_, sid)) = grants.filter(|(owner, _)| *owner == subject) else { return Ok(false) };
        self.sign_out_session(&key, &sid).await
    }

    /// Ends the grants of a sign-in that is over, which the browser of this request still shows: those that a failure
    /// left over when it was signed out, here or everywhere, and those that another one goes on with that the browser
    /// never heard of. Nothing, if our page did not make the form for that sign-in.
    pub(crate) async fn end_leftovers(&mut self, request: &Request, form: &str) -> Result<(), Refusal> {
        let Some(ticket) = self.ticket(request) else { return Ok(()) };
        if !self.is_form(form, FormOf::Logout, self.browser(request).as_ref(), Some(&ticket.id)) {
            return Ok(());
        }
        let key = self.names().key(Kind::Session, &ticket.id[..]);
        let Some(stored) = self.load::<Session>(&key).await? else { return Ok(()) };
        if let Some((_, sid)) = stored.body.grants(self.now) {
            self.sign_out_session(&key, &sid).await?;
        }
        Ok(())
    }

    /// Signs a browser out: its sign-in first, then every grant that was made in it and ends with it. Whether there was
    /// anything to end.
    pub(crate) async fn sign_out_session(&mut self, key: &Key, sid: &[u8]) -> Result<bool, Refusal> {
        let ended = self.end_session_key(key, End::SignedOut).await?;
        let tag = self.names().session_tag(sid);
        Ok(self.revoke_listed(tag, |_| true).await? > 0 || ended)
    }

    /// The sign-ins of a user that hold, with their keys.
    pub(crate) async fn sessions(&mut self, subject: &str) -> Result<Vec<(Key, Active)>, Refusal> {
        let epoch = self.user_epoch(subject).await?;
        let mut sessions = self.sessions_of_any_epoch(subject).await?;
        sessions.retain(|(_, active)| active.is_of_epoch(epoch.as_ref()));
        Ok(sessions)
    }

    async fn sessions_of_any_epoch(&mut self, subject: &str) -> Result<Vec<(Key, Active)>, Refusal> {
        let mut sessions = Vec::new();
        let tag = self.names().user_tag(subject);
        let mut listing = Listing::new(tag.clone(), Kind::Session);
        while let Some(page) = self.turn(&mut listing).await? {
            for key in page {
                let Some(Stored { body, .. }) = self.load_tagged::<Session>(&key, &tag).await? else { continue };
                sessions.extend(body.listed(self.now).cloned().map(|active| (key, active)));
            }
        }
        Ok(sessions)
    }

    /// Ends every sign-in of a user but one, those under way included, and the grants that end with them. The one that
    /// is kept goes on under the epochs that are returned; `epochs` are those under which its user was looked at.
    pub(crate) async fn end_other_sessions(&mut self, kept: &Current, epochs: &Epochs) -> Result<Epochs, Refusal> {
        let subject = &kept.active.subject;
        let raised = self.raise_from(subject, epochs).await?;
        // Whatever their epoch: what a repetition after a failure finds are grants that were left over.
        for (key, active) in self.sessions_of_any_epoch(subject).await? {
            if key == kept.key {
                continue;
            }
            // The raised epoch has ended it already. Its record goes last: by it a repetition finds the grants.
            if active.sid != kept.active.sid {
                let tag = self.names().session_tag(&active.sid[..]);
                self.revoke_listed(tag, |_| true).await?;
            }
            let end = if active.sid == kept.active.sid { End::Replaced } else { End::SignedOut };
            self.end_session_key(&key, end).await?;
        }
        Ok(raised)
    }
}
