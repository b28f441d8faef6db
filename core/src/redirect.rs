//! Redirect URIs: what can be registered, and what a request may name (RFC 6749 section 3.1.2, RFC 8252 section 7).

use std::net::Ipv6Addr;

/// Whether a client is a web or a native application (`application_type`, RFC 7591).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApplicationType {
    /// It runs on the user's device: loopback and private-use redirect URIs are possible.
    Native,
    /// It is served from a web origin.
    Web,
}

/// Why a redirect URI cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRedirectUri {
    /// Only `http` to a loopback address, for native clients (RFC 9700 section 2.6).
    #[error("http is for loopback addresses of native clients only; use https")]
    Http,
    /// No scheme, no host, or characters that no URI has.
    #[error("it is not an absolute URI of printable ASCII, up to 2,048 characters (RFC 6749 section 3.1.2)")]
    NotAbsolute,
    /// A host alone (OAuth 2.1 section 2.3.1).
    #[error("the complete URI has to be registered, path included")]
    NoPath,
    /// A fragment (RFC 6749 section 3.1.2).
    #[error("it has a fragment")]
    Fragment,
    /// A wildcard.
    #[error("patterns do not exist: redirect URIs are compared as they are")]
    Pattern,
    /// A scheme that could run or read something, or one without a period (RFC 8252 section 8.4).
    #[error("the scheme is not https, and not a private-use scheme with a period, of a native client")]
    Scheme,
    /// A user in the authority.
    #[error("it names a user before the host")]
    UserInfo,
}

/// A redirect URI that is fit to be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Compared as it is.
    Exact,
    /// Compared as it is, but for the port (RFC 8252 section 7.3).
    Loopback,
}

const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

impl RedirectUri {
    /// Checks a URI that is to be registered.
    ///
    /// # Errors
    /// [`InvalidRedirectUri`] says why it cannot be.
    pub fn parse(text: &str, application: ApplicationType) -> Result<Self, InvalidRedirectUri> {
        let legal = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
        if text.len() > 2048 || !text.bytes().all(legal) {
            return Err(InvalidRedirectUri::NotAbsolute);
        }
        if text.contains('#') {
            return Err(InvalidRedirectUri::Fragment);
        }
        if text.contains('*') {
            return Err(InvalidRedirectUri::Pattern);
        }
        let (scheme, rest) = text.split_once(':').ok_or(InvalidRedirectUri::NotAbsolute)?;
        let scheme_legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
        if !scheme.starts_with(|letter: char| letter.is_ascii_lowercase()) || !scheme.bytes().all(scheme_legal) {
            return Err(InvalidRedirectUri::NotAbsolute);
        }
        if scheme != "http" && scheme != "https" {
            let private = application == ApplicationType::Native && scheme.contains('.');
            let kind = Kind::Exact;
            return match (private, rest.starts_with('/')) {
                (false, _) => Err(InvalidRedirectUri::Scheme),
                (true, false) => Err(InvalidRedirectUri::NoPath),
                (true, true) => Ok(Self { text: text.to_owned(), kind }),
            };
        }
        let rest = rest.strip_prefix("//").ok_or(InvalidRedirectUri::NotAbsolute)?;
        let (authority, _) = rest.split_once('/').ok_or(InvalidRedirectUri::NoPath)?;
        if authority.contains('@') {
            return Err(InvalidRedirectUri::UserInfo);
        }
        let (host, port) = split_port(authority);
        if !is_host(host) || port.is_some_and(|port| !is_port(port)) {
            return Err(InvalidRedirectUri::NotAbsolute);
        }
        let loopback = LOOPBACK.contains(&host) && application == ApplicationType::Native;
        match (scheme, loopback) {
            ("http", false) => Err(InvalidRedirectUri::Http),
            ("http", true) => Ok(Self { text: text.to_owned(), kind: Kind::Loopback }),
            _ => Ok(Self { text: text.to_owned(), kind: Kind::Exact }),
        }
    }

    /// The URI as registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a request may name `requested`: plain string comparison (RFC 6749 section 3.1.2.3), but for the port of
    /// a native client's loopback address, `localhost` included (RFC 8252 sections 7.3 and 8.3).
    #[must_use]
    pub fn matches(&self, requested: &str) -> bool {
        if requested == self.text {
            return true;
        }
        self.kind == Kind::Loopback
            && requested.len() <= 2048
            && loopback_parts(&self.text)
                .zip(loopback_parts(requested))
                .is_some_and(|(registered, requested)| registered == requested)
    }

    /// Whether any program on the user's device could receive what is sent there: a loopback address or a private-use
    /// scheme (RFC 8252 section 8.6).
    pub(crate) fn is_on_device(uri: &str) -> bool {
        !uri.starts_with("https://")
    }

    /// What people are shown of where a URI leads: the host, or the scheme of an application's own.
    pub(crate) fn shown_host(uri: &str) -> String {
        match uri.split_once("://") {
            Some(("http" | "https", rest)) => rest.split('/').next().unwrap_or_default().to_owned(),
            _ => uri.split(':').next().unwrap_or_default().to_owned(),
        }
    }

    /// The host of a web client, and the address of its start page.
    pub(crate) fn home(uri: &str) -> Option<(String, String)> {
        let authority = uri.strip_prefix("https://")?.split('/').next()?;
        Some((authority.to_owned(), format!("https://{authority}/")))
    }

    /// What `form-action` of a content security policy has to allow, so that a form may end there. A host source has no
    /// place for an IPv6 address, so that is allowed by its scheme.
    pub(crate) fn form_target(uri: &str) -> String {
        match uri.split_once("://") {
            Some((scheme @ ("http" | "https"), rest)) => {
                let authority = rest.split('/').next().unwrap_or_default();
                if authority.starts_with('[') { format!("{scheme}:") } else { format!("{scheme}://{authority}") }
            }
            _ => format!("{}:", uri.split(':').next().unwrap_or_default()),
        }
    }

    /// The web origin of the URI (RFC 6454); none for a private-use scheme.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        let (scheme, rest) = self.text.split_once("://")?;
        let (authority, _) = rest.split_once('/')?;
        let authority = authority.to_ascii_lowercase();
        let (host, port) = split_port(&authority);
        let default = if scheme == "https" { "443" } else { "80" };
        match (scheme, port) {
            ("http" | "https", Some(port)) if port != default => Some(format!("{scheme}://{host}:{port}")),
            ("http" | "https", _) => Some(format!("{scheme}://{host}")),
            _ => None,
        }
    }
}

/// `http://host[:port]path` as host and path, if the port is one.
fn loopback_parts(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (authority, path) = rest.split_at_checked(rest.find('/')?)?;
    let (host, port) = split_port(authority);
    port.is_none_or(is_port).then_some((host, path))
}

/// Parts an authority into host and port; the colons of an IPv6 literal stay with it.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// A name, an IPv4 address, or an IPv6 address in brackets: what every browser reads as the same host, and what a content
/// security policy can name.
fn is_host(host: &str) -> bool {
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_name = || host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    literal.map_or_else(|| !host.is_empty() && is_name(), |address| address.parse::<Ipv6Addr>().is_ok())
}

fn is_port(port: &str) -> bool {
    !port.starts_with('0') && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_length(start: &str, length: usize) -> String {
        format!("{start:x<length$}")
    }

    #[test]
    fn a_uri_has_up_to_2048_characters_registered_and_requested() {
        for (application, start) in
            [(ApplicationType::Web, "https://c.example/"), (ApplicationType::Native, "http://127.0.0.1/")]
        {
            let longest = of_length(start, 2048);
            assert!(RedirectUri::parse(&longest, application).unwrap().matches(&longest));
            let longer = of_length(start, 2049);
            assert_eq!(RedirectUri::parse(&longer, application), Err(InvalidRedirectUri::NotAbsolute));
        }
        let path = "x".repeat(2048 - "http://127.0.0.1:80/".len());
        let native = RedirectUri::parse(&format!("http://127.0.0.1/{path}"), ApplicationType::Native).unwrap();
        assert!(native.matches(&format!("http://127.0.0.1:80/{path}")));
        assert!(!native.matches(&format!("http://127.0.0.1:800/{path}")), "with the port it is too long");
    }

    #[test]
    fn a_scheme_is_a_lower_case_letter_and_then_letters_digits_and_three_signs() {
        let parse = |text: &str| RedirectUri::parse(text, ApplicationType::Native).map(|uri| uri.as_str().to_owned());
        let legal = "a1+b-c.d:/cb";
        assert_eq!(parse(legal), Ok(legal.to_owned()));
        for bad in ["1a.b:/cb", ".a:/cb", "a_b.c:/cb", "a.B:/cb", ":/cb"] {
            assert_eq!(parse(bad), Err(InvalidRedirectUri::NotAbsolute), "{bad}");
        }
    }

    #[test]
    fn a_port_is_a_number_of_16_bits_without_a_zero_before_it() {
        for (port, holds) in [
            ("1", true),
            ("65535", true),
            ("65536", false),
            ("0", false),
            ("080", false),
            ("8x", false),
            ("+8", false),
            ("", false),
        ] {
            assert_eq!(is_port(port), holds, "{port}");
            let text = format!("https://c.example:{port}/cb");
            assert_eq!(RedirectUri::parse(&text, ApplicationType::Web).is_ok(), holds, "{text}");
        }
    }

    #[test]
    fn where_a_uri_leads_is_shown_and_allowed_by_what_it_is() {
        for (uri, host, target, on_device) in [
            ("https://c.example:8443/cb", "c.example:8443", "https://c.example:8443", false),
            ("http://127.0.0.1:7000/cb", "127.0.0.1:7000", "http://127.0.0.1:7000", true),
            ("http://[::1]:7000/cb", "[::1]:7000", "http:", true),
            ("com.example.app:/cb", "com.example.app", "com.example.app:", true),
            ("com.example.app://here/cb", "com.example.app", "com.example.app:", true),
        ] {
            assert_eq!(RedirectUri::shown_host(uri), host);
            assert_eq!(RedirectUri::form_target(uri), target);
            assert_eq!(RedirectUri::is_on_device(uri), on_device, "{uri}");
        }
        let home = RedirectUri::home("https://c.example:8443/cb");
        assert_eq!(home, Some(("c.example:8443".into(), "https://c.example:8443/".into())));
        assert_eq!(RedirectUri::home("http://127.0.0.1/cb"), None);
    }

    #[test]
    fn an_origin_is_lower_case_and_has_no_port_that_goes_without_saying() {
        for (uri, origin) in [
            ("https://C.Example/cb", Some("https://c.example")),
            ("https://c.example:443/cb", Some("https://c.example")),
            ("https://c.example:80/cb", Some("https://c.example:80")),
            ("http://127.0.0.1:80/cb", Some("http://127.0.0.1")),
            ("http://[::1]:443/cb", Some("http://[::1]:443")),
            ("com.example.app://here/cb", None),
            ("com.example.app:/cb", None),
        ] {
            let parsed = RedirectUri::parse(uri, ApplicationType::Native).unwrap();
            assert_eq!(parsed.origin().as_deref(), origin, "{uri}");
        }
    }
}
