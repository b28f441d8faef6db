//! What a client may not do: long heads, long bodies, and taking its time.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::client::{Answer, FORM, connect, get, post, request, send};
use crate::place::Place;

#[test]
fn a_head_that_is_too_long_is_answered_431() {
    let place = Place::ready("head");
    let server = place.serve(&["--store", "memory:", "--max-header", "4096"]);
    let long = format!("X-Long: {}", "x".repeat(4096));
    assert_eq!(get(server.address, "/health", &[&long]).status, 431);
    let short = format!("X-Long: {}", "x".repeat(3800));
    assert_eq!(get(server.address, "/health", &[&short]).status, 200);
    assert_eq!(get(server.address, &format!("/health?{}", "x".repeat(5000)), &[]).status, 431);
    server.stop();
}

#[test]
fn a_body_that_is_too_long_is_answered_413_whether_or_not_it_says_so() {
    let place = Place::ready("body");
    let server = place.serve(&["--store", "memory:", "--max-body", "4096"]);
    let body = "x".repeat(4097);
    let answer = post(server.address, "/token", &[FORM], &body);
    assert_eq!((answer.status, answer.text("error")), (413, "invalid_request".to_owned()));
    let chunked = format!(
        "POST /token HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{FORM}\r\nTransfer-Encoding: chunked\r\n\r\n1001\r\n{body}\r\n0\r\n\r\n"
    );
    assert_eq!(send(server.address, &chunked).unwrap().status, 413);
    assert_eq!(post(server.address, "/token", &[FORM], &body[1..]).status, 400, "one byte less is read");
    server.stop();
}

#[test]
fn clients_that_take_their_time_are_cut_off_and_others_are_served_meanwhile() {
    let place = Place::ready("slow");
    let server = place.serve(&["--store", "memory:", "--request-timeout", "1s"]);
    let whole = request("POST", "/token", &[FORM], "grant_type=client_credentials");
    let head = whole.len() - "client_credentials".len();
    let slow: Vec<_> = [0, 1, head / 2, head]
        .map(|sent| {
            let mut stream = connect(server.address);
            stream.write_all(&whole.as_bytes()[..sent]).unwrap();
            (sent, stream)
        })
        .into();
    assert_eq!(get(server.address, "/health", &[]).status, 200);
    let since = Instant::now();
    for (sent, stream) in slow {
        // The read ends because the server ends the connection; this client would wait a minute.
        let answer = Answer::read(&stream);
        match answer {
            Some(answer) if sent == head => {
                assert_eq!((answer.status, answer.text("error")), (400, "invalid_request".to_owned()))
            }
            Some(answer) => assert_eq!(answer.status, 408, "{sent} bytes: {answer:?}"),
            None => assert!(sent < head, "{sent} bytes"),
        }
    }
    // Without the setting, a library's own default of 30 s would end them.
    assert!(since.elapsed() < Duration::from_secs(20));
    server.stop();
}
