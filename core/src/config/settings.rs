//! Settings as they are collected, by name and text or by typed value, before they are checked as a whole.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ipnet::IpNet;

use super::text::{limit, limit_text, size, span, span_text, words};
use super::{Limit, Problem, Rotation, SETTINGS};
use crate::page::Theme;
use crate::router::Endpoint;

/// A scope: its text for people, the claims that it shows, and whether metadata lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeText {
    pub(crate) text: String,
    pub(crate) claims: Vec<String>,
    pub(crate) hidden: bool,
}

impl ScopeText {
    /// A listed scope that is explained by `text`. The OpenID Connect scopes `profile`, `email`, `phone` and `address`
    /// show their standard claims; others show none.
    #[must_use]
    pub fn new(name: &str, text: impl Into<String>) -> Self {
        let claims: &[&str] = match name {
            "address" => &["address"],
            "email" => &["email", "email_verified"],
            "phone" => &["phone_number", "phone_number_verified"],
            "profile" => &[
                "name",
                "family_name",
                "given_name",
                "middle_name",
                "nickname",
                "preferred_username",
                "profile",
                "picture",
                "website",
                "gender",
                "birthdate",
                "zoneinfo",
                "locale",
                "updated_at",
            ],
            _ => &[],
        };
        Self { text: text.into(), claims: claims.iter().map(ToString::to_string).collect(), hidden: false }
    }

    /// The same scope, showing these claims of the user.
    #[must_use]
    pub fn showing(mut self, claims: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.claims = claims.into_iter().map(Into::into).collect();
        self
    }

    /// The same scope, left out of metadata.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }
}

/// The settings of one issuer, with their defaults.
#[derive(Clone)]
pub struct Settings {
    pub(crate) issuer: Option<String>,
    pub(crate) mounted_at: Option<String>,
    pub(crate) store: Option<String>,
    pub(crate) key_prefix: String,
    pub(crate) store_timeout: Duration,
    pub(crate) store_attempts: u32,
    pub(crate) sweep_auto: bool,
    pub(crate) code_lifetime: Duration,
    pub(crate) access_token_lifetime: Duration,
    pub(crate) refresh_token_lifetime: Duration,
    pub(crate) grant_lifetime: Duration,
    pub(crate) reuse_leeway: Duration,
    pub(crate) flow_deadline: Duration,
    pub(crate) rotation: Rotation,
    pub(crate) refresh_checks_user: bool,
    pub(crate) scopes: BTreeMap<String, ScopeText>,
    pub(crate) default_scope: Option<String>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) password_cost: u32,
    pub(crate) password_min_length: usize,
    pub(crate) work_limit: Option<usize>,
    pub(crate) limit_user: Option<Limit>,
    pub(crate) limit_client: Option<Limit>,
    pub(crate) limit_address: Option<Limit>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) max_body: usize,
    pub(crate) session_lifetime: Duration,
    pub(crate) session_idle: Duration,
    pub(crate) pending_lifetime: Duration,
    pub(crate) login_url: Option<String>,
    pub(crate) cookie_name: Option<String>,
    pub(crate) page_name: Option<String>,
    pub(crate) page_logo: Option<String>,
    pub(crate) page_colour: String,
    pub(crate) page_language: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        const fn per(failures: u32, window: u64) -> Option<Limit> {
            Some(Limit { failures, window: Duration::from_secs(window) })
        }
        const DAY: u64 = 86_400;
        Self {
            issuer: None,
            mounted_at: None,
            store: None,
            key_prefix: String::new(),
            store_timeout: Duration::from_secs(2),
            store_attempts: 4,
            sweep_auto: true,
            code_lifetime: Duration::from_secs(60),
            access_token_lifetime: Duration::from_secs(3600),
            refresh_token_lifetime: Duration::from_secs(30 * DAY),
            grant_lifetime: Duration::from_secs(90 * DAY),
            reuse_leeway: Duration::from_secs(30),
            flow_deadline: Duration::from_secs(5),
            rotation: Rotation::Always,
            refresh_checks_user: true,
            scopes: BTreeMap::new(),
            default_scope: None,
            endpoints: Endpoint::DEFAULT.to_vec(),
            password_cost: 12,
            password_min_length: 15,
            work_limit: None,
            limit_user: per(10, 900),
            limit_client: per(30, 60),
            limit_address: per(100, 900),
            trusted_proxies: Vec::new(),
            max_body: 64 * 1024,
            session_lifetime: Duration::from_secs(DAY / 2),
            session_idle: Duration::from_secs(3600),
            pending_lifetime: Duration::from_secs(900),
            login_url: None,
            cookie_name: None,
            page_name: None,
            page_logo: None,
            page_colour: Theme::DEFAULT_COLOUR.to_owned(),
            page_language: None,
        }
    }
}

impl Settings {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets one setting of the table by its text, as it stands in a file, a variable or a flag.
    ///
    /// # Errors
    /// If there is no such setting (the nearest name is told), or the text is not in its range (the range is told).
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), Problem> {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
            return Err(Problem::new(name.to_owned(), unknown(name)));
        };
        self.set_known(name, text)
            .ok_or_else(|| Problem::new(setting.name, format!("{text:?} is out of range; it takes: {}", setting.range)))
    }

    fn set_known(&mut self, name: &str, text: &str) -> Option<()> {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        match name {
            "issuer" => self.issuer = given(text),
            "mounted_at" => self.mounted_at = Some(text.to_owned()),
            "store" => self.store = given(text),
            "key_prefix" => self.key_prefix = prefix(text)?,
            "store_timeout" => self.store_timeout = span_within(text, 0.1, 30.0)?,
            "store_attempts" => self.store_attempts = within(text.parse().ok()?, 1, 8)?,
            "sweep" => self.sweep_auto = choice(text, &[("auto", true), ("manual", false)])?,
            "code_lifetime" => self.code_lifetime = span_within(text, 10.0, 600.0)?,
            "access_token_lifetime" => self.access_token_lifetime = span_within(text, 60.0, 86_400.0)?,
            "refresh_token_lifetime" => self.refresh_token_lifetime = span_within(text, 0.0, 31_536_000.0)?,
            "grant_lifetime" => self.grant_lifetime = span_within(text, 3600.0, 63_072_000.0)?,
            "reuse_leeway" => {
                let leeway = span_within(text, 0.0, 60.0)?;
                self.reuse_leeway = (leeway.is_zero() || leeway.as_secs() >= 12).then_some(leeway)?;
            }
            "flow_deadline" => self.flow_deadline = span_within(text, 1.0, 30.0)?,
            "rotation" => {
                let choices = [("always", Rotation::Always), ("public_clients", Rotation::PublicClients)];
                self.rotation = choice(text, &choices)?;
            }
            "refresh_checks_user" => self.refresh_checks_user = choice(text, &[("on", true), ("off", false)])?,
            "scopes" => {
                self.scopes = words(text).map(|name| (name.to_owned(), ScopeText::new(name, name))).collect();
            }
            "default_scope" => self.default_scope = given(text),
            "endpoints" => self.endpoints = words(text).map(Endpoint::switched).collect::<Option<_>>()?,
            "password_cost" => self.password_cost = within(text.parse().ok()?, 10, 16)?,
            "password_min_length" => self.password_min_length = within(text.parse().ok()?, 8, 64)?,
            "work_limit" if text == "cores" => self.work_limit = None,
            "work_limit" => self.work_limit = Some(within(text.parse().ok()?, 1, 256)?),
            "limit_user" => self.limit_user = limit(text)?,
            "limit_client" => self.limit_client = limit(text)?,
            "limit_address" => self.limit_address = limit(text)?,
            "trusted_proxies" => self.trusted_proxies = words(text).map(network).collect::<Option<_>>()?,
            "max_body" => self.max_body = within(size(text)?, 4096, 1024 * 1024)?,
            "session_lifetime" => self.session_lifetime = span_within(text, 300.0, 2_592_000.0)?,
            "session_idle" => self.session_idle = span_within(text, 300.0, 2_592_000.0)?,
            "pending_lifetime" => self.pending_lifetime = span_within(text, 60.0, 3600.0)?,
            "login_url" => self.login_url = given(text),
            "cookie_name" => self.cookie_name = given(text),
            "page_name" => self.page_name = given(text),
            "page_logo" => self.page_logo = given(text),
            "page_colour" => self.page_colour = given(text)?,
            "page_language" => self.page_language = given(text).filter(|text| text != "auto"),
            _ => return None,
        }
        Some(())
    }

    /// The value of a setting as text: what [`Settings::set`] would take. Nothing for an unknown name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        let on = |on: bool, yes: &str, no: &str| if on { yes.to_owned() } else { no.to_owned() };
        Some(match name {
            "issuer" => self.issuer.clone().unwrap_or_default(),
            "mounted_at" => self.mounted_at.clone().unwrap_or_default(),
            "store" => self.store.clone().unwrap_or_default(),
            "key_prefix" => self.key_prefix.clone(),
            "store_timeout" => span_text(self.store_timeout),
            "store_attempts" => self.store_attempts.to_string(),
            "sweep" => on(self.sweep_auto, "auto", "manual"),
            "code_lifetime" => span_text(self.code_lifetime),
            "access_token_lifetime" => span_text(self.access_token_lifetime),
            "refresh_token_lifetime" => span_text(self.refresh_token_lifetime),
            "grant_lifetime" => span_text(self.grant_lifetime),
            "reuse_leeway" => span_text(self.reuse_leeway),
            "flow_deadline" => span_text(self.flow_deadline),
            "rotation" => on(self.rotation == Rotation::Always, "always", "public_clients"),
            "refresh_checks_user" => on(self.refresh_checks_user, "on", "off"),
            "scopes" => self.scopes.keys().cloned().collect::<Vec<_>>().join(" "),
            "default_scope" => self.default_scope.clone().unwrap_or_default(),
            "endpoints" => self.endpoints.iter().map(|endpoint| endpoint.name()).collect::<Vec<_>>().join(" "),
            "password_cost" => self.password_cost.to_string(),
            "password_min_length" => self.password_min_length.to_string(),
            "work_limit" => self.work_limit.map_or_else(|| "cores".to_owned(), |limit| limit.to_string()),
            "limit_user" => limit_text(self.limit_user),
            "limit_client" => limit_text(self.limit_client),
            "limit_address" => limit_text(self.limit_address),
            "trusted_proxies" => self.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            "max_body" => self.max_body.to_string(),
            "session_lifetime" => span_text(self.session_lifetime),
            "session_idle" => span_text(self.session_idle),
            "pending_lifetime" => span_text(self.pending_lifetime),
            "login_url" => self.login_url.clone().unwrap_or_default(),
            "cookie_name" => self.cookie_name.clone().unwrap_or_default(),
            "page_name" => self.page_name.clone().unwrap_or_default(),
            "page_logo" => self.page_logo.clone().unwrap_or_default(),
            "page_colour" => self.page_colour.clone(),
            "page_language" => self.page_language.clone().unwrap_or_else(|| "auto".to_owned()),
            _ => return None,
        })
    }

    /// Adds a scope.
    pub fn scope(&mut self, name: impl Into<String>, scope: ScopeText) {
        self.scopes.insert(name.into(), scope);
    }

    /// A bcrypt cost below the floor, so that tests are quick.
    #[cfg(feature = "testing")]
    pub const fn password_cost_for_tests(&mut self, cost: u32) {
        self.password_cost = cost;
    }

    /// The store's URL, if one is set.
    #[must_use]
    pub fn store_url(&self) -> Option<&str> {
        self.store.as_deref()
    }

    /// The path of the image that stands above the pages, if it is a file.
    #[must_use]
    pub fn logo_file(&self) -> Option<&str> {
        self.page_logo.as_deref()?.strip_prefix("file:")
    }

    /// The longest that one store call may take.
    #[must_use]
    pub const fn store_timeout(&self) -> Duration {
        self.store_timeout
    }

    /// The longest that one request may take.
    #[must_use]
    pub const fn flow_deadline(&self) -> Duration {
        self.flow_deadline
    }

    /// Whether drivers sweep.
    #[must_use]
    pub const fn sweeps(&self) -> bool {
        self.sweep_auto
    }

    /// How many password hashes are computed at once; nothing means one for each core.
    #[must_use]
    pub const fn work_limit(&self) -> Option<usize> {
        self.work_limit
    }

    /// The largest body of a request, in bytes.
    #[must_use]
    pub const fn max_body(&self) -> usize {
        self.max_body
    }

    /// Settings that are each in range, but not together.
    pub(crate) fn contradictions(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.grant_lifetime < self.refresh_token_lifetime {
            let text = "it is below refresh_token_lifetime; raise it, or lower refresh_token_lifetime";
            problems.push(Problem::new("grant_lifetime", text));
        }
        if !self.reuse_leeway.is_zero() && self.reuse_leeway < self.flow_deadline.saturating_mul(2) {
            let text = "it is below twice flow_deadline, so a client's retry would not fit; raise it, or set it to 0";
            problems.push(Problem::new("reuse_leeway", text));
        }
        if self.session_lifetime < self.session_idle {
            let text = "it is below session_idle; raise it, or lower session_idle";
            problems.push(Problem::new("session_lifetime", text));
        }
        problems
    }
}

/// A store's URL may hold a password, so it is not printed.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

fn unknown(name: &str) -> String {
    let nearest = SETTINGS.iter().min_by_key(|setting| strsim::damerau_levenshtein(setting.name, name));
    nearest.map_or_else(String::new, |nearest| format!("there is no such setting; did you mean {}?", nearest.name))
}

fn within<N: PartialOrd>(number: N, from: N, to: N) -> Option<N> {
    (number >= from && number <= to).then_some(number)
}

fn span_within(text: &str, from: f64, to: f64) -> Option<Duration> {
    span(text).filter(|span| within(span.as_secs_f64(), from, to).is_some())
}

fn choice<V: Copy>(text: &str, choices: &[(&str, V)]) -> Option<V> {
    choices.iter().find(|(name, _)| *name == text.trim()).map(|(_, value)| *value)
}

fn prefix(text: &str) -> Option<String> {
    let legal = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (legal && text.len() <= 16).then(|| text.to_owned())
}

/// An address, or a network in CIDR notation.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| Some(IpNet::from(text.parse::<std::net::IpAddr>().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_of_the_table_is_the_default_in_force() {
        for setting in SETTINGS {
            let text = Settings::default().text(setting.name).unwrap();
            let told = setting.default.replace("64 KiB", "65536");
            assert_eq!(text, told, "{}", setting.name);
            if !text.is_empty() {
                Settings::default().set(setting.name, &text).unwrap();
            }
        }
    }

    #[test]
    fn the_password_of_a_store_is_not_printed() {
        let mut settings = Settings::new();
        settings.set("store", "postgres://proofkey:hunter2@db/auth").unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn out_of_range_is_an_error_that_names_setting_and_range() {
        for (name, text) in [
            ("access_token_lifetime", "59"),
            ("access_token_lifetime", "never"),
            ("code_lifetime", "601"),
            ("reuse_leeway", "11"),
            ("reuse_leeway", "61"),
            ("key_prefix", "Upper"),
            ("key_prefix", "seventeen-letters"),
            ("password_cost", "9"),
            ("endpoints", "token jwks"),
            ("trusted_proxies", "10.0.0.0/33"),
            ("max_body", "2m"),
            ("rotation", "sometimes"),
            ("limit_user", "0/1m"),
            ("store_timeout", "31"),
        ] {
            let problem = Settings::new().set(name, text).unwrap_err();
            assert_eq!(problem.setting(), name);
            assert!(problem.text().contains("it takes:"), "{problem}");
        }
    }

    #[test]
    fn an_unknown_setting_is_told_the_nearest_name() {
        let problem = Settings::new().set("acess_token_lifetime", "1h").unwrap_err();
        assert!(problem.text().contains("did you mean access_token_lifetime"), "{problem}");
    }

    #[test]
    fn settings_that_contradict_each_other_are_named() {
        let mut settings = Settings::new();
        settings.set("grant_lifetime", "1d").unwrap();
        settings.set("flow_deadline", "20").unwrap();
        let names: Vec<String> = settings.contradictions().iter().map(|problem| problem.setting().to_owned()).collect();
        assert_eq!(names, ["grant_lifetime", "reuse_leeway"]);
    }
}
