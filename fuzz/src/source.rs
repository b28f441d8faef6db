//! Bytes as a row of choices. Where they end, everything is 0: the plainest choice.

/// What is left of the bytes.
pub(crate) struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `limit`, which is at most 256.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit.max(1)
    }

    /// One of some values, of which there is at least one.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// The next bytes, at most `longest`: a byte says how many.
    pub(crate) fn bytes(&mut self, longest: usize) -> &'a [u8] {
        let length = self.below(longest + 1).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    /// The same as text; what is no UTF-8 is replaced.
    pub(crate) fn text(&mut self, longest: usize) -> String {
        String::from_utf8_lossy(self.bytes(longest)).into_owned()
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// The lines of an input, the first `N` of them; the last holds what is left.
pub(crate) fn lines<const N: usize>(bytes: &[u8]) -> [&[u8]; N] {
    let mut pieces = bytes.splitn(N, |byte| *byte == b'\n');
    std::array::from_fn(|_| pieces.next().unwrap_or_default())
}
