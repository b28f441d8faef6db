//! Scope: a set of words. Its laws are held against a set of the standard library.

use std::collections::BTreeSet;

use proofkey_core::Scope;

use crate::source::lines;

pub(super) fn target(bytes: &[u8]) {
    let [one, other] = lines(bytes).map(|line| std::str::from_utf8(line).unwrap_or("\0"));
    let [first, second] = [one, other].map(checked);
    let (Some((a, set_a)), Some((b, set_b))) = (first, second) else { return };
    let words = |scope: &Scope| scope.iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(a == b, set_a == set_b);
    assert_eq!(a.is_subset_of(&b), set_a.is_subset(&set_b));
    let (both, either) = (a.intersection(&b), a.union(&b));
    assert_eq!(words(&both), &set_a & &set_b);
    assert_eq!(words(&either), &set_a | &set_b);
    for scope in [&both, &either] {
        assert!(scope.iter().is_sorted(), "one order: {scope}");
        assert_eq!(scope.is_empty(), scope.iter().next().is_none());
    }
    assert_eq!((both.clone(), either.clone()), (b.intersection(&a), b.union(&a)), "whichever comes first");
    assert!(both.is_subset_of(&a) && both.is_subset_of(&b) && a.is_subset_of(&either) && b.is_subset_of(&either));
    assert_eq!(a.union(&both), a);
    assert_eq!(a.intersection(&either), a);
}

/// The scope, if it is one, and its words.
fn checked(text: &str) -> Option<(Scope, BTreeSet<String>)> {
    let legal = |byte: u8| byte == 0x21 || (0x23..=0x5b).contains(&byte) || (0x5d..=0x7e).contains(&byte);
    let words: Vec<&str> = text.split(' ').collect();
    let is_scope =
        text.len() <= 1024 && words.len() <= 64 && words.iter().all(|word| !word.is_empty() && word.bytes().all(legal));
    let scope = Scope::parse(text);
    assert_eq!(scope.is_ok(), is_scope, "RFC 6749 section 3.3: {text:?}");
    let scope = scope.ok()?;
    assert_eq!(Scope::parse(scope.as_str()), Ok(scope.clone()), "printed and read");
    assert_eq!(scope.to_string(), scope.as_str());
    let reversed: Vec<&str> = words.iter().rev().copied().collect();
    assert_eq!(Scope::parse(&reversed.join(" ")), Ok(scope.clone()), "order does not matter");
    let set: BTreeSet<String> = words.into_iter().map(str::to_owned).collect();
    assert!(set.iter().all(|word| scope.contains(word)) && scope.iter().count() == set.len());
    Some((scope, set))
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    super::texts(&[
        "read write\nwrite profile",
        "b a b\na b",
        "a\na",
        "contacts:read\ncontacts",
        "a  b\nc",
        "a\"b\nr\u{e9}ad",
        "!#[]~\n]",
        &format!("{}\n{}", vec!["w"; 64].join(" "), "x".repeat(1024)),
    ])
}
