//! Every answer to every redemption and refresh of a run, of whichever process and before or after whichever crash
//! (invariants I1 and I6).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::Performed;

/// What each code and each refresh token gave.
#[derive(Default)]
pub struct Ledger(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    /// The refresh token that each code gave.
    codes: BTreeMap<String, String>,
    /// The one successor of each refresh token, and how often it was answered.
    successors: BTreeMap<String, (String, usize)>,
    /// What each refresh token came of.
    origins: BTreeMap<String, String>,
}

impl Ledger {
    /// Notes an answer.
    ///
    /// # Panics
    /// If a code gave a second token set (I1), a refresh token a second successor (I6), or two tokens the same one.
    pub fn note(&self, operation: &str, presented: &str, performed: &Performed) {
        let (200, Some(refresh)) = (performed.status, &performed.refresh) else { return };
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if operation == "redeem" {
            let earlier = entries.codes.insert(presented.to_owned(), refresh.clone());
            assert!(earlier.is_none(), "I1: a second token set for {presented}");
        } else {
            let (known, times) = entries.successors.entry(presented.to_owned()).or_insert_with(|| (refresh.clone(), 0));
            *times += 1;
            assert_eq!(known, refresh, "I6: a second successor of {presented}");
        }
        let origin = entries.origins.entry(refresh.clone()).or_insert_with(|| presented.to_owned());
        assert_eq!(origin, presented, "I6: {refresh} is the successor of two");
    }

    /// How many refresh tokens were answered more than once, each time by the same successor.
    #[must_use]
    pub fn repeated(&self) -> usize {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.successors.values().filter(|(_, times)| *times > 1).count()
    }
}
