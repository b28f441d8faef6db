//! A world from its beginning to its end: first with faults, then without.

use proofkey_core::Memo;

use crate::house::Houses;
use crate::model::Violation;
use crate::report::Tally;
use crate::rows::{Flaw, Rows};
use crate::story::Story;
use crate::world::World;

/// What worlds share: configurations, and what password hashes came to. One for each thread.
pub struct Ground {
    houses: Houses,
    memo: Memo,
    flaw: Option<Flaw>,
}

impl Default for Ground {
    fn default() -> Self {
        Self { houses: Houses::build(), memo: Memo::default(), flaw: None }
    }
}

/// How a world ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ending {
    /// What was counted.
    pub tally: Tally,
    /// The invariant that did not hold, if there is one.
    pub violation: Option<Violation>,
    /// What happened, if it was to be told.
    pub story: Vec<String>,
}

impl Ground {
    /// Worlds over a store that does not keep its contract.
    #[must_use]
    pub fn over(flaw: Flaw) -> Self {
        Self { flaw: Some(flaw), ..Self::default() }
    }

    /// Plays the world of a seed for so many steps with faults, and then as long as it takes without.
    #[must_use]
    pub fn play(&mut self, seed: u64, steps: u64, tell: bool) -> Ending {
        let story = if tell { Story::kept() } else { Story::untold() };
        let mut world = World::new(&self.houses, &mut self.memo, Rows::flawed(self.flaw), seed, story);
        let outcome = (0..steps).try_for_each(|_| world.step()).and_then(|()| world.calm());
        let World { mut tally, mut story, clock, .. } = world;
        let violation = outcome.err();
        if let Some(violation) = &violation {
            story.tell(clock, || violation.to_string());
        }
        tally.close();
        Ending { tally, violation, story: story.into_lines() }
    }
}
