//! The suite that every store must pass, and what the example prints.

use std::process::Command;

use proofkey_example_own_store::Rows;

#[test]
fn rows_keep_the_contract() {
    proofkey::store::contract::check(Rows::default);
}

#[test]
fn a_server_over_rows_signs_in_and_out() {
    let ran = Command::new(env!("CARGO_BIN_EXE_proofkey-example-own-store")).output().unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{printed}\n{}", String::from_utf8_lossy(&ran.stderr));
    let expected = "a user: 1 row\n\
        the API says: reports for app\n\
        signed out of 1 grant\n\
        the API says: 401 invalid_token\n";
    assert_eq!(printed, expected);
}
