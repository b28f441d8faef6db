//! Histories written by hand, of which it is known whether a register gives them.

use super::super::dice::Dice;
use super::super::history::NEVER_WRITTEN;
use super::super::report::Story;
use super::*;

/// A call from `began` to `ended`.
fn call(began: u64, ended: u64, act: Act, answer: Answer) -> Call {
    Call { thread: usize::try_from(began).unwrap(), key: 0, act, answer, began, ended }
}

fn put(began: u64, ended: u64, expect: Option<usize>, new: usize, answer: Answer) -> Call {
    call(began, ended, Act::Put { expect, new }, answer)
}

fn delete(began: u64, ended: u64, expect: usize, answer: Answer) -> Call {
    call(began, ended, Act::Delete { expect }, answer)
}

fn get(began: u64, ended: u64, found: Option<usize>) -> Call {
    call(began, ended, Act::Get, Answer::Found(found))
}

const DONE: Answer = Answer::Done(true);
const REFUSED: Answer = Answer::Done(false);
const UNKNOWN: Answer = Answer::Unknown;

fn accepted(calls: &[Call]) -> bool {
    match judge(calls, false) {
        Verdict::Linearizable { .. } => true,
        Verdict::Impossible => false,
        Verdict::Undecided => panic!("given up"),
    }
}

#[test]
fn calls_one_after_the_other_are_those_of_a_register() {
    let calls = [
        get(0, 1, None),
        put(2, 3, None, 1, DONE),
        put(4, 5, None, 2, REFUSED),
        get(6, 7, Some(1)),
        put(8, 9, Some(1), 3, DONE),
        delete(10, 11, 1, REFUSED),
        delete(12, 13, 3, DONE),
        get(14, 15, None),
        put(16, 17, None, 4, DONE),
    ];
    assert!(accepted(&calls));
    assert!(accepted(&[]));
}

#[test]
fn calls_at_once_take_effect_in_either_order() {
    for found in [None, Some(1)] {
        assert!(accepted(&[put(0, 3, None, 1, DONE), get(1, 2, found)]), "{found:?}");
    }
    // The later answer may belong to the earlier effect.
    assert!(accepted(&[put(0, 9, None, 1, DONE), put(1, 4, Some(1), 2, DONE), get(2, 3, Some(2)), get(5, 6, Some(2))]));
    // But two readers must agree on the order of two writers.
    let writers = [put(0, 20, None, 1, DONE), put(1, 20, Some(1), 2, DONE)];
    let readers = |first, second| [get(2, 3, Some(first)), get(4, 5, Some(second))];
    assert!(accepted(&[writers, readers(1, 2)].concat()));
    assert!(!accepted(&[writers, readers(2, 1)].concat()));
}

#[test]
fn a_stale_read_after_an_acknowledged_write_is_refused() {
    assert!(!accepted(&[put(0, 1, None, 1, DONE), get(2, 3, None)]));
    assert!(!accepted(&[put(0, 1, None, 1, DONE), put(2, 3, Some(1), 2, DONE), get(4, 5, Some(1))]));
    // Neither may a reader fall behind another reader, though the write is under way.
    assert!(!accepted(&[put(0, 9, None, 1, DONE), get(1, 2, Some(1)), get(3, 4, None)]));
}

#[test]
fn two_winners_of_one_expectation_are_refused() {
    assert!(!accepted(&[put(0, 3, None, 1, DONE), put(1, 2, None, 2, DONE)]));
    let first = put(0, 1, None, 1, DONE);
    assert!(!accepted(&[first, put(2, 5, Some(1), 2, DONE), put(3, 4, Some(1), 3, DONE)]));
    assert!(!accepted(&[first, put(2, 5, Some(1), 2, DONE), delete(3, 4, 1, DONE)]));
    assert!(accepted(&[first, put(2, 5, Some(1), 2, DONE), put(3, 4, Some(1), 3, REFUSED)]));
}

#[test]
fn a_lost_update_is_refused() {
    let calls = [put(0, 1, None, 1, DONE), put(2, 3, Some(1), 2, DONE), put(4, 5, Some(1), 3, DONE)];
    assert!(!accepted(&calls));
    assert!(!accepted(&[put(0, 1, None, 1, DONE), delete(2, 3, 1, REFUSED)]));
}

#[test]
fn a_deleted_record_that_comes_back_is_refused() {
    let deleted = [put(0, 1, None, 1, DONE), delete(2, 3, 1, DONE)];
    assert!(!accepted(&[deleted.as_slice(), &[get(4, 5, None), get(6, 7, Some(1))]].concat()));
    assert!(!accepted(&[deleted.as_slice(), &[put(4, 5, Some(1), 2, DONE)]].concat()));
    // But for a first write whose outcome is unknown, repeated and done, and done once more after the deletion.
    let unknown = put(0, 9, None, 1, UNKNOWN);
    assert!(accepted(&[&[unknown], deleted.as_slice(), &[get(4, 5, None), get(6, 7, Some(1))]].concat()));
}

#[test]
fn a_value_that_nobody_wrote_is_refused() {
    assert!(!accepted(&[get(0, 1, Some(NEVER_WRITTEN))]));
    assert!(!accepted(&[put(0, 1, None, 1, DONE), get(2, 3, Some(2))]));
    // Nor may a write be seen before it began, or one that was refused.
    assert!(!accepted(&[get(0, 1, Some(1)), put(2, 3, None, 1, DONE)]));
    assert!(!accepted(&[put(0, 1, None, 1, DONE), put(2, 5, None, 2, REFUSED), get(3, 4, Some(2))]));
}

#[test]
fn an_unknown_write_may_be_done_at_any_time_or_never_but_not_twice() {
    let before = [put(0, 1, None, 1, DONE), put(2, 3, Some(1), 2, UNKNOWN)];
    let then = |calls: &[Call]| accepted(&[before.as_slice(), calls].concat());
    assert!(then(&[get(4, 5, Some(1))]), "never");
    assert!(then(&[get(4, 5, Some(2))]), "at once");
    assert!(then(&[get(4, 5, Some(1)), get(6, 7, Some(2))]), "later");
    assert!(then(&[put(4, 5, Some(1), 3, DONE)]) && then(&[put(4, 5, Some(2), 3, DONE)]));
    assert!(!then(&[get(4, 5, Some(2)), get(6, 7, Some(1))]), "it is not undone");
    assert!(!then(&[put(4, 5, Some(1), 3, DONE), get(6, 7, Some(2))]), "its expectation is gone");
    assert!(!then(&[get(4, 5, None)]));
    // The identical write again: refused, because the first one was done.
    assert!(then(&[put(4, 5, Some(1), 2, REFUSED), get(6, 7, Some(2))]));
    assert!(!then(&[put(4, 5, Some(1), 2, REFUSED), get(6, 7, Some(1))]));
    // A deletion is no different, and not before its beginning.
    let gone = delete(4, 5, 1, UNKNOWN);
    assert!(then(&[gone, get(6, 7, None)]) && then(&[gone, get(6, 7, Some(1))]));
    assert!(!then(&[get(2, 3, None), gone]));
}

#[test]
fn a_refusal_without_a_reason_is_accepted_only_where_the_contract_is_asked() {
    let calls = [put(0, 1, None, 1, DONE), put(2, 3, Some(1), 2, REFUSED), get(4, 5, Some(1))];
    assert!(!accepted(&calls));
    assert!(matches!(judge(&calls, true), Verdict::Linearizable { .. }));
    let done_all_the_same = [put(0, 1, None, 1, DONE), put(2, 3, Some(1), 2, REFUSED), get(4, 5, Some(2))];
    assert_eq!(judge(&done_all_the_same, true), Verdict::Impossible);
}

#[test]
fn the_story_ends_with_the_answer_that_cannot_be() {
    let good = [put(0, 1, None, 1, DONE), put(2, 9, Some(1), 2, DONE), get(3, 4, Some(2))];
    let bad = [get(5, 6, Some(1)), get(10, 11, Some(2)), get(12, 13, Some(2))];
    let story = Story::of(&[good.as_slice(), &bad].concat(), false).to_string();
    let lines: Vec<&str> = story.lines().collect();
    assert_eq!(lines.len(), 5, "{story}");
    assert!(lines[4].ends_with("get -> w1   <- cannot be"), "{story}");
    assert!(lines[2].ends_with("put w2 over w1 -> unknown"), "under way at that time: {story}");
}

#[test]
fn the_search_stays_small_where_many_writes_are_unknown() {
    // Sixty-four writers at once with the same expectation, none of whom was told anything, and a chain after them.
    let unknown = (0..64).map(|at| put(at, 1000, None, 1 + usize::try_from(at).unwrap(), UNKNOWN));
    let chain = (0..40_u64).map(|at| {
        let (began, from) = (2000 + 10 * at, if at == 0 { 64 } else { usize::try_from(at).unwrap() + 99 });
        put(began, began + 1, Some(from), usize::try_from(at).unwrap() + 100, DONE)
    });
    let calls: Vec<Call> = unknown.chain(chain).collect();
    let Verdict::Linearizable { steps } = judge(&calls, false) else { panic!("it is a register's") };
    assert!(steps < 10_000, "{steps}");
    let lost = [calls, vec![get(9000, 9001, Some(1))]].concat();
    assert_eq!(judge(&lost, false), Verdict::Impossible);
}

/// The definition, tried out: every order, with every choice of the unknown calls that take effect.
fn by_definition(calls: &[Call], placed: &mut Vec<usize>, holds: Option<usize>) -> bool {
    let left: Vec<usize> = (0..calls.len()).filter(|at| !placed.contains(at)).collect();
    if left.iter().all(|at| calls[*at].answer == UNKNOWN) {
        return true;
    }
    left.iter().any(|next| {
        let earlier = |other: &usize| calls[*other].answer != UNKNOWN && calls[*other].ended < calls[*next].began;
        if left.iter().any(earlier) {
            return false;
        }
        let Some(holds) = calls[*next].after(holds, false) else { return false };
        placed.push(*next);
        let found = by_definition(calls, placed, holds);
        placed.pop();
        found
    })
}

#[test]
fn the_search_agrees_with_the_definition_on_small_histories() {
    let mut dice = Dice::new(1, [0, 0]);
    let mut verdicts = [0, 0];
    for _ in 0..4000 {
        let mut times: Vec<u64> = (0..10).collect();
        for at in (1..times.len()).rev() {
            times.swap(at, dice.below(at + 1));
        }
        let few = |dice: &mut Dice| dice.below(3).checked_sub(1);
        let calls: Vec<Call> = times
            .chunks(2)
            .enumerate()
            .map(|(at, ends)| {
                let (began, ended) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
                let answer = [DONE, DONE, DONE, REFUSED, UNKNOWN][dice.below(5)];
                match dice.below(6) {
                    0 | 1 => get(began, ended, few(&mut dice)),
                    2 => delete(began, ended, dice.below(2), answer),
                    _ => put(began, ended, few(&mut dice), at % 2, answer),
                }
            })
            .collect();
        let expected = by_definition(&calls, &mut Vec::new(), None);
        assert_eq!(accepted(&calls), expected, "{calls:?}");
        verdicts[usize::from(expected)] += 1;
    }
    assert!(verdicts.iter().all(|count| *count > 400), "both are tried: {verdicts:?}");
}
