//! What somebody asks of a server: as a value that the model can judge, and as the request that goes out.

use std::fmt;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use proofkey_core::Request;

use crate::house::{AT_HOME, Authentication, CLIENTS, ELSEWHERE, Houses, PASSWORD, RESOURCES, SCOPES};
use crate::visit::Visit;
use crate::wallet::{Paper, Wallet};

/// A set of scopes or of resources, a bit each.
pub(crate) type Set = u8;

/// All scopes that there are.
pub(crate) const ALL_SCOPES: Set = 0b11;

/// Scope and resources that a request names; nothing means all that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Wish {
    pub(crate) scope: Option<Set>,
    pub(crate) resources: Option<Set>,
}

/// Who presents something as which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct As {
    pub(crate) client: usize,
    /// Whether the client's secret, if it has one, is right.
    pub(crate) proven: bool,
    /// Whether it comes from the attacker's address.
    pub(crate) elsewhere: bool,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A first-party client signs a user in.
    Authorize { by: As, user: usize, password: bool, challenge: bool, pair: usize, scope: Set, resources: Set },
    /// A browser at the pages.
    Browse(Visit),
    /// An API checks an access token, for itself or for one of the resources.
    Check { token: Paper, resource: Option<usize> },
    /// A confidential client asks about a token.
    Introspect { by: As, token: Paper },
    /// A code is redeemed, with the redirect URI of some client or with one that nobody registered.
    Redeem { by: As, code: Paper, pair: usize, redirect: Option<usize>, wish: Wish },
    /// A refresh token is presented.
    Refresh { by: As, token: Paper, wish: Wish },
    /// A token is revoked at its endpoint.
    Revoke { by: As, token: Paper },
    /// The operator revokes the grant of a token.
    RevokeGrant { of: Paper },
    /// The operator signs a client out.
    SignOutClient { client: usize },
    /// The operator signs a user out.
    SignOutUser { user: usize },
    /// A token is shown at `/userinfo`.
    Userinfo { token: Paper },
}

/// Kinds of calls, as the report counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// A sign-in that asks for a code.
    Authorize,
    /// An access token is checked for an API.
    Check,
    /// A browser says whether a client may have what it asks for.
    Consent,
    /// A browser ends another sign-in of its user.
    EndSession,
    /// A browser signs its user out everywhere.
    Everywhere,
    /// A token is introspected.
    Introspect,
    /// A browser signs itself out.
    LogOut,
    /// A browser opens a page.
    Look,
    /// A code is redeemed.
    Redeem,
    /// A refresh token is presented.
    Refresh,
    /// A token is revoked.
    Revoke,
    /// A grant is revoked by the operator.
    RevokeGrant,
    /// Somebody signs in at a page.
    SignIn,
    /// A user or a client is signed out.
    SignOut,
    /// A browser comes from a client.
    Start,
    /// A token is shown at `/userinfo`.
    Userinfo,
    /// A browser takes a client's access back.
    Withdraw,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Authorize,
        Self::Check,
        Self::Consent,
        Self::EndSession,
        Self::Everywhere,
        Self::Introspect,
        Self::LogOut,
        Self::Look,
        Self::Redeem,
        Self::Refresh,
        Self::Revoke,
        Self::RevokeGrant,
        Self::SignIn,
        Self::SignOut,
        Self::Start,
        Self::Userinfo,
        Self::Withdraw,
    ];

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Check => "check access",
            Self::Consent => "consent",
            Self::EndSession => "end session",
            Self::Everywhere => "everywhere",
            Self::Introspect => "introspect",
            Self::LogOut => "log out",
            Self::Look => "look",
            Self::Redeem => "redeem",
            Self::Refresh => "refresh",
            Self::Revoke => "revoke",
            Self::RevokeGrant => "revoke grant",
            Self::SignIn => "sign in",
            Self::SignOut => "sign out",
            Self::Start => "start",
            Self::Userinfo => "userinfo",
            Self::Withdraw => "withdraw",
        }
    }
}

impl Call {
    pub(crate) const fn operation(self) -> Operation {
        match self {
            Self::Authorize { .. } => Operation::Authorize,
            Self::Browse(visit) => visit.errand.operation(),
            Self::Check { .. } => Operation::Check,
            Self::Introspect { .. } => Operation::Introspect,
            Self::Redeem { .. } => Operation::Redeem,
            Self::Refresh { .. } => Operation::Refresh,
            Self::Revoke { .. } => Operation::Revoke,
            Self::RevokeGrant { .. } => Operation::RevokeGrant,
            Self::SignOutClient { .. } | Self::SignOutUser { .. } => Operation::SignOut,
            Self::Userinfo { .. } => Operation::Userinfo,
        }
    }

    /// The request over HTTP; nothing for what is a typed call.
    pub(crate) fn request(self, houses: &Houses, wallet: &Wallet) -> Option<Request> {
        match self {
            Self::Authorize { by, user, password, challenge, pair, scope, resources } => {
                let client = &CLIENTS[by.client];
                let mut body = format!(
                    r#"{{"client_id":"{}","redirect_uri":"{}","scope":"{}","state":"s{pair}","username":"user{user}","password":"{}{}""#,
                    client.client_id,
                    client.redirect_uri,
                    words(scope, &SCOPES),
                    PASSWORD,
                    if password { "" } else { "?" },
                );
                if challenge {
                    let (_, challenge) = &houses.pairs[pair];
                    body += &format!(r#","code_challenge":"{challenge}","code_challenge_method":"S256""#);
                }
                let named: Vec<&str> = names(resources, &RESOURCES).collect();
                if !named.is_empty() {
                    body += &format!(r#","resource":["{}"]"#, named.join("\",\""));
                }
                body.push('}');
                Some(post("/auth/authorize", "application/json", None, body, by.elsewhere))
            }
            Self::Browse(visit) => Some(visit.request(houses, wallet)),
            Self::Introspect { by, token } => Some(form(houses, by, "/auth/introspect", |form| {
                field(form, "token", wallet.text(token));
            })),
            Self::Redeem { by, code, pair, redirect, wish } => Some(form(houses, by, "/auth/token", |form| {
                form.push_str("grant_type=authorization_code");
                field(form, "code", wallet.text(code));
                field(form, "code_verifier", &houses.pairs[pair].0);
                let uri = redirect.map_or("https%3A%2F%2Fevil.example%2F", |client| CLIENTS[client].redirect_encoded);
                field(form, "redirect_uri", uri);
                wished(form, wish);
            })),
            Self::Refresh { by, token, wish } => Some(form(houses, by, "/auth/token", |form| {
                form.push_str("grant_type=refresh_token");
                field(form, "refresh_token", wallet.text(token));
                wished(form, wish);
            })),
            Self::Revoke { by, token } => Some(form(houses, by, "/auth/revoke", |form| {
                field(form, "token", wallet.text(token));
            })),
            Self::Userinfo { token } => {
                let request = http::Request::get("/auth/userinfo");
                let request = request.header(AUTHORIZATION, format!("Bearer {}", wallet.text(token)));
                Some(Request::new(built(request, String::new()), Some(AT_HOME)))
            }
            Self::Check { .. } | Self::RevokeGrant { .. } | Self::SignOutClient { .. } | Self::SignOutUser { .. } => {
                None
            }
        }
    }
}

fn form(houses: &Houses, by: As, path: &'static str, fill: impl FnOnce(&mut String)) -> Request {
    let mut body = String::with_capacity(400);
    fill(&mut body);
    let client = &CLIENTS[by.client];
    let secret = houses.secrets[by.client].as_str();
    let (basic, posted) = match client.authentication {
        Authentication::None => (None, None),
        Authentication::Basic => (Some(houses.basics[by.client].as_str()), None),
        Authentication::Post => (None, Some(secret)),
    };
    if basic.is_none() {
        field(&mut body, "client_id", client.client_id);
    }
    if let Some(posted) = posted {
        field(&mut body, "client_secret", if by.proven { posted } else { "guessed" });
    }
    // "web:guessed"
    let basic = basic.map(|basic| if by.proven { basic } else { "Basic d2ViOmd1ZXNzZWQ=" });
    post(path, "application/x-www-form-urlencoded", basic, body, by.elsewhere)
}

fn post(path: &'static str, kind: &'static str, basic: Option<&str>, body: String, elsewhere: bool) -> Request {
    let mut request = http::Request::post(path).header(CONTENT_TYPE, kind);
    if let Some(basic) = basic {
        request = request.header(AUTHORIZATION, basic);
    }
    Request::new(built(request, body), Some(if elsewhere { ELSEWHERE } else { AT_HOME }))
}

fn built(request: http::request::Builder, body: String) -> http::Request<Bytes> {
    // All parts are this file's own and printable.
    request.body(body.into()).unwrap_or_default()
}

/// The values are tokens, verifiers and what is encoded already.
fn field(form: &mut String, name: &str, value: &str) {
    if !form.is_empty() {
        form.push('&');
    }
    form.push_str(name);
    form.push('=');
    form.push_str(value);
}

fn wished(form: &mut String, wish: Wish) {
    if let Some(scope) = wish.scope {
        field(form, "scope", &words(scope, &SCOPES).replace(' ', "+"));
    }
    for resource in wish.resources.into_iter().flat_map(|set| names(set, &RESOURCES)) {
        field(form, "resource", &resource.replace(':', "%3A").replace('/', "%2F"));
    }
}

/// The names in a set.
pub(crate) fn names<'a>(set: Set, of: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    of.iter().enumerate().filter(move |(at, _)| set >> at & 1 == 1).map(|(_, name)| *name)
}

/// The names in a set, with blanks between.
pub(crate) fn words(set: Set, of: &[&str]) -> String {
    names(set, of).collect::<Vec<_>>().join(" ")
}

/// The set that a text names; nothing if a name is not among them.
pub(crate) fn set_of<'a>(text: impl IntoIterator<Item = &'a str>, of: &[&str]) -> Option<Set> {
    text.into_iter().try_fold(0, |set, name| {
        let at = of.iter().position(|known| *known == name)?;
        Some(set | 1 << at)
    })
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scope) = self.scope {
            write!(f, " scope \"{}\"", words(scope, &SCOPES))?;
        }
        if let Some(resources) = self.resources {
            write!(f, " resource \"{}\"", words(resources, &RESOURCES))?;
        }
        Ok(())
    }
}

impl fmt::Display for As {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.elsewhere { "the attacker as " } else { "" };
        let how = if self.proven { "" } else { " (wrong secret)" };
        write!(f, "{whose}{}{how}", CLIENTS[self.client].client_id)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorize { by, user, password, challenge, scope, resources, .. } => {
                let wish = Wish { scope: Some(*scope), resources: (*resources != 0).then_some(*resources) };
                write!(f, "{by}: authorize user{user}{wish}")?;
                f.write_str(if *password { "" } else { ", wrong password" })?;
                f.write_str(if *challenge { "" } else { ", no challenge" })
            }
            Self::Browse(visit) => visit.fmt(f),
            Self::Check { token, resource } => match resource {
                None => write!(f, "an API: check {token}"),
                Some(at) => write!(f, "an API: check {token} for {}", RESOURCES[*at]),
            },
            Self::Introspect { by, token } => write!(f, "{by}: introspect {token}"),
            Self::Redeem { by, code, pair, redirect, wish } => {
                let uri = redirect.map_or("nobody", |client| CLIENTS[client].client_id);
                write!(f, "{by}: redeem {code} with verifier {pair} and the redirect URI of {uri}{wish}")
            }
            Self::Refresh { by, token, wish } => write!(f, "{by}: refresh {token}{wish}"),
            Self::Revoke { by, token } => write!(f, "{by}: revoke {token}"),
            Self::RevokeGrant { of } => write!(f, "the operator: revoke the grant of {of}"),
            Self::SignOutClient { client } => write!(f, "the operator: sign out {}", CLIENTS[*client].client_id),
            Self::SignOutUser { user } => write!(f, "the operator: sign out user{user}"),
            Self::Userinfo { token } => write!(f, "an application: userinfo with {token}"),
        }
    }
}
