//! `proofkey serve`: the endpoints on a socket, until somebody says stop.

mod front;
mod listen;
mod rotation;

use std::time::Duration;

use proofkey::{AsyncServer, ErrorCode, Event, Refusal};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::command::Invocation;
use crate::failure::{Complaint, Failure};
use crate::log::Log;
use crate::settings::{AuditLog, Collected};
use front::{Front, request_id};
use listen::{Limits, accept};

/// Serves until a signal ends it, and returns when what was under way is answered.
pub(crate) fn serve(invocation: &mut Invocation<'_>) -> Result<(), Failure> {
    let collected = invocation.collect();
    let log = Log::start(&collected.own.audit_log).map_err(|error| collected.unopenable(&error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(run(invocation, collected, &log));
    // A store call that hangs must not keep the process; what it was asked for is then unknown, as after a crash.
    runtime.shutdown_timeout(Duration::from_secs(1));
    log.flush();
    outcome
}

async fn run(invocation: &mut Invocation<'_>, collected: Collected, log: &Log) -> Result<(), Failure> {
    let own = collected.own.clone();
    let start = Start::new(&collected);
    let sources = [collected.source_of("listen"), collected.source_of("store"), collected.source_of("encryption_keys")];
    let events = log.clone();
    let on_event = move |event: &Event| request_id(|id| events.event(event, id));
    let server = collected.async_server(on_event)?;
    check_in(&server, &sources[1], &sources[2]).await?;
    let [mut terminate, mut interrupt] = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
    let listener = TcpListener::bind(own.listen).await.map_err(|error| in_use(&own.listen, &sources[0], &error))?;
    let address = listener.local_addr()?;
    rotation::watch(invocation.origins.clone(), server.clone(), log.clone())?;
    let (value, text) = start.describe(&server, &address.to_string());
    invocation.output.answer(&value, text)?;
    for warning in start.warnings(&server) {
        log.line("server", &json!({"warning": warning}));
    }
    let front = Front::new(server, own.request_timeout, log.clone())?;
    let limits = Limits { max_header: own.max_header, request_timeout: own.request_timeout };
    let mut stop = async || {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    };
    let (signal, connections) = accept(listener, front, limits, log, stop()).await;
    log.line("server", &json!({"message": "stopping", "signal": signal, "connections": connections.count()}));
    let message = tokio::select! {
        () = connections.shutdown() => "stopped",
        () = tokio::time::sleep(own.drain_timeout) => "stopped: drain_timeout cut requests off",
        _ = stop() => "stopped: a second signal cut requests off",
    };
    log.line("server", &json!({"message": message}));
    Ok(())
}

/// Shows that the store answers and that the keys are those that it was written with, before anybody relies on it.
async fn check_in(server: &AsyncServer, store: &str, keys: &str) -> Result<(), Failure> {
    let Err(refusal) = server.check_in().await else { return Ok(()) };
    Err(uncheckable(&refusal, store, keys).into())
}

/// What a refused check-in says of the settings: the store fails, or the keys are not those that it was written with.
pub(crate) fn uncheckable(refusal: &Refusal, store: &str, keys: &str) -> Complaint {
    let detail = refusal.private_detail().unwrap_or_else(|| refusal.description());
    match std::error::Error::source(refusal) {
        Some(cause) => {
            let problem = format!("it does not answer: {cause}; mend it, or set another store");
            Complaint::of("store", Some(store.to_owned()), problem)
        }
        None if refusal.code() == ErrorCode::TemporarilyUnavailable => {
            Complaint::of("encryption_keys", Some(keys.to_owned()), detail)
        }
        None => Complaint::of("store", Some(store.to_owned()), detail),
    }
}

fn in_use(listen: &std::net::SocketAddr, source: &str, error: &std::io::Error) -> Failure {
    let problem = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("{listen} is in use; stop the server that listens there, or set another address")
        }
        _ => format!("nothing can listen on {listen}: {error}; set another address"),
    };
    Complaint::of("listen", Some(source.to_owned()), problem).into()
}

/// What is told at the start.
struct Start {
    store: String,
    keys: Vec<String>,
    audit_log: AuditLog,
    warnings: Vec<String>,
}

impl Start {
    fn new(collected: &Collected) -> Self {
        let keys = collected.keys.iter().flat_map(|keys| keys.ids()).map(|id| id.to_string()).collect();
        Self {
            store: collected.shown("store"),
            keys,
            audit_log: collected.own.audit_log.clone(),
            warnings: collected.warnings.clone(),
        }
    }

    fn warnings(&self, server: &AsyncServer) -> Vec<String> {
        let mut warnings = self.warnings.clone();
        warnings.extend(server.with_config(|config| config.warnings()));
        warnings
    }

    fn describe(&self, server: &AsyncServer, listen: &str) -> (Value, String) {
        server.with_config(|config| {
            let text = |name: &str| config.settings().text(name).unwrap_or_default();
            let words = |name: &str| text(name).split(' ').map(str::to_owned).collect::<Vec<_>>();
            let clients: Vec<&str> = config.clients().map(|client| client.client_id()).collect();
            let audit_log = match &self.audit_log {
                AuditLog::Off => "off".to_owned(),
                AuditLog::Path(path) => path.display().to_string(),
                AuditLog::Stderr => "stderr".to_owned(),
            };
            let value = json!({
                "issuer": config.issuer(),
                "listen": listen,
                "store": self.store,
                "keys": self.keys,
                "endpoints": words("endpoints"),
                "scopes": words("scopes"),
                "clients": clients,
                "audit_log": audit_log,
            });
            let rows = [
                ("issuer", config.issuer().to_owned()),
                ("listen", listen.to_owned()),
                ("store", self.store.clone()),
                ("keys", format!("{} (the first is primary)", self.keys.join(" "))),
                ("endpoints", text("endpoints")),
                ("scopes", or_none(text("scopes"))),
                ("clients", or_none(clients.join(" ")) + " in the settings; others in the store"),
                ("audit_log", audit_log),
            ];
            let lines: String = rows.iter().map(|(name, value)| format!("  {name:11} {value}\n")).collect();
            (value, format!("proofkey {} serves\n{lines}", env!("CARGO_PKG_VERSION")))
        })
    }
}

fn or_none(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}
