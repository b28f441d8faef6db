//! What goes wrong, how often, and where it mattered.

use std::fmt;

use crate::dice::Dice;

/// A kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fault {
    /// A host callback fails.
    Callback,
    /// A compare-and-swap says no, though nobody was quicker.
    Conflict,
    /// A process dies after a store call took effect.
    CrashAfter,
    /// A process dies before a store call.
    CrashBefore,
    /// The store fails for a span of time.
    Down,
    /// The network delivers a request twice.
    Duplicate,
    /// The clock of one process is an hour ahead or behind.
    HourOff,
    /// The keys are rotated.
    KeyRotation,
    /// A write is answered by an error, and lands later.
    Late,
    /// A write takes effect, and is answered by an error.
    Lost,
    /// The client never hears the answer.
    ReplyLost,
    /// The clocks of processes are up to five seconds apart.
    Skew,
    /// Expired rows are swept.
    Sweep,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Callback,
        Self::Conflict,
        Self::CrashAfter,
        Self::CrashBefore,
        Self::Down,
        Self::Duplicate,
        Self::HourOff,
        Self::KeyRotation,
        Self::Late,
        Self::Lost,
        Self::ReplyLost,
        Self::Skew,
        Self::Sweep,
    ];

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Callback => "a host callback fails",
            Self::Conflict => "compare-and-swap conflict",
            Self::CrashAfter => "crash after a store call",
            Self::CrashBefore => "crash before a store call",
            Self::Down => "store down for a span",
            Self::Duplicate => "request delivered twice",
            Self::HourOff => "a clock an hour off",
            Self::KeyRotation => "key rotation",
            Self::Late => "write delayed, applied later",
            Self::Lost => "write applied, reply lost",
            Self::ReplyLost => "reply to the client lost",
            Self::Skew => "clocks up to 5 s apart",
            Self::Sweep => "sweep",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often each fault strikes in one world, in a thousand opportunities.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weather([usize; Fault::ALL.len()]);

impl Weather {
    /// Each kind strikes in half of the worlds.
    pub(crate) fn drawn(dice: &mut Dice) -> Self {
        let rates = Fault::ALL.map(|fault| {
            let often = match fault {
                Fault::HourOff | Fault::Skew => 1000,
                Fault::Down => 15,
                Fault::CrashAfter | Fault::CrashBefore => 30,
                Fault::KeyRotation | Fault::Sweep => 60,
                Fault::Late => 160,
                Fault::Lost => 120,
                Fault::Conflict => 80,
                Fault::Callback | Fault::Duplicate | Fault::ReplyLost => 100,
            };
            match dice.below(4) {
                0 | 1 => 0,
                2 => often,
                _ if often == 1000 => often,
                _ => often / 3 + 1,
            }
        });
        Self(rates)
    }

    pub(crate) fn strikes(&self, fault: Fault, dice: &mut Dice) -> bool {
        dice.permille(self.rate(fault))
    }

    pub(crate) const fn rate(&self, fault: Fault) -> usize {
        self.0[fault as usize]
    }
}
