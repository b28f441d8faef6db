//! Codes and refresh tokens that were used before.
use crate::{START, SignedIn, World};

/// What clients hold that was used before, each of a grant of its own of the client `web`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Past {
    /// A code that was redeemed.
    pub code: String,
    /// What came of it.
    pub of_code: SignedIn,
    /// A refresh token that was retired longer ago than the leeway.
    pub retired: String,
    /// What came of it.
    pub of_retired: SignedIn,
    /// A refresh token that has just been rotated.
    pub rotated: String,
    /// What came of it.
    pub of_rotated: SignedIn,
}

impl Past {
    /// Redeems and refreshes: two minutes before [`START`], and then.
    #[must_use]
    pub fn of(world: &World) -> Self {
        world.clock.set(START - 120);
        let before = world.sign_in();
        let of_retired = SignedIn::of(&world.refresh(&before.refresh));
        world.clock.set(START);
        let code = world.code();
        let of_code = SignedIn::of(&world.redeem(&code));
        let rotated = world.sign_in().refresh;
        let of_rotated = SignedIn::of(&world.refresh(&rotated));
        Self { code, of_code, retired: before.refresh, of_retired, rotated, of_rotated }
    }
}
