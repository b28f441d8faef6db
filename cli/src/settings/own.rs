//! The command line's own settings: where to listen, how long to wait, where to log, which files to read.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use proofkey::core::setting_text::{size, span, span_text};

/// Where events are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AuditLog {
    Off,
    Path(PathBuf),
    Stderr,
}

/// The values of the settings that only the command line has.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) audit_log: AuditLog,
    pub(crate) drain_timeout: Duration,
    pub(crate) listen: SocketAddr,
    pub(crate) max_header: usize,
    pub(crate) page_texts: Vec<PathBuf>,
    pub(crate) request_timeout: Duration,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            audit_log: AuditLog::Stderr,
            drain_timeout: Duration::from_secs(10),
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            max_header: 16 * 1024,
            page_texts: Vec::new(),
            request_timeout: Duration::from_secs(10),
        }
    }
}

impl Own {
    /// Sets one setting by its text; nothing if it is out of range, or none of these.
    pub(crate) fn set(&mut self, name: &str, text: &str) -> Option<()> {
        match name {
            "audit_log" => {
                self.audit_log = match text {
                    "" => return None,
                    "off" => AuditLog::Off,
                    "stderr" => AuditLog::Stderr,
                    path => AuditLog::Path(path.into()),
                }
            }
            "drain_timeout" => self.drain_timeout = within(span(text)?, 0, 300)?,
            "listen" => self.listen = text.parse().ok()?,
            "max_header" => {
                self.max_header = size(text).filter(|size| (4 * 1024..=32 * 1024).contains(size))?;
            }
            "page_texts" => self.page_texts = text.split_whitespace().map(PathBuf::from).collect(),
            "request_timeout" => self.request_timeout = within(span(text)?, 1, 60)?,
            _ => return None,
        }
        Some(())
    }

    /// The value of a setting as text, if it is one of these.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        Some(match name {
            "audit_log" => match &self.audit_log {
                AuditLog::Off => "off".to_owned(),
                AuditLog::Path(path) => path.display().to_string(),
                AuditLog::Stderr => "stderr".to_owned(),
            },
            "drain_timeout" => span_text(self.drain_timeout),
            "listen" => self.listen.to_string(),
            "max_header" => self.max_header.to_string(),
            "page_texts" => {
                let paths = self.page_texts.iter().map(|path| path.display().to_string());
                paths.collect::<Vec<_>>().join(" ")
            }
            "request_timeout" => span_text(self.request_timeout),
            _ => return None,
        })
    }
}

fn within(span: Duration, from: u64, to: u64) -> Option<Duration> {
    (span >= Duration::from_secs(from) && span <= Duration::from_secs(to)).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::rows;

    #[test]
    fn every_default_of_the_table_is_the_default_in_force() {
        let own = Own::default();
        let told: Vec<_> = rows().filter_map(|row| Some((row, own.text(row.name())?))).collect();
        assert_eq!(told.len(), 6);
        for (row, text) in told {
            let table = row.setting.default_text().replace("16 KiB", "16384");
            assert_eq!(text, table, "{}", row.name());
            Own::default().set(row.name(), &text).unwrap();
        }
    }

    #[test]
    fn out_of_range_is_refused_and_changes_nothing() {
        for (name, text) in [
            ("listen", "8000"),
            ("listen", "localhost"),
            ("request_timeout", "0"),
            ("request_timeout", "61"),
            ("drain_timeout", "301"),
            ("max_header", "4095"),
            ("max_header", "33k"),
            ("audit_log", ""),
        ] {
            let mut own = Own::default();
            assert_eq!(own.set(name, text), None, "{name} {text}");
            assert_eq!(own.text(name), Own::default().text(name));
        }
    }
}
