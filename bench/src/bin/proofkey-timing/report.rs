//! The outcome, for a terminal and for a document.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use crate::subjects::Classes;
use crate::welch::{THRESHOLD, Verdict};

/// One comparison under one pair of classes.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) classes: Classes,
    pub(crate) honest: Verdict,
    pub(crate) leaky: Verdict,
    /// How often it was measured: the last time counts.
    pub(crate) rounds: u64,
}

impl Row {
    /// The comparison keeps its secret, and the run would have seen it otherwise.
    pub(crate) fn is_well(&self) -> bool {
        self.honest.t <= THRESHOLD && self.leaky.t > THRESHOLD
    }

    fn verdict(&self) -> &'static str {
        match (self.honest.t <= THRESHOLD, self.leaky.t > THRESHOLD) {
            (_, false) => "void: the twin was not caught",
            (false, true) => "LEAKS",
            (true, true) => "keeps it",
        }
    }

    fn cells(&self) -> [String; 7] {
        [
            self.name.to_owned(),
            self.classes.to_string(),
            format!(
                "{}{}",
                self.honest.samples,
                if self.rounds > 1 { format!(" (round {})", self.rounds) } else { String::new() }
            ),
            format!("{:.0} ns", self.honest.median),
            format!("{:.2} ({:.2} ns)", self.honest.t, self.honest.difference),
            format!("{:.0} ({:.1} ns)", self.leaky.t, self.leaky.difference),
            self.verdict().to_owned(),
        ]
    }
}

pub(crate) fn show(row: &Row) -> io::Result<()> {
    let [name, classes, samples, median, honest, leaky, verdict] = row.cells();
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{name:<38} {classes:<19} {samples:>9} x {median:>8}   t {honest:<14} twin's t {leaky:<18} {verdict}"
    )?;
    out.flush()
}

pub(crate) fn conclude(rows: &[Row]) -> io::Result<()> {
    let well = rows.iter().filter(|row| row.is_well()).count();
    writeln!(io::stdout().lock(), "{well} of {} as they should be; the threshold is {THRESHOLD}", rows.len())
}

pub(crate) fn document(rows: &[Row]) -> String {
    let mut text = String::from(HEAD);
    for row in rows {
        let _ = writeln!(text, "| {} |", row.cells().join(" | "));
    }
    text
}

const HEAD: &str = "\
# Timing

What `make timing` saw: whether the time of a comparison of secrets tells where two of them differ (invariant I21). Written by that command; it takes two minutes on one core, and ends with status 1 if a comparison leaks or a twin is not caught.

**How.** A t-test after dudect (Reparaz, Balasch, Verbauwhede: *Dude, is my code constant time?*, 2017). Wrong values of two classes are made before the clock runs, in random order, each in the place of a right one of its own (tokens, client secrets and cookies: one of 128), and each is presented some times in a row, so that a measurement takes 2 µs at least. Welch's t says how many standard errors the means of the classes are apart; it is taken over all measurements and over the quickest 10, 25, 50, 75, 90, 95, 99 and 99.9 % of both classes together, and the largest counts. Beyond 4.5 the classes differ. A comparison beyond it is measured again with twice the samples, up to twice: what leaks shows itself the more, and what the machine did by chance does not come back.

**Classes.** *First or last byte*: the value is wrong in the first byte that is compared, or in the last. *Last byte or random*: right but for the last byte, or random all over. Within a pair both classes look alike, and differ only beside the right value: whether a verifier has a hyphen in it, say, shows in the time of reading it, and tells nobody anything.

**The twin.** Beside each comparison runs one that leaks: the same work, and then a loop that ends at the first byte that differs. If it is not caught, the run sees too little, and is void. An early exit that was put into the core's own check of tokens for once (`KeyRing::verifies`) was seen at t 214, 1.6 ns apart, and ended the command with status 1.

**Not measured here.** Form tokens, travelling requests and sign-in cookies are judged by the same two primitives as the last row (a MAC, compared by the `hmac` crate). The comparison of bcrypt digests stands behind some milliseconds of bcrypt; that unknown names, disabled users and broken hashes cost the same rounds is a test (`tests/tests/equal_cost.rs`). Which key of a ring made a token shows in the time, and is no secret.

| comparison | classes | samples | one call | t | t of the twin | verdict |
| --- | --- | --- | --- | --- | --- | --- |
";
