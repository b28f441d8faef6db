//! One target, one file.

mod basic;
mod conversation;
mod cookie;
mod fernet;
mod form;
mod grant;
mod json;
mod pages;
mod pkce;
mod proxy;
mod record;
mod redirect;
mod registration;
mod request;
mod scope;
mod sealed;
mod settings;
mod token;

/// A property of the server, for any bytes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// Panics if the property does not hold for these bytes.
    pub run: fn(&[u8]),
    /// Inputs that reach what it is about.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How many times dearer than reading a form one run is, about: tests run it as much less often.
    pub cost: usize,
}

macro_rules! targets {
    ($($name:ident $cost:literal)*) => {
        /// All targets.
        pub const TARGETS: &[Target] = &[$(Target {
            name: stringify!($name), run: $name::target, seeds: $name::seeds, cost: $cost,
        }),*];
    };
}

targets! {
    basic 1
    conversation 40
    cookie 1
    fernet 4
    form 1
    grant 4
    json 1
    pages 20
    pkce 1
    proxy 1
    record 2
    redirect 1
    registration 1
    request 10
    scope 1
    sealed 8
    settings 4
    token 2
}

/// Seeds that are texts.
fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
