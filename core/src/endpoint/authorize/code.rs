//! The grant, and its code (RFC 6749 section 4.1.2).

use zeroize::Zeroizing;

use crate::browser::session::Current;
use crate::browser::travel::{Approved, Asked, Travel};
use crate::endpoint::token::grant_lifetime;
use crate::event::{Event, EventKind};
use crate::grants::Epochs;
use crate::io::{Io, Written};
use crate::pkce::Challenge;
use crate::record::{Approval, Binding, Client, Consent, Grant, Kind, is_of_epoch};
use crate::redirect::RedirectUri;
use crate::refusal::Refusal;
use crate::scope::Scope;
use crate::secret::Secret;
use crate::store::Key;
use crate::token::{Token, TokenKind};
use crate::user::UserAnswer;

/// A grant with this scope outlives the browser's sign-in in which it was given (OpenID Connect Core section 11).
const OFFLINE_ACCESS: &str = "offline_access";

/// Who approves a request.
pub(crate) struct Approver {
    pub(crate) subject: String,
    pub(crate) username: Option<String>,
    pub(crate) auth_time: u64,
    pub(crate) amr: Vec<String>,
    /// The user's epoch when that was.
    pub(crate) epoch: Option<String>,
    /// The browser's sign-in, as a key and the tag of its grants.
    pub(crate) session: Option<(Key, [u8; 16])>,
}

impl From<&Current> for Approver {
    fn from(current: &Current) -> Self {
        let active = &current.active;
        Self {
            subject: active.subject.clone(),
            username: active.username.clone(),
            auth_time: active.signed_in_at,
            amr: active.amr.clone(),
            epoch: active.epoch.clone(),
            session: Some((current.key.clone(), *active.sid)),
        }
    }
}

impl From<&Approved> for Approver {
    fn from(approved: &Approved) -> Self {
        Self {
            subject: approved.subject.clone(),
            username: approved.username.clone(),
            auth_time: approved.auth_time,
            amr: approved.amr.clone(),
            epoch: approved.epoch.clone(),
            session: None,
        }
    }
}

/// Where a grant will be, and the secret of its code.
pub(super) struct Code<'a> {
    id: [u8; 16],
    secret: Zeroizing<[u8; 20]>,
    /// The request that it follows from, which may have been approved before.
    travel: Option<&'a Travel>,
}

impl<'a> Code<'a> {
    pub(super) fn fresh(io: &mut Io) -> Self {
        Self { id: io.random(), secret: io.random().into(), travel: None }
    }

    fn of(io: &Io, travel: &'a Travel, subject: &str, scope: &Scope) -> Result<Self, Refusal> {
        let secret = travel.code_secret(io.primary()?, subject, scope);
        Ok(Self { id: travel.grant_id(), secret, travel: Some(travel) })
    }
}

/// Gives a travelling request its code. The same request, submitted again with the same decision, gets the same code
/// while nobody has redeemed it, and never a second one.
pub(crate) async fn approve(
    io: &mut Io,
    client: &Client,
    travel: &Travel,
    asked: &Asked,
    approver: &Approver,
) -> Result<Secret, Refusal> {
    let epochs = io.epochs(Some(&approver.subject), Some(&client.client_id)).await?;
    // All of it is asked after the epochs were read: who was signed out or dismissed before gets nothing.
    if !is_of_epoch(approver.epoch.as_deref(), epochs.user()) {
        return Err(signed_out());
    }
    if let Some((key, _)) = &approver.session
        && !io.session_holds(key).await?
    {
        return Err(signed_out());
    }
    let user = io.user_by_subject(approver.subject.clone(), approver.username.as_deref()).await?;
    if !matches!(user, UserAnswer::Found(_)) {
        return Err(Refusal::access_denied("the user may not sign in any more"));
    }
    let code = Code::of(io, travel, &approver.subject, &asked.scope)?;
    approve_with(io, client, asked, approver, epochs, code).await
}

/// Creates the grant. Whoever is signed out while it is created gets nothing that works (invariant I14).
pub(super) async fn approve_with(
    io: &mut Io,
    client: &Client,
    asked: &Asked,
    approver: &Approver,
    epochs: Epochs,
    code: Code<'_>,
) -> Result<Secret, Refusal> {
    if !io.is_registered(client).await? {
        return Err(Refusal::access_denied("the client was deleted meanwhile"));
    }
    note_challenge(io, client, &asked.challenge()).await?;
    let consent = io.consent(&approver.subject, &client.client_id).await?;
    // What was remembered when the next page was decided may have been taken back since.
    let remembered = !client.first_party && !RedirectUri::is_on_device(&asked.redirect_uri);
    if remembered && !consent.as_ref().is_some_and(|consent| consent.covers(&asked.scope, io.now)) {
        return Err(Refusal::access_denied("the access was withdrawn meanwhile"));
    }
    let token = Token::new(TokenKind::Code, code.id, 0, code.secret);
    let session = approver.session.as_ref().filter(|_| !asked.scope.contains(OFFLINE_ACCESS));
    let approval = Approval {
        id: code.id.into(),
        client_id: client.client_id.clone(),
        subject: Some(approver.subject.clone()),
        username: approver.username.clone(),
        scope: asked.scope.clone(),
        resources: asked.resources.clone(),
        created_at: io.now.seconds(),
        ends_at: io.now.after(grant_lifetime(io, client)).seconds(),
        auth_time: Some(approver.auth_time),
        amr: approver.amr.clone(),
        session: session.map(|(_, sid)| (*sid).into()),
    };
    let binding =
        Binding::new(&token.digest(), &asked.challenge(), asked.redirect_uri.clone(), asked.redirect_uri_sent);
    let grant = Grant::issued(approval, binding, io.now.after(io.config.settings.code_lifetime));
    let key = io.names().key(Kind::Grant, &code.id);
    let mut sealed = token.seal(io.config.issuer(), io.primary()?);
    let made = io.create(key.clone(), &grant).await? == Written::Done;
    if !made {
        let travel = code.travel.ok_or_else(|| Refusal::unavailable("a fresh key exists already"))?;
        let found = io.load::<Grant>(&key).await?.ok_or_else(|| Refusal::unavailable("a key that is taken is free"))?;
        // While a key is promoted, another process may have made the code of another one.
        let again = io.config.ring.iter().find_map(|ring_key| {
            let secret = travel.code_secret(ring_key, &approver.subject, &asked.scope);
            let token = Token::new(TokenKind::Code, code.id, 0, secret);
            let waits = found.body.waits_with(&token.digest(), &grant.approval, io.now);
            waits.then(|| token.seal(io.config.issuer(), ring_key))
        });
        sealed = again.ok_or_else(Refusal::used)?;
    }
    let holds = match &approver.session {
        None => true,
        Some((session, _)) => io.session_holds(session).await?,
    };
    let unchanged = holds
        && (planted!(EpochNotReadAgain)
            || !epochs.are_raised_in(&io.epochs(Some(&approver.subject), Some(&client.client_id)).await?))
        && withdrawals(io.consent(&approver.subject, &client.client_id).await?) == withdrawals(consent);
    if !unchanged {
        // What another submission of the request has made, that one has judged, or whoever signs out finds.
        if made {
            io.revoke_key(&key).await?;
        }
        return Err(signed_out());
    }
    let event = Event::new(EventKind::CodeIssued).client(&client.client_id);
    io.event(event.subject(Some(&approver.subject)).grant(grant.id()));
    Ok(sealed)
}

const fn signed_out() -> Refusal {
    Refusal::access_denied("the user was signed out meanwhile")
}

/// RFC 9700 section 2.1.1: one challenge over many requests is a client that does not make its own.
async fn note_challenge(io: &mut Io, client: &Client, challenge: &Challenge) -> Result<(), Refusal> {
    if io.is_repeated(&[b"challenge", client.client_id.as_bytes(), challenge.as_bytes()]).await? {
        io.event(Event::new(EventKind::ChallengeReused).client(&client.client_id));
    }
    Ok(())
}

/// How often access was taken back.
fn withdrawals(consent: Option<Consent>) -> u64 {
    consent.map_or(0, |consent| consent.withdrawals)
}

impl Io {
    async fn consent(&mut self, subject: &str, client_id: &str) -> Result<Option<Consent>, Refusal> {
        let key = self.names().consent(subject, client_id);
        Ok(self.load::<Consent>(&key).await?.map(|stored| stored.body))
    }
}
