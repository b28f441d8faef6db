//! Bytes side by side, without a buffer on the heap.

/// The parts, one after the other, and how many bytes they are; what does not fit is left out.
pub(crate) fn join<const N: usize>(parts: &[&[u8]]) -> ([u8; N], usize) {
    let (mut joined, mut len) = ([0; N], 0_usize);
    for part in parts {
        let end = len.saturating_add(part.len());
        let Some(to) = joined.get_mut(len..end) else { break };
        to.copy_from_slice(part);
        len = end;
    }
    (joined, len)
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn parts_stand_side_by_side_and_none_is_cut() {
        assert_eq!(join::<4>(&[b"a", b"", b"bc"]), (*b"abc\0", 3));
        assert_eq!(join::<4>(&[b"ab", b"cde"]), (*b"ab\0\0", 2));
    }
}
