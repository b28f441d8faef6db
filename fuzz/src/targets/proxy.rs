//! The client's address behind proxies: nobody but a trusted proxy says where a request comes from.

use std::net::IpAddr;

use http::{HeaderValue, Request};
use ipnet::IpNet;
use proofkey_core::fuzzing::client_address;

use crate::source::lines;

const TRUSTED: [&str; 3] = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7/32"];

pub(super) fn target(bytes: &[u8]) {
    let [peer, forwarded] = lines(bytes);
    let peer: Option<IpAddr> = std::str::from_utf8(peer).ok().and_then(|peer| peer.parse().ok());
    let trusted: Vec<IpNet> = TRUSTED.iter().filter_map(|network| network.parse().ok()).collect();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut request = Request::new(bytes::Bytes::new());
    let lines = forwarded.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    for line in lines.take(64) {
        request.headers_mut().append("x-forwarded-for", line);
    }
    let request = proofkey_core::Request::new(request, peer);
    let address = client_address(&request, &trusted);
    assert_eq!(client_address(&request, &[]), peer.map(|peer| peer.to_canonical()), "without proxies it is the peer");
    let (Some(address), Some(peer)) = (address, peer) else {
        assert!(address.is_none() && peer.is_none());
        return;
    };
    let peer = peer.to_canonical();
    assert_eq!(address, address.to_canonical());
    if !is_trusted(peer) {
        assert_eq!(address, peer, "a stranger says nothing of its own address");
    }
    if address != peer {
        let hops = String::from_utf8_lossy(forwarded).into_owned();
        let mut named = hops.split([',', '\n']).filter_map(|hop| hop.trim().parse::<IpAddr>().ok());
        assert!(named.any(|hop| hop.to_canonical() == address), "it is a hop that was named");
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    super::texts(&[
        "10.0.0.1\n203.0.113.9, 10.1.1.1",
        "203.0.113.9\n198.51.100.1",
        "::ffff:10.0.0.1\n2001:db8::1, 2001:db9::1,10.0.0.2\n10.0.0.3",
        "192.0.2.7\nunknown, 10.0.0.9",
        "2001:db8::5\n, ,",
        "\n1.2.3.4",
    ])
}
