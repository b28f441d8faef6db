//! Hears all that leaves a server, and learns the secrets from what clients send and get.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use proofkey::core::{Key, Query, Record, UnixTime, Version, Write};
use proofkey::store::Store;
use proofkey::{Event, StoreError};
use serde_json::Value;

use crate::{Reply, Scanner};

/// Parameters that are secrets, in requests and answers.
const FIELDS: [&str; 12] = [
    "access_token",
    "authorization_code",
    "client_secret",
    "code",
    "code_verifier",
    "current_password",
    "form_token",
    "new_password",
    "password",
    "refresh_token",
    "request",
    "token",
];

#[derive(Default)]
struct Heard {
    scanner: Scanner,
    /// What was said, by the place where it was.
    said: BTreeMap<&'static str, Vec<u8>>,
    exchanges: usize,
}

/// What was heard; clones share it.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Heard>>);

impl Recorder {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody may be told this.
    pub fn secret(&self, kind: &str, secret: &str) {
        self.heard().scanner.add(kind, secret);
    }

    /// Something was said.
    pub fn said(&self, place: &'static str, what: &[u8]) {
        let mut heard = self.heard();
        let said = heard.said.entry(place).or_default();
        said.extend_from_slice(what);
        said.push(b'\n');
    }

    /// A value can be printed.
    pub fn printed(&self, value: &dyn Debug) {
        self.said("printed", format!("{value:?}\n{value:#?}").as_bytes());
    }

    /// An error, and what it came from.
    pub fn error(&self, error: &(dyn Error + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.said("errors", format!("{error}\n{error:?}").as_bytes());
            next = error.source();
        }
    }

    /// Events were told.
    pub fn events(&self, events: &[Event]) {
        for event in events {
            self.said("events", format!("{event:?}").as_bytes());
            let details = [event.private_detail(), event.client_id(), event.concerned_subject(), event.grant_id()];
            self.said("events", details.map(Option::unwrap_or_default).join(" ").as_bytes());
            if let Some(link) = event.reset_link().and_then(|link| link.expose_text()) {
                self.secret("link", link.rsplit('=').next().unwrap_or_default());
            }
        }
    }

    /// A request was answered. What the answer hands over, at the place where it does so, is the client's to know; at
    /// any other place it is a leak, as is any secret of another request.
    pub fn exchange(&self, request: &Request<Bytes>, reply: &Reply) {
        self.printed(&proofkey::Request::new(request.clone(), None));
        for (name, value) in fields(request) {
            self.secret(&name, &value);
        }
        for (kind, value) in in_headers(request) {
            self.secret(kind, &value);
        }
        let mut heard = self.heard();
        heard.exchanges += 1;
        let mut headers = format!("{} ", reply.status);
        for (name, value) in &reply.headers {
            let mut value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let handed: Vec<String> = if name == SET_COOKIE {
                value
                    .split(';')
                    .next()
                    .and_then(|pair| pair.split_once('='))
                    .map(|(_, value)| value.to_owned())
                    .into_iter()
                    .collect()
            } else if name == LOCATION {
                let pairs = value.split_once('?').map(|(_, query)| pairs(query)).unwrap_or_default();
                pairs.into_iter().filter(|(name, _)| FIELDS.contains(&&**name)).map(|(_, value)| value).collect()
            } else {
                Vec::new()
            };
            for secret in handed {
                heard.scanner.add("handed over", &secret);
                value = value.replacen(&secret, "*", 1);
            }
            headers.push_str(&format!("{name}: {value}\n"));
        }
        let mut body = String::from_utf8_lossy(&reply.body).into_owned();
        for secret in handed_in_body(&body) {
            heard.scanner.add("handed over", &secret);
            body = body.replacen(&secret, "*", 1);
        }
        let said = heard.said.entry("answers").or_default();
        said.extend_from_slice(headers.as_bytes());
        said.extend_from_slice(body.as_bytes());
    }

    /// How many secrets there are, and how many requests were answered.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let heard = self.heard();
        (heard.scanner.len(), heard.exchanges)
    }

    /// How much was said, by place.
    #[must_use]
    pub fn sizes(&self) -> BTreeMap<&'static str, usize> {
        self.heard().said.iter().map(|(place, said)| (*place, said.len())).collect()
    }

    /// The first secret that is at each place.
    #[must_use]
    pub fn leaks(&self) -> BTreeMap<&'static str, String> {
        let heard = self.heard();
        let leak = |(place, said): (&&'static str, &Vec<u8>)| {
            let (secret, at) = heard.scanner.find(said)?;
            let around = &said[at.saturating_sub(200)..said.len().min(at + 200)];
            Some((*place, format!("{secret} in: {}", String::from_utf8_lossy(around))))
        };
        heard.said.iter().filter_map(leak).collect()
    }
}

/// The fields of a form or of JSON, and of the query, that are secrets.
fn fields(request: &Request<Bytes>) -> Vec<(String, String)> {
    let body = String::from_utf8_lossy(request.body());
    let mut all = request.uri().query().map(pairs).unwrap_or_default();
    match serde_json::from_str::<Value>(&body) {
        Ok(Value::Object(members)) => {
            all.extend(members.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))));
        }
        _ => all.extend(pairs(&body)),
    }
    all.retain(|(name, _)| FIELDS.contains(&&**name));
    all
}

fn in_headers(request: &Request<Bytes>) -> Vec<(&'static str, String)> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut all: Vec<_> = header(COOKIE.as_str())
        .split("; ")
        .filter_map(|pair| Some(("cookie", pair.split_once('=')?.1.to_owned())))
        .collect();
    let authorization = header(AUTHORIZATION.as_str());
    all.extend(authorization.strip_prefix("Bearer ").map(|token| ("bearer", token.to_owned())));
    if let Some(basic) = authorization.strip_prefix("Basic ") {
        let decoded =
            STANDARD.decode(basic).map(|pair| String::from_utf8_lossy(&pair).into_owned()).unwrap_or_default();
        all.extend(decoded.split_once(':').map(|(_, secret)| ("client secret", decode(secret))));
    }
    all
}

/// What a body hands over: members of JSON, and hidden fields of a form.
fn handed_in_body(body: &str) -> Vec<String> {
    if let Ok(Value::Object(members)) = serde_json::from_str::<Value>(body) {
        let secrets = members.into_iter().filter(|(name, _)| FIELDS.contains(&&**name));
        return secrets.filter_map(|(_, value)| value.as_str().map(str::to_owned)).collect();
    }
    let hidden = body.split("type=\"hidden\" name=\"").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once("\" value=\"")?;
        FIELDS.contains(&name).then(|| rest.split('"').next().unwrap_or_default().to_owned())
    });
    hidden.collect()
}

fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (decode(name), decode(value))).collect()
}

fn decode(text: &str) -> String {
    let (mut decoded, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, others @ ..] = rest {
        let digits = others.get(..2).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        (rest, _) = match (first, digits) {
            (b'%', Some(byte)) => (&others[2..], decoded.push(byte)),
            (b'+', _) => (others, decoded.push(b' ')),
            (byte, _) => (others, decoded.push(*byte)),
        };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// A store that has all that it is called with heard.
pub struct Overheard {
    inner: Arc<dyn Store>,
    recorder: Recorder,
}

impl Overheard {
    /// Around another one.
    #[must_use]
    pub fn around(inner: Arc<dyn Store>, recorder: Recorder) -> Self {
        Self { inner, recorder }
    }

    fn hear(&self, argument: &dyn Debug, body: &[u8]) {
        self.recorder.said("store", format!("{argument:?}").as_bytes());
        self.recorder.said("store", body);
    }
}

impl Store for Overheard {
    fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.hear(key, b"");
        self.inner.get(key)
    }

    fn put(&self, write: &Write) -> Result<bool, StoreError> {
        self.hear(write, write.body());
        self.inner.put(write)
    }

    fn delete(&self, key: &Key, expect: &Version) -> Result<bool, StoreError> {
        self.hear(&(key, expect), b"");
        self.inner.delete(key, expect)
    }

    fn find(&self, query: &Query) -> Result<Vec<Key>, StoreError> {
        self.hear(query, b"");
        self.inner.find(query)
    }

    fn sweep(&self, now: UnixTime, limit: usize) -> Result<usize, StoreError> {
        self.inner.sweep(now, limit)
    }

    fn blocks(&self) -> bool {
        self.inner.blocks()
    }
}
