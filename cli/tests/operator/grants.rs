//! `proofkey grants`: what a running server has granted, ended from outside it.

use crate::client::{add_ada, get, sign_in};
use crate::place::{Place, Served};

fn works(server: &Served, access_token: &str) -> bool {
    get(server.address, "/userinfo", &[&format!("Authorization: Bearer {access_token}")]).status == 200
}

fn listed(place: &Place, of: &[&str]) -> Vec<String> {
    let list = place.run(&[&["grants", "list", "--json"], of].concat()).succeeded().json();
    list.as_array().unwrap().iter().map(|grant| grant["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn one_grant_is_revoked_by_its_identifier_and_the_others_live_on() {
    let place = Place::ready("grants-one");
    add_ada(&place);
    let server = place.serve(&[]);
    let (first, second) = (sign_in(server.address), sign_in(server.address));
    let grants = listed(&place, &["--user", "ada@example.com"]);
    assert_eq!(grants.len(), 2);
    let ended = grants.iter().find(|id| first.access_token.contains(&id[..20])).unwrap();
    assert_eq!(place.run(&["grants", "revoke", ended, "--json"]).succeeded().json()["grants_revoked"], 1);
    assert!(!works(&server, &first.access_token) && works(&server, &second.access_token));
    assert_eq!(listed(&place, &["--client", "web"]).len(), 1);
    assert_eq!(place.run(&["grants", "revoke", ended]).code, 1, "there is nothing left to revoke");
}

#[test]
fn all_grants_of_a_user_or_of_a_client_end_at_once_but_only_when_all_are_meant() {
    let place = Place::ready("grants-all");
    add_ada(&place);
    let server = place.serve(&[]);
    for whose in [["--user", "ada@example.com"], ["--client", "web"]] {
        let (first, second) = (sign_in(server.address), sign_in(server.address));
        assert_eq!(place.run(&["grants", "revoke", whose[0], whose[1]]).code, 2, "{whose:?} without --all");
        assert!(works(&server, &first.access_token));
        let run = place.run(&["grants", "revoke", whose[0], whose[1], "--all"]).succeeded();
        assert_eq!(run.stdout.trim(), "2 grants revoked");
        assert!(!works(&server, &first.access_token) && !works(&server, &second.access_token), "{whose:?}");
        assert!(listed(&place, &whose).is_empty());
    }
    assert_eq!(place.run(&["grants", "list"]).code, 2, "whose?");
    assert_eq!(place.run(&["grants", "list", "--user", "nobody"]).code, 1);
}
