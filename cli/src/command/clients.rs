//! `proofkey clients`: the clients in the store. Those of the settings file are changed there.

mod registration;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use proofkey::{AuthMethod, Client, Server, generate_client_secret};
use serde_json::{Map, Value, json};

use self::registration::Registration;
use super::Invocation;
use crate::failure::Failure;
use crate::secret_file::SecretFile;
use crate::text::fields;

/// Register, list, show, change and delete clients
#[derive(Args)]
#[command(
    after_help = "Example:\n  proofkey clients add crm-web --redirect-uri https://crm.example/callback --scope \"contacts:read\" --first-party\n  proofkey clients add nightly --confidential --grant client_credentials --secret-file nightly.secret"
)]
pub(super) struct Clients {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Add(Add),
    Delete(Delete),
    List(List),
    Show(Show),
    Update(Update),
}

/// Register a client; the secret of a confidential one is shown once
#[derive(Args)]
#[command(
    after_help = "Example:\n  proofkey clients add crm-web --redirect-uri https://crm.example/callback --first-party"
)]
struct Add {
    /// Its identifier
    client_id: String,
    /// A client that keeps a secret: a server, not a browser or a phone
    #[arg(long)]
    confidential: bool,
    /// Write the secret to this new file (mode 0600) instead of showing it
    #[arg(long, value_name = "PATH")]
    secret_file: Option<PathBuf>,
    #[command(flatten)]
    registration: Registration,
}

/// Delete a client, and end every grant that it holds
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey clients delete crm-web")]
struct Delete {
    client_id: String,
}

/// List the clients
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey clients list --json")]
struct List {}

/// Show one client
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey clients show crm-web")]
struct Show {
    client_id: String,
}

/// Change a client: what is given replaces what was there, an empty text removes it, and the rest stays
#[derive(Args)]
#[command(
    after_help = "Example:\n  proofkey clients update crm-web --scope \"contacts:read contacts:write\" --first-party=false"
)]
struct Update {
    client_id: String,
    /// Make a further secret; the old ones go on working
    #[arg(long)]
    add_secret: bool,
    /// Forget all secrets but the one that is made now
    #[arg(long, conflicts_with = "add_secret")]
    new_secret: bool,
    /// Write the secret to this new file (mode 0600) instead of showing it
    #[arg(long, value_name = "PATH")]
    secret_file: Option<PathBuf>,
    #[command(flatten)]
    registration: Registration,
}

impl Clients {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let server = invocation.server()?;
        match self.verb {
            Verb::Add(add) => add.run(invocation, &server),
            Verb::Delete(delete) => {
                let ended = server.delete_client(&delete.client_id)?;
                let text = format!("client {} is deleted, {ended} grants ended", delete.client_id);
                invocation.output.answer(&json!({ "client_id": delete.client_id, "grants_ended": ended }), text)
            }
            Verb::List(_) => list(invocation, &server),
            Verb::Show(show) => {
                let (client, source) = find(&server, &show.client_id)?;
                let mut value = as_fields(&client)?;
                value.insert("source".to_owned(), source.into());
                let text = fields(&value);
                invocation.output.answer(&value, text)
            }
            Verb::Update(update) => update.run(invocation, &server),
        }
    }
}

impl Add {
    fn run(self, invocation: &mut Invocation<'_>, server: &Server) -> Result<(), Failure> {
        let mut wanted = self.registration.fields();
        wanted.insert("client_id".to_owned(), self.client_id.as_str().into());
        if self.confidential {
            wanted.entry("token_endpoint_auth_method").or_insert_with(|| "client_secret_basic".into());
        }
        let client = Client::from_json(&wanted)?;
        if client.token_endpoint_auth_method() == AuthMethod::None {
            if self.secret_file.is_some() {
                return Err(Failure::new("a public client has no secret; --secret-file needs --confidential"));
            }
            server.create_client(client.clone())?;
            return told(invocation, "registered", &client, None);
        }
        with_new_secret(invocation, "registered", client, self.secret_file, |client| server.create_client(client))
    }
}

impl Update {
    fn run(self, invocation: &mut Invocation<'_>, server: &Server) -> Result<(), Failure> {
        let old = server.stored_client(&self.client_id)?.ok_or_else(|| absent(server, &self.client_id))?;
        let mut wanted = as_fields(&old)?;
        let changes = self.registration.fields();
        if changes.contains_key("resources") && !changes.contains_key("default_resources") {
            wanted.remove("default_resources");
        }
        wanted.extend(changes);
        let mut client = Client::from_json(&wanted)?;
        if !self.new_secret {
            client = client.with_secrets_of(&old);
        }
        if !self.new_secret && !self.add_secret {
            if self.secret_file.is_some() {
                return Err(Failure::new("--secret-file needs --add-secret or --new-secret"));
            }
            server.update_client(client.clone())?;
            return told(invocation, "changed", &client, None);
        }
        with_new_secret(invocation, "changed", client, self.secret_file, |client| server.update_client(client))
    }
}

/// Stores a client with a secret that is made here, and tells the secret once the client is stored.
fn with_new_secret(
    invocation: &mut Invocation<'_>,
    done: &str,
    client: Client,
    file: Option<PathBuf>,
    store: impl FnOnce(Client) -> Result<(), proofkey::AdminError>,
) -> Result<(), Failure> {
    let (kept, secret) = generate_client_secret()?;
    let client = client.secret(kept);
    // The file first: a client whose secret nobody knows would be of no use.
    let file = file.map(|path| SecretFile::create(path, &secret)).transpose()?;
    store(client.clone())?;
    match file {
        None => told(invocation, done, &client, secret.expose_text()),
        Some(file) => {
            let path = file.keep();
            invocation.output.note(format_args!("the secret is in {}", path.display()))?;
            told(invocation, done, &client, None)
        }
    }
}

fn told(invocation: &mut Invocation<'_>, done: &str, client: &Client, secret: Option<&str>) -> Result<(), Failure> {
    let mut value = as_fields(client)?;
    let mut text = format!("client {} is {done}\n{}", client.client_id(), fields(&value));
    if let Some(secret) = secret {
        value.insert("client_secret".to_owned(), secret.into());
        text += &format!("client_secret                {secret}\nKeep the secret now: it is not shown again.");
    }
    invocation.output.answer(&value, text)
}

fn list(invocation: &mut Invocation<'_>, server: &Server) -> Result<(), Failure> {
    let configured: Vec<Client> = server.with_config(|config| config.clients().cloned().collect());
    let stored = server.stored_clients()?;
    let (mut values, mut text) = (Vec::new(), String::new());
    let all = configured.iter().map(|client| (client, CONFIGURED)).chain(stored.iter().map(|client| (client, STORED)));
    for (client, source) in all {
        let mut value = as_fields(client)?;
        value.insert("source".to_owned(), source.into());
        values.push(value);
        let kind = if client.is_confidential() { "confidential" } else { "public" };
        let party = if client.is_first_party() { "first-party" } else { "third-party" };
        text += &format!("{:28} {source:10} {kind:12} {party:11} ", client.client_id());
        text += &client.redirect_uris().join(" ");
        text.push('\n');
    }
    if values.is_empty() {
        text.push_str("no clients; `proofkey clients add` registers one");
    }
    invocation.output.answer(&values, text)
}

/// A client by its identifier, and where it stands.
pub(super) fn find(server: &Server, client_id: &str) -> Result<(Client, &'static str), Failure> {
    let configured =
        server.with_config(|config| config.clients().find(|client| client.client_id() == client_id).cloned());
    match configured {
        Some(client) => Ok((client, CONFIGURED)),
        None => {
            server.stored_client(client_id)?.map(|client| (client, STORED)).ok_or_else(|| absent(server, client_id))
        }
    }
}

fn absent(server: &Server, client_id: &str) -> Failure {
    if server.with_config(|config| config.clients().any(|client| client.client_id() == client_id)) {
        return Failure::new(format!("client {client_id} stands in the settings file; change it there"));
    }
    Failure::new(format!("there is no client {client_id}; `proofkey clients list` shows those there are"))
}

fn as_fields(client: &Client) -> Result<Map<String, Value>, Failure> {
    match serde_json::to_value(client)? {
        Value::Object(fields) => Ok(fields),
        other => Err(Failure::new(format!("a client was written as {other}"))),
    }
}

const CONFIGURED: &str = "settings";
const STORED: &str = "store";
