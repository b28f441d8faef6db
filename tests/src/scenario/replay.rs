//! Replaying a scenario: what is said is asserted, and the whole exchange is written down.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use proofkey::Clock as _;
use proofkey::store::Store;
use serde_json::Value;

use super::{Driver, Face, Scenario, Step, transcript};
use crate::surroundings::Surroundings;
use crate::world::{basic, encode};
use crate::world_file::world_file;
use crate::{Fault, Jar, Reply};

/// Replays a scenario under a driver over a store, asserts what it says, and returns the whole exchange.
///
/// # Panics
/// If an answer is not what the scenario says.
#[must_use]
pub fn replay(scenario: &Scenario, driver: Driver, store: Arc<dyn Store>) -> String {
    let (face, surroundings) = driver.server(scenario, store);
    let mut stage = Stage { face, surroundings, kept: world_file().names.clone(), browsers: BTreeMap::new() };
    let secrets = world_file()
        .clients
        .iter()
        .filter_map(|client| Some((format!("secret.{}", client.client_id), client.client_secret.clone()?)));
    stage.kept.extend(secrets);
    let mut exchange = format!("# {}\n", scenario.title);
    for (at, step) in scenario.steps.iter().enumerate() {
        let place = format!("{}, step {} ({})", scenario.title, at + 1, step.say);
        stage.perform(step, &place, &mut exchange);
    }
    exchange
}

/// A server in its surroundings, and what was kept of its answers.
struct Stage {
    face: Box<dyn Face>,
    surroundings: Surroundings,
    kept: BTreeMap<String, String>,
    browsers: BTreeMap<String, Jar>,
}

impl Stage {
    fn perform(&mut self, step: &Step, place: &str, exchange: &mut String) {
        if step.advance > 0 {
            self.surroundings.clock.advance(Duration::from_secs(step.advance));
            let _ = writeln!(exchange, "\n## {} s later", step.advance);
        }
        if let Some(action) = &step.host {
            self.act(action, place);
            let _ = writeln!(exchange, "\n## the host: {action}");
        }
        let Some(target) = &step.send else { return };
        for _ in 0..step.times {
            self.surroundings.store.take_calls();
            self.surroundings.events.take();
            let request = self.request(step, target, place);
            let _ = write!(exchange, "\n{}", transcript::request(&request));
            let reply = self.face.send(request, Some(step.peer.unwrap_or_else(|| world_file().peer)));
            let _ = write!(exchange, "\n{}", transcript::answer(&reply));
            self.check(step, &reply, place);
            if let Some(browser) = &step.browser {
                let now = self.surroundings.clock.now().seconds();
                self.browsers.entry(browser.clone()).or_default().take(&reply, now);
            }
            self.keep(step, &reply, place);
        }
    }

    fn keep(&mut self, step: &Step, reply: &Reply, place: &str) {
        let members = step.keep.iter().map(|(name, member)| (name.clone(), reply.text(member)));
        let fields = step.keep_fields.iter().map(|name| {
            let html = reply.html();
            let value =
                html.split_once(&format!("name=\"{name}\" value=\"")).and_then(|(_, rest)| rest.split_once('"'));
            let (value, _) = value.unwrap_or_else(|| panic!("{place}: the page hides {name}: {html}"));
            (name.clone(), value.to_owned())
        });
        let parameters = step.keep_location.iter().map(|(name, parameter)| {
            let location = reply.location();
            let value = location.parameter(parameter);
            assert!(!value.is_empty(), "{place}: {parameter} in {location:?}");
            (name.clone(), value.to_owned())
        });
        self.kept.extend(members.chain(fields).chain(parameters));
    }

    fn act(&self, action: &str, place: &str) {
        let Surroundings { store, people, .. } = &self.surroundings;
        let words: Vec<&str> = action.split(' ').collect();
        match *words.as_slice() {
            ["dismiss", subject] => people.dismiss(subject),
            ["lose", subject] => people.lose(subject),
            ["restore", subject] => people.restore(subject),
            ["remove", subject] => people.remove(subject),
            ["sign-out", subject] => self.face.sign_out(subject),
            ["sign-out-client", client_id] => self.face.sign_out_client(client_id),
            ["store-down"] => store.set_down(true),
            ["store-up"] => store.set_down(false),
            ["store-next", ref faults @ ..] => store.plan(faults.iter().map(|name| fault(name, place))),
            _ => panic!("{place}: the host cannot {action:?}"),
        }
    }

    /// Puts what was kept in place of `{name}`.
    fn filled(&self, text: &str, place: &str) -> String {
        let mut parts = text.split('{');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            match part.split_once('}').filter(|(name, _)| is_name(name)) {
                Some((name, rest)) => {
                    let value = self.kept.get(name).unwrap_or_else(|| panic!("{place}: nothing is kept as {name}"));
                    filled.push_str(value);
                    filled.push_str(rest);
                }
                None => {
                    filled.push('{');
                    filled.push_str(part);
                }
            }
        }
        filled
    }

    fn filled_value(&self, value: &toml::Value, place: &str) -> Value {
        match value {
            toml::Value::String(text) => Value::from(self.filled(text, place)),
            toml::Value::Array(all) => Value::from_iter(all.iter().map(|one| self.filled_value(one, place))),
            toml::Value::Table(table) => {
                table.iter().map(|(name, one)| (name.clone(), self.filled_value(one, place))).collect()
            }
            other => serde_json::to_value(other).unwrap_or_default(),
        }
    }

    fn request(&self, step: &Step, target: &str, place: &str) -> http::Request<Bytes> {
        let (method, target) = target.split_once(' ').unwrap_or_else(|| panic!("{place}: no method in {target:?}"));
        let mut target = self.filled(target, place);
        let query: Vec<(&str, String)> = step
            .query
            .iter()
            .filter(|(name, _)| !step.without.contains(name))
            .map(|(name, value)| (&**name, self.filled(value, place)))
            .collect();
        if !query.is_empty() {
            let pairs: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, &**value)).collect();
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(&encode(&pairs));
        }
        let path = target.split('?').next().unwrap_or_default();
        let cookies = step.browser.as_ref().and_then(|browser| {
            self.browsers.get(browser).and_then(|jar| jar.header(path, self.surroundings.clock.now().seconds()))
        });
        let mut builder = http::Request::builder().method(method).uri(&target);
        if let Some(client_id) = &step.basic {
            let secret = self.filled(&format!("{{secret.{client_id}}}"), place);
            builder = builder.header(AUTHORIZATION, basic(client_id, &secret));
        }
        if let Some(token) = &step.bearer {
            builder = builder.header(AUTHORIZATION, format!("Bearer {}", self.filled(token, place)));
        }
        let (content_type, body) = self.body(step, place);
        if let Some(content_type) = content_type {
            builder = builder.header(CONTENT_TYPE, content_type);
        }
        if let Some(cookies) = cookies {
            builder = builder.header(COOKIE, cookies);
        }
        let mut headers: BTreeMap<&str, String> =
            step.headers.iter().map(|(name, value)| (&**name, self.filled(value, place))).collect();
        if step.browser.is_some() && method == Method::POST.as_str() {
            headers.entry("origin").or_insert_with(|| "null".to_owned());
            headers.entry("sec-fetch-site").or_insert_with(|| "same-origin".to_owned());
        }
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        builder.body(Bytes::from(body)).unwrap_or_else(|error| panic!("{place}: a request: {error}"))
    }

    /// The body, and the content type that goes with it.
    fn body(&self, step: &Step, place: &str) -> (Option<&'static str>, String) {
        const JSON: &str = "application/json";
        let sent = |name: &str| !step.without.iter().any(|left_out| left_out == name);
        let form = step.form.iter().flatten().filter(|(name, _)| sent(name));
        let form: BTreeMap<&str, String> = form.map(|(name, value)| (&**name, self.filled(value, place))).collect();
        let (content_type, mut body) = match (&step.body, &step.json, &step.form) {
            (Some(body), None, None) => (None, self.filled(body, place)),
            (None, Some(json), None) => {
                let members = json.iter().filter(|(name, _)| sent(name));
                let members: serde_json::Map<String, Value> =
                    members.map(|(name, value)| (name.clone(), self.filled_value(value, place))).collect();
                (Some(JSON), Value::Object(members).to_string())
            }
            (None, None, Some(_)) if step.form_as_json => (Some(JSON), serde_json::json!(form).to_string()),
            (None, None, Some(_)) => {
                let pairs: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, &**value)).collect();
                (Some("application/x-www-form-urlencoded"), encode(&pairs))
            }
            (None, None, None) => (None, String::new()),
            _ => panic!("{place}: of form, json and body there can be one"),
        };
        body.push_str(&"x".repeat(step.filler));
        (content_type, body)
    }

    fn check(&self, step: &Step, reply: &Reply, place: &str) {
        if let Some(status) = step.status {
            assert_eq!(reply.status.as_u16(), status, "{place}: {reply:?}");
        }
        for (name, expected) in &step.fields {
            let expected = self.filled_value(expected, place);
            assert_eq!(reply.json().get(name), Some(&expected), "{place}: {name} of {reply:?}");
        }
        for name in &step.absent {
            assert!(reply.json().get(name).is_none(), "{place}: the answer has {name}: {reply:?}");
        }
        for (name, expected) in &step.reply_headers {
            assert_eq!(reply.header(name), self.filled(expected, place), "{place}: header {name}");
        }
        self.check_page(step, reply, place);
        let calls: Vec<String> = self.surroundings.store.take_calls().iter().map(ToString::to_string).collect();
        if let Some(expected) = &step.calls {
            assert_eq!(calls.join(" "), *expected, "{place}: the store calls");
        }
        let events = self.surroundings.events.take();
        let events: Vec<&str> = events.iter().map(|event| event.kind().as_str()).collect();
        if let Some(expected) = &step.events {
            assert_eq!(events.join(" "), *expected, "{place}: the events");
        }
    }
}

impl Stage {
    fn check_page(&self, step: &Step, reply: &Reply, place: &str) {
        if let Some(title) = &step.title {
            assert_eq!(reply.title(), self.filled(title, place), "{place}: {}", reply.html());
        }
        for text in &step.contains {
            assert!(reply.html().contains(&self.filled(text, place)), "{place}: {text} in {}", reply.html());
        }
        for text in &step.lacks {
            assert!(!reply.html().contains(&self.filled(text, place)), "{place}: {text} in {}", reply.html());
        }
        if let Some(uri) = &step.location {
            assert_eq!(reply.location().uri, self.filled(uri, place), "{place}");
        }
        if let Some(expected) = &step.parameters {
            let location = reply.location();
            let mut names = location.names();
            names.sort_unstable();
            assert_eq!(names, expected.keys().collect::<Vec<_>>(), "{place}: {location:?}");
            for (name, value) in expected.iter().filter(|(_, value)| *value != "*") {
                assert_eq!(location.parameter(name), self.filled(value, place), "{place}: {name}");
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn fault(name: &str, place: &str) -> Fault {
    match name {
        "conflict" => Fault::Conflict,
        "fail" => Fault::Fail,
        "lost" => Fault::Lost,
        "none" => Fault::None,
        _ => panic!("{place}: the store cannot {name:?}"),
    }
}
