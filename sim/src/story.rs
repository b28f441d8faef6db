//! What happened in a world, told line by line; nothing is written down where nobody wants to read it.

/// The lines so far, if they are kept.
#[derive(Default)]
pub(crate) struct Story(Option<Vec<String>>);

impl Story {
    pub(crate) const fn kept() -> Self {
        Self(Some(Vec::new()))
    }

    pub(crate) const fn untold() -> Self {
        Self(None)
    }

    /// Adds a line, at a moment in milliseconds.
    pub(crate) fn tell(&mut self, clock: u64, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.0 {
            lines.push(format!("{:>6}.{:03} {}", clock / 1000, clock % 1000, line()));
        }
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.0.unwrap_or_default()
    }
}

/// The lines that concern the grant about which a story ends: those of every request that touched its record, and what
/// belongs to no request.
#[must_use]
pub fn about(story: &[String]) -> Vec<String> {
    let record = |line: &str| line.split([' ', ':']).find(|word| word.starts_with("g.")).map(str::to_owned);
    let Some(last) = story.iter().rev().find_map(|line| request(line)) else { return story.to_vec() };
    let of_last = story.iter().filter(|line| request(line) == Some(last));
    let Some(grant) = of_last.filter_map(|line| record(line)).next_back() else { return story.to_vec() };
    let touching: Vec<&str> =
        story.iter().filter(|line| line.contains(&grant)).filter_map(|line| request(line)).collect();
    let concerns = |line: &&String| request(line).is_none_or(|number| number == last || touching.contains(&number));
    story.iter().filter(concerns).cloned().collect()
}

/// The number of the request that a line is about, as `#7`.
fn request(line: &str) -> Option<&str> {
    line.split([' ', ':']).find(|word| word.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::about;

    #[test]
    fn a_story_is_cut_to_the_grant_that_it_ends_with() {
        let story = [
            " 0.001 #0 to process 1: spa: refresh refresh3",
            " 0.002 #1 to process 0: web: refresh refresh4",
            " 0.003 #0: get g.one",
            " 0.004 #1: get g.two",
            " 0.005 the store fails for 9 ms",
            " 0.006 #1: 503",
            " 0.007 #2: put g.one: somebody was quicker",
            " 0.008 #0: 200",
            " 0.008 I7 does not hold",
        ];
        let story: Vec<String> = story.map(str::to_owned).to_vec();
        let kept = about(&story);
        assert_eq!(kept.len(), 6, "{kept:?}");
        assert!(!kept.iter().any(|line| line.contains("#1")));
    }
}
