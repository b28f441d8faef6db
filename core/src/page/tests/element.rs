//! A page as a tree, read more strictly than browsers do.

use std::collections::{BTreeMap, BTreeSet};

/// An element of a page, as far as the tests look.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) children: Vec<Self>,
    /// All text within, children's included.
    pub(super) text: String,
}

impl Element {
    pub(super) fn all(&self) -> Vec<&Self> {
        std::iter::once(self).chain(self.children.iter().flat_map(Self::all)).collect()
    }

    pub(super) fn named(&self, name: &str) -> Vec<&Self> {
        self.all().into_iter().filter(|element| element.name == name).collect()
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    pub(super) fn ids(&self) -> BTreeSet<&str> {
        let mut ids = BTreeSet::new();
        for id in self.all().into_iter().filter_map(|element| element.attribute("id")) {
            assert!(ids.insert(id), "{id} is there twice");
        }
        ids
    }
}

pub(super) fn unescape(text: &str) -> String {
    assert!(!text.contains(['<', '>', '"']), "not escaped: {text}");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// Reads HTML as strictly as XML: every element closed in order, every attribute quoted.
pub(super) fn parse(html: &str) -> Element {
    let mut rest = html.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    let mut open = vec![Element::default()];
    while !rest.is_empty() {
        let (text, tag) = rest.split_once('<').unwrap_or((rest, ""));
        let raw = open.last().unwrap().name == "style";
        let text = if raw { text.to_owned() } else { unescape(text) };
        open.iter_mut().for_each(|element| element.text.push_str(&text));
        if tag.is_empty() {
            break;
        }
        // No attribute has a bare ">".
        let (tag, after) = tag.split_once('>').expect("a closed tag");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let closed = open.pop().unwrap();
            assert_eq!(closed.name, name, "closed in order");
            open.last_mut().unwrap().children.push(closed);
            continue;
        }
        let (name, mut list) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut element = Element { name: name.to_owned(), ..Element::default() };
        while !list.is_empty() {
            let end = list.find(['=', ' ']).unwrap_or(list.len());
            let (key, after) = list.split_at(end);
            let value = match after.strip_prefix("=\"") {
                Some(value) => {
                    let (value, after) = value.split_once('"').expect("a quoted value");
                    list = after.trim_start();
                    unescape(value)
                }
                None => {
                    list = after.trim_start();
                    String::new()
                }
            };
            assert!(element.attributes.insert(key.to_owned(), value).is_none(), "{key} twice in <{tag}>");
        }
        if matches!(name, "meta" | "link" | "img" | "input") {
            open.last_mut().unwrap().children.push(element);
        } else {
            open.push(element);
        }
    }
    assert_eq!(open.len(), 1, "every element is closed");
    open.remove(0)
}
