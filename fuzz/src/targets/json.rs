//! JSON bodies: what is read stands there as a second parser reads it, and every object of texts is read.

use proofkey_core::fuzzing::json;
use serde_json::{Map, Value};

pub(super) fn target(bytes: &[u8]) {
    let parsed: Option<Map<String, Value>> = serde_json::from_slice(bytes).ok();
    let Some(members) = json(bytes) else {
        if let Some(object) = parsed.filter(|object| object.len() <= 64 && object.values().all(Value::is_string)) {
            // Written anew no member is there twice: then it is read.
            assert!(json(Value::Object(object).to_string().as_bytes()).is_some(), "an object of texts is refused");
        }
        return;
    };
    let object = parsed.unwrap_or_else(|| panic!("what is read is an object"));
    let mut again = Map::new();
    for (name, text) in &members {
        let there = match &object[*name] {
            Value::String(one) => one == text,
            Value::Array(many) => many.iter().any(|one| one == text),
            _ => false,
        };
        assert!(there, "{name} is read as it stands there");
        let many = again.entry(*name).or_insert_with(|| Value::Array(Vec::new()));
        many.as_array_mut().unwrap_or_else(|| panic!("a list")).push(text.clone().into());
    }
    for (name, many) in &again {
        assert!(name == "resource" || many.as_array().is_some_and(|many| many.len() == 1), "{name} once");
    }
    let written = json(Value::Object(again).to_string().as_bytes()).unwrap_or_else(|| panic!("read once more"));
    let sorted = |mut members: Vec<(&'static str, String)>| {
        members.sort_by_key(|(name, _)| *name);
        members
    };
    assert_eq!(sorted(written), sorted(members), "written and read again");
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    super::texts(&[
        r#"{"client_id":"web","code_challenge_method":"S256","resource":["https://a.example/","b:c"],"x":{"y":[1.5e3]}}"#,
        r#"{"code":"a","code":"b"}"#,
        r#"{"code":null,"scope":["read"],"state":"\u00e9\ud83d\ude00\u0000"}"#,
        r#"{"code":["a","b"]}"#,
        r#"{"x":[[[[[[[[{}]]]]]]]],"password":"p"} "#,
        r#"{"code":"\ud800"}"#,
        "[]",
    ])
}
