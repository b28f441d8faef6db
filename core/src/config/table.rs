//! The table of settings: one source for parsing, `check`, and the documentation.

/// How the value of an alias reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Days, as a bare number.
    Days,
    /// Minutes, as a bare number.
    Minutes,
    /// As the setting itself.
    Same,
    /// `true` leaves the setting as it is, `false` turns it `off`.
    Switch,
}

/// The name that a setting had in the hand-written Python module, with its own unit.
#[derive(Clone, Copy, Debug)]
pub struct Alias {
    variable: &'static str,
    unit: Unit,
}

impl Alias {
    /// The environment variable.
    #[must_use]
    pub const fn variable(&self) -> &'static str {
        self.variable
    }

    /// How its value reads.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// The value in the setting's own words; nothing if the alias leaves the setting alone.
    ///
    /// # Errors
    /// What the alias takes, if `text` is not that.
    pub fn translate(&self, text: &str) -> Result<Option<String>, &'static str> {
        let text = text.trim();
        let counted = |unit: &str| {
            let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            number.then(|| Some(format!("{text}{unit}")))
        };
        match self.unit {
            Unit::Days => counted("d").ok_or("a number of days"),
            Unit::Minutes => counted("m").ok_or("a number of minutes"),
            Unit::Same => Ok(Some(text.to_owned())),
            Unit::Switch => match is_true(text) {
                Some(true) => Ok(None),
                Some(false) => Ok(Some("off".to_owned())),
                None => Err("true or false"),
            },
        }
    }
}

/// The switches of environment files: `true`, `1`, `yes`, `on` and their opposites, in any case.
#[must_use]
pub fn is_true(text: &str) -> Option<bool> {
    let text = text.trim().to_ascii_lowercase();
    match text.as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub(crate) name: &'static str,
    pub(crate) default: &'static str,
    pub(crate) range: &'static str,
    pub(crate) alias: Option<Alias>,
    pub(crate) why: &'static str,
}

impl Setting {
    /// A setting without an alias, for the table of a face that has settings of its own.
    #[must_use]
    pub const fn new(name: &'static str, default: &'static str, range: &'static str, why: &'static str) -> Self {
        Self { name, default, range, alias: None, why }
    }

    /// The same setting, known under an old name too.
    #[must_use]
    pub const fn aliased(self, variable: &'static str, unit: Unit) -> Self {
        Self { alias: Some(Alias { variable, unit }), ..self }
    }

    /// The name, the same in every face.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The default, as text; empty if there is none.
    #[must_use]
    pub const fn default_text(&self) -> &'static str {
        self.default
    }

    /// Unit and range.
    #[must_use]
    pub const fn range(&self) -> &'static str {
        self.range
    }

    /// The name that it had before, if it had one.
    #[must_use]
    pub const fn alias(&self) -> Option<&Alias> {
        self.alias.as_ref()
    }

    /// What it is for, and why the default is what it is.
    #[must_use]
    pub const fn why(&self) -> &'static str {
        self.why
    }
}

/// All settings, in the order in which they are documented.
pub static SETTINGS: &[Setting] = &[
    Setting::new(
        "issuer",
        "",
        "https URL; http on loopback only",
        "all URLs derive from it, never from a request's headers",
    ),
    Setting::new("mounted_at", "", "path; default: the issuer's path", "for a proxy that strips prefixes"),
    Setting::new("store", "", "URL", "no silent default: state in a forgotten file is lost state")
        .aliased("DATABASE_URL", Unit::Same),
    Setting::new("key_prefix", "", "a-z 0-9 -, up to 16", "tells tenants apart in one store"),
    Setting::new(
        "store_timeout",
        "2s",
        "0.1 to 30 s",
        "one store call; a timed-out put is unknown and is issued again",
    ),
    Setting::new("store_attempts", "4", "1 to 8", "lost races before a 503"),
    Setting::new("sweep", "auto", "auto, manual", "auto: 64 rows after every 256 writes; manual: by `proofkey sweep`"),
    Setting::new("code_lifetime", "1m", "10 to 600 s", "RFC 6749 allows 600; current servers use 60"),
    Setting::new(
        "access_token_lifetime",
        "1h",
        "60 s to 1 day",
        "opaque and checked, so revocation does not wait for it",
    )
    .aliased("OAUTH2_ACCESS_TOKEN_EXPIRE_MINUTES", Unit::Minutes),
    Setting::new(
        "refresh_token_lifetime",
        "30d",
        "since last use; 0 (off) to 365 days",
        "RFC 9700: expire when unused",
    )
    .aliased("OAUTH2_REFRESH_TOKEN_EXPIRE_DAYS", Unit::Days),
    Setting::new(
        "grant_lifetime",
        "90d",
        "in all; 1 hour to 730 days",
        "absolute end; not below refresh_token_lifetime",
    ),
    Setting::new(
        "reuse_leeway",
        "30s",
        "0, or 12 to 60 s",
        "0 is strict; else at least twice flow_deadline, so that a retry fits",
    ),
    Setting::new("flow_deadline", "5s", "1 to 30 s", "one request in all, store attempts included"),
    Setting::new("rotation", "always", "always, public_clients", "public clients always rotate (RFC 9700)"),
    Setting::new("refresh_checks_user", "on", "on, off", "a dismissed user's grant ends at its next refresh"),
    Setting::new("scopes", "", "name to text", "what is not listed does not exist"),
    Setting::new(
        "default_scope",
        "",
        "subset of scopes",
        "none: a request without scope is invalid_scope (RFC 6749 section 3.3)",
    ),
    Setting::new(
        "endpoints",
        "authorize token refresh revoke introspect userinfo me challenge",
        "list; forgot too",
        "metadata advertises these only; forgot is the page where people ask for a link that sets a password",
    ),
    Setting::new(
        "password_cost",
        "12",
        "10 to 16",
        "bcrypt; about 285 ms a login on slow cores, 11 where logins are many",
    ),
    Setting::new(
        "password_min_length",
        "15",
        "8 to 64 characters",
        "when set through us; NIST 800-63B-4 for a password alone",
    ),
    Setting::new(
        "work_limit",
        "cores",
        "1 to 256",
        "hashes at once; behind them a bounded queue, then 503 with Retry-After",
    ),
    Setting::new(
        "limit_user",
        "10/15m",
        "failures/window, off",
        "per user and address; per user alone at ten times that",
    )
    .aliased("RATE_LIMIT_ENABLED", Unit::Switch),
    Setting::new("limit_client", "30/1m", "failures/window, off", "failed client authentications")
        .aliased("RATE_LIMIT_ENABLED", Unit::Switch),
    Setting::new("limit_address", "100/15m", "failures/window, off", "failures of one address; IPv6 by /64")
        .aliased("RATE_LIMIT_ENABLED", Unit::Switch),
    Setting::new(
        "trusted_proxies",
        "",
        "CIDR list",
        "whom X-Forwarded-For (its rightmost hop that is not in the list counts) and X-Forwarded-Proto are believed",
    ),
    Setting::new("max_body", "64 KiB", "4 KiB to 1 MiB", "larger bodies are refused with 413"),
    Setting::new(
        "session_lifetime",
        "12h",
        "5 min to 30 days",
        "a browser's sign-in, in all; within NIST 800-63B AAL2",
    ),
    Setting::new("session_idle", "1h", "5 min to 30 days", "a browser's sign-in, unused"),
    Setting::new("pending_lifetime", "15m", "60 to 3600 s", "time on the page where people sign in"),
    Setting::new(
        "login_url",
        "",
        "path, or URL on the issuer's host",
        "the host's own login page; none: the built-in pages",
    ),
    Setting::new(
        "cookie_name",
        "",
        "token; default: __Host-proofkey, __Secure-proofkey below a path, proofkey on http",
        "the cookie of a browser's sign-in",
    ),
    Setting::new("page_name", "", "text; default: the issuer's host", "whose pages these are, as people read it"),
    Setting::new("page_logo", "", "https URL, path on the issuer's host, or file:PATH", "stands above the pages"),
    Setting::new("page_colour", "#1f5fbf", "CSS hex", "buttons and links; its contrast is checked"),
    Setting::new("page_language", "auto", "auto, or a language tag", "auto: what the visitor asks for, else English"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(name: &str, text: &str) -> Result<Option<String>, &'static str> {
        SETTINGS.iter().find(|setting| setting.name == name).unwrap().alias.unwrap().translate(text)
    }

    #[test]
    fn an_alias_is_told_in_the_words_of_its_setting() {
        assert_eq!(translated("access_token_lifetime", "60"), Ok(Some("60m".to_owned())));
        assert_eq!(translated("refresh_token_lifetime", " 30 "), Ok(Some("30d".to_owned())));
        assert_eq!(translated("store", "sqlite:///a.db"), Ok(Some("sqlite:///a.db".to_owned())));
        assert_eq!(translated("access_token_lifetime", "1h"), Err("a number of minutes"));
        assert_eq!(translated("refresh_token_lifetime", ""), Err("a number of days"));
    }

    #[test]
    fn the_switch_of_the_limits_turns_all_three_off_and_leaves_them_alone_when_on() {
        for name in ["limit_user", "limit_client", "limit_address"] {
            assert_eq!(translated(name, "False"), Ok(Some("off".to_owned())), "{name}");
            assert_eq!(translated(name, "true"), Ok(None), "{name}");
            assert_eq!(translated(name, "maybe"), Err("true or false"), "{name}");
        }
    }
}
