//! A link that sets a new password: sealed, kept nowhere, good for an hour and for one use.
//!
//! It holds a digest of the hash that was in force when it was made. Whatever changes the password ends it: its own
//! use, another link's, or the user's.

use std::time::Duration;

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use crate::UnixTime;
use crate::browser::keys::Purpose;
use crate::endpoint::authorize::with_query;
use crate::entropy::Entropy;
use crate::io::Io;
use crate::refusal::Refusal;
use crate::router::Endpoint;
use crate::secret::{Secret, SecretDigest};
use crate::server::Core;
use crate::step::Step;
use crate::user::{User, UserAnswer};

/// How long a link works.
const LIFETIME: Duration = Duration::from_secs(3600);

/// What a link holds.
#[derive(Encode, Decode)]
pub(crate) struct Ticket {
    #[n(0)]
    subject: String,
    /// Under this the user was found.
    #[n(1)]
    name: String,
    #[n(2)]
    hash: ByteArray<32>,
}

/// Whose password a link sets.
pub(crate) struct Resettable {
    pub(crate) user: User,
    pub(crate) name: String,
}

impl Core {
    /// A link with which the user of this name sets a new password, once, within an hour; nothing if there is no such
    /// user, or one who may not sign in. Whoever has the link has the account: it goes to that user alone.
    pub fn reset_link(
        &self,
        username: impl Into<String>,
        now: UnixTime,
        entropy: Entropy,
    ) -> Step<Result<Option<Secret>, Refusal>> {
        let username = username.into();
        self.call(now, entropy, move |mut io| async move {
            let call = async {
                let path = io.config.issuer.request_path(Endpoint::Reset.name());
                if Endpoint::at(&io.config, &path).is_none() {
                    return Err(Refusal::invalid_request("there is no page that sets a password"));
                }
                match io.user_by_name(&username).await? {
                    UserAnswer::Found(user) => io.make_reset_link(&user, &username).map(Some),
                    UserAnswer::Absent | UserAnswer::Dismissed | UserAnswer::Stored => Ok(None),
                }
            };
            let outcome = call.await;
            io.done(outcome)
        })
    }
}

impl Io {
    /// The link of a user who was found under `name`.
    pub(crate) fn make_reset_link(&mut self, user: &User, name: &str) -> Result<Secret, Refusal> {
        let ticket =
            Ticket { subject: user.subject.clone(), name: name.to_owned(), hash: (*digest(user).as_bytes()).into() };
        let iv = self.random();
        let keys = self.config.session_keys().ok_or_else(|| Refusal::server_error("there are no session keys"))?;
        let token = keys.seal(Purpose::Reset, &ticket, self.now, iv);
        let url = self.config.issuer.url(Endpoint::Reset.name());
        Ok(Secret::from_text(with_query(&url, [("token", token.as_str())])))
    }

    /// Whose password a link sets, if it still does. Foreign, old and used ones are one answer.
    pub(crate) async fn open_reset_link(&mut self, token: &str) -> Result<Resettable, Refusal> {
        let keys = self.config.session_keys();
        let opened = keys.and_then(|keys| keys.open::<Ticket>(Purpose::Reset, token, LIFETIME, self.now).ok());
        let Some(Ticket { subject, name, hash }) = opened else {
            return Err(Refusal::expired().detail("the link is not ours, or older than an hour"));
        };
        let user = self.user_by_name(&name).await?.of(&subject);
        match user.filter(|user| SecretDigest::from_bytes(*hash).matches(&digest(user))) {
            Some(user) => Ok(Resettable { user, name }),
            None => Err(link_is_used()),
        }
    }
}

/// The password is another one now than when the link was made.
pub(crate) fn link_is_used() -> Refusal {
    Refusal::expired().detail("the link was used, or the user changed")
}

fn digest(user: &User) -> SecretDigest {
    SecretDigest::of(user.password_hash.as_deref().unwrap_or_default().as_bytes())
}
