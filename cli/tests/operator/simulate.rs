//! `proofkey simulate`: worlds that are only computed.

use crate::place::Place;

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

#[test]
fn a_simulation_says_which_worlds_it_is_about() {
    assert_eq!(Place::empty("simulate-nothing").run(&["simulate"]).code, 2);
}
