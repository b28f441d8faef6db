//! What is known of requests, grants, codes and tokens.

use super::session::Origin;
use crate::call::{Call, Set};
use crate::wallet::Paper;

/// A request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    pub(super) call: Call,
    /// The clock of its process when it came, in seconds.
    pub(super) now: u64,
    /// Whether that clock is an hour off.
    pub(super) far_off: bool,
    pub(super) began: u64,
    /// The tick at which the host last found the user who signs in.
    pub(super) user_found: Option<u64>,
    pub(super) hurt: bool,
    /// Races that its writes lost.
    pub(super) lost: u32,
    /// Its writes of grants that landed.
    pub(super) landed: u32,
    /// It was answered by what it asked for.
    pub(super) granted: bool,
}

/// A code or token that a server gave.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fact {
    Access(AccessFact),
    Code {
        grant: usize,
    },
    /// The one at this place of the grant's chain.
    Refresh {
        grant: usize,
        at: usize,
    },
}

impl Fact {
    pub(super) const fn grant(&self) -> usize {
        match self {
            Self::Access(AccessFact { grant, .. }) | Self::Code { grant } | Self::Refresh { grant, .. } => *grant,
        }
    }
}

/// An access token.
#[derive(Clone, Copy, Debug)]
pub(super) struct AccessFact {
    pub(super) grant: usize,
    pub(super) scope: Set,
    pub(super) resources: Set,
    /// In seconds; none where an answer did not tell exactly.
    pub(super) expires_at: Option<u64>,
    /// The tick at which its revocation was acknowledged.
    pub(super) revoked: Option<u64>,
    /// Somebody has asked for its revocation.
    pub(super) doomed: bool,
    /// How many access tokens the grant had before it.
    pub(super) place: usize,
}

/// A refresh token and what became of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) token: Paper,
    pub(super) expires_at: u64,
    pub(super) retired: Option<Retired>,
    /// It was still taken when it had ended.
    pub(super) overdue: bool,
    /// How many requests of its client presented it.
    pub(super) presented: usize,
}

/// The first write of a request that presented a refresh token landed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retired {
    /// By the clock of that request, in seconds.
    pub(super) at: u64,
    pub(super) tick: u64,
    pub(super) by: usize,
}

/// A grant, from the code on.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) client: usize,
    pub(super) user: usize,
    pub(super) pair: usize,
    pub(super) scope: Set,
    pub(super) resources: Set,
    pub(super) code_expires_at: u64,
    pub(super) ends_at: u64,
    /// The tick at which the host found the user, before the grant was made.
    pub(super) approved: u64,
    /// The tick of the answer that gave its code.
    pub(super) made: u64,
    /// How a browser got it.
    pub(super) origin: Option<Origin>,
    /// The tick at which it gave its tokens.
    pub(super) redeemed: Option<u64>,
    /// How many requests presented the code, with all that belongs to it.
    pub(super) redeems: usize,
    /// Refresh tokens, each the successor of the one before.
    pub(super) chain: Vec<Link>,
    /// Access tokens that it had.
    pub(super) accesses: usize,
    pub(super) dead: Option<(u64, &'static str)>,
    pub(super) doomed: Option<&'static str>,
    /// The seconds of each refresh of which a write landed.
    pub(super) rotations: Vec<u64>,
    /// A process whose clock is an hour off wrote it: what it is refused for is not judged any more.
    pub(super) far_off: bool,
    /// One of its access tokens was revoked, or may have been.
    pub(super) access_revoked: bool,
}

impl Grant {
    /// Whether a refusal has a cause.
    pub(super) fn may_be_refused(&self, now: u64) -> bool {
        self.doomed.is_some() || self.far_off || now >= self.ends_at
    }

    /// Whether it may have been refreshed too often: five times in ten seconds, or four times with one token.
    pub(super) fn may_be_too_many(&self, now: u64) -> bool {
        let recent = self.rotations.iter().filter(|at| **at + 10 > now).count();
        recent >= 5 || self.far_off || self.chain.iter().any(|link| link.presented >= 4)
    }
}

/// The operator signs somebody out.
#[derive(Clone, Copy, Debug)]
pub(super) struct SignOut {
    pub(super) flight: usize,
    pub(super) whom: Whom,
    pub(super) began: u64,
    /// The tick at which it was acknowledged; until then it may be at work.
    pub(super) done: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    Client(usize),
    User(usize),
}

impl Whom {
    pub(super) fn is_of(self, client: usize, user: usize) -> bool {
        match self {
            Self::Client(whom) => whom == client,
            Self::User(whom) => whom == user,
        }
    }
}
