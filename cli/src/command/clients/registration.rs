//! What can be said of a client on the command line.

use clap::Args;
use serde_json::{Map, Value};

/// Options that stand for the fields of RFC 7591; what they take is checked where clients are checked.
#[derive(Args)]
pub(super) struct Registration {
    /// The name shown to people
    #[arg(long)]
    name: Option<String>,
    /// A complete redirect URI; may be given several times
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// The scope that it may have; without it, every scope of the server
    #[arg(long, value_name = "NAMES")]
    scope: Option<String>,
    /// The operator's own application: it may take credentials itself
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    first_party: Option<bool>,
    /// A native application: loopback and private-use redirect URIs (RFC 8252)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    native: Option<bool>,
    /// Need not repeat redirect_uri at the token endpoint (OAuth 2.1)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    oauth21: Option<bool>,
    /// May introspect its own tokens
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    introspect: Option<bool>,
    /// A grant type; may be given several times [default: authorization_code, refresh_token]
    #[arg(long, value_name = "TYPE")]
    grant: Vec<String>,
    /// How it authenticates: none, client_secret_basic, client_secret_post
    #[arg(long, value_name = "METHOD")]
    auth_method: Option<String>,
    /// A resource that it may ask tokens for (RFC 8707); may be given several times
    #[arg(long, value_name = "URI")]
    resource: Vec<String>,
    /// A resource that its tokens are for when a request names none; may be given several times
    #[arg(long, value_name = "URI")]
    default_resource: Vec<String>,
    /// A resource that it is the server of, so that it may introspect tokens for it; may be given several times
    #[arg(long, value_name = "URI")]
    serves: Vec<String>,
    /// Lifetime of its access tokens, as 15m
    #[arg(long, value_name = "SPAN")]
    access_token_lifetime: Option<String>,
    /// Lifetime of its refresh tokens unused; 0 for none
    #[arg(long, value_name = "SPAN")]
    refresh_token_lifetime: Option<String>,
    /// Lifetime of its grants in all
    #[arg(long, value_name = "SPAN")]
    grant_lifetime: Option<String>,
}

impl Registration {
    /// The fields that were given; an empty text stands for the default.
    pub(super) fn fields(self) -> Map<String, Value> {
        let text = |text: Option<String>| text.map(|text| if text.is_empty() { Value::Null } else { text.into() });
        let list = |list: Vec<String>| {
            let given: Vec<&String> = list.iter().filter(|one| !one.is_empty()).collect();
            (!list.is_empty()).then(|| if given.is_empty() { Value::Null } else { serde_json::json!(given) })
        };
        let native = self.native.map(|native| if native { "native" } else { "web" }.to_owned());
        let fields = [
            ("client_name", text(self.name)),
            ("redirect_uris", list(self.redirect_uri)),
            ("scope", text(self.scope)),
            ("first_party", self.first_party.map(Value::Bool)),
            ("application_type", text(native)),
            ("oauth21", self.oauth21.map(Value::Bool)),
            ("introspect", self.introspect.map(Value::Bool)),
            ("grant_types", list(self.grant)),
            ("token_endpoint_auth_method", text(self.auth_method)),
            ("resources", list(self.resource)),
            ("default_resources", list(self.default_resource)),
            ("serves", list(self.serves)),
            ("access_token_lifetime", text(self.access_token_lifetime)),
            ("refresh_token_lifetime", text(self.refresh_token_lifetime)),
            ("grant_lifetime", text(self.grant_lifetime)),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}
