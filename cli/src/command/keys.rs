//! `proofkey keys`: made, added, promoted, retired, listed, checked.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use proofkey::{KeyId, Keys as Ring};
use serde_json::json;

use super::Invocation;
use crate::failure::{Complaint, Failure};
use crate::private_file;
use crate::settings::{EnvFile, Source, assignment};
use crate::signing;

/// Make, change and look at the keys; a key is named by its identifier and never shown
#[derive(Args)]
#[command(after_help = "Example:\n  proofkey keys list")]
pub(super) struct Keys {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Add a fresh key that reads, but does not write yet: the first step of a rotation
    #[command(
        after_help = "Example:\n  proofkey keys add\n\nWhen every server has read it (they do within two seconds), promote it."
    )]
    Add,
    /// Check that the keys are well-formed and are those that the store was written with
    #[command(after_help = "Example:\n  proofkey keys check --json")]
    Check,
    /// Write a file with fresh keys and every variable of the original module (mode 0600, never overwritten)
    #[command(after_help = "Example:\n  proofkey keys generate --output proofkey.env")]
    Generate(Generate),
    /// List the keys, the primary first
    #[command(after_help = "Example:\n  proofkey keys list --json")]
    List,
    /// Make a key the primary, which writes: the second step of a rotation
    #[command(after_help = "Example:\n  proofkey keys promote k7Qe1A")]
    Promote(Named),
    /// Seal again what a key has sealed, and remove it; refused while a grant may live that needs it
    #[command(after_help = "Example:\n  proofkey keys retire k7Qe1A")]
    Retire(Named),
}

#[derive(Args)]
struct Generate {
    /// The file [default: proofkey.env beside the settings file]
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
}

#[derive(Args)]
struct Named {
    /// The key's identifier, as `keys list` shows it
    #[arg(value_name = "KEY", allow_hyphen_values = true)]
    key: String,
}

impl Keys {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        match self.verb {
            Verb::Add => add(invocation),
            Verb::Check => check(invocation),
            Verb::Generate(generate) => generate.run(invocation),
            Verb::List => list(invocation),
            Verb::Promote(Named { key }) => promote(invocation, &key),
            Verb::Retire(Named { key }) => retire(invocation, &key),
        }
    }
}

fn add(invocation: &mut Invocation<'_>) -> Result<(), Failure> {
    let keys = change(invocation, |keys| Ok(keys.with_added()?))?;
    let added = keys.last().cloned().unwrap_or_default();
    let text = format!("added {added}; when all servers have read it: proofkey keys promote {added}");
    invocation.output.answer(&json!({"added": added, "keys": keys}), text)
}

fn promote(invocation: &mut Invocation<'_>, key: &str) -> Result<(), Failure> {
    let keys = change(invocation, |keys| {
        let id = find(&keys, key)?;
        keys.with_promoted(id).ok_or_else(|| unknown(key))
    })?;
    let text = format!("{key} is the primary key; the others read on, until they are retired");
    invocation.output.answer(&json!({"primary": key, "keys": keys}), text)
}

fn retire(invocation: &mut Invocation<'_>, key: &str) -> Result<(), Failure> {
    let id = find(&invocation.origins.keys()?, key)?;
    place(invocation)?;
    invocation.server()?.retire_key(id)?;
    let keys = change(invocation, |keys| keys.without(id).ok_or_else(|| unknown(key)))?;
    invocation.output.answer(&json!({"retired": key, "keys": keys}), format!("{key} is retired and removed"))
}

fn list(invocation: &mut Invocation<'_>) -> Result<(), Failure> {
    let source = invocation.collect().source_of("encryption_keys");
    let ids = texts(&invocation.origins.keys()?);
    let role = |at: usize| if at == 0 { "primary" } else { "reads" };
    let keys: Vec<_> = ids.iter().enumerate().map(|(at, id)| json!({"key": id, "role": role(at)})).collect();
    let text: String = ids.iter().enumerate().map(|(at, id)| format!("{id}  {:8} {source}\n", role(at))).collect();
    invocation.output.answer(&json!({"keys": keys, "source": source}), text)
}

fn check(invocation: &mut Invocation<'_>) -> Result<(), Failure> {
    let keys = texts(&invocation.origins.keys()?);
    let collected = invocation.collect();
    let store = collected.shown("store");
    invocation.server()?;
    let text = format!("{store} opens with {} (the first is primary)", keys.join(" "));
    invocation.output.answer(&json!({"keys": keys, "store": store}), text)
}

impl Generate {
    fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let path = self.output.unwrap_or_else(|| invocation.origins.env_path());
        let keys = Ring::generate()?;
        private_file::create(&path, &environment(&keys)?)?;
        let (shown, ids) = (path.display().to_string(), texts(&keys));
        let text = format!("wrote {shown} (mode 0600) with the encryption key {}", ids.join(" "));
        invocation.output.answer(&json!({"path": shown, "keys": ids}), text)
    }
}

/// A file with every variable of the module that proofkey replaces.
fn environment(keys: &Ring) -> Result<zeroize::Zeroizing<String>, Failure> {
    let (encryption, session, signing) = (keys.encryption_text(), keys.session_text(), signing::generate()?);
    let lines: [(&str, &str, &str); 12] = [
        ("OAUTH2_ENCRYPTION_KEY", encryption.expose_text().unwrap_or_default(), "seals records and makes tokens"),
        ("SECRET_ENCRYPTION_KEY", session.expose_text().unwrap_or_default(), "for browser sessions"),
        ("RSA_PRIVATE_KEY_PEM", &signing, "for ID tokens"),
        ("DATABASE_URL", "sqlite:///proofkey.db", "the store, unless `store` names another"),
        ("REDIS_URL", "", "of the original module; not read"),
        ("OAUTH2_ACCESS_TOKEN_EXPIRE_MINUTES", "60", "access_token_lifetime"),
        ("OAUTH2_REFRESH_TOKEN_EXPIRE_DAYS", "30", "refresh_token_lifetime"),
        ("OAUTH2_DEFAULT_CLIENT_ID", "crm_web_app", "of the original module; not read"),
        ("SECURE_COOKIES", "true", "an https issuer demands it"),
        ("HTTPS_ONLY", "true", "an https issuer demands it"),
        ("RATE_LIMIT_ENABLED", "true", "false turns limit_user, limit_client and limit_address off"),
        ("AUDIT_LOG_ENABLED", "true", "false turns audit_log off"),
    ];
    let mut text = zeroize::Zeroizing::new(String::with_capacity(8 * 1024));
    text.push_str("# Keys and settings of proofkey. Keep it secret, and keep a copy: without the keys, the store cannot be read.\n");
    for (name, value, comment) in lines {
        text.push_str(&format!("\n# {comment}\n"));
        text.push_str(&assignment(name, value));
        text.push('\n');
    }
    Ok(text)
}

/// Rewrites the list of keys in the file of secrets; returns the identifiers of the new one.
fn change(
    invocation: &Invocation<'_>,
    next: impl FnOnce(Ring) -> Result<Ring, Failure>,
) -> Result<Vec<String>, Failure> {
    let (path, variable) = place(invocation)?;
    private_file::rewrite(&path, |text| {
        // Read again: another command may have changed the list since.
        let file = EnvFile::parse(text);
        let old = file.find(&variable).map(|(text, _)| proofkey::Secret::from(text));
        let old = old.ok_or_else(|| Failure::new(format!("{variable} has gone from {}", path.display())))?;
        let keys = next(Ring::parse(&old).map_err(|error| Failure::new(error.to_string()))?)?;
        let list = keys.encryption_text();
        // What would not be read at the next start must not be written.
        Ring::parse(&list).map_err(|error| Complaint::of("encryption_keys", None, error.to_string()))?;
        Ok((file.replaced(text, &variable, list.expose_text().unwrap_or_default()), texts(&keys)))
    })
}

/// The file and the variable in which the keys stand.
fn place(invocation: &Invocation<'_>) -> Result<(PathBuf, String), Failure> {
    let collected = invocation.collect();
    invocation.origins.keys()?;
    match collected.value("encryption_keys").map(|value| &value.source) {
        Some(Source::Variable { name, file: Some((path, _)) }) => Ok((Path::new(path).to_owned(), name.clone())),
        _ => {
            let problem = "they stand in the environment, which a command cannot change: change the list where it is set, \
                           or move it to proofkey.env";
            Err(collected.complaint_of("encryption_keys", problem).into())
        }
    }
}

fn find(keys: &Ring, key: &str) -> Result<KeyId, Failure> {
    keys.ids().into_iter().find(|id| id.to_string() == key).ok_or_else(|| unknown(key))
}

fn unknown(key: &str) -> Failure {
    Failure::new(format!("there is no key {key} to do this with; `proofkey keys list` names them, the primary first"))
}

fn texts(keys: &Ring) -> Vec<String> {
    keys.ids().iter().map(ToString::to_string).collect()
}
