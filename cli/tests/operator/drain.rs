//! What happens to requests under way when the server is told to stop.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::client::{Answer, FORM, connect, get, request};
use crate::place::{JOB_SECRET, PATIENCE, Place};

#[test]
fn a_request_under_way_is_answered_before_the_server_ends() {
    for signal in ["TERM", "INT"] {
        let place = Place::ready(&format!("drain-{signal}"));
        let mut server = place.serve(&[]);
        let body =
            format!("grant_type=client_credentials&client_id=job&client_secret={JOB_SECRET}&scope=contacts:read");
        let mut stream = under_way(server.address, &[], &body);
        server.signal(signal);
        let line = server.wait_for(|line| line["message"] == "stopping");
        assert_eq!((&line["connections"], &line["signal"]), (&1.into(), &format!("SIG{signal}").into()));
        let refused = TcpStream::connect_timeout(&server.address, PATIENCE).map(drop).map_err(|error| error.kind());
        assert_eq!(refused, Err(ErrorKind::ConnectionRefused), "nobody new is let in");
        stream.write_all(body.as_bytes()).unwrap();
        let answer = Answer::read(&stream).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        server.wait_for(|line| line["message"] == "stopped");
        assert_eq!(server.ended().0, 0);
    }
}

#[test]
fn a_connection_that_waits_for_nothing_does_not_hold_the_server_up() {
    let place = Place::ready("drain-idle");
    let server = place.serve(&["--store", "memory:", "--drain-timeout", "300s", "--request-timeout", "60s"]);
    let mut idle = connect(server.address);
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut start = [0; 15];
    idle.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    let (code, log) = server.stop();
    assert_eq!(code, 0);
    assert!(log.last().unwrap().contains("\"stopped\""), "{log:#?}");
}

#[test]
fn a_request_that_never_ends_is_cut_off_when_drain_timeout_has_passed() {
    let place = Place::ready("drain-cut");
    let mut server = place.serve(&["--store", "memory:", "--drain-timeout", "0s", "--request-timeout", "60s"]);
    let stream = under_way(server.address, &[], "body");
    server.signal("TERM");
    server.wait_for(|line| line["message"].as_str().is_some_and(|text| text.contains("cut requests off")));
    assert!(Answer::read(&stream).is_none());
    assert_eq!(server.ended().0, 0);
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let place = Place::ready("drain-twice");
    let mut server = place.serve(&["--store", "memory:", "--drain-timeout", "300s", "--request-timeout", "60s"]);
    let stream = under_way(server.address, &[], "body");
    server.signal("INT");
    server.wait_for(|line| line["message"] == "stopping");
    server.signal("INT");
    server.wait_for(|line| line["message"].as_str().is_some_and(|text| text.contains("a second signal")));
    assert!(Answer::read(&stream).is_none());
    assert_eq!(server.ended().0, 0);
}

#[test]
fn a_client_that_goes_away_leaves_its_line_and_the_server_goes_on() {
    let place = Place::ready("gone");
    let mut server = place.serve(&["--store", "memory:"]);
    drop(under_way(server.address, &["X-Request-Id: gone"], "body"));
    let line = server.wait_for(|line| line["request_id"] == "gone" && line["log"] == "request");
    assert_eq!(get(server.address, "/health", &[]).status, 200);
    assert!(line["status"].is_null() || line["status"] == 400, "{line}");
    server.stop();
}

/// A request whose body is yet to come, and which the server has begun to answer: it asks for the body.
fn under_way(address: SocketAddr, headers: &[&str], body: &str) -> TcpStream {
    let whole = request("POST", "/token", &[&[FORM, "Expect: 100-continue"], headers].concat(), body);
    let mut stream = connect(address);
    stream.write_all(&whole.as_bytes()[..whole.len() - body.len()]).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}
