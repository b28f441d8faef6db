//! Registrations in the store.
//!
//! | state | create | update | delete |
//! | --- | --- | --- | --- |
//! | no record | present | refused | refused |
//! | present | refused | present; refused if it would change the client type | gone |
//! | gone | present | refused | refused |

use minicbor::{Decode, Encode};
use serde_json::{Value, json};

use super::{Client, InvalidClient};
use crate::UnixTime;
use crate::name::Names;
use crate::record::{Body, Kind, outlived};
use crate::store::Owner;

/// A stored client carries one tag that lists all clients, and one for each of its web origins.
const MAX_STORED_ORIGINS: usize = 2;

/// A record under a client's identifier.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) enum ClientRecord {
    #[n(0)]
    Present(#[n(0)] Box<Client>),
    /// A tombstone, so that a slow writer cannot bring the client back.
    #[n(1)]
    Gone(#[n(0)] u64),
}

/// What becomes of a change to a registration.
#[derive(Debug)]
pub(crate) enum Registration {
    /// There is, or is not, such a client.
    Conflict,
    /// The new record.
    Next(ClientRecord),
    /// One `client_id` has one client type (OAuth 2.1 section 2.1).
    TypeChange,
}

impl ClientRecord {
    pub(crate) fn client(&self) -> Option<&Client> {
        match self {
            Self::Present(client) => Some(client),
            Self::Gone(_) => None,
        }
    }

    /// Registers a client where there is none.
    pub(crate) fn create(current: Option<&Self>, client: Client) -> Registration {
        match current {
            None | Some(Self::Gone(_)) => Registration::Next(Self::Present(Box::new(client))),
            Some(Self::Present(_)) => Registration::Conflict,
        }
    }

    /// Replaces the registration of a client.
    pub(crate) fn update(current: Option<&Self>, client: Client) -> Registration {
        match current {
            None | Some(Self::Gone(_)) => Registration::Conflict,
            Some(Self::Present(old)) if old.is_confidential() != client.is_confidential() => Registration::TypeChange,
            Some(Self::Present(_)) => Registration::Next(Self::Present(Box::new(client))),
        }
    }

    /// Ends the registration of a client.
    pub(crate) fn delete(current: Option<&Self>, now: UnixTime) -> Registration {
        match current {
            None | Some(Self::Gone(_)) => Registration::Conflict,
            Some(Self::Present(_)) => Registration::Next(Self::Gone(now.seconds())),
        }
    }
}

impl Client {
    /// What is wrong with the registration for a client that lives in the store.
    pub(crate) fn problems_when_stored(&self) -> Vec<InvalidClient> {
        let mut problems = self.problems();
        if self.origins().len() > MAX_STORED_ORIGINS {
            problems.push(InvalidClient::Origins(self.client_id.clone()));
        }
        problems
    }
}

impl Body for ClientRecord {
    const KIND: Kind = Kind::Client;

    fn expires_at(&self) -> UnixTime {
        match self {
            Self::Present(_) => UnixTime::NEVER,
            Self::Gone(at) => outlived(*at),
        }
    }

    fn owners(&self, names: &Names) -> Vec<Owner> {
        match self {
            Self::Present(client) => {
                let origins = client.origins();
                let origins = origins.iter().take(MAX_STORED_ORIGINS).map(|origin| names.origin_tag(origin));
                [names.all_tag(Kind::Client)].into_iter().chain(origins).collect()
            }
            // Listed still, so that a tombstone can be sealed again before its key is retired.
            Self::Gone(_) => vec![names.all_tag(Kind::Client)],
        }
    }

    fn shown(&self) -> Value {
        match self {
            Self::Present(client) => json!({ "state": "present", "client": client }),
            Self::Gone(at) => json!({ "state": "gone", "at": at }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClientSecret;

    fn confidential(id: &str) -> Client {
        Client::confidential(id, ClientSecret::generate([7; 32]).0).redirect_uri("https://c.example/cb")
    }

    #[test]
    fn every_state_and_every_event() {
        let now = UnixTime::from_seconds(9);
        let public = || Client::public("a").redirect_uri("https://c.example/cb");
        let present = ClientRecord::Present(Box::new(public()));
        let gone = ClientRecord::Gone(5);
        for current in [None, Some(&gone)] {
            assert!(matches!(ClientRecord::create(current, public()), Registration::Next(ClientRecord::Present(_))));
            assert!(matches!(ClientRecord::update(current, public()), Registration::Conflict));
            assert!(matches!(ClientRecord::delete(current, now), Registration::Conflict));
        }
        assert!(matches!(ClientRecord::create(Some(&present), public()), Registration::Conflict));
        assert!(matches!(ClientRecord::update(Some(&present), public().name("A")), Registration::Next(_)));
        assert!(matches!(ClientRecord::update(Some(&present), confidential("a")), Registration::TypeChange));
        assert!(matches!(ClientRecord::delete(Some(&present), now), Registration::Next(ClientRecord::Gone(9))));
        assert!(present.client().is_some() && gone.client().is_none());
    }

    #[test]
    fn a_stored_client_is_listed_and_found_by_its_origins_and_a_gone_one_is_only_listed() {
        let names = Names::new("");
        let all = names.all_tag(Kind::Client);
        let client = Client::public("a").redirect_uri("https://c.example/cb").redirect_uri("https://d.example/cb");
        assert!(client.problems_when_stored().is_empty());
        let tags = [all.clone(), names.origin_tag("https://c.example"), names.origin_tag("https://d.example")];
        let present = ClientRecord::Present(Box::new(client.clone()));
        assert_eq!(present.owners(&names), tags);
        assert_eq!(present.expires_at(), UnixTime::NEVER);
        let third = client.redirect_uri("https://e.example/cb").redirect_uri("https://e.example/other");
        assert_eq!(third.problems_when_stored(), [InvalidClient::Origins("a".into())]);
        let gone = ClientRecord::Gone(5);
        assert_eq!(gone.owners(&names), [all]);
        assert_eq!(gone.expires_at(), outlived(5));
        assert_eq!(gone.shown(), json!({ "state": "gone", "at": 5 }));
        assert_eq!(present.shown()["client"]["client_id"], "a");
    }
}
