//! Values that travel through browsers.

use std::time::Duration;

use minicbor::encode::{self, Encoder, Write};
use minicbor::{Decode, Encode};

use crate::UnixTime;
use crate::browser::keys::{Purpose, SessionKeys, Unsealed};
use crate::browser::session;
use crate::browser::travel::Travel;
use crate::browser::visitor::Browser;
use crate::reset;

/// What a sealed value is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "fuzz targets match on all of them")]
pub enum Sealed {
    /// The cookie that knows a browser again.
    Browser,
    /// The link that sets a new password.
    Reset,
    /// The cookie of a sign-in.
    Session,
    /// A request on its way through the pages.
    Travel,
}

/// Why a sealed value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "fuzz targets match on all of them")]
pub enum Unopened {
    /// Its time is over.
    Expired,
    /// Nobody with the keys made it, or for another purpose, or it holds something else.
    Foreign,
}

struct Raw<'a>(&'a [u8]);

impl<C> Encode<C> for Raw<'_> {
    fn encode<W: Write>(&self, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        encoder.writer_mut().write_all(self.0).map_err(encode::Error::write)
    }
}

impl Sealed {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Browser, Self::Reset, Self::Session, Self::Travel];

    const fn purpose(self) -> Purpose {
        match self {
            Self::Browser => Purpose::Browser,
            Self::Reset => Purpose::Reset,
            Self::Session => Purpose::Session,
            Self::Travel => Purpose::Travel,
        }
    }

    /// The CBOR that is written today for a value that is read from `plain`; nothing if it cannot be read.
    #[must_use]
    pub fn rewritten(self, plain: &[u8]) -> Option<Vec<u8>> {
        fn again<T: Encode<()> + for<'b> Decode<'b, ()>>(plain: &[u8]) -> Option<Vec<u8>> {
            minicbor::to_vec(minicbor::decode::<T>(plain).ok()?).ok()
        }
        match self {
            Self::Browser => again::<Browser>(plain),
            Self::Reset => again::<reset::Ticket>(plain),
            Self::Session => again::<session::Ticket>(plain),
            Self::Travel => again::<Travel>(plain),
        }
    }
}

impl SessionKeys {
    /// Seals CBOR as a value of this purpose, whatever it holds.
    #[must_use]
    pub fn sealed(&self, kind: Sealed, plain: &[u8], now: UnixTime, iv: [u8; 16]) -> String {
        self.seal(kind.purpose(), &Raw(plain), now, iv)
    }

    /// Opens a value of this purpose: the CBOR that is written today for it.
    ///
    /// # Errors
    /// [`Unopened`].
    pub fn opened(&self, kind: Sealed, text: &str, lifetime: Duration, now: UnixTime) -> Result<Vec<u8>, Unopened> {
        let opened = match kind {
            Sealed::Browser => self.read::<Browser>(kind, text, lifetime, now),
            Sealed::Reset => self.read::<reset::Ticket>(kind, text, lifetime, now),
            Sealed::Session => self.read::<session::Ticket>(kind, text, lifetime, now),
            Sealed::Travel => self.read::<Travel>(kind, text, lifetime, now),
        };
        opened.map_err(|why| match why {
            Unsealed::Expired => Unopened::Expired,
            Unsealed::Foreign => Unopened::Foreign,
        })
    }

    fn read<T: Encode<()> + for<'b> Decode<'b, ()>>(
        &self,
        kind: Sealed,
        text: &str,
        lifetime: Duration,
        now: UnixTime,
    ) -> Result<Vec<u8>, Unsealed> {
        let value: T = self.open(kind.purpose(), text, lifetime, now)?;
        minicbor::to_vec(value).map_err(|_| Unsealed::Foreign)
    }
}
