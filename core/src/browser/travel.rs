//! A request on its way through the pages: sealed, bound to the browser that began it, kept nowhere.

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::keys::RingKey;
use crate::pkce::Challenge;
use crate::scope::Scope;

/// Where a browser goes once somebody has signed in.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) enum Destination {
    /// The page that shows what has access.
    #[n(0)]
    Applications,
    /// Back to a client, with a code.
    #[n(1)]
    Client(#[n(0)] Box<Asked>),
    /// The page that changes a password.
    #[n(2)]
    Password,
}

/// An authorization request, checked (RFC 6749 section 4.1.1).
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct Asked {
    #[n(0)]
    pub(crate) client_id: String,
    #[n(1)]
    pub(crate) redirect_uri: String,
    #[n(2)]
    pub(crate) redirect_uri_sent: bool,
    #[n(3)]
    pub(crate) challenge: ByteArray<32>,
    #[n(4)]
    pub(crate) scope: Scope,
    #[n(5)]
    pub(crate) resources: Vec<String>,
    #[n(6)]
    pub(crate) state: Option<String>,
    #[n(7)]
    pub(crate) prompt: Prompt,
    /// Seconds since the sign-in that the client puts up with.
    #[n(8)]
    pub(crate) max_age: Option<u64>,
    #[n(9)]
    pub(crate) login_hint: Option<String>,
}

/// The `prompt` parameter: what the client insists on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Prompt {
    /// No page may be shown.
    #[n(0)]
    pub(crate) none: bool,
    /// Sign in, even if somebody is signed in; `select_account` means no less here.
    #[n(1)]
    pub(crate) login: bool,
    /// Ask, even if consent is remembered.
    #[n(2)]
    pub(crate) consent: bool,
}

/// Whom the host's own login page signed in.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct Approved {
    #[n(0)]
    pub(crate) subject: String,
    #[n(1)]
    pub(crate) username: Option<String>,
    #[n(2)]
    pub(crate) auth_time: u64,
    #[n(3)]
    pub(crate) amr: Vec<String>,
    /// The user's epoch when that was.
    #[n(4)]
    pub(crate) epoch: Option<String>,
}

/// A travelling request.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct Travel {
    /// The grant's identifier and its code follow from these bytes: one request, one code.
    #[n(0)]
    pub(crate) seed: ByteArray<32>,
    /// The browser that began it.
    #[n(1)]
    pub(crate) browser: ByteArray<16>,
    #[n(2)]
    pub(crate) destination: Destination,
    /// The languages that the client asked for.
    #[n(3)]
    pub(crate) ui_locales: Option<String>,
    #[n(4)]
    pub(crate) approved: Option<Approved>,
    /// When the browser came in, in seconds since 1970.
    #[n(5)]
    pub(crate) began_at: u64,
}

impl Travel {
    /// Tells one travelling request from another; a session remembers for which it was made.
    pub(crate) fn occasion(&self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = self.hash(b"proofkey occasion 1");
        [a, b, c, d, e, f, g, h]
    }

    /// The identifier of the grant that this request can become: the same however often it is submitted.
    pub(crate) fn grant_id(&self) -> [u8; 16] {
        self.hash(b"proofkey grant id 1").first_chunk::<16>().copied().unwrap_or_default()
    }

    /// The secret of its code, for this subject and scope: another decision is never answered with it.
    pub(crate) fn code_secret(&self, key: &RingKey, subject: &str, scope: &Scope) -> Zeroizing<[u8; 20]> {
        key.successor(&[b"code", &self.seed[..], subject.as_bytes(), scope.as_str().as_bytes()])
    }

    /// The authorization request, if it goes to a client.
    pub(crate) fn asked(&self) -> Option<&Asked> {
        match &self.destination {
            Destination::Client(asked) => Some(asked),
            Destination::Applications | Destination::Password => None,
        }
    }

    fn hash(&self, label: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update(label).chain_update(&self.seed[..]).finalize().into()
    }
}

impl Asked {
    pub(crate) fn challenge(&self) -> Challenge {
        Challenge::from_bytes(*self.challenge)
    }
}
