//! `proofkey init`: a settings file with every setting explained, and a file of secrets.

use std::fs::File;
use std::io::Write as _;

use clap::Args;
use proofkey::core::Setting;
use proofkey::{Keys, Secret, Server};
use serde_json::json;

use super::Invocation;
use crate::failure::{Complaint, Failure};
use crate::private_file;
use crate::settings::{Section, assignment, rows};

/// Write proofkey.toml, with every setting explained, and proofkey.env, with a fresh key; overwrite neither
#[derive(Args)]
#[command(
    after_help = "Example:\n  proofkey init --issuer https://id.example.com --store sqlite:////var/lib/proofkey/auth.db"
)]
pub(super) struct Init {
    /// The https URL under which clients reach the server; http on loopback only
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// Where records are kept
    #[arg(long, value_name = "URL", default_value = "sqlite:///proofkey.db")]
    store: String,
    /// The address to listen on [default: the issuer's, if that is a loopback address, else 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

impl Init {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let (config, env) = (invocation.origins.config_path(), invocation.origins.env_path());
        for path in [&config, &env] {
            if path.exists() {
                let problem = "it exists already, and is not overwritten; move it away, or name another with --config";
                return Err(Complaint::of(path.display().to_string(), None, problem).into());
            }
        }
        let keys = Keys::generate()?;
        let id = keys.ids().first().map(ToString::to_string).unwrap_or_default();
        let (encryption, session) = (keys.encryption_text(), keys.session_text());
        Server::builder(&self.issuer).set("store", &self.store).keys(keys).build()?;
        let line = |name, key: &Secret| assignment(name, key.expose_text().unwrap_or_default());
        let encryption = line("OAUTH2_ENCRYPTION_KEY", &encryption);
        let session = line("SECRET_ENCRYPTION_KEY", &session);
        let secrets = [SECRETS, &encryption, SESSION, &session, "\n"].concat();
        private_file::create(&env, &zeroize::Zeroizing::new(secrets))?;
        let written = File::create_new(&config).and_then(|mut file| file.write_all(self.settings().as_bytes()));
        written.map_err(|error| {
            Complaint::of(config.display().to_string(), None, format!("it cannot be written: {error}"))
        })?;
        let (config, env) = (config.display().to_string(), env.display().to_string());
        let text = format!("wrote {config} and {env} (mode 0600) with the encryption key {id}");
        invocation.output.answer(&json!({"config": config, "env_file": env, "key": id}), text)?;
        if invocation.output.is_json() { Ok(()) } else { invocation.output.note("next: proofkey check") }
    }

    fn settings(&self) -> String {
        let listen = self.listen.clone().or_else(|| loopback(&self.issuer));
        let given = |name: &str| match name {
            "issuer" => Some(self.issuer.clone()),
            "listen" => listen.clone(),
            "store" => Some(self.store.clone()),
            _ => None,
        };
        let line = |setting: &Setting| {
            let (mark, value) = match given(setting.name()) {
                Some(value) => ("", value),
                None => ("# ", setting.default_text().to_owned()),
            };
            let value = if value.is_empty() { "..".to_owned() } else { toml::Value::String(value).to_string() };
            format!("\n# {}; {}\n{mark}{} = {value}\n", setting.range(), setting.why(), setting.name())
        };
        let of = |section: Section| {
            let rows = rows().filter(move |row| row.section == section && row.name() != "scopes");
            rows.map(|row| line(row.setting)).collect::<String>()
        };
        [TOP, &of(Section::Top), "\n[serve]\n", &of(Section::Serve), REST].concat()
    }
}

/// The address of an issuer on this machine, as an address to listen on.
fn loopback(issuer: &str) -> Option<String> {
    let authority = issuer.strip_prefix("http://")?.split('/').next()?;
    let authority = authority.replace("localhost", "127.0.0.1");
    authority.parse::<std::net::SocketAddr>().is_ok().then_some(authority)
}

const TOP: &str = "# Settings of a proofkey server. `proofkey check` shows what is in force and where it comes from.\n\
    # Lines that begin with # show defaults. Secrets stand in proofkey.env, beside this file.\n";

const SECRETS: &str = "# Secrets of a proofkey server. Keep a copy: without the keys, the store cannot be read.\n";

const SESSION: &str = "\n\n# Seals the cookies of browsers, and requests on their way through the pages.\n";

const REST: &str = r#"
# What clients may ask for, in words for people. What is not listed does not exist.
[scopes]
# "contacts:read" = "See your contacts"

# Clients by the field names of RFC 7591; `proofkey clients add` keeps others in the store.
# [[clients]]
# client_id = "crm-web"
# redirect_uris = ["https://crm.example/callback"]
# scope = "contacts:read"
# first_party = true
"#;
