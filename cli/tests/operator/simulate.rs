//! `proofkey simulate`: worlds that are only computed.

use crate::place::Place;

#[test]
fn a_world_is_told_step_by_step_and_its_seed_replays_it_byte_for_byte() {
    let place = Place::empty("simulate-one");
    let told = |seed| place.run(&["simulate", "--seed", seed, "--steps", "200", "--verbose"]).succeeded().stdout;
    let first = told("42");
    assert_eq!(first, told("42"));
    assert_ne!(first, told("43"));
    for what in [": authorize user", ": get g.", ": put g.", " redeem code", "the faults are off", "share of worlds"] {
        assert!(first.contains(what), "{what} is not told: {first}");
    }
}

#[test]
fn many_worlds_are_counted_by_operation_and_by_fault() {
    let told = Place::empty("simulate-many").run(&["simulate", "--worlds", "200"]).succeeded().stdout;
    for row in ["worlds ", "not counted ", "authorize ", "refresh ", "sweep ", "reply to the client lost "] {
        assert!(told.lines().any(|line| line.starts_with(row)), "{row} has no row: {told}");
    }
}

#[test]
fn small_worlds_are_walked_through_and_counted_without_a_server() {
    let place = Place::empty("simulate");
    let told = place.run(&["simulate", "--exhaustive", "--quick"]).succeeded().stdout;
    let row = |name: &str| told.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    for name in ["redeem + redeem ", "refresh + refresh + revoke ", "all "] {
        let row = row(name).unwrap_or_else(|| panic!("{name} has no row: {told}"));
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert!(cells.len() > 2 && cells.last() == Some(&"0"), "{row}");
    }
}
