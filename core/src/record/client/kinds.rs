//! The registered names that a registration uses: authentication methods and grant types.

use minicbor::{Decode, Encode};

/// How a client authenticates at the token endpoint (`token_endpoint_auth_method`, RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[non_exhaustive]
pub enum AuthMethod {
    /// `client_secret_basic`: HTTP Basic (RFC 6749 section 2.3.1).
    #[n(0)]
    ClientSecretBasic,
    /// `client_secret_post`: in the form body.
    #[n(1)]
    ClientSecretPost,
    /// `none`: a public client.
    #[n(2)]
    None,
}

impl AuthMethod {
    /// The registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }

    /// The method of that registered name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None].into_iter().find(|method| method.as_str() == name)
    }
}

/// What a client may use at the token endpoint (`grant_types`, RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[non_exhaustive]
pub enum GrantType {
    /// `authorization_code` (RFC 6749 section 4.1).
    #[n(0)]
    AuthorizationCode,
    /// `client_credentials` (RFC 6749 section 4.4).
    #[n(1)]
    ClientCredentials,
    /// `refresh_token` (RFC 6749 section 6).
    #[n(2)]
    RefreshToken,
}

impl GrantType {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::AuthorizationCode, Self::ClientCredentials, Self::RefreshToken]
            .into_iter()
            .find(|one| one.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_registry_and_read_back() {
        for (method, name) in [
            (AuthMethod::ClientSecretBasic, "client_secret_basic"),
            (AuthMethod::ClientSecretPost, "client_secret_post"),
            (AuthMethod::None, "none"),
        ] {
            assert_eq!((method.as_str(), AuthMethod::parse(name)), (name, Some(method)));
        }
        for (grant_type, name) in [
            (GrantType::AuthorizationCode, "authorization_code"),
            (GrantType::ClientCredentials, "client_credentials"),
            (GrantType::RefreshToken, "refresh_token"),
        ] {
            assert_eq!((grant_type.as_str(), GrantType::parse(name)), (name, Some(grant_type)));
        }
        assert_eq!((AuthMethod::parse("private_key_jwt"), GrantType::parse("password")), (None, None));
    }
}
