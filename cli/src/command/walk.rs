//! `proofkey try`: a walk through the flow against a running server.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::Args;
use proofkey::{AuthMethod, Client, Secret};
use zeroize::Zeroizing;

use super::{Invocation, clients};
use crate::failure::{Complaint, Failure};
use crate::password::{self, Typed};
use crate::settings::Collected;
use crate::walk::{Step, User, Walk};

/// Walk through the flow against the running server, and show each step
///
/// Somebody signs in in the browser, and the walk catches the code at the client's loopback address; with --username a
/// first-party client takes name and password itself. Then: token, userinfo, refresh, the same refresh again, a
/// forged token, revoke, and what comes after it. The exit status is 1 if a step is not as it should be.
#[derive(Args)]
#[command(
    after_help = "Example:\n  proofkey try cli-tool\n  proofkey try crm-web --username ada@example.com\n  proofkey try crm-web --username ada@example.com --password-stdin --replay --json < password.txt"
)]
pub(super) struct Try {
    /// The client: one with a loopback redirect URI, or, with --username, a first-party one
    client_id: String,
    /// Who signs in, by name and password here instead of in the browser
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    #[command(flatten)]
    typed: Typed,
    /// The scope to ask for [default: all that the client may have]
    #[arg(long, value_name = "NAMES")]
    scope: Option<String>,
    /// The secret of a confidential client, on the first line of a file
    #[arg(long, value_name = "PATH")]
    secret_file: Option<PathBuf>,
    /// Where the server answers over plain HTTP [default: the issuer if it is http, else the address of `listen`]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Sign in a second time, and redeem that code twice
    #[arg(long)]
    replay: bool,
    /// The server's log, where it can be read: says what each step cost the store
    #[arg(long, value_name = "PATH")]
    server_log: Option<PathBuf>,
}

impl Try {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let collected = invocation.collect();
        let url = self.url(&collected)?;
        let issuer = collected.settings.text("issuer").unwrap_or_default();
        let scopes = collected.settings.text("scopes").unwrap_or_default();
        let (client, _) = clients::find(&collected.server()?, &self.client_id)?;
        if serde_json::to_value(&client)?.get("default_resources").is_some() {
            let problem = "has tokens for its default resources, which userinfo does not take; try another client";
            return Err(Failure::new(format!("client {} {problem}", self.client_id)));
        }
        let walk = Walk {
            url,
            issuer,
            client_secret: self.client_secret(&client)?,
            redirect_uri: client.redirect_uris().first().cloned().unwrap_or_default(),
            scope: self.scope.unwrap_or_else(|| match client.allowed_scope() {
                "" => scopes,
                own => own.to_owned(),
            }),
            user: match self.username {
                None => User::Browser(send_to_browser),
                Some(username) => {
                    let password = password::read(&self.typed, invocation, &username)?;
                    User::Password(username, password)
                }
            },
            client_id: self.client_id,
            replay: self.replay,
            server_log: self.server_log,
        };
        show(&walk, invocation)
    }

    fn url(&self, collected: &Collected) -> Result<String, Failure> {
        let issuer = collected.settings.text("issuer").unwrap_or_default();
        let url = self.url.clone().unwrap_or_else(|| match issuer.strip_prefix("https://") {
            None => issuer,
            // TLS ends before this server, at a proxy that hands the path on.
            Some(rest) => format!("http://{}{}", collected.own.listen, rest.find('/').map_or("", |at| &rest[at..])),
        });
        if url.starts_with("http://") {
            return Ok(url);
        }
        let problem = "it takes an http URL: the walk speaks plain HTTP with the server itself, behind its TLS proxy";
        Err(Complaint::of("--url", None, problem).into())
    }

    fn client_secret(&self, client: &Client) -> Result<Option<(AuthMethod, Secret)>, Failure> {
        let method = client.token_endpoint_auth_method();
        match (&self.secret_file, method) {
            (_, AuthMethod::None) => Ok(None),
            (None, _) => Err(Failure::new(format!(
                "client {} is confidential; give its secret by --secret-file",
                client.client_id()
            ))),
            (Some(path), _) => {
                let text = std::fs::read_to_string(path).map(Zeroizing::new);
                let text = text.map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
                Ok(Some((method, Secret::from(text.lines().next().unwrap_or_default()))))
            }
        }
    }
}

/// Shows an address beside the answer, and opens it where a person sits in front of a desktop.
fn send_to_browser(url: &str) -> Result<(), Failure> {
    writeln!(std::io::stderr(), "Open this address in the browser, and sign in:\n\n  {url}\n")?;
    let desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if (desktop || cfg!(target_os = "macos")) && std::io::stdout().is_terminal() {
        // Whoever has no such program opens the address by hand.
        let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
        let _ = Command::new(program).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    }
    Ok(())
}

/// Steps are shown as they are done; as JSON, all at once.
fn show(walk: &Walk, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
    if invocation.output.is_json() {
        let mut steps: Vec<Step> = Vec::new();
        let outcome = walk.run(&mut |step| {
            steps.push(step.clone());
            Ok(())
        });
        invocation.output.answer(&steps, "")?;
        return outcome;
    }
    let mut count = 0;
    walk.run(&mut |step| {
        count += 1;
        invocation.output.answer(step, format_args!("{step}"))?;
        invocation.output.answer(&(), "")
    })?;
    invocation.output.answer(&count, format_args!("{count} steps, each as it should be"))
}
