//! The log: JSON lines that name what happened and never hold a secret.
//!
//! Requests are logged by path without query, events by what the core says of them. Whoever logs never waits for the
//! disk: a thread writes. If it cannot keep up, lines are dropped, and how many is logged.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proofkey::Event;
use serde::Serialize;
use serde_json::{Value, json};

use crate::settings::AuditLog;

/// Lines that may wait to be written.
const QUEUE: usize = 16 * 1024;
/// How long the end of the process may wait for the last lines.
const LAST_WORDS: Duration = Duration::from_secs(2);

enum Message {
    Event(String),
    Flush(SyncSender<()>),
    Line(String),
    Reopen,
}

/// The log of a process; clones write to the same one.
#[derive(Clone)]
pub(crate) struct Log {
    sender: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

impl Log {
    /// Starts to write: events where `audit` says, all else to the standard error stream.
    pub(crate) fn start(audit: &AuditLog) -> io::Result<Self> {
        let audit = Audit::open(audit)?;
        let (sender, receiver) = sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let (mut writer, lost) = (Writer { audit, stderr: BufWriter::new(io::stderr()) }, Arc::clone(&dropped));
        std::thread::Builder::new().name("log".to_owned()).spawn(move || writer.run(&receiver, &lost))?;
        Ok(Self { sender, dropped })
    }

    /// Logs what happened in a flow.
    pub(crate) fn event(&self, event: &Event, request_id: Option<&str>) {
        self.send(Message::Event(event_line(event, request_id)));
    }

    /// Logs something that is no event of a flow; `fields` must be an object.
    pub(crate) fn line(&self, kind: &'static str, fields: &impl Serialize) {
        self.send(Message::Line(line(kind, fields)));
    }

    /// Opens the audit log again, after it was moved away.
    pub(crate) fn reopen(&self) {
        self.send(Message::Reopen);
    }

    /// Waits until everything is written, but not for ever.
    pub(crate) fn flush(&self) {
        let (sender, done) = sync_channel(1);
        if self.sender.send(Message::Flush(sender)).is_ok() {
            let _ = done.recv_timeout(LAST_WORDS);
        }
    }

    fn send(&self, message: Message) {
        if self.sender.try_send(message).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Where events go.
struct Audit {
    path: Option<std::path::PathBuf>,
    file: Option<BufWriter<File>>,
    to_stderr: bool,
}

impl Audit {
    fn open(audit: &AuditLog) -> io::Result<Self> {
        Ok(match audit {
            AuditLog::Off => Self { path: None, file: None, to_stderr: false },
            AuditLog::Path(path) => {
                Self { path: Some(path.clone()), file: Some(BufWriter::new(append(path)?)), to_stderr: false }
            }
            AuditLog::Stderr => Self { path: None, file: None, to_stderr: true },
        })
    }

    fn reopen(&mut self) -> io::Result<()> {
        if let Some(path) = &self.path {
            if let Some(file) = &mut self.file {
                file.flush()?;
            }
            self.file = Some(BufWriter::new(append(path)?));
        }
        Ok(())
    }
}

/// Whether an audit log could be written, without making its file: the operator who asks is often not the user who
/// serves.
pub(crate) fn can_append(audit: &AuditLog) -> io::Result<()> {
    let AuditLog::Path(path) = audit else { return Ok(()) };
    match OpenOptions::new().append(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            directory.map_or(Ok(()), |directory| std::fs::metadata(directory).map(drop))
        }
        opened => opened.map(drop),
    }
}

/// Appends one event to the audit log of a command that ends soon, if that is a file.
pub(crate) fn append_event(audit: &AuditLog, event: &Event) -> io::Result<()> {
    let AuditLog::Path(path) = audit else { return Ok(()) };
    append(path)?.write_all(event_line(event, None).as_bytes())
}

struct Writer<W: Write> {
    audit: Audit,
    stderr: BufWriter<W>,
}

impl<W: Write> Writer<W> {
    fn run(&mut self, receiver: &Receiver<Message>, dropped: &AtomicU64) {
        while let Ok(first) = receiver.recv() {
            let mut next = Some(first);
            while let Some(message) = next {
                // A stream that cannot be written has nowhere to complain to.
                let _ = self.write(message);
                next = receiver.try_recv().ok();
            }
            let lost = dropped.swap(0, Ordering::Relaxed);
            if lost > 0 {
                let _ = self.stderr.write_all(line("server", &json!({"lines_dropped": lost})).as_bytes());
            }
            let _ = self.flush();
        }
    }

    fn write(&mut self, message: Message) -> io::Result<()> {
        match message {
            Message::Event(line) => match &mut self.audit.file {
                Some(file) => file.write_all(line.as_bytes()),
                None if self.audit.to_stderr => self.stderr.write_all(line.as_bytes()),
                None => Ok(()),
            },
            Message::Flush(done) => {
                self.flush()?;
                let _ = done.send(());
                Ok(())
            }
            Message::Line(line) => self.stderr.write_all(line.as_bytes()),
            Message::Reopen => self.audit.reopen(),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(file) = &mut self.audit.file {
            file.flush()?;
        }
        self.stderr.flush()
    }
}

fn append(path: &std::path::Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o640).open(path)
}

fn event_line(event: &Event, request_id: Option<&str>) -> String {
    #[derive(Serialize)]
    struct Fields<'a> {
        event: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        subject: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        grant: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<&'a str>,
    }
    let fields = Fields {
        event: event.kind().as_str(),
        client_id: event.client_id(),
        subject: event.concerned_subject(),
        grant: event.grant_id(),
        detail: event.private_detail(),
        request_id,
    };
    line("event", &fields)
}

fn line(kind: &'static str, fields: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Line<'a, F: Serialize> {
        time: f64,
        log: &'static str,
        #[serde(flatten)]
        fields: &'a F,
    }
    let mut text = serde_json::to_string(&Line { time: now(), log: kind, fields })
        .unwrap_or_else(|error| Value::String(error.to_string()).to_string());
    text.push('\n');
    text
}

/// Seconds since 1970, to the millisecond.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs_f64() * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_nobody_can_write_in_time_are_dropped_and_counted() {
        let (sender, receiver) = sync_channel(2);
        let log = Log { sender, dropped: Arc::default() };
        for at in 0..5 {
            log.line("server", &json!({ "at": at }));
        }
        let dropped = Arc::clone(&log.dropped);
        drop(log);
        let mut writer =
            Writer { audit: Audit::open(&AuditLog::Off).unwrap(), stderr: BufWriter::new(Vec::<u8>::new()) };
        writer.run(&receiver, &dropped);
        let written = String::from_utf8(writer.stderr.get_ref().clone()).unwrap();
        let lines: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let said: Vec<_> = lines.iter().map(|line| (line["at"].as_u64(), line["lines_dropped"].as_u64())).collect();
        assert_eq!(said, [(Some(0), None), (Some(1), None), (None, Some(3))]);
    }
}
