//! Which language a page is in: the request's `ui_locales`, then the browser's `Accept-Language`, then English.

use super::texts::{Texts, is_tag};

/// How much of a list of languages is read: bytes, and entries.
const MAX_BYTES: usize = 1024;
const MAX_ENTRIES: usize = 32;

/// The languages of one server: English and German, and others by file.
#[derive(Clone, Debug)]
pub(crate) struct Languages {
    /// Where nothing else fits: English, or the language that is fixed.
    standard: Texts,
    /// Those to choose from.
    all: Vec<Texts>,
}

impl Languages {
    /// English, German and `others`, of which one with a built-in language's tag takes its place. With `fixed`
    /// (`page_language`), every page is in that language.
    ///
    /// # Errors
    /// If two of `others` have one tag, or there are no texts for `fixed`.
    pub(crate) fn new(fixed: Option<&str>, others: Vec<Texts>) -> Result<Self, String> {
        let same = |one: &Texts, tag: &str| one.lang().eq_ignore_ascii_case(tag);
        let mut all = others;
        if let Some(twice) = all.iter().find(|one| all.iter().filter(|other| same(other, one.lang())).count() > 1) {
            return Err(format!("there are two sets of texts for {:?}; keep one", twice.lang()));
        }
        for built_in in [Texts::german(), Texts::english()] {
            if !all.iter().any(|one| same(one, built_in.lang())) {
                all.insert(0, built_in);
            }
        }
        let wanted = fixed.unwrap_or("en");
        let Some(standard) = all.iter().find(|one| same(one, wanted)).cloned() else {
            let known: Vec<&str> = all.iter().map(Texts::lang).collect();
            return Err(format!("there are no texts for {wanted:?}; there are some for {}", known.join(", ")));
        };
        if fixed.is_some() {
            all.clear();
        }
        Ok(Self { standard, all })
    }

    /// The texts for a request: the first of `ui_locales` (OpenID Connect Core 1.0 section 3.1.2.1) that there are texts
    /// for, else the best of `Accept-Language` (RFC 9110 section 12.5.4), else English. What is malformed is passed over.
    #[must_use]
    pub(crate) fn choose(&self, ui_locales: Option<&str>, accept_language: Option<&str>) -> &Texts {
        ui_locales
            .and_then(|tags| bounded(tags).split_ascii_whitespace().take(MAX_ENTRIES).find_map(|tag| self.look_up(tag)))
            .or_else(|| self.accepted(accept_language?))
            .unwrap_or(&self.standard)
    }

    /// The tags of the languages that a page may be in.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &str> {
        let fixed = self.all.is_empty().then(|| self.standard.lang());
        self.all.iter().map(Texts::lang).chain(fixed)
    }

    fn accepted(&self, accept_language: &str) -> Option<&Texts> {
        let entries = bounded(accept_language).split(',').take(MAX_ENTRIES);
        let mut ranges: Vec<(u16, &str)> = entries.filter_map(range).collect();
        ranges.sort_by(|(one, _), (two, _)| two.cmp(one));
        let refused = |texts: &Texts| ranges.iter().any(|(weight, range)| *weight == 0 && covers(range, texts.lang()));
        ranges.iter().filter(|(weight, _)| *weight > 0).find_map(|(_, range)| match *range {
            "*" => [&self.standard].into_iter().chain(&self.all).find(|texts| !refused(texts)),
            range => self.look_up(range),
        })
    }

    /// Lookup (RFC 4647 section 3.4): the range, then the range without its last subtag, and so on.
    fn look_up(&self, range: &str) -> Option<&Texts> {
        if !is_tag(range) {
            return None;
        }
        let mut rest = range;
        loop {
            if let Some(texts) = self.all.iter().find(|texts| texts.lang().eq_ignore_ascii_case(rest)) {
                return Some(texts);
            }
            // A subtag of one letter goes with what followed it; no texts' tag ends in one, so it needs no step of its own.
            rest = rest.rsplit_once('-')?.0;
        }
    }
}

/// As much of the text as is read.
fn bounded(text: &str) -> &str {
    let longest = text.len().min(MAX_BYTES);
    // A character has at most four bytes, so one of these places is between two of them.
    (longest.saturating_sub(3)..=longest).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

/// A language range and its weight in thousandths.
fn range(entry: &str) -> Option<(u16, &str)> {
    let (range, parameter) = entry.split_once(';').unwrap_or((entry, "q=1"));
    let (name, weight) = parameter.split_once('=')?;
    let known = name.trim().eq_ignore_ascii_case("q");
    known.then(|| Some((thousandths(weight.trim())?, range.trim())))?
}

/// A weight (RFC 9110 section 12.4.2): 0 to 1 with at most three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, part) {
        ("0", part) => Some(part),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// Basic filtering (RFC 4647 section 3.3.1): the range is the tag, or its beginning.
fn covers(range: &str, tag: &str) -> bool {
    let begins = tag.get(..range.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(range));
    begins && matches!(tag.as_bytes().get(range.len()), None | Some(b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(tag: &str) -> Texts {
        Texts::read(tag, []).unwrap()
    }

    fn languages() -> Languages {
        Languages::new(None, vec![texts("fr"), texts("pt-BR"), texts("zh-Hant-TW")]).unwrap()
    }

    #[test]
    fn ui_locales_go_before_accept_language_and_english_is_last() {
        let all = languages();
        for (ui_locales, accept_language, lang) in [
            (None, None, "en"),
            (Some("de"), Some("fr"), "de"),
            (Some("xx fr de"), None, "fr"),
            (Some("fr-CA-x-one"), None, "fr"),
            (Some("DE-at"), None, "de"),
            (Some("pt"), None, "en"),
            (Some("pt-BR-x-one"), None, "pt-BR"),
            (Some("zh-hant-tw-u-ca-roc"), None, "zh-Hant-TW"),
            (Some("xx"), Some("de"), "de"),
            (Some(""), Some("de;q=0.1"), "de"),
            (Some("*"), None, "en"),
        ] {
            assert_eq!(all.choose(ui_locales, accept_language).lang(), lang, "{ui_locales:?} {accept_language:?}");
        }
    }

    #[test]
    fn accept_language_is_weighed_as_its_rfc_says() {
        let all = languages();
        for (accept_language, lang) in [
            ("de", "de"),
            ("en;q=0.8, de;q=0.9", "de"),
            ("en;q=0.800, de;q=0.801", "de"),
            ("xx, fr;q=0.5, de;q=0.5", "fr"),
            ("de-CH, en", "de"),
            ("de ; Q=0.2 , en ; q=0.1", "de"),
            ("de;q=0, fr;q=0.1", "fr"),
            ("de;q=0", "en"),
            ("*", "en"),
            ("en;q=0, *;q=0.1", "de"),
            ("en-GB;q=0, *", "en"),
            ("*;q=0", "en"),
            // Malformed entries count for nothing.
            ("de;q=2, fr;q=0.2", "fr"),
            ("de;q=1.001, fr;q=0.2", "fr"),
            ("de;q=0.9999, fr;q=0.2", "fr"),
            ("de;q=+1, de;q=, de;x=1, de;, fr;q=0.2", "fr"),
            ("d\u{e9};;, ,,=,;q=1, fr", "fr"),
            ("de\0", "en"),
        ] {
            assert_eq!(all.choose(None, Some(accept_language)).lang(), lang, "{accept_language}");
        }
    }

    #[test]
    fn only_the_beginning_of_a_long_list_is_read() {
        let all = languages();
        assert_eq!(all.choose(None, Some(&format!("{}de", "x,".repeat(MAX_ENTRIES - 1)))).lang(), "de");
        assert_eq!(all.choose(None, Some(&format!("{}de", "x,".repeat(MAX_ENTRIES)))).lang(), "en");
        assert_eq!(all.choose(Some(&format!("{}de", "x ".repeat(MAX_ENTRIES))), None).lang(), "en");
        let wide = "\u{1f600}".repeat(MAX_BYTES);
        assert_eq!(all.choose(Some(&wide), Some(&wide)).lang(), "en");
        assert_eq!(all.choose(Some(&format!("a{wide} de")), Some(&"a-".repeat(100_000))).lang(), "en");
    }

    #[test]
    fn a_fixed_language_is_used_whatever_the_browser_wants() {
        let german = Languages::new(Some("DE"), Vec::new()).unwrap();
        assert_eq!(german.choose(Some("en"), Some("fr, *;q=0.1")).lang(), "de");
        let none = Languages::new(Some("it"), vec![texts("fr")]).unwrap_err();
        assert_eq!(none, r#"there are no texts for "it"; there are some for en, de, fr"#);
    }

    #[test]
    fn given_texts_replace_built_in_ones_and_come_once() {
        let own = Texts::read("de", [("password".to_owned(), "Kennwort".to_owned())]).unwrap();
        let all = Languages::new(None, vec![own]).unwrap();
        assert_eq!(all.choose(Some("de"), None).get(super::super::texts::Id::Password), "Kennwort");
        let twice = Languages::new(None, vec![texts("fr"), texts("FR")]).unwrap_err();
        assert!(twice.contains("\"fr\""), "{twice}");
    }
}
