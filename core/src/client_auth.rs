//! Who is the client, and is it who it says it is (RFC 6749 section 2.3).

use std::sync::Arc;

use crate::basic;
use crate::event::{Event, EventKind};
use crate::io::Io;
use crate::limit::{Counter, Settle, address_bytes};
use crate::record::{AuthMethod, Client, ClientRecord, Kind};
use crate::refusal::Refusal;
use crate::request::{Authorization, Parameters, Request};
use crate::secret::Secret;

/// What a request says about its client.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) client_id: String,
    pub(crate) secret: Option<(Way, Secret)>,
}

/// How a secret came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Basic,
    /// By a typed call of the host, which stands for any way.
    Call,
    Post,
}

impl Credentials {
    /// Reads `Authorization: Basic` or the body; both at once are refused (RFC 6749 section 2.3).
    pub(crate) fn read(request: &Request, parameters: &mut Parameters) -> Result<Self, Refusal> {
        let header = match request.authorization() {
            Authorization::None => None,
            Authorization::One(value) => basic::parse(value).map_err(|_| malformed())?,
            Authorization::Repeated => return Err(Refusal::invalid_request("the Authorization header is repeated")),
        };
        let named = parameters.text("client_id").map(str::to_owned);
        let posted = parameters.take("client_secret");
        match (header, named, posted) {
            (Some(_), _, Some(_)) => Err(Refusal::invalid_request("a client authenticates in one way only")),
            (Some((id, _)), Some(named), None) if id != named => {
                Err(Refusal::invalid_request("client_id is not the one of the Authorization header"))
            }
            (Some((client_id, secret)), _, None) => Ok(Self { client_id, secret: Some((Way::Basic, secret)) }),
            (None, Some(client_id), posted) => Ok(Self { client_id, secret: posted.map(|secret| (Way::Post, secret)) }),
            (None, None, _) => Err(Refusal::invalid_request("client_id is missing")),
        }
    }
}

const fn malformed() -> Refusal {
    Refusal::invalid_client("the Authorization header is malformed")
}

/// Unknown client, wrong secret and wrong method are one answer.
const fn failed() -> Refusal {
    Refusal::invalid_client("client authentication failed")
}

impl Io {
    /// The client of this identifier: a configured one, or, by one get, a stored one.
    pub(crate) async fn client(&mut self, client_id: &str) -> Result<Option<Arc<Client>>, Refusal> {
        if let Some(client) = self.config.clients.get(client_id) {
            return Ok(Some(Arc::clone(client)));
        }
        if client_id.is_empty() || client_id.len() > 255 {
            return Ok(None);
        }
        let key = self.names().key(Kind::Client, client_id.as_bytes());
        let found = Box::pin(self.load::<ClientRecord>(&key)).await?;
        Ok(found.and_then(|stored| match stored.body {
            ClientRecord::Present(client) => Some(Arc::from(client)),
            ClientRecord::Gone(_) => None,
        }))
    }

    /// Whether the client is registered still: asked after its epoch was read, so that a client that is deleted
    /// meanwhile gets nothing that outlives it (invariant I14).
    pub(crate) async fn is_registered(&mut self, client: &Client) -> Result<bool, Refusal> {
        Ok(self.client(&client.client_id).await?.is_some())
    }

    /// The client, authenticated as it is registered.
    ///
    /// Generated secrets are compared first, for they cannot be guessed, and only failures touch a limit; where a
    /// secret was chosen by a person the attempt is counted before it is compared.
    pub(crate) async fn authenticate(&mut self, credentials: &Credentials) -> Result<Arc<Client>, Refusal> {
        let client = self.client(&credentials.client_id).await?;
        if let Some(client) = &client {
            self.allow_origin_of(client);
        }
        let chosen = client.as_ref().is_some_and(|client| client.has_chosen_secret());
        let counters = if chosen { self.client_counters(&credentials.client_id)? } else { Vec::new() };
        if chosen {
            // Limits are the exception: in boxes they do not make every flow larger.
            Box::pin(self.take_all(&counters.iter().collect::<Vec<_>>())).await?;
        }
        // What stands in place of a known identifier may be a secret that was put into the wrong field (invariant I20).
        let refused = Event::new(EventKind::ClientRefused);
        let refused = match &client {
            Some(client) => refused.client(&client.client_id),
            None => refused.detail("there is no such client"),
        };
        if let Some(client) = client.filter(|client| accepts(client, credentials)) {
            for counter in &counters {
                Box::pin(self.settle_counter(counter, Settle::Refund)).await;
            }
            return Ok(client);
        }
        self.event(refused);
        if !chosen {
            let counters = self.client_counters(&credentials.client_id)?;
            Box::pin(self.take_all(&counters.iter().collect::<Vec<_>>())).await?;
        }
        Err(failed())
    }

    fn client_counters(&self, client_id: &str) -> Result<Vec<Counter>, Refusal> {
        let settings = &self.config.settings;
        let by_client = self.counter(settings.limit_client, &[b"client", client_id.as_bytes()])?;
        let by_address = match self.address {
            None => None,
            Some(address) => self.counter(settings.limit_address, &[b"client address", &address_bytes(address)])?,
        };
        // The address first: one that is held off reaches no client's counter.
        Ok(by_address.into_iter().chain(by_client).collect())
    }

    /// The response may be read by pages of the client's own origins, errors included.
    pub(crate) fn allow_origin_of(&mut self, client: &Client) {
        if let Some(origin) = &self.origin {
            self.origin_allowed = client.origins().iter().any(|allowed| allowed == origin);
        }
    }
}

/// RFC 6749 section 2.1: the type comes from the registration, never from how the request looks.
pub(crate) fn accepts(client: &Client, credentials: &Credentials) -> bool {
    let (expected, presented) = match (&credentials.secret, client.auth_method) {
        (None, AuthMethod::None) => return true,
        (Some(_), AuthMethod::None) | (None, _) => return false,
        (Some((way, secret)), AuthMethod::ClientSecretBasic) => (*way != Way::Post, secret),
        (Some((way, secret)), AuthMethod::ClientSecretPost) => (*way != Way::Basic, secret),
    };
    // Every secret is compared, whichever fits: the time tells nothing.
    let fits = client.secrets.iter().fold(false, |fits, secret| secret.matches(presented) | fits);
    expected && fits
}
