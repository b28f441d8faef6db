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
