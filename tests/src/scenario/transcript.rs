//! An exchange as text. Header fields of an answer stand in the order of their names, for HTTP gives them none.

use std::fmt::Write as _;

use bytes::Bytes;

use crate::Reply;

pub(super) fn request(request: &http::Request<Bytes>) -> String {
    let mut text = format!("> {} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        let _ = writeln!(text, "> {name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    body(&mut text, '>', request.body());
    text
}

pub(super) fn answer(reply: &Reply) -> String {
    let mut text = format!("< {}\n", reply.status.as_u16());
    let mut fields: Vec<_> = reply.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    fields.sort_unstable();
    for (name, value) in fields {
        let _ = writeln!(text, "< {name}: {}", String::from_utf8_lossy(value));
    }
    body(&mut text, '<', &reply.body);
    text
}

fn body(text: &mut String, mark: char, body: &[u8]) {
    if !body.is_empty() {
        let _ = writeln!(text, "{mark} {}", String::from_utf8_lossy(body));
    }
}
