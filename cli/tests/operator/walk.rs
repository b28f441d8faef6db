//! `proofkey try`: the walk tells what is so, and what is not.

use crate::client::{PASSWORD, add_ada, send};
use crate::place::{Place, Run};

const WALK: [&str; 5] = ["try", "web", "--username", "ada@example.com", "--password-stdin"];

fn walk(place: &Place, url: &str, password: &str, more: &[&str]) -> Run {
    place.run_fed(password, &[&WALK[..], &["--url", url], more].concat())
}

#[test]
fn every_step_is_as_it_should_be_and_no_secret_is_shown_whole() {
    let place = Place::ready("walk");
    add_ada(&place);
    let server = place.serve(&[]);
    // The issuer of the settings names no port that anybody listens on; the walk goes to the address that is given.
    let url = format!("http://{}", server.address);
    let steps = walk(&place, &url, PASSWORD, &["--replay", "--json"]).succeeded().json();
    let statuses: Vec<u64> = steps.as_array().unwrap().iter().map(|step| step["status"].as_u64().unwrap()).collect();
    let signed_in = [200, 200, 200, 200];
    let walked = [&signed_in[..], &[200, 200, 401, 200, 401, 400], &signed_in, &[400, 401, 400]].concat();
    assert_eq!(statuses, walked);
    assert_eq!(steps[4]["answer"]["refresh_token"], steps[5]["answer"]["refresh_token"], "the same refresh again");

    let text = walk(&place, &url, PASSWORD, &[]).succeeded().stdout;
    assert!(text.contains("10 steps, each as it should be"), "{text}");
    let longest = text.split_whitespace().filter_map(|word| word.split_once("pfk_")).map(|(_, rest)| rest.len()).max();
    assert!(longest.unwrap() < 24 && !text.contains(PASSWORD), "{text}");
}

#[test]
fn a_step_that_is_not_as_it_should_be_ends_the_walk_with_what_was_expected() {
    let place = Place::ready("walk-wrong");
    add_ada(&place);
    let server = place.serve(&[]);
    let run = walk(&place, &format!("http://{}", server.address), "wrong", &[]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("NOT as it should be; expected: 200"), "{}", run.stdout);
    assert!(run.stderr.contains("step 2 is not as it should be"), "{}", run.stderr);
}

#[test]
fn without_a_name_somebody_signs_in_in_the_browser_and_the_walk_goes_on_with_the_code() {
    let place = Place::ready("walk-browser");
    add_ada(&place);
    let add = ["clients", "add", "tool", "--native", "--redirect-uri", "http://127.0.0.1/callback", "--first-party"];
    place.run(&add).succeeded();
    let server = place.serve(&[]);
    let url = format!("http://{}", server.address);
    let trying = place.begin(&["try", "tool", "--url", &url, "--json"]);
    let shown = trying.line_with("/authorize?");
    let target = &shown[shown.find("/authorize?").unwrap()..];
    let page = send(server.address, &format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).unwrap();
    let cookie = page.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let (_, after) = page.body.split_once("name=\"request\" value=\"").unwrap();
    let sealed = after.split('"').next().unwrap();
    let form = format!("request={sealed}&username=ada%40example.com&password={}", PASSWORD.replace(' ', "+"));
    let head = "content-type: application/x-www-form-urlencoded\r\nconnection: close";
    let length = form.len();
    let post = format!(
        "POST /login HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\n{head}\r\ncontent-length: {length}\r\n\r\n{form}"
    );
    let back = send(server.address, &post).unwrap();
    let location = back.header("location").unwrap_or_else(|| panic!("{back:?}"));
    let (authority, target) = location.strip_prefix("http://").unwrap().split_once('/').unwrap();
    // A browser asks for an icon, too.
    let ask = |target: &str| {
        send(authority.parse().unwrap(), &format!("GET /{target} HTTP/1.1\r\nhost: x\r\n\r\n")).unwrap().status
    };
    assert_eq!((ask("favicon.ico"), ask(target)), (404, 200));
    let steps = trying.end().succeeded().json();
    let statuses: Vec<u64> = steps.as_array().unwrap().iter().map(|step| step["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 303, 200, 200, 200, 200, 401, 200, 401, 400]);
}

#[test]
fn what_the_walk_needs_is_said() {
    let place = Place::ready("walk-needs");
    let nobody_listens = walk(&place, "http://127.0.0.1:1", PASSWORD, &[]);
    assert!(nobody_listens.code == 1 && nobody_listens.stderr.contains("is the server running"));
    let tls = walk(&place, "https://id.example.com", PASSWORD, &[]);
    assert!(tls.code == 1 && tls.stderr.contains("--url"), "{}", tls.stderr);
    let unknown = place.run_fed(PASSWORD, &["try", "nobody", "--username", "ada", "--password-stdin"]);
    assert!(unknown.code == 1 && unknown.stderr.contains("there is no client nobody"), "{}", unknown.stderr);
    let elsewhere =
        ["clients", "add", "api", "--redirect-uri", "https://a.example/cb", "--default-resource", "https://a.example/"];
    place.run(&elsewhere).succeeded();
    let elsewhere = place.run_fed(PASSWORD, &["try", "api", "--username", "ada", "--password-stdin"]);
    assert!(elsewhere.code == 1 && elsewhere.stderr.contains("default resources"), "{}", elsewhere.stderr);
    let nowhere = place.run(&["try", "web", "--url", "http://127.0.0.1:1"]);
    assert!(nowhere.code == 1 && nowhere.stderr.contains("is the server running"), "{}", nowhere.stderr);
    let confidential = place.run_fed(PASSWORD, &["try", "job", "--username", "ada", "--password-stdin"]);
    assert!(confidential.code == 1 && confidential.stderr.contains("--secret-file"), "{}", confidential.stderr);
}
