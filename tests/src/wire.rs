//! HTTP over a socket, written and read by hand: nothing between the test and the bytes.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Reply;

/// Sends these bytes on a connection of their own and reads the answer to its end.
///
/// # Panics
/// If there is no well-formed answer.
pub async fn exchange(address: SocketAddr, request: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap_or_else(|error| panic!("a connection: {error}"));
    // A server that has refused a request already need not read the rest of it.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    parse(&answer).unwrap_or_else(|| panic!("an answer: {}", String::from_utf8_lossy(&answer)))
}

/// `GET`, or another method without a body, with these header fields.
///
/// # Panics
/// If there is no well-formed answer.
pub async fn get(address: SocketAddr, method_and_path: &str, headers: &[(&str, &str)]) -> Reply {
    exchange(address, head(method_and_path, headers, None).as_bytes()).await
}

/// `POST` of a body with these header fields.
///
/// # Panics
/// If there is no well-formed answer.
pub async fn post(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let head = head(&format!("POST {path}"), headers, Some(body.len()));
    exchange(address, format!("{head}{body}").as_bytes()).await
}

fn head(method_and_path: &str, headers: &[(&str, &str)], length: Option<usize>) -> String {
    let mut head = format!("{method_and_path} HTTP/1.1\r\nhost: as.example\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(length) = length {
        head.push_str(&format!("content-length: {length}\r\n"));
    }
    head.push_str("\r\n");
    head
}

fn parse(answer: &[u8]) -> Option<Reply> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let mut lines = std::str::from_utf8(&answer[..end]).ok()?.split("\r\n");
    let status = StatusCode::from_bytes(lines.next()?.split(' ').nth(1)?.as_bytes()).ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value.trim()).ok()?);
    }
    // What the answer cost the store does not travel.
    Some(Reply { status, headers, body: Bytes::copy_from_slice(&answer[end + 4..]), store_calls: 0 })
}
