//! What came of small worlds, as people read it.

use std::collections::BTreeMap;
use std::fmt;

use super::{Explored, Summary, Violation};

/// Stories that are told; the rest is counted.
const STORIES: usize = 10;

impl Summary {
    /// All schedules.
    #[must_use]
    pub fn schedules(&self) -> u64 {
        self.explored.iter().map(|one| one.schedules).sum()
    }

    /// Schedules that break something.
    #[must_use]
    pub fn broken(&self) -> u64 {
        self.explored.iter().map(|one| one.broken).sum()
    }

    /// States that schedules lead through.
    #[must_use]
    pub fn states(&self) -> usize {
        self.explored.iter().map(|one| one.states).sum()
    }

    /// The table with a row for each state of the grant, each token that is presented, and each clock of the sweep.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = String::new();
        let mut before = "";
        for one in &self.explored {
            if one.start != before {
                table.push_str(&format!("{}\n", one.start));
                before = one.start;
            }
            table.push_str(&row(&format!("  {}", one.operations.join(" + ")), one.faults, one.schedules, one.broken));
        }
        table
    }
}

impl fmt::Display for Summary {
    /// The table with a row for each combination of kinds, whatever the state of the grant, and what was broken.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: BTreeMap<(usize, &[&str]), Vec<&Explored>> = BTreeMap::new();
        for one in &self.explored {
            kinds.entry((one.kinds.len(), &one.kinds)).or_default().push(one);
        }
        writeln!(f, "{:66} faults {:>17} {:>15}", "operations on one grant", "schedules", "violations")?;
        for ((_, kinds), all) in kinds {
            let sum = |number: fn(&Explored) -> u64| all.iter().map(|one| number(one)).sum();
            let faults = all.iter().map(|one| one.faults).max().unwrap_or(0);
            f.write_str(&row(&kinds.join(" + "), faults, sum(|one| one.schedules), sum(|one| one.broken)))?;
        }
        writeln!(f, "{:73} {:>17} {:>15}", "all", digits(self.schedules()), digits(self.broken()))?;
        let states = u64::try_from(self.states()).unwrap_or(u64::MAX);
        let runs = u64::try_from(self.runs).unwrap_or(u64::MAX);
        let ends: usize = self.explored.iter().map(|one| one.ends).sum();
        let ends = u64::try_from(ends).unwrap_or(u64::MAX);
        writeln!(
            f,
            "They lead through {} states of {} combinations, to {} ends; flows were run with {} sequences of answers.",
            digits(states),
            self.explored.len(),
            digits(ends),
            digits(runs),
        )?;
        let calls = self.explored.iter().map(|one| one.calls).max().unwrap_or(0);
        writeln!(f, "No operation took more than {calls} calls of the store.")?;
        for violation in self.violations.iter().take(STORIES) {
            write!(f, "\n{violation}")?;
        }
        match self.violations.len().saturating_sub(STORIES) {
            0 => Ok(()),
            more => writeln!(f, "\nand {more} more combinations in which something does not hold"),
        }
    }
}

fn row(operations: &str, faults: usize, schedules: u64, broken: u64) -> String {
    format!("{operations:66} {faults:>6} {:>17} {:>15}\n", digits(schedules), digits(broken))
}

/// A number with a comma after each thousand.
fn digits(number: u64) -> String {
    let plain = number.to_string();
    let mut text = String::new();
    for (at, digit) in plain.chars().enumerate() {
        if at > 0 && (plain.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations = format!("{}: {}", self.start, self.operations.join(" + "));
        f.write_str(row(&operations, self.faults, self.schedules, self.broken).trim_end())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.invariant, self.text)?;
        writeln!(f, "  {}: {}", self.start, self.operations.join(" + "))?;
        self.moves.iter().try_for_each(|one| writeln!(f, "    {one}"))
    }
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn thousands_are_parted_by_commas() {
        assert_eq!([0, 999, 1000, 1_234_567].map(digits), ["0", "999", "1,000", "1,234,567"]);
    }
}
