//! The table of settings: one source for parsing, `check`, and the documentation.

/// The name that a setting had in the hand-written Python module, with its own unit.
#[derive(Clone, Copy, Debug)]
pub struct Alias {
    pub(crate) variable: &'static str,
    pub(crate) unit: &'static str,
}

impl Alias {
    /// The environment variable.
    #[must_use]
    pub const fn variable(&self) -> &'static str {
        self.variable
    }

    /// What has to stand behind its value to make it a value of the setting: `m` for minutes, empty for the same unit.
    #[must_use]
    pub const fn unit(&self) -> &'static str {
        self.unit
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

const fn setting(name: &'static str, default: &'static str, range: &'static str, why: &'static str) -> Setting {
    Setting { name, default, range, alias: None, why }
}

const fn aliased(setting: Setting, variable: &'static str, unit: &'static str) -> Setting {
    Setting { alias: Some(Alias { variable, unit }), ..setting }
}

/// All settings, in the order in which they are documented.
pub static SETTINGS: &[Setting] = &[
    setting(
        "issuer",
        "",
        "https URL; http on loopback only",
        "all URLs derive from it, never from a request's headers",
    ),
    setting("mounted_at", "", "path; default: the issuer's path", "for a proxy that strips prefixes"),
    aliased(
        setting("store", "", "URL", "no silent default: state in a forgotten file is lost state"),
        "DATABASE_URL",
        "",
    ),
    setting("key_prefix", "", "a-z 0-9 -, up to 16", "tells tenants apart in one store"),
    setting("store_timeout", "2s", "0.1 to 30 s", "one store call; a timed-out put is unknown and is issued again"),
    setting("store_attempts", "4", "1 to 8", "lost races before a 503"),
    setting("sweep", "auto", "auto, manual", "auto: 64 rows after every 256 writes; manual: by `proofkey sweep`"),
    setting("code_lifetime", "1m", "10 to 600 s", "RFC 6749 allows 600; current servers use 60"),
    aliased(
        setting(
            "access_token_lifetime",
            "1h",
            "60 s to 1 day",
            "opaque and checked, so revocation does not wait for it",
        ),
        "OAUTH2_ACCESS_TOKEN_EXPIRE_MINUTES",
        "m",
    ),
    aliased(
        setting("refresh_token_lifetime", "30d", "since last use; 0 (off) to 365 days", "RFC 9700: expire when unused"),
        "OAUTH2_REFRESH_TOKEN_EXPIRE_DAYS",
        "d",
    ),
    setting("grant_lifetime", "90d", "in all; 1 hour to 730 days", "absolute end; not below refresh_token_lifetime"),
    setting(
        "reuse_leeway",
        "30s",
        "0, or 12 to 60 s",
        "0 is strict; else at least twice flow_deadline, so that a retry fits",
    ),
    setting("flow_deadline", "5s", "1 to 30 s", "one request in all, store attempts included"),
    setting("rotation", "always", "always, public_clients", "public clients always rotate (RFC 9700)"),
    setting("refresh_checks_user", "on", "on, off", "a dismissed user's grant ends at its next refresh"),
    setting("scopes", "", "name to text", "what is not listed does not exist"),
    setting(
        "default_scope",
        "",
        "subset of scopes",
        "none: a request without scope is invalid_scope (RFC 6749 section 3.3)",
    ),
    setting(
        "endpoints",
        "authorize token refresh revoke introspect userinfo me challenge",
        "list",
        "metadata advertises these only",
    ),
    setting("password_cost", "12", "10 to 16", "bcrypt; about 285 ms a login on slow cores, 11 where logins are many"),
    setting(
        "password_min_length",
        "15",
        "8 to 64 characters",
        "when set through us; NIST 800-63B-4 for a password alone",
    ),
    setting(
        "work_limit",
        "cores",
        "1 to 256",
        "hashes at once; behind them a bounded queue, then 503 with Retry-After",
    ),
    setting("limit_user", "10/15m", "failures/window, off", "per user and address; per user alone at ten times that"),
    setting("limit_client", "30/1m", "failures/window, off", "failed client authentications"),
    aliased(
        setting("limit_address", "100/15m", "failures/window, off", "failures of one address; IPv6 by /64"),
        "RATE_LIMIT_ENABLED",
        "",
    ),
    setting(
        "trusted_proxies",
        "",
        "CIDR list",
        "whom X-Forwarded-For (its rightmost hop that is not in the list counts) and X-Forwarded-Proto are believed",
    ),
    setting("max_body", "64 KiB", "4 KiB to 1 MiB", "larger bodies are refused with 413"),
];
