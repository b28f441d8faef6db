//! Defects that can be planted in the core, so that whoever hunts for broken invariants can show that they find some.
//!
//! The module exists under `--cfg proofkey_planted` alone, which no feature and no build of a server sets:
//!
//! ```sh
//! RUSTFLAGS="--cfg proofkey_planted" CARGO_TARGET_DIR=target/planted cargo test --release ...
//! ```
//!
//! Nothing is broken until [`plant`] is called, and then only in the flows that this thread drives, however long ago
//! they were begun; so threads hunt different defects at once. `plant(None)` mends it.
//!
//! ```
//! use proofkey_core::planted::{Defect, plant};
//!
//! for defect in Defect::ALL {
//!     plant(Some(defect));
//!     // ... drive flows, and find that `defect.invariants()` do not hold ...
//! }
//! plant(None);
//! ```
//!
//! A defect sits where the core asks `planted!(TheDefect)`, which is `false` in every other build.

#![expect(
    clippy::disallowed_types,
    reason = "state of the thread, in builds that are no server: threads hunt different defects at once"
)]

use std::cell::Cell;

macro_rules! defects {
    ($($variant:ident, $name:literal, $invariants:literal, $text:literal;)*) => {
        /// A mistake that somebody could have made in the core.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Defect {
            $(#[doc = $text] $variant,)*
        }

        impl Defect {
            /// All of them.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// Its name, in words joined by hyphens.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What is broken, in a line.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The invariants that it breaks, the plainest first.
            #[must_use]
            pub const fn invariants(self) -> &'static str {
                match self { $(Self::$variant => $invariants,)* }
            }
        }
    };
}

defects! {
    CodeForAnotherClient, "code-for-another-client", "I2",
        "a client redeems a code that was given to another client";
    CodeReplayDoesNotRevoke, "code-replay-does-not-revoke", "I3",
        "the second redemption of a code is refused, and the tokens of the first go on";
    ConflictIgnored, "conflict-ignored", "I1, I6, I7, I12",
        "a write that lost its race is taken for done";
    EpochNotReadAgain, "epoch-not-read-again", "I14",
        "whoever creates a grant does not look at the owner's epoch again after the write";
    EpochRaisedAfterListing, "epoch-raised-after-listing", "I14",
        "a sign-out lists and revokes first, and raises the owner's epoch last";
    ExpiredCodeAccepted, "expired-code-accepted", "I4",
        "a code is redeemed after its expiry";
    FamilyOutlivesItsEnd, "family-outlives-its-end", "I11",
        "tokens are not bounded by the end of their grant, and no check looks at it";
    ForeignClientRefreshes, "foreign-client-refreshes", "I10",
        "a client refreshes with the token of another client";
    ForeignClientRevokes, "foreign-client-revokes", "I13",
        "a client revokes the token of another client";
    FreshBytesAtRepeat, "fresh-bytes-at-repeat", "I6, I9",
        "a repeated refresh derives its tokens from fresh bytes: a second successor";
    LeewayAfterSuccessorUsed, "leeway-after-successor-used", "I7, I8, I9",
        "a token that was retired lately is rotated once more, though its successor was used";
    LeewayNeverEnds, "leeway-never-ends", "I8",
        "the predecessor is answered however long ago it was retired";
    LeewayOfTwoGenerations, "leeway-of-two-generations", "I6, I8",
        "the predecessor's predecessor is answered like the predecessor, with tokens of its own";
    RefreshReplayDoesNotRevoke, "refresh-replay-does-not-revoke", "I8",
        "a refresh token that was retired long ago is refused, and its grant goes on";
    RepeatIgnoresResource, "repeat-ignores-resource", "I10",
        "a repeated refresh for another resource gets the token of the first one";
    RevokedAccessAccepted, "revoked-access-accepted", "I12",
        "an access token that was revoked is still accepted";
    RevokesLeafAlone, "revokes-leaf-alone", "I12, I3, I8, I14",
        "revoking a grant ends its refresh token, and its access tokens go on";
    RowEndsWithAccess, "row-ends-with-access", "I18, I9",
        "the row of a grant expires with its access tokens, and a sweep takes the refresh token with it";
    ScopeWidens, "scope-widens", "I10",
        "a refresh gets the scope that it asks for, granted or not";
    SpentCodeForgotten, "spent-code-forgotten", "I3, I18",
        "the first rotation forgets the spent code, so that its replay is not seen any more";
    StaleRevokes, "stale-revokes", "I8, I9",
        "a slow duplicate of a refresh is judged a theft";
    UnknownTakenForDone, "unknown-taken-for-done", "I17, I12",
        "a write with an unknown outcome is taken for done";
    UnknownTakenForNotDone, "unknown-taken-for-not-done", "I17, I9",
        "a write with an unknown outcome is taken for not done, and what it did for somebody else's doing";
    UnsureJudgesReplay, "unsure-judges-replay", "I17, I9",
        "a flow whose write had an unknown outcome judges a replay";
    VerifierIgnored, "verifier-ignored", "I2",
        "a code is redeemed with a verifier that does not match";
    WrongVerifierBurnsCode, "wrong-verifier-burns-code", "I2, I26",
        "a failed redemption, such as one with a wrong verifier, ends the code";
}

std::thread_local! {
    static PLANTED: Cell<Option<Defect>> = const { Cell::new(None) };
}

/// Plants a defect, instead of the one before it, in all flows that this thread drives from now on.
pub fn plant(defect: Option<Defect>) {
    PLANTED.set(defect);
}

/// Whether this defect is planted here.
pub(crate) fn is(defect: Defect) -> bool {
    PLANTED.get() == Some(defect)
}
