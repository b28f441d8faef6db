//! A walk through the flow against a running server, over real HTTP: what an operator tries first. Somebody signs in in
//! a browser, or the client does it for them.
//!
//! Each step is a request, its answer, and whether that is what it should be; the walk ends at the first that is not.

mod callback;
mod exchange;
mod log;
mod show;

use std::path::PathBuf;

use proofkey::{AuthMethod, Secret};
use serde_json::{Value, json};

use self::callback::Begin;
pub(crate) use self::exchange::Step;
use self::exchange::{Answer, Ask, Road};
use crate::failure::Failure;

/// Who walks, and where.
pub(crate) struct Walk {
    /// Where the endpoints are: the issuer, or the address at which this server answers for it.
    pub(crate) url: String,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<(AuthMethod, Secret)>,
    pub(crate) redirect_uri: String,
    pub(crate) scope: String,
    pub(crate) user: User,
    /// Redeem a second code twice.
    pub(crate) replay: bool,
    /// The log of the server, to tell what each step cost it.
    pub(crate) server_log: Option<PathBuf>,
}

/// How somebody signs in.
pub(crate) enum User {
    /// On the pages of the server, in a browser: the address is shown here, and opened if it may be.
    Browser(fn(&str) -> Result<(), Failure>),
    /// By a first-party client that takes name and password itself.
    Password(String, Secret),
}

/// The tokens of one answer.
#[derive(PartialEq, Eq)]
struct Tokens {
    access: String,
    /// None for a client without the grant type `refresh_token`.
    refresh: Option<String>,
}

/// A sign-in that ended in a code.
struct SignIn {
    code: String,
    verifier: String,
    redirect_uri: String,
}

impl Walk {
    /// Walks; `show` is given each step as soon as it is done.
    pub(crate) fn run(&self, show: &mut dyn FnMut(&Step) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut road = Road::new(self, show)?;
        let title = match &self.user {
            User::Browser(_) => "Sign in, in the browser: back comes a code",
            User::Password(..) => "Sign in: name, password and challenge for a code",
        };
        let sign_in = self.sign_in(&mut road, title)?;
        let tokens = self.redeem(&mut road, &sign_in)?;
        self.userinfo(&mut road, "Who is it? The access token says", &tokens.access)?;
        let newest = match &tokens.refresh {
            None => tokens,
            Some(refresh) => self.refresh_twice(&mut road, refresh)?,
        };
        let forged = forge(&newest.access);
        let title = "A forged token: one character changed, refused before the store is asked";
        road.costs_nothing(title, self.bearer(&forged), |answer| answer.is(401, "invalid_token"))?;
        let revoked = newest.refresh.as_ref().unwrap_or(&newest.access);
        road.step("Revoke: sign out", self.form("revoke", &[("token", revoked)]), |answer| answer.is(200, ""))?;
        let title = "The access token after that: refused at once";
        road.step(title, self.bearer(&newest.access), |answer| answer.is(401, "invalid_token"))?;
        if let Some(refresh) = &newest.refresh {
            let title = "The refresh token after that: refused as well";
            road.step(title, self.refreshing(refresh), |answer| answer.is(400, "invalid_grant"))?;
        }
        if self.replay {
            self.replay(&mut road)?;
        }
        Ok(())
    }

    fn sign_in(&self, road: &mut Road<'_>, title: &'static str) -> Result<SignIn, Failure> {
        let ask = Ask::json("challenge", json!({}));
        let pair = road.step("A verifier and its challenge, for clients that cannot hash", ask, |answer| {
            answer.is(200, "")?;
            ["code_verifier", "code_challenge", "state"].into_iter().try_for_each(|name| answer.text(name))
        })?;
        let (challenge, state) = (pair.known("code_challenge"), pair.known("state"));
        let (username, password) = match &self.user {
            User::Browser(show) => {
                let begin = Begin { challenge: &challenge, state: &state, title, show: *show };
                return self.sign_in_by_browser(road, &begin, pair.known("code_verifier"));
            }
            User::Password(username, password) => (username, password),
        };
        let mut body = json!({
            "client_id": self.client_id, "redirect_uri": self.redirect_uri, "username": username,
            "password": password.expose_text(), "code_challenge": challenge, "code_challenge_method": "S256",
            "state": state, "scope": self.scope,
        });
        if let (true, Some(fields)) = (self.scope.is_empty(), body.as_object_mut()) {
            fields.remove("scope");
        }
        let answer = road.step(title, Ask::json("authorize", body), |answer| {
            answer.is(200, "")?;
            answer.has("state", &state)?;
            answer.has("iss", &self.issuer)?;
            answer.text("code")
        })?;
        let redirect_uri = self.redirect_uri.clone();
        Ok(SignIn { code: answer.known("code"), verifier: pair.known("code_verifier"), redirect_uri })
    }

    fn redeem(&self, road: &mut Road<'_>, sign_in: &SignIn) -> Result<Tokens, Failure> {
        let answer =
            road.step("The code for tokens, with the verifier as proof", self.redeeming(sign_in), is_tokens)?;
        Ok(tokens(&answer))
    }

    fn refresh_twice(&self, road: &mut Road<'_>, refresh: &str) -> Result<Tokens, Failure> {
        let title = "Refresh: the refresh token is replaced as well";
        let first = tokens(&road.step(title, self.refreshing(refresh), is_tokens)?);
        let title = "The same refresh again, as after a lost reply: the same tokens";
        road.step(title, self.refreshing(refresh), |answer| {
            is_tokens(answer)?;
            if tokens(answer) == first { Ok(()) } else { Err("the tokens of the step before".to_owned()) }
        })?;
        Ok(first)
    }

    fn replay(&self, road: &mut Road<'_>) -> Result<(), Failure> {
        let sign_in = self.sign_in(road, "Sign in a second time")?;
        let tokens = self.redeem(road, &sign_in)?;
        self.userinfo(road, "Its access token works", &tokens.access)?;
        let title = "The same code a second time: a replay, so somebody else has it";
        road.step(title, self.redeeming(&sign_in), |answer| answer.is(400, "invalid_grant"))?;
        let title = "The access token after that: dead";
        road.step(title, self.bearer(&tokens.access), |answer| answer.is(401, "invalid_token"))?;
        if let Some(refresh) = &tokens.refresh {
            let title = "The refresh token after that: dead as well";
            road.step(title, self.refreshing(refresh), |answer| answer.is(400, "invalid_grant"))?;
        }
        Ok(())
    }

    fn userinfo(&self, road: &mut Road<'_>, title: &'static str, access: &str) -> Result<(), Failure> {
        road.step(title, self.bearer(access), |answer| {
            answer.is(200, "")?;
            answer.text("sub")
        })?;
        Ok(())
    }

    fn bearer(&self, access: &str) -> Ask {
        Ask::get("userinfo", format!("Bearer {access}"))
    }

    fn redeeming(&self, sign_in: &SignIn) -> Ask {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", sign_in.code.as_str()),
            ("redirect_uri", &sign_in.redirect_uri),
            ("code_verifier", &sign_in.verifier),
        ];
        self.form("token", &fields)
    }

    fn refreshing(&self, refresh: &str) -> Ask {
        self.form("token", &[("grant_type", "refresh_token"), ("refresh_token", refresh)])
    }

    /// A form by this client, with its secret where that is to be.
    fn form(&self, path: &'static str, fields: &[(&str, &str)]) -> Ask {
        let mut fields: Vec<(String, String)> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let secret = |secret: &Secret| secret.expose_text().unwrap_or_default().to_owned();
        match &self.client_secret {
            Some((AuthMethod::ClientSecretBasic, text)) => {
                return Ask::form(path, fields).basic(&self.client_id, &secret(text));
            }
            Some((_, text)) => fields.push(("client_secret".to_owned(), secret(text))),
            None => {}
        }
        fields.insert(0, ("client_id".to_owned(), self.client_id.clone()));
        Ask::form(path, fields)
    }
}

fn is_tokens(answer: &Answer) -> Result<(), String> {
    answer.is(200, "")?;
    answer.text("access_token")
}

fn tokens(answer: &Answer) -> Tokens {
    let refresh = answer.body.get("refresh_token").and_then(Value::as_str).map(str::to_owned);
    Tokens { access: answer.known("access_token"), refresh }
}

/// The token with its last character changed.
fn forge(token: &str) -> String {
    let mut characters: Vec<char> = token.chars().collect();
    if let Some(last) = characters.last_mut() {
        *last = if *last == 'A' { 'B' } else { 'A' };
    }
    characters.into_iter().collect()
}
