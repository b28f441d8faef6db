//! Scenarios: requests and what must come back, as data, so that every face can replay them over every store.
//!
//! `NAME.toml` is written by hand: what is sent, and what matters of the answer. `NAME.http` is the whole exchange to
//! the byte, recorded; with a fixed clock and seed it must come out the same everywhere. `docs/scenarios.md` describes
//! the format.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::Error as _;

use crate::world_file::world_file;

mod face;
mod replay;
mod transcript;

pub use face::Driver;
use face::Face;
pub use replay::replay;

/// A scenario as it stands in its file.
#[derive(Debug)]
pub struct Scenario {
    title: String,
    shows: Vec<String>,
    settings: BTreeMap<String, String>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    #[serde(default)]
    shows: Vec<String>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(rename = "step")]
    steps: Vec<toml::Table>,
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
    /// How often it is sent.
    #[serde(default = "once")]
    times: usize,
    /// The address that it comes from, instead of the world's.
    peer: Option<std::net::IpAddr>,
    /// The browser that sends it, with its cookies.
    browser: Option<String>,
    /// Members of the target's query.
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The client that authenticates by HTTP Basic.
    basic: Option<String>,
    /// The access token.
    bearer: Option<String>,
    form: Option<BTreeMap<String, String>>,
    json: Option<toml::Table>,
    /// Whether the members of `form` go as JSON.
    #[serde(default)]
    form_as_json: bool,
    /// Members of `query`, `form` or `json` that are left out.
    #[serde(default)]
    without: Vec<String>,
    body: Option<String>,
    /// How many letters `x` follow the body.
    #[serde(default)]
    filler: usize,
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
    /// The title of the page.
    title: Option<String>,
    /// Texts that the body has.
    #[serde(default)]
    contains: Vec<String>,
    /// Texts that it has not.
    #[serde(default)]
    lacks: Vec<String>,
    /// Where the answer redirects to, without the query.
    location: Option<String>,
    /// The parameters of that query, all of them; `*` is any value.
    parameters: Option<BTreeMap<String, String>>,
    /// What to remember of the answer: name = member.
    #[serde(default)]
    keep: BTreeMap<String, String>,
    /// Hidden fields of the page to remember under their names.
    #[serde(default)]
    keep_fields: Vec<String>,
    /// What to remember of the redirect: name = parameter.
    #[serde(default)]
    keep_location: BTreeMap<String, String>,
    /// The store calls, in order.
    calls: Option<String>,
    /// The kinds of the events, in order.
    events: Option<String>,
}

const fn once() -> usize {
    1
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// If it is not in the format.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let File { title, shows, settings, steps } = toml::from_str(text)?;
        let steps = steps.into_iter().map(step).collect::<Result<_, _>>()?;
        Ok(Self { title, shows, settings, steps })
    }

    /// The conformance rows that it shows.
    #[must_use]
    pub fn shows(&self) -> Vec<&str> {
        self.shows.iter().map(String::as_str).collect()
    }
}

/// A step, on top of the request of the world that it is `like`.
fn step(mut own: toml::Table) -> Result<Step, toml::de::Error> {
    let like = match own.remove("like") {
        None => return Step::deserialize(own),
        Some(like) => like.as_str().map(str::to_owned),
    };
    let request = like.as_ref().and_then(|name| world_file().requests.get(name));
    let request = request.ok_or_else(|| toml::de::Error::custom(format!("the world has no request {like:?}")))?;
    let mut step = request.clone();
    for (name, value) in own {
        match (step.get_mut(&name), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => below.extend(above),
            (_, value) => {
                step.insert(name, value);
            }
        }
    }
    Step::deserialize(step)
}
