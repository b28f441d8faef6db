//! A rotation of the keys while the server answers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::client::{add_ada, form, is_active, job_token, sign_in};
use crate::place::Place;

fn keys_read(line: &Value) -> bool {
    line["message"] == "keys read"
}

#[test]
fn a_whole_rotation_under_load_fails_no_request_and_logs_nobody_out() {
    let place = Place::ready("rotation-load");
    add_ada(&place);
    let mut server = place.serve(&[]);
    let address = server.address;
    let before = job_token(address).unwrap().text("access_token");
    let mut refresh_token = sign_in(address).refresh_token;
    let (done, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let is_done = || done.load(Ordering::Relaxed);
    let (refreshes, last) = std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                while !is_done() {
                    let answer = job_token(address).expect("an answer");
                    assert_eq!(answer.status, 200, "{answer:?}");
                    assert!(is_active(address, &answer.text("access_token")));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let refreshing = threads.spawn(|| {
            let mut refreshes = 0;
            while !is_done() {
                let body = format!("grant_type=refresh_token&client_id=web&refresh_token={refresh_token}");
                let answer = form(address, "/token", &body);
                // More than five rotations of a grant in ten seconds are refused with 429, which says to wait.
                if answer.status != 429 {
                    assert_eq!(answer.status, 200, "{answer:?}");
                    refresh_token = answer.text("refresh_token");
                    refreshes += 1;
                }
            }
            (refreshes, refresh_token)
        });
        let added = place.run(&["keys", "add", "--json"]).succeeded().json();
        let [old, new] = serde_json::from_value::<[String; 2]>(added["keys"].clone()).unwrap();
        assert_eq!(server.wait_for(keys_read)["keys"], json!([old, new]));
        place.run(&["keys", "promote", &new]).succeeded();
        assert_eq!(server.wait_for(keys_read)["keys"], json!([new, old]));
        let at = answered.load(Ordering::Relaxed);
        while answered.load(Ordering::Relaxed) < at + 30 && !refreshing.is_finished() {
            std::thread::yield_now();
        }
        done.store(true, Ordering::Relaxed);
        refreshing.join().unwrap()
    });
    assert!(refreshes > 0 && answered.load(Ordering::Relaxed) > 30);
    assert!(is_active(address, &before), "a token of the old key works on");
    let body = format!("grant_type=refresh_token&client_id=web&refresh_token={last}");
    assert!([200, 429].contains(&form(address, "/token", &body).status));
    server.stop();
}

#[test]
fn the_keys_that_the_file_holds_are_the_ones_in_force() {
    let place = Place::ready("rotation-other");
    let mut server = place.serve(&["--store", "memory:"]);
    let old = job_token(server.address).unwrap().text("access_token");
    let before = place.read("proofkey.env");
    place.write_private("proofkey.env", &Place::ready("rotation-other-keys").read("proofkey.env"));
    server.wait_for(keys_read);
    assert!(!is_active(server.address, &old), "nobody rotates so, but it shows which keys judge");
    let new = job_token(server.address).unwrap().text("access_token");
    assert!(is_active(server.address, &new));
    place.write_private("proofkey.env", &before);
    server.wait_for(keys_read);
    assert_eq!((is_active(server.address, &old), is_active(server.address, &new)), (true, false));
    server.stop();
}

#[test]
fn a_file_without_usable_keys_leaves_the_old_ones_in_force() {
    let place = Place::ready("rotation-broken");
    let mut server = place.serve(&["--store", "memory:"]);
    let token = job_token(server.address).unwrap().text("access_token");
    let good = place.read("proofkey.env");
    place.write("proofkey.env", "OAUTH2_ENCRYPTION_KEY=half-of-a-k");
    let line = server.wait_for(|line| line["warning"] == "keys kept as they were");
    assert!(
        line["cause"].as_str().unwrap().contains("encryption_keys") && !line.to_string().contains("half-of"),
        "{line}"
    );
    assert!(is_active(server.address, &token));
    place.write("proofkey.env", &good);
    server.signal("HUP");
    server.wait_for(keys_read);
    assert!(is_active(server.address, &token));
    server.stop();
}

#[test]
fn a_hangup_reads_the_keys_and_opens_the_audit_log_anew() {
    let place = Place::ready("hangup");
    let mut server = place.serve(&["--store", "memory:", "--audit-log", "audit.log"]);
    job_token(server.address).unwrap();
    std::fs::rename(place.path("audit.log"), place.path("audit.log.1")).unwrap();
    server.signal("HUP");
    server.wait_for(keys_read);
    job_token(server.address).unwrap();
    let (_, log) = server.stop();
    let issued = |name: &str| place.read(name).lines().filter(|line| line.contains("token_issued")).count();
    assert_eq!((issued("audit.log.1"), issued("audit.log")), (1, 1));
    assert!(!log.iter().any(|line| line.contains("token_issued")), "events go to the audit log alone");
}
