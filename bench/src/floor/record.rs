//! The record of the floor: the same members in the same encoding as a grant's.

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

#[derive(Encode, Decode)]
pub(super) struct Grant<'a> {
    #[b(0)]
    pub(super) client_id: &'a str,
    #[b(1)]
    pub(super) subject: Option<&'a str>,
    #[b(2)]
    pub(super) username: Option<&'a str>,
    #[b(3)]
    pub(super) scope: &'a str,
    #[b(4)]
    pub(super) resources: Vec<&'a str>,
    #[n(5)]
    pub(super) created_at: u64,
    #[n(6)]
    pub(super) ends_at: u64,
    #[n(7)]
    pub(super) auth_time: Option<u64>,
    #[b(8)]
    pub(super) amr: Vec<&'a str>,
    #[n(9)]
    pub(super) id: ByteArray<16>,
    #[b(10)]
    pub(super) binding: Binding<'a>,
    /// None until the code is redeemed.
    #[n(11)]
    pub(super) live: Option<Live>,
}

#[derive(Encode, Decode)]
pub(super) struct Binding<'a> {
    #[n(0)]
    pub(super) code: ByteArray<32>,
    #[n(1)]
    pub(super) challenge: ByteArray<32>,
    #[b(2)]
    pub(super) redirect_uri: &'a str,
    #[n(3)]
    pub(super) expires_at: u64,
}

#[derive(Encode, Decode)]
pub(super) struct Live {
    #[n(0)]
    pub(super) generation: u32,
    #[n(1)]
    pub(super) refresh: ByteArray<32>,
    #[n(2)]
    pub(super) predecessor: Option<ByteArray<32>>,
    #[n(3)]
    pub(super) seed: ByteArray<32>,
    #[n(4)]
    pub(super) key: ByteArray<4>,
    #[n(5)]
    pub(super) refresh_expires_at: u64,
    #[n(6)]
    pub(super) turns: Vec<u64>,
    #[n(7)]
    pub(super) access: Vec<Access>,
}

#[derive(Encode, Decode)]
pub(super) struct Access {
    #[n(0)]
    pub(super) digest: ByteArray<32>,
    #[n(1)]
    pub(super) generation: u32,
    #[n(2)]
    pub(super) issued_at: u64,
    #[n(3)]
    pub(super) expires_at: u64,
    #[n(4)]
    pub(super) key: ByteArray<4>,
}
