//! What was measured, as a table for people or as JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::measure::{Better, Figures, Pairs};

/// A bound on the median of the ratios.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
    Within(f64, f64),
}

impl Target {
    fn is_met(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(bound) => ratio >= bound,
            Self::AtMost(bound) => ratio <= bound,
            Self::Within(least, most) => (least..=most).contains(&ratio),
        }
    }
}

/// One comparison.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    section: &'static str,
    name: String,
    unit: &'static str,
    ours: Figures,
    other: Figures,
    ratio: Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    met: Option<bool>,
}

impl Row {
    /// Times, of which less is better.
    pub(crate) fn times(section: &'static str, name: impl Into<String>, pairs: &Pairs) -> Self {
        Self::new(section, name.into(), "µs", pairs, Better::Lower)
    }

    /// Rates, of which more is better.
    pub(crate) fn rates(section: &'static str, name: impl Into<String>, pairs: &Pairs) -> Self {
        Self::new(section, name.into(), "a second", pairs, Better::Higher)
    }

    /// Ratios that are compared in turn.
    pub(crate) fn ratios(section: &'static str, name: impl Into<String>, pairs: &Pairs) -> Self {
        Self::new(section, name.into(), "ratio", pairs, Better::Lower)
    }

    fn new(section: &'static str, name: String, unit: &'static str, pairs: &Pairs, better: Better) -> Self {
        let (ours, other, ratio) = (pairs.ours(better), pairs.other(better), pairs.ratio(better));
        Self { section, name, unit, ours, other, ratio, target: None, met: None }
    }

    pub(crate) fn with_target(mut self, target: Target) -> Self {
        self.met = Some(target.is_met(self.ratio.median));
        self.target = Some(target);
        self
    }

    fn judged(&self) -> String {
        match (self.target, self.met) {
            (Some(Target::AtLeast(bound)), Some(met)) => format!("at least {bound}: {}", word(met)),
            (Some(Target::AtMost(bound)), Some(met)) => format!("at most {bound}: {}", word(met)),
            (Some(Target::Within(least, most)), Some(met)) => format!("{least} to {most}: {}", word(met)),
            _ => String::new(),
        }
    }
}

const fn word(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

/// Rows as they come.
pub(crate) struct Report {
    rows: Vec<Row>,
    json: bool,
    only: Option<String>,
}

impl Report {
    pub(crate) const fn new(json: bool, only: Option<String>) -> Self {
        Self { rows: Vec::new(), json, only }
    }

    /// Whether this row is asked for.
    pub(crate) fn wants(&self, section: &str, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| format!("{section}: {name}").contains(only.as_str()))
    }

    /// Adds a row, and shows it at once unless the whole is wanted as JSON.
    pub(crate) fn add(&mut self, row: Row) -> io::Result<()> {
        if !self.json {
            let mut out = io::stdout().lock();
            if self.rows.last().is_none_or(|last| last.section != row.section) {
                writeln!(out, "\n{:<46} {:>19} {:>19} {:>13}", row.section, "ours", "other", "ratio")?;
            }
            let cell = |figures: Figures| format!("{} / {}", number(figures.median), number(figures.best));
            let (ours, other, ratio) = (cell(row.ours), cell(row.other), cell(row.ratio));
            let name = format!("{} ({})", row.name, row.unit);
            writeln!(out, "  {name:<44} {ours:>19} {other:>19} {ratio:>13}  {}", row.judged())?;
        }
        self.rows.push(row);
        Ok(())
    }

    /// Ends the report.
    pub(crate) fn finish(self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, &self.rows)?;
            return writeln!(out);
        }
        writeln!(out, "\nmedian / best of all rounds; a target is judged by the median of the ratios, pair by pair")
    }
}

fn number(value: f64) -> String {
    if value >= 1000.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}
