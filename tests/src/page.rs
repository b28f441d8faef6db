//! A page as a test reads it: its title, its text, its forms.

use std::collections::BTreeMap;

use crate::Reply;

/// A form of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Form {
    /// The path that it is sent to.
    pub action: String,
    /// What it sends unless somebody types something else: hidden fields, and what stands in the others.
    pub fields: BTreeMap<String, String>,
}

impl Form {
    /// What it hides or shows under that name.
    ///
    /// # Panics
    /// If it has no such field.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).unwrap_or_else(|| panic!("the form has {name}: {self:?}"))
    }
}

/// Where a redirect leads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Location {
    /// All before the query.
    pub uri: String,
    /// The parameters of the query, decoded, in their order.
    pub query: Vec<(String, String)>,
}

impl Location {
    /// A location as it stands in the header.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (uri, query) = text.split_once('?').unwrap_or((text, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let query = pairs.map(|(name, value)| (percent_decoded(name), percent_decoded(value))).collect();
        Self { uri: uri.to_owned(), query }
    }

    /// A parameter; empty if it is absent.
    ///
    /// # Panics
    /// If it is there twice.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        let mut values = self.query.iter().filter(|(one, _)| one == name).map(|(_, value)| &**value);
        let value = values.next().unwrap_or_default();
        assert!(values.next().is_none(), "{name} is repeated: {self:?}");
        value
    }

    /// The names of the parameters, in their order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.query.iter().map(|(name, _)| &**name).collect()
    }
}

impl Reply {
    /// The body as text.
    #[must_use]
    pub fn html(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The title of a page; empty if there is none.
    #[must_use]
    pub fn title(&self) -> String {
        let html = self.html();
        let title = html.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
        title.map(|(title, _)| unescaped(title)).unwrap_or_default()
    }

    /// What a page says, without its head and its tags; what is not shown is said, too.
    #[must_use]
    pub fn said(&self) -> String {
        let html = self.html();
        let body = html.split_once("<body").map_or(&*html, |(_, body)| body);
        let mut said = String::new();
        for part in body.split('<') {
            let text = part.split_once('>').map_or("", |(_, text)| text);
            said.push_str(&unescaped(text));
        }
        said
    }

    /// The forms of a page, in their order. A button outside that names its form by `form=` is not among their fields.
    #[must_use]
    pub fn forms(&self) -> Vec<Form> {
        let html = self.html();
        let mut forms: Vec<Form> = Vec::new();
        let mut open = false;
        for tag in html.split('<') {
            let tag = tag.split_once('>').map_or(tag, |(tag, _)| tag);
            let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            let attribute = |name: &str| attribute(attributes, name);
            match name {
                "form" => {
                    open = true;
                    forms.push(Form { action: attribute("action").unwrap_or_default(), fields: BTreeMap::new() });
                }
                "/form" => open = false,
                "input" if open => {
                    if let (Some(form), Some(name)) = (forms.last_mut(), attribute("name")) {
                        form.fields.insert(name, attribute("value").unwrap_or_default());
                    }
                }
                _ => {}
            }
        }
        forms
    }

    /// The first form of a page.
    ///
    /// # Panics
    /// If it has none.
    #[must_use]
    pub fn form(&self) -> Form {
        self.forms().into_iter().next().unwrap_or_else(|| panic!("a form: {} {}", self.status, self.html()))
    }

    /// The form of the page with a field of that value: `("action", "withdraw")` on the page of applications.
    ///
    /// # Panics
    /// If it has none.
    #[must_use]
    pub fn form_with(&self, name: &str, value: &str) -> Form {
        let found = self.forms().into_iter().find(|form| form.fields.get(name).is_some_and(|one| one == value));
        found.unwrap_or_else(|| panic!("a form with {name}={value}: {} {}", self.status, self.html()))
    }

    /// Where a redirect leads.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn location(&self) -> Location {
        let location = self.headers.get(http::header::LOCATION).and_then(|value| value.to_str().ok());
        Location::parse(location.unwrap_or_else(|| panic!("a redirect: {} {}", self.status, self.html())))
    }
}

/// The value of an attribute within a tag; without quotes it is not looked for.
fn attribute(attributes: &str, name: &str) -> Option<String> {
    let wanted = format!(" {name}=\"");
    let padded = format!(" {attributes}");
    let (_, value) = padded.split_once(&wanted)?;
    value.split_once('"').map(|(value, _)| unescaped(value))
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16)).unwrap_or_default();
                u8::try_from(digit() * 16 + digit()).unwrap_or_default()
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(decoded).unwrap_or_else(|error| panic!("a parameter in UTF-8: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_as_it_is_meant() {
        let html = concat!(
            "<!DOCTYPE html><title>One &amp; two</title><body><p>A &lt;b&gt;</p>",
            "<form method=\"post\" action=\"/a\"><input type=\"hidden\" name=\"x\" value=\"&quot;1&quot;\">",
            "<input name=\"y\"></form><form action=\"/b\"><input name=\"z\" value=\"2\"></form>",
        );
        let reply = Reply::from(http::Response::new(bytes::Bytes::from(html)));
        assert_eq!((reply.title(), reply.said()), ("One & two".to_owned(), "A <b>".to_owned()));
        let form = reply.form();
        assert_eq!((&*form.action, form.field("x"), form.field("y")), ("/a", "\"1\"", ""));
        assert_eq!(reply.form_with("z", "2").action, "/b");
        let location = Location::parse("https://c.example/cb?a=%C3%A9+%26&b");
        assert_eq!(
            (&*location.uri, location.parameter("a"), location.parameter("b")),
            ("https://c.example/cb", "é &", "")
        );
        assert_eq!(location.names(), ["a", "b"]);
    }
}
