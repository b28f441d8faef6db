//! Cookies as a browser keeps them (RFC 6265 section 5), for one host that is reached by https.

use http::header::SET_COOKIE;

use crate::Reply;

/// The cookies of one browser.
#[derive(Clone, Debug, Default)]
pub struct Jar(Vec<Cookie>);

#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    value: String,
    path: String,
    /// When it is forgotten, in seconds since 1970.
    until: Option<u64>,
}

impl Jar {
    /// Keeps what an answer sets at `now`. What a browser would not take, a test does not want to be set.
    ///
    /// # Panics
    /// If a browser would refuse a cookie: by the prefix of its name, or because it is no cookie.
    pub fn take(&mut self, reply: &Reply, now: u64) {
        for line in reply.headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap_or_else(|_| panic!("a cookie is text: {reply:?}"));
            let cookie = parse(line, now).unwrap_or_else(|| panic!("no browser takes {line:?}"));
            self.set(cookie);
        }
        self.0.retain(|cookie| cookie.until.is_none_or(|until| until > now));
    }

    /// Adds a cookie that the server never set, as a program on another port or subdomain could.
    pub fn plant(&mut self, name: &str, value: &str, path: &str) {
        self.set(Cookie { name: name.to_owned(), value: value.to_owned(), path: path.to_owned(), until: None });
    }

    /// The `Cookie` header for a path at `now`: longer paths first (RFC 6265 section 5.4). None if nothing is sent.
    #[must_use]
    pub fn header(&self, path: &str, now: u64) -> Option<String> {
        let sent = |cookie: &&Cookie| cookie.until.is_none_or(|until| until > now) && matches(path, &cookie.path);
        let mut cookies: Vec<&Cookie> = self.0.iter().filter(sent).collect();
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> = cookies.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn set(&mut self, cookie: Cookie) {
        self.0.retain(|old| (&old.name, &old.path) != (&cookie.name, &cookie.path));
        self.0.push(cookie);
    }
}

fn parse(line: &str, now: u64) -> Option<Cookie> {
    let mut parts = line.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    let attributes: Vec<(&str, &str)> = parts.map(|part| part.split_once('=').unwrap_or((part, ""))).collect();
    let attribute =
        |name: &str| attributes.iter().find(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
    let (secure, path) = (attribute("secure").is_some(), attribute("path")?);
    let at_root = path == "/" && attribute("domain").is_none();
    if name.starts_with("__Secure-") && !secure || name.starts_with("__Host-") && !(secure && at_root) {
        return None;
    }
    let until = attribute("max-age").map(|age| age.parse::<u64>().ok()).map(|age| now + age.unwrap_or_default());
    Some(Cookie { name: name.to_owned(), value: value.to_owned(), path: path.to_owned(), until })
}

/// RFC 6265 section 5.1.4.
fn matches(path: &str, of: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || of.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(lines: &[&str]) -> Reply {
        let builder = lines.iter().fold(http::Response::builder(), |builder, line| builder.header(SET_COOKIE, *line));
        builder.body(bytes::Bytes::new()).unwrap_or_default().into()
    }

    #[test]
    fn a_cookie_is_kept_for_its_path_and_its_time() {
        let mut jar = Jar::default();
        jar.take(&answer(&["a=1; Path=/auth", "b=2; Path=/; Max-Age=60"]), 1000);
        assert_eq!(jar.header("/auth/login", 1059).as_deref(), Some("a=1; b=2"));
        assert_eq!(jar.header("/authority", 1059).as_deref(), Some("b=2"));
        assert_eq!(jar.header("/auth", 1060).as_deref(), Some("a=1"));
        jar.take(&answer(&["a=; Path=/auth; Max-Age=0"]), 1060);
        assert_eq!(jar.header("/auth/login", 1060), None);
    }

    #[test]
    fn a_cookie_replaces_that_of_its_name_and_path() {
        let mut jar = Jar::default();
        jar.take(&answer(&["a=1; Path=/auth"]), 0);
        jar.plant("a", "planted", "/");
        jar.take(&answer(&["a=2; Path=/auth"]), 0);
        assert_eq!(jar.header("/auth/x", 0).as_deref(), Some("a=2; a=planted"));
    }

    #[test]
    #[should_panic(expected = "no browser takes")]
    fn the_prefix_of_a_name_is_a_promise() {
        Jar::default().take(&answer(&["__Secure-a=1; Path=/"]), 0);
    }
}
