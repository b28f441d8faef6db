//! What can be wrong with a registration; all of it is found at once.

use super::{AuthMethod, Client, GrantType};
use crate::redirect::{InvalidRedirectUri, RedirectUri};
use crate::scope::Scope;

/// What is wrong with a registration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidClient {
    /// The identifier is empty, too long or has characters that RFC 6749 appendix A.1 does not allow.
    #[error("client_id is 1 to 255 printable ASCII characters")]
    ClientId,
    /// A client that could not keep its secret wants a token for itself, or to introspect.
    #[error("client {0}: only a confidential web client may use client_credentials or introspect; give it a secret")]
    Confidential(String),
    /// Lifetimes out of range.
    #[error("client {0}: {1}")]
    Lifetime(String, &'static str),
    /// The authorization code grant needs a place to send the code to.
    #[error("client {0}: the authorization_code grant needs a redirect_uri (RFC 6749 section 3.1.2.2)")]
    NoRedirectUri(String),
    /// A confidential client without a secret.
    #[error("client {0}: a confidential client needs a client_secret")]
    NoSecret(String),
    /// More web origins than a stored client can have.
    #[error("client {0}: a stored client has at most two web origins among its redirect_uris; configure it instead")]
    Origins(String),
    /// A redirect URI that cannot be registered.
    #[error("client {0}: redirect_uri {1}: {2}")]
    RedirectUri(String, String, InvalidRedirectUri),
    /// A resource that is no absolute URI.
    #[error("client {0}: a resource is an absolute URI without fragment (RFC 8707 section 2)")]
    Resource(String),
    /// A scope that is malformed.
    #[error("client {0}: scope is malformed (RFC 6749 section 3.3)")]
    Scope(String),
    /// A public client with a secret.
    #[error("client {0}: a public client has no client_secret (RFC 6749 section 10.1)")]
    SecretOfPublic(String),
}
impl Client {
    /// All that is wrong with the registration.
    #[must_use]
    pub fn problems(&self) -> Vec<InvalidClient> {
        let id = || self.client_id.clone();
        let mut problems = Vec::new();
        let mut require = |holds: bool, problem: InvalidClient| {
            if !holds {
                problems.push(problem);
            }
        };
        let id_characters = self.client_id.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        require((1..=255).contains(&self.client_id.len()) && id_characters, InvalidClient::ClientId);
        let public = self.auth_method == AuthMethod::None;
        require(!public || self.secrets.is_empty(), InvalidClient::SecretOfPublic(id()));
        require(public || !self.secrets.is_empty(), InvalidClient::NoSecret(id()));
        let alone = self.introspects || self.grant_types.contains(&GrantType::ClientCredentials);
        require(!alone || self.is_confidential(), InvalidClient::Confidential(id()));
        let needs_redirect = self.grant_types.contains(&GrantType::AuthorizationCode);
        require(!needs_redirect || !self.redirect_texts.is_empty(), InvalidClient::NoRedirectUri(id()));
        require(self.scope_text.is_empty() || Scope::parse(&self.scope_text).is_ok(), InvalidClient::Scope(id()));
        let resources = self.resources.iter().chain(&self.serves);
        require(resources.into_iter().all(|uri| is_resource(uri)), InvalidClient::Resource(id()));
        let lifetimes = [
            (self.access_token_lifetime, 60..=86_400, "access_token_lifetime is 60 s to 1 day"),
            (self.refresh_token_lifetime, 0..=31_536_000, "refresh_token_lifetime is 0 to 365 days"),
            (self.grant_lifetime, 3600..=63_072_000, "grant_lifetime is 1 hour to 730 days"),
        ];
        for (lifetime, range, text) in lifetimes {
            require(lifetime.is_none_or(|seconds| range.contains(&seconds)), InvalidClient::Lifetime(id(), text));
        }
        for text in &self.redirect_texts {
            if let Err(reason) = RedirectUri::parse(text, self.application_type()) {
                problems.push(InvalidClient::RedirectUri(id(), text.clone(), reason));
            }
        }
        problems
    }
}

/// RFC 8707 section 2: an absolute URI without fragment.
fn is_resource(uri: &str) -> bool {
    let printable = uri.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\<>".contains(&byte));
    let scheme = uri.split_once(':').map(|(scheme, rest)| (scheme, rest.is_empty()));
    let absolute =
        scheme.is_some_and(|(scheme, empty)| !empty && scheme.starts_with(|letter: char| letter.is_ascii_alphabetic()));
    printable && absolute && !uri.contains('#') && uri.len() <= 2048
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClientSecret;

    fn confidential(id: &str) -> Client {
        Client::confidential(id, ClientSecret::generate([7; 32]).0).redirect_uri("https://c.example/cb")
    }

    #[test]
    fn what_is_wrong_is_found_all_at_once() {
        let client = Client::public("").redirect_uri("/cb").scope("a\"b").secret(ClientSecret::generate([1; 32]).0);
        assert_eq!(client.problems().len(), 4, "{:?}", client.problems());
        assert!(confidential("a").problems().is_empty());
    }

    #[test]
    fn each_problem_is_told_by_its_name() {
        let uri = "https://c.example/cb";
        let ok = || Client::public("a").redirect_uri(uri);
        let a = || "a".to_owned();
        let secret = || ClientSecret::generate([1; 32]).0;
        for (client, problem) in [
            (Client::public("").redirect_uri(uri), InvalidClient::ClientId),
            (Client::public("a".repeat(256)).redirect_uri(uri), InvalidClient::ClientId),
            (Client::public("a\u{7f}").redirect_uri(uri), InvalidClient::ClientId),
            (Client::public("a\u{1f}").redirect_uri(uri), InvalidClient::ClientId),
            (ok().secret(secret()), InvalidClient::SecretOfPublic(a())),
            (ok().auth_method(AuthMethod::ClientSecretPost), InvalidClient::NoSecret(a())),
            (ok().may_introspect(), InvalidClient::Confidential(a())),
            (Client::public("a"), InvalidClient::NoRedirectUri(a())),
            (ok().scope("a\"b"), InvalidClient::Scope(a())),
            (ok().resource("here"), InvalidClient::Resource(a())),
            (ok().redirect_uri("/cb"), InvalidClient::RedirectUri(a(), "/cb".into(), InvalidRedirectUri::NotAbsolute)),
        ] {
            assert_eq!(client.problems(), [problem], "{client:?}");
        }
        for client in [
            Client::public("a".repeat(255)).redirect_uri(uri),
            Client::public(" ~").redirect_uri(uri),
            ok().resource("urn:x"),
            ok().scope("read"),
            Client::confidential("a", secret())
                .grant_types([GrantType::ClientCredentials])
                .serves("https://r.example/"),
        ] {
            assert_eq!(client.problems(), [], "{client:?}");
        }
    }

    #[test]
    fn a_resource_is_an_absolute_uri_without_fragment() {
        let longest = format!("https://r.example/{}", "x".repeat(2048 - "https://r.example/".len()));
        for good in ["https://r.example/", "urn:x", "a:b", &*longest] {
            assert!(is_resource(good), "{good}");
        }
        let longer = format!("{longest}x");
        for bad in [
            "",
            "r.example",
            ":x",
            "1a:b",
            "a:",
            "https://r.example/#x",
            "https://r.example/a b",
            "urn:<x>",
            "urn:\"",
            "urn:x\\",
            "urn:é",
            &*longer,
        ] {
            assert!(!is_resource(bad), "{bad}");
        }
    }

    #[test]
    fn lifetimes_have_their_ranges() {
        let seconds = std::time::Duration::from_secs;
        let client = || Client::public("a").redirect_uri("https://c.example/cb");
        let of_access = |span| client().access_token_lifetime(seconds(span)).problems().is_empty();
        let of_refresh = |span| client().refresh_token_lifetime(seconds(span)).problems().is_empty();
        let of_grant = |span| client().grant_lifetime(seconds(span)).problems().is_empty();
        assert_eq!([59, 60, 86_400, 86_401].map(of_access), [false, true, true, false]);
        assert_eq!([0, 31_536_000, 31_536_001].map(of_refresh), [true, true, false]);
        assert_eq!([3599, 3600, 63_072_000, 63_072_001].map(of_grant), [false, true, true, false]);
    }

    #[test]
    fn only_a_confidential_web_client_acts_for_itself() {
        let itself = [GrantType::ClientCredentials];
        assert!(!Client::public("a").grant_types(itself).problems().is_empty());
        assert!(!confidential("a").native().grant_types(itself).problems().is_empty());
        assert!(confidential("a").grant_types(itself).problems().is_empty());
        assert!(!Client::public("a").redirect_uri("https://c.example/cb").may_introspect().problems().is_empty());
    }
}
