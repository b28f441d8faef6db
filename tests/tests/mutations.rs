//! Requests that nobody thought of: some thousands from a seed, made by breaking good ones (invariant I24).

use std::sync::Arc;

use http::Method;
use proofkey_tests::{
    Endpoint, PASSWORD, Rows, World, assert_well_formed, authorize_path, endpoints, pages, secret_of,
};

/// SplitMix64: a seed gives the same requests everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).unwrap_or_default() % end.max(1)
    }

    fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most + 1);
        (0..length).map(|_| self.byte()).collect()
    }

    /// Breaks some bytes in one of the ways in which bytes break.
    fn break_bytes(&mut self, bytes: &mut Vec<u8>) {
        let (from, to) = (self.below(bytes.len() + 1), self.below(bytes.len() + 1));
        let span = from.min(to)..from.max(to);
        match self.below(8) {
            0 => bytes.truncate(from),
            1 => {
                bytes.drain(span);
            }
            2 => {
                let copy = bytes[span].to_vec();
                bytes.splice(from..from, copy);
            }
            3 => {
                let random = self.bytes(12);
                bytes.splice(from..from, random);
            }
            4 if from < bytes.len() => bytes[from] ^= 1 << self.below(8),
            5 if from < bytes.len() => bytes[from] = self.byte(),
            6 => *bytes = self.bytes(300),
            _ => {
                let piece = *self.one(PIECES);
                bytes.splice(from..from, piece.iter().copied());
            }
        }
        bytes.truncate(20_000);
    }
}

/// What parsers stumble over.
const PIECES: &[&[u8]] = &[
    b"&",
    b"=",
    b"%",
    b"%00",
    b"%ff",
    b"%C0%80",
    b"+",
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"1e999",
    b"{\"a\":",
    b"[[[[[[[[",
    b"&client_id=web",
    b"&grant_type=",
    b"pfk_access_",
    b"pfk_refresh_AAAA",
    b"Bearer ",
    b"Basic ",
    b"\r\n",
    b" ",
    b"/",
    b"?",
    b"#",
    b"//",
    b"/../",
    b"%2e%2e",
    b"*",
];

/// A request as it is written down.
#[derive(Clone, Debug)]
struct Draft {
    method: String,
    target: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Draft {
    fn of(endpoint: &Endpoint, media_type: &str) -> Self {
        Self {
            method: endpoint.method.to_string(),
            target: endpoint.path.into(),
            headers: vec![("content-type".to_owned(), media_type.into())],
            body: endpoint.body(media_type),
        }
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn broken(mut self, dice: &mut Dice, all: &[Self]) -> Self {
        for _ in 0..=dice.below(3) {
            match dice.below(10) {
                0 => {
                    self.method =
                        dice.one(&["GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "Post", "X"]).to_string()
                }
                1 => dice.break_bytes(&mut self.target),
                2 => self.target.clone_from(&dice.one(all).target),
                3 => self.headers.extend(dice.one(all).headers.clone()),
                4 => {
                    let name = dice.one(&[
                        "origin",
                        "x-forwarded-for",
                        "authorization",
                        "content-type",
                        "cookie",
                        "accept",
                        "host",
                    ]);
                    let value = dice.bytes(40);
                    self.headers.push(((*name).to_owned(), value));
                }
                5 if !self.headers.is_empty() => {
                    let at = dice.below(self.headers.len());
                    dice.break_bytes(&mut self.headers[at].1);
                }
                6 => self.body.clone_from(&dice.one(all).body),
                _ => dice.break_bytes(&mut self.body),
            }
        }
        self
    }

    /// As a request, if HTTP can carry it at all.
    fn request(&self) -> Option<http::Request<bytes::Bytes>> {
        let method = Method::from_bytes(self.method.as_bytes()).ok()?;
        let mut builder = http::Request::builder().method(method).uri(&self.target[..]);
        for (name, value) in &self.headers {
            builder = builder.header(name, &value[..]);
        }
        builder.body(self.body.clone().into()).ok()
    }
}

/// Requests of which no broken form may write: their secrets are wrong, or they only read.
fn harmless(world: &World) -> Vec<Draft> {
    let bearer = format!("Bearer {}", world.sign_in().access);
    let mut drafts: Vec<Draft> = endpoints()
        .iter()
        .chain(&pages())
        .flat_map(|endpoint| endpoint.types.iter().map(|media_type| Draft::of(endpoint, media_type)))
        .collect();
    let mut way_in = Draft::of(&endpoints()[0], Endpoint::FORM);
    (way_in.method, way_in.target, way_in.body) = ("GET".to_owned(), authorize_path(&[]).into_bytes(), Vec::new());
    drafts.push(way_in);
    let silent: Vec<Draft> = drafts.iter().filter(|draft| draft.method == "GET").cloned().collect();
    drafts.extend(
        silent.into_iter().map(|draft| draft.header("authorization", &bearer).header("origin", "https://app.example")),
    );
    drafts
}

/// Requests that do what they say.
fn effective(world: &World) -> Vec<Draft> {
    let tokens = world.sign_in();
    let form = |path: &str, fields: &str| Draft {
        method: "POST".to_owned(),
        target: path.into(),
        headers: vec![("content-type".to_owned(), Endpoint::FORM.into())],
        body: fields.into(),
    };
    let code = world.code();
    let secret = secret_of("poster");
    let mut authorize = Draft::of(&endpoints()[0], Endpoint::JSON);
    authorize.body = String::from_utf8_lossy(&authorize.body).replace("a wrong one", PASSWORD).into_bytes();
    vec![
        authorize,
        form(
            "/auth/token",
            &format!(
                "grant_type=authorization_code&client_id=web&code={code}&code_verifier={}&redirect_uri=https://app.example/cb",
                proofkey_tests::VERIFIER
            ),
        ),
        form(
            "/auth/token",
            &format!("grant_type=refresh_token&client_id=web&refresh_token={}&scope=read", tokens.refresh),
        ),
        form("/auth/refresh", &format!("client_id=web&refresh_token={}", tokens.refresh)),
        form("/auth/revoke", &format!("client_id=web&token={}", tokens.access)),
        form(
            "/auth/token",
            &format!("grant_type=client_credentials&client_id=poster&client_secret={secret}&scope=read"),
        ),
    ]
}

/// Sends `count` broken forms of the drafts; returns how many HTTP could carry, and how many were refused.
fn send(world: &World, seed: u64, count: usize, drafts: &[Draft]) -> (usize, usize) {
    let mut dice = Dice(seed);
    let (mut sent, mut refused) = (0, 0);
    for _ in 0..count {
        let draft = dice.one(drafts).clone().broken(&mut dice, drafts);
        let Some(request) = draft.request() else { continue };
        let reply = world.send(request);
        assert!(reply.status.as_u16() < 500, "{draft:?}: {reply:?}");
        // A HEAD has the header fields of an answer and none of its body.
        if draft.method != "HEAD" {
            assert_well_formed(&reply, &format!("{draft:?}"));
        }
        sent += 1;
        refused += usize::from(reply.status.as_u16() >= 400);
    }
    (sent, refused)
}

#[test]
fn thousands_of_broken_requests_are_answered_and_store_nothing() {
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| builder.limit_user("off").limit_client("off").limit_address("off"));
    let drafts = harmless(&world);
    let before = (rows.lasting(), rows.len());
    let (sent, refused) = send(&world, 1, 8000, &drafts);
    assert!(sent > 5000 && refused > sent / 2 && refused < sent, "{refused} refused of {sent}");
    assert_eq!((rows.lasting(), rows.len()), before);
}

#[test]
fn under_limits_they_store_the_counters_and_nothing_else() {
    let rows = Arc::new(Rows::default());
    let world = World::over(rows.clone(), |builder| builder.trusted_proxies("192.0.2.0/24"));
    let drafts = harmless(&world);
    let before = rows.lasting();
    let (sent, refused) = send(&world, 2, 3000, &drafts);
    assert!(sent > 2000 && refused > sent / 2, "{refused} refused of {sent}");
    assert_eq!(rows.lasting(), before);
}

#[test]
fn broken_forms_of_good_requests_are_answered_whatever_they_come_to() {
    let mut refused_in_all = 0;
    for round in 0..60 {
        let world = World::new();
        let (sent, refused) = send(&world, 100 + round, 50, &effective(&world));
        refused_in_all += refused;
        assert!(sent > 25, "{sent}");
        assert!(world.works(&world.sign_in_as("portal", &serde_json::json!({})).access), "the server goes on");
    }
    assert!((500..2900).contains(&refused_in_all), "{refused_in_all}");
}
