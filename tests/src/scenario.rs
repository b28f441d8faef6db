//! Scenarios: requests and what must come back, as data, so that every face can replay them over every store.
//!
//! `NAME.toml` is written by hand: what is sent, and what matters of the answer. `NAME.http` is the whole exchange to
//! the byte, recorded; with a fixed clock and seed it must come out the same everywhere. `docs/scenarios.md` describes
//! the format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use proofkey::store::Store;
use serde::Deserialize;
use serde_json::Value;

use crate::world::basic;
use crate::{Reply, World, secret_of};

/// A scenario as it stands in its file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    title: String,
    #[serde(default)]
    shows: Vec<String>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(rename = "step")]
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Why this step is there.
    #[serde(default)]
    say: String,
    /// Seconds that pass before it.
    #[serde(default)]
    advance: u64,
    /// What the host does before it.
    host: Option<String>,
    /// Method and target; without it nothing is sent.
    send: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The client that authenticates by HTTP Basic.
    basic: Option<String>,
    /// The access token.
    bearer: Option<String>,
    form: Option<BTreeMap<String, String>>,
    json: Option<toml::Table>,
    body: Option<String>,
    status: Option<u16>,
    /// Members of the JSON answer.
    #[serde(default)]
    fields: toml::Table,
    /// Members that the answer must not have.
    #[serde(default)]
    absent: Vec<String>,
    /// Header fields of the answer; empty means absent.
    #[serde(default)]
    reply_headers: BTreeMap<String, String>,
    /// What to remember of the answer: name = member.
    #[serde(default)]
    keep: BTreeMap<String, String>,
    /// The store calls, in order.
    calls: Option<String>,
    /// The kinds of the events, in order.
    events: Option<String>,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// If it is not in the format.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The conformance rows that it shows.
    #[must_use]
    pub fn shows(&self) -> Vec<&str> {
        self.shows.iter().map(String::as_str).collect()
    }
}

/// Replays a scenario over a store, asserts what it says, and returns the whole exchange.
///
/// # Panics
/// If an answer is not what the scenario says.
#[must_use]
pub fn replay(scenario: &Scenario, store: Arc<dyn Store>) -> String {
    let world = World::over(store, |builder| {
        scenario.settings.iter().fold(builder, |builder, (name, text)| builder.set(name, text))
    });
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    let mut exchange = format!("# {}\n", scenario.title);
    for (at, step) in scenario.steps.iter().enumerate() {
        let place = format!("{}, step {} ({})", scenario.title, at + 1, step.say);
        world.clock.advance(Duration::from_secs(step.advance));
        if let Some(action) = &step.host {
            act(&world, action, &place);
            let _ = writeln!(exchange, "\n## the host: {action}");
        }
        world.store.take_calls();
        world.take_events();
        if let Some(target) = &step.send {
            let request = request(step, target, &kept);
            let _ = write!(exchange, "\n{}", written(&request, step.advance));
            let reply = world.send(request);
            let _ = write!(exchange, "\n{}", answered(&reply));
            check(&world, step, &reply, &kept, &place);
            for (name, member) in &step.keep {
                kept.insert(name.clone(), reply.text(member));
            }
        }
    }
    exchange
}

fn act(world: &World, action: &str, place: &str) {
    let words: Vec<&str> = action.split(' ').collect();
    match *words.as_slice() {
        ["dismiss", subject] => world.people.dismiss(subject),
        ["lose", subject] => world.people.lose(subject),
        ["restore", subject] => world.people.restore(subject),
        ["remove", subject] => world.people.remove(subject),
        ["sign-out", subject] => {
            world.server.revoke_all(subject).unwrap_or_else(|error| panic!("{place}: {error}"));
        }
        ["sign-out-client", client_id] => {
            world.server.revoke_client(client_id).unwrap_or_else(|error| panic!("{place}: {error}"));
        }
        ["store-down"] => world.store.set_down(true),
        ["store-up"] => world.store.set_down(false),
        _ => panic!("{place}: the host cannot {action:?}"),
    }
}

/// Puts what was kept in place of `{name}`.
fn filled(text: &str, kept: &BTreeMap<String, String>) -> String {
    kept.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

fn filled_value(value: &toml::Value, kept: &BTreeMap<String, String>) -> Value {
    match value {
        toml::Value::String(text) => Value::from(filled(text, kept)),
        toml::Value::Array(all) => Value::from_iter(all.iter().map(|one| filled_value(one, kept))),
        toml::Value::Table(table) => table.iter().map(|(name, one)| (name.clone(), filled_value(one, kept))).collect(),
        other => serde_json::to_value(other).unwrap_or_default(),
    }
}

fn request(step: &Step, target: &str, kept: &BTreeMap<String, String>) -> http::Request<Bytes> {
    let (method, target) = target.split_once(' ').unwrap_or(("GET", target));
    let mut builder = http::Request::builder().method(method).uri(filled(target, kept));
    if let Some(client_id) = &step.basic {
        builder = builder.header(AUTHORIZATION, basic(client_id, &secret_of(client_id)));
    }
    if let Some(token) = &step.bearer {
        builder = builder.header(AUTHORIZATION, format!("Bearer {}", filled(token, kept)));
    }
    let mut body = step.body.as_ref().map(|body| filled(body, kept)).unwrap_or_default();
    if let Some(form) = &step.form {
        builder = builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let fields: Vec<(String, String)> =
            form.iter().map(|(name, value)| (name.clone(), filled(value, kept))).collect();
        let borrowed: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        body = crate::world::encode(&borrowed);
    }
    if let Some(json) = &step.json {
        builder = builder.header(CONTENT_TYPE, "application/json");
        body = filled_value(&toml::Value::Table(json.clone()), kept).to_string();
    }
    for (name, value) in &step.headers {
        builder = builder.header(name, filled(value, kept));
    }
    builder.body(Bytes::from(body)).unwrap_or_else(|error| panic!("a request: {error}"))
}

fn written(request: &http::Request<Bytes>, advance: u64) -> String {
    let mut text = String::new();
    if advance > 0 {
        let _ = writeln!(text, "## {advance} s later");
    }
    let _ = writeln!(text, "> {} {}", request.method(), request.uri());
    for (name, value) in request.headers() {
        let _ = writeln!(text, "> {name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    if !request.body().is_empty() {
        let _ = writeln!(text, "> {}", String::from_utf8_lossy(request.body()));
    }
    text
}

fn answered(reply: &Reply) -> String {
    let mut text = format!("< {}\n", reply.status.as_u16());
    for (name, value) in &reply.headers {
        let _ = writeln!(text, "< {name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    if !reply.body.is_empty() {
        let _ = writeln!(text, "< {}", String::from_utf8_lossy(&reply.body));
    }
    text
}

fn check(world: &World, step: &Step, reply: &Reply, kept: &BTreeMap<String, String>, place: &str) {
    if let Some(status) = step.status {
        assert_eq!(reply.status.as_u16(), status, "{place}: {reply:?}");
    }
    for (name, expected) in &step.fields {
        assert_eq!(reply.json().get(name), Some(&filled_value(expected, kept)), "{place}: {name} of {reply:?}");
    }
    for name in &step.absent {
        assert!(reply.json().get(name).is_none(), "{place}: the answer has {name}: {reply:?}");
    }
    for (name, expected) in &step.reply_headers {
        assert_eq!(reply.header(name), filled(expected, kept), "{place}: header {name}");
    }
    let calls: Vec<String> = world.store.take_calls().iter().map(ToString::to_string).collect();
    if let Some(expected) = &step.calls {
        assert_eq!(calls.join(" "), *expected, "{place}: the store calls");
    }
    let events: Vec<&str> = world.take_events().iter().map(|kind| kind.as_str()).collect();
    if let Some(expected) = &step.events {
        assert_eq!(events.join(" "), *expected, "{place}: the events");
    }
}
