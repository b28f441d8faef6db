//! How the pages look: name, logo, one colour; the style sheet and the part of the policy that depends on them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use sha2::{Digest as _, Sha256};

use super::colour::Colour;
use super::style;

/// The longest name of a product, in characters.
const MAX_NAME: usize = 60;

/// The look of the pages, checked and ready: the style sheet is made once.
#[derive(Clone, Debug)]
pub(crate) struct Theme {
    name: String,
    logo: Option<String>,
    style: String,
    policy: String,
}

impl Theme {
    /// The colour that pages have if none is set.
    pub(crate) const DEFAULT_COLOUR: &'static str = "#1f5fbf";

    /// A look: the product's name, the address of its logo (a path of this host, or an https URL), and the colour of
    /// buttons and links as CSS hex (`#rgb` or `#rrggbb`).
    ///
    /// # Errors
    /// The setting, what is wrong with it, and the remedy: a name that is empty, long or has control characters; a logo elsewhere; text that is
    /// no colour; a colour that white text is hard to read on (WCAG 2.2 asks for a contrast of 4.5 to 1).
    pub(crate) fn new(name: &str, logo: Option<&str>, colour: &str) -> Result<Self, (&'static str, String)> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(("page_name", format!("it is 1 to {MAX_NAME} characters on one line")));
        }
        let source = logo.map(image_source).transpose().map_err(|problem| ("page_logo", problem))?;
        let accent = Colour::parse(colour).ok_or_else(|| {
            ("page_colour", format!("{colour:?} is no colour; use CSS hex like \"{}\"", Self::DEFAULT_COLOUR))
        })?;
        let readable = accent.readable(Colour::new(0), &[Colour::WHITE]);
        if readable != accent {
            let problem = format!(
                "white text on {accent} has a contrast of {:.2} to 1, and needs 4.5; the nearest darker colour that has it \
                 is {readable}",
                // Rounded down, so that what is too little never reads as 4.50.
                (accent.contrast(Colour::WHITE) * 100.0).floor() / 100.0
            );
            return Err(("page_colour", problem));
        }
        let style = style::sheet(accent);
        let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
        let images = source.map_or_else(String::new, |source| format!("; img-src {source}"));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'{images}; base-uri 'none'; frame-ancestors 'none'; form-action \
             'self'"
        );
        Ok(Self { name: name.to_owned(), logo: logo.map(str::to_owned), style, policy })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn logo(&self) -> Option<&str> {
        self.logo.as_deref()
    }

    /// The content of the `style` element.
    pub(super) fn style(&self) -> &str {
        &self.style
    }

    /// The Content-Security-Policy (CSP level 3), to which the targets of forms are appended.
    pub(super) fn policy(&self) -> &str {
        &self.policy
    }
}

/// What `img-src` has to say so that this logo may be loaded.
fn image_source(logo: &str) -> Result<String, String> {
    let wrong = || format!("{logo:?} is no address of a logo; use a path like \"/logo.svg\", or an https URL");
    let uri: Uri = logo.parse().map_err(|_| wrong())?;
    let host =
        |host: &str| !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    // A fragment, which could hold anything, is no part of what was parsed.
    if logo.contains('#') || !logo.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong());
    }
    match (uri.scheme_str(), uri.authority()) {
        (None, None) if logo.starts_with('/') && !logo.starts_with("//") => Ok("'self'".to_owned()),
        (Some("https"), Some(authority)) if host(authority.host()) && !authority.as_str().contains('@') => {
            Ok(format!("https://{authority}"))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::colour::TEXT;
    use super::*;

    #[test]
    fn every_colour_is_readable_or_refused_with_one_that_is() {
        let mut accepted = 0;
        for rgb in
            (0..16_u32.pow(3)).map(|at| Colour::new((at >> 8) * 0x11_0000 + (at >> 4 & 15) * 0x1100 + (at & 15) * 0x11))
        {
            match Theme::new("Shop", None, &rgb.to_string()) {
                Ok(theme) => {
                    accepted += 1;
                    assert!(rgb.contrast(Colour::WHITE) >= TEXT, "{rgb}");
                    assert!(theme.style().contains(&format!("--accent:{rgb}")));
                }
                Err((_, problem)) => {
                    assert!(rgb.contrast(Colour::WHITE) < TEXT, "{rgb}");
                    let better = problem.rsplit(' ').next().unwrap();
                    assert!(Theme::new("Shop", None, better).is_ok(), "{problem}");
                }
            }
        }
        assert!(accepted > 1000, "{accepted}");
        assert!(Theme::new("Shop", None, Theme::DEFAULT_COLOUR).is_ok());
    }

    #[test]
    fn a_refused_colour_names_the_nearest_that_would_do() {
        let (setting, problem) = Theme::new("Shop", None, "#ff8800").unwrap_err();
        assert_eq!(setting, "page_colour");
        assert!(problem.starts_with("white text on #ff8800 has a contrast of 2.39 to 1, and needs 4.5;"), "{problem}");
        assert!(Theme::new("Shop", None, "#777").unwrap_err().1.contains(" 4.47 to 1"), "4.478 is rounded down");
        let better = Colour::parse(problem.rsplit(' ').next().unwrap()).unwrap();
        assert!((TEXT..TEXT + 0.1).contains(&better.contrast(Colour::WHITE)), "{better}");
        assert!(include_str!("../../../docs/pages.md").contains(&format!("page_colour: {problem}\n")), "{problem}");
    }

    #[test]
    fn a_logo_is_a_path_or_an_https_url_and_the_policy_allows_its_origin_only() {
        for (logo, source) in [
            ("/logo.svg", "img-src 'self';"),
            ("https://cdn.shop.example/a/logo.png?v=2", "img-src https://cdn.shop.example;"),
            ("https://cdn.shop.example:8443/logo.png", "img-src https://cdn.shop.example:8443;"),
        ] {
            let theme = Theme::new("Shop", Some(logo), Theme::DEFAULT_COLOUR).unwrap();
            assert!(theme.policy().contains(source), "{}", theme.policy());
        }
        assert!(!Theme::new("Shop", None, "#000").unwrap().policy().contains("img-src"));
        for bad in [
            "",
            "logo.svg",
            "//evil.example/logo",
            "http://shop.example/logo",
            "data:image/png;base64,AA",
            "javascript:1",
            "https://a@shop.example/logo",
            "https://*/logo",
            "https://a;b/logo",
            "https:///logo",
            "/a b",
            "/\\evil.example\n",
            "https://cdn.shop.example/logo#\0",
            "https://cdn.shop.example/logo#a",
            "/logo\u{e9}",
        ] {
            assert!(Theme::new("Shop", Some(bad), "#000").is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_is_one_short_line() {
        for bad in ["", "  ", "a\nb", &"x".repeat(61)] {
            assert!(Theme::new(bad, None, "#000").is_err(), "{bad:?}");
        }
        assert_eq!(Theme::new(" Shop ", None, "#000").unwrap().name(), "Shop");
    }
}
