//! The issuer: where everything is, and what nothing in a request can change.

use http::Uri;

use super::Problem;

/// A checked issuer identifier (RFC 8414 section 2) and the paths that follow from it.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    text: String,
    /// The issuer's path without its trailing slash; empty for an issuer at the root.
    path: String,
    /// What requests carry in place of `path`.
    mounted_at: String,
    loopback: bool,
    https: bool,
    /// Scheme and authority, for addresses at the host's root.
    root: String,
}

impl Issuer {
    pub(crate) fn parse(text: Option<&str>, mounted_at: Option<&str>) -> Result<Self, Vec<Problem>> {
        let problem = |text: &'static str| vec![Problem::new("issuer", text)];
        let text = text.ok_or_else(|| problem("it is missing: the https URL under which clients reach the server"))?;
        if text.contains(['?', '#', '@', '"', '\\', ' ']) || !text.is_ascii() || text.len() > 255 {
            return Err(problem("it is a URL without query, fragment and user (RFC 8414 section 2)"));
        }
        let uri: Uri = text.parse().map_err(|_| problem("it is not a URL"))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| problem("it has no host"))?;
        if uri.authority().is_some_and(|authority| authority.as_str() != host && authority.port_u16().is_none()) {
            return Err(problem("its port is a number up to 65535; correct it, or leave it out with its colon"));
        }
        let loopback = is_loopback(host);
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if loopback => false,
            Some("http") => return Err(problem("http is for loopback addresses only; use https (RFC 8414 section 2)")),
            _ => return Err(problem("it starts with https://")),
        };
        let path = uri.path().trim_end_matches('/').to_owned();
        // It is the path of cookies too, where a semicolon would begin an attribute (RFC 6265 section 4.1.1).
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        if path.contains("//") || path.contains("/.") || !path.bytes().all(unreserved) {
            return Err(problem("its path is made of plain segments"));
        }
        let mounted_at = match mounted_at {
            None => path.clone(),
            Some(at) if at.is_empty() || (at.starts_with('/') && at.bytes().all(is_of_path)) => {
                at.trim_end_matches('/').to_owned()
            }
            Some(_) => return Err(vec![Problem::new("mounted_at", "it is a path that starts with a slash")]),
        };
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let root = format!("{}://{authority}", if https { "https" } else { "http" });
        Ok(Self { text: text.to_owned(), path, mounted_at, loopback, https, root })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) const fn is_loopback(&self) -> bool {
        self.loopback
    }

    pub(crate) const fn is_https(&self) -> bool {
        self.https
    }

    /// The path as browsers see it; empty at the root of the host.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The host, with its port if it has one.
    pub(crate) fn host(&self) -> &str {
        self.root.split_once("://").map(|(_, host)| host).unwrap_or_default()
    }

    /// Whether a URL is on the same host by the same scheme, whatever the port: cookies tell no more apart.
    pub(crate) fn is_same_host(&self, url: &str) -> bool {
        let Ok(uri) = url.parse::<Uri>() else { return false };
        let own: Option<Uri> = self.root.parse().ok();
        let own = own.as_ref().map(|own| (own.scheme_str(), own.host()));
        let plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"#@".contains(&byte));
        plain && own == Some((uri.scheme_str(), uri.host()))
    }

    /// Scheme and authority: the origin of the pages (RFC 6454).
    pub(crate) fn origin(&self) -> &str {
        &self.root
    }

    /// The address of an endpoint.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("{}{}/{name}", self.root, self.path)
    }

    /// The path of an endpoint as requests carry it.
    pub(crate) fn request_path(&self, name: &str) -> String {
        format!("{}/{name}", self.mounted_at)
    }

    /// The name of the endpoint at this path, if the path lies under the issuer.
    pub(crate) fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.mounted_at.as_str())?.strip_prefix('/')
    }

    /// RFC 8414 section 3.1: the well-known part goes between host and path.
    pub(crate) fn well_known(&self) -> String {
        format!("/.well-known/oauth-authorization-server{}", self.path)
    }

    /// The address of the metadata document.
    pub(crate) fn well_known_url(&self) -> String {
        format!("{}{}", self.root, self.well_known())
    }
}

/// What the path of a request holds (RFC 3986 section 3.3), but for escapes.
fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte)
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(text: &str) -> Result<Issuer, Vec<Problem>> {
        Issuer::parse(Some(text), None)
    }

    #[test]
    fn an_issuer_is_https_unless_it_is_a_loopback_address() {
        for good in [
            "https://h",
            "https://h/auth",
            "https://h:8443/t1/",
            "http://127.0.0.1:8000/auth",
            "http://[::1]/",
            "http://localhost",
        ] {
            assert!(issuer(good).is_ok(), "{good}");
        }
        for bad in [
            "http://h",
            "https://h?x",
            "https://h#f",
            "https://u@h",
            "ftp://h",
            "h",
            "",
            "https://",
            "https://h/a b",
            "https://h/../a",
            "https://h:",
            "https://h:x",
            "https://h:65536",
            "http://127.0.0.1:70000",
            "http://[::1]:x",
        ] {
            assert!(issuer(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_holds_nothing_that_cookies_and_requests_cannot_carry() {
        for path in ["/a;Domain=b", "/a;b", "/a,b", "/a'b", "/a=b", "/a\u{1}", "/\u{e9}"] {
            assert!(issuer(&format!("https://h{path}")).is_err(), "{path:?}");
        }
        assert!(issuer("https://h/Tenant_1/v1.2/a-b~c").is_ok());
        for path in ["/a\u{1}", "/a\n", "/\u{e9}", "/a\"b", "/a\\b"] {
            assert!(Issuer::parse(Some("https://h/auth"), Some(path)).is_err(), "{path:?}");
        }
        assert!(Issuer::parse(Some("https://h/auth"), Some("/v1;a=b/@c")).is_ok());
    }

    #[test]
    fn paths_follow_from_the_issuer() {
        let at_path = issuer("https://h.example:8443/t1/").unwrap();
        assert_eq!(at_path.well_known_url(), "https://h.example:8443/.well-known/oauth-authorization-server/t1");
        assert_eq!(at_path.url("token"), "https://h.example:8443/t1/token");
        assert_eq!(at_path.strip("/t1/token"), Some("token"));
        assert_eq!(at_path.strip("/t12/token"), None);
        let at_root = issuer("https://example.com").unwrap();
        assert_eq!(at_root.well_known(), "/.well-known/oauth-authorization-server");
        assert_eq!(at_root.strip("/token"), Some("token"));
        let stripped = Issuer::parse(Some("https://h/auth"), Some("")).unwrap();
        assert_eq!(stripped.strip("/token"), Some("token"));
        assert_eq!(stripped.url("token"), "https://h/auth/token");
    }
}
