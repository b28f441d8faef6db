//! Mutations without coverage, the same ones every time: what an ordinary test can afford.

/// A small generator (xorshift), for nothing but variety.
#[derive(Clone, Debug)]
pub struct Mutator(u64);

/// Pieces that parsers look for.
const WORDS: [&[u8]; 24] = [
    b"%",
    b"%00",
    b"%2",
    b"+",
    b"&",
    b"=",
    b"&&",
    b"\"",
    b"\\u0000",
    b"\\",
    b"{",
    b"[",
    b"null",
    b";",
    b"https://",
    b"http://127.0.0.1:1/",
    b"[::1]",
    b"\n",
    b" ",
    b"\xff",
    b"\xc3\xa9",
    b"pfk_code_",
    b"Basic ",
    b"<i a=\"",
];

impl Mutator {
    /// One that starts anywhere but at 0.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap_or_default()
    }

    /// One of the inputs, changed in a few places, never longer than 8 KiB.
    pub fn mutated(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        if inputs.is_empty() {
            return Vec::new();
        }
        let mut bytes = inputs[self.below(inputs.len())].clone();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = self.next().to_le_bytes()[0],
                2 => {
                    let until = (at + 1 + self.below(8)).min(bytes.len());
                    bytes.drain(at..until);
                }
                3 => {
                    let word = WORDS[self.below(WORDS.len())];
                    bytes.splice(at..at, word.iter().copied());
                }
                4 => {
                    let other = &inputs[self.below(inputs.len())];
                    let from = self.below(other.len() + 1);
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[from..]);
                }
                5 => {
                    let until = (at + self.below(16)).min(bytes.len());
                    let copy = bytes[at..until].to_vec();
                    bytes.splice(at..at, copy);
                }
                _ => {
                    let more = self.next().to_le_bytes();
                    let length = self.below(more.len());
                    bytes.splice(at..at, more[..length].iter().copied());
                }
            }
        }
        bytes.truncate(8192);
        bytes
    }
}
