//! What holds for every page, in both languages.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use sha2::{Digest as _, Sha256};

mod element;
mod samples;

use element::{Element, parse};
use samples::{BAD, HOSTILE, REALISTIC, pages};

use super::*;

fn theme(logo: Option<&str>) -> Theme {
    Theme::new("Example & Daughters", logo, Theme::DEFAULT_COLOUR).unwrap()
}

/// Calls `check` with each page in each language, with realistic and hostile words.
fn every_page(mut check: impl FnMut(&str, &Element, &str)) {
    let theme = theme(None);
    for texts in [Texts::english(), Texts::german()] {
        let frame = Frame { theme: &theme, texts: &texts, base: "/auth" };
        for (kind, words) in [("realistic", REALISTIC), ("hostile", BAD)] {
            for (name, html) in pages(&frame, words) {
                check(&format!("{} {kind} {name}", texts.lang()), &parse(&html), &html);
            }
        }
    }
}

#[test]
fn no_value_becomes_markup_and_no_page_has_script() {
    const ELEMENTS: [&str; 28] = [
        "", "a", "bdi", "body", "button", "code", "div", "form", "h1", "h2", "h3", "head", "header", "html", "input",
        "label", "li", "link", "main", "meta", "nav", "p", "span", "style", "time", "title", "ul", "img",
    ];
    const ATTRIBUTES: [&str; 32] = [
        "action",
        "alt",
        "aria-describedby",
        "aria-invalid",
        "aria-label",
        "autocapitalize",
        "autocomplete",
        "autofocus",
        "charset",
        "checked",
        "class",
        "content",
        "datetime",
        "dir",
        "for",
        "form",
        "height",
        "hidden",
        "href",
        "id",
        "lang",
        "method",
        "name",
        "readonly",
        "rel",
        "required",
        "role",
        "spellcheck",
        "src",
        "tabindex",
        "type",
        "value",
    ];
    every_page(|name, page, _| {
        for element in page.all() {
            assert!(ELEMENTS.contains(&element.name.as_str()), "{name}: <{}>", element.name);
            for (attribute, value) in &element.attributes {
                assert!(ATTRIBUTES.contains(&attribute.as_str()), "{name}: {attribute} in <{}>", element.name);
                if matches!(attribute.as_str(), "href" | "action" | "src") {
                    let own = value.starts_with("/auth/") || value.starts_with('#');
                    let back = [REALISTIC.back, BAD.back].contains(&value.as_str()) && name.contains(" problem ");
                    assert!(own || back, "{name}: {value}");
                }
            }
        }
    });
}

#[test]
fn text_of_others_is_shown_whole_isolated_and_without_direction_controls() {
    let shown = "<img src=x onerror=alert(1)>\"'&amp;</style></title><script>";
    let mut seen = 0;
    every_page(|name, page, _| {
        for element in page.all() {
            let hidden = element.attribute("type") == Some("hidden") || element.attribute("form").is_some();
            let values =
                element.attributes.iter().filter(|(key, _)| !hidden || *key != "value").map(|(_, value)| value);
            for text in values.chain([&element.text]) {
                assert!(!text.contains(['\u{202e}', '\u{2066}', '\u{200f}', '\0']), "{name}: {text:?}");
            }
            let own = element.text.contains("onerror")
                && !element.children.iter().any(|child| child.text.contains("onerror"));
            if own {
                assert_eq!(element.text.matches("onerror").count(), 1);
                assert!(element.text.contains(shown), "{name}: {:?}", element.text);
                let alone = element.name == "bdi" || element.attribute("dir").is_some();
                assert!(alone, "{name}: <{}> mixes the directions of texts", element.name);
                seen += 1;
            }
        }
    });
    assert!(seen > 100, "{seen}");
}

#[test]
fn what_goes_back_in_a_form_is_what_was_given() {
    let (theme, texts) = (theme(None), Texts::english());
    let frame = Frame { theme: &theme, texts: &texts, base: "" };
    let pages = pages(&frame, BAD);
    let consent = parse(&pages["consent 90"]);
    let hidden: Vec<_> =
        consent.named("input").iter().map(|one| (one.attribute("name"), one.attribute("value"))).collect();
    assert_eq!(hidden, [(Some("request"), Some(HOSTILE.repeat(8).as_str())), (Some("form_token"), Some(HOSTILE))]);
    let decisions: Vec<_> = consent.named("button").iter().map(|one| one.attribute("value").unwrap()).collect();
    assert_eq!(decisions, ["allow", "deny", "switch"]);
    assert_eq!(consent.named("form")[0].attribute("action"), Some("/consent"));

    let account = parse(&pages["applications None"]);
    let sent = |form: &Element| -> Vec<String> {
        let pair = |one: &&Element| format!("{}={}", one.attribute("name").unwrap(), one.attribute("value").unwrap());
        form.named("input").iter().map(pair).collect()
    };
    let forms: BTreeMap<_, _> =
        account.named("form").into_iter().map(|form| (form.attribute("id").unwrap(), sent(form))).collect();
    let token = format!("form_token={HOSTILE}");
    for action in ["withdraw", "end_session", "sign_out_everywhere"] {
        assert_eq!(forms[action], [token.clone(), format!("action={action}")]);
    }
    let buttons: Vec<_> =
        account.named("button").iter().map(|one| ["form", "name", "value"].map(|key| one.attribute(key))).collect();
    let withdraw = [Some("withdraw"), Some("client_id"), Some(HOSTILE)];
    let end = [Some("end_session"), Some("session"), Some(HOSTILE)];
    assert_eq!(buttons, [withdraw, withdraw, withdraw, withdraw, end, end, [None; 3]]);
}

#[test]
fn fields_have_the_names_that_endpoints_read_and_the_words_that_browsers_fill_in() {
    let (theme, texts) = (theme(None), Texts::english());
    let pages = pages(&Frame { theme: &theme, texts: &texts, base: "/auth" }, REALISTIC);
    for (name, action, fields) in [
        ("sign_in", "/auth/login", vec![("username", "username"), ("password", "current-password")]),
        (
            "password None",
            "/auth/password",
            vec![("current_password", "current-password"), ("new_password", "new-password")],
        ),
        ("reset None", "/auth/reset", vec![("new_password", "new-password")]),
        ("forgot None", "/auth/forgot", vec![("username", "username")]),
    ] {
        let page = parse(&pages[name]);
        let found: Vec<_> =
            page.named("input").into_iter().filter(|one| one.attribute("class") == Some("field")).collect();
        let found: Vec<_> =
            found.iter().map(|one| (one.attribute("name").unwrap(), one.attribute("autocomplete").unwrap())).collect();
        assert_eq!(found, fields, "{name}");
        assert_eq!(page.named("form")[0].attribute("action"), Some(action));
    }
    let box_ = parse(&pages["password None"]);
    let ticked = box_.named("input").into_iter().find(|one| one.attribute("type") == Some("checkbox")).unwrap();
    assert_eq!((ticked.attribute("name"), ticked.attribute("checked")), (Some("end_others"), Some("")));
    assert_eq!(parse(&pages["sign_out"]).named("form")[0].attribute("action"), Some("/auth/logout"));
}

#[test]
fn every_page_has_a_language_a_title_one_heading_and_landmarks() {
    every_page(|name, page, _| {
        let html = page.named("html")[0];
        assert!(name.starts_with(html.attribute("lang").unwrap()) && html.attribute("dir") == Some("ltr"), "{name}");
        let title = &page.named("title")[0].text;
        assert!(title.ends_with(" \u{b7} Example & Daughters"), "{name}: {title}");
        let error = title.starts_with("Error: ") || title.starts_with("Fehler: ");
        let problem = page.all().iter().any(|one| one.attribute("role") == Some("alert")) || name.contains(" problem ");
        assert_eq!(error, problem, "{name}: {title}");
        for (element, count) in [("h1", 1), ("main", 1), ("header", 1), ("title", 1), ("style", 1)] {
            assert_eq!(page.named(element).len(), count, "{name}: {element}");
        }
        assert!(page.named("form").iter().all(|form| form.attribute("method") == Some("post")), "{name}");
        assert!(page.named("button").iter().all(|one| one.attribute("type") == Some("submit")), "{name}");
        let headings: Vec<_> =
            page.all().into_iter().filter(|one| matches!(one.name.as_str(), "h1" | "h2" | "h3")).collect();
        assert!(headings.iter().all(|one| !one.text.trim().is_empty()), "{name}");
    });
}

#[test]
fn every_field_has_a_label_and_every_reference_leads_somewhere() {
    every_page(|name, page, _| {
        let ids = page.ids();
        let labels: BTreeSet<_> = page.named("label").into_iter().filter_map(|one| one.attribute("for")).collect();
        let within: Vec<_> = page.named("label").into_iter().flat_map(|one| one.named("input")).collect();
        for input in page.named("input") {
            let unseen = input.attribute("type") == Some("hidden") || input.attribute("hidden").is_some();
            let labelled = input.attribute("id").is_some_and(|id| labels.contains(id))
                || within.iter().any(|one| std::ptr::eq(*one, input));
            assert!(unseen || labelled, "{name}: {input:?}");
        }
        let described = page.all().into_iter().filter_map(|one| one.attribute("aria-describedby"));
        let links = page.named("a").into_iter().filter_map(|one| one.attribute("href")?.strip_prefix('#'));
        let forms = page.all().into_iter().filter_map(|one| one.attribute("form"));
        for id in labels.iter().copied().chain(forms).chain(described.flat_map(|ids| ids.split(' '))).chain(links) {
            assert!(ids.contains(id), "{name}: #{id}");
        }
        let focused = page.all().into_iter().filter(|one| one.attribute("autofocus").is_some()).count();
        assert!(focused <= 1, "{name}");
    });
}

#[test]
fn a_form_that_was_not_accepted_begins_with_a_summary_that_leads_to_the_field() {
    let (theme, texts) = (theme(None), Texts::english());
    let pages = pages(&Frame { theme: &theme, texts: &texts, base: "/auth" }, REALISTIC);
    for (name, field, text) in [
        ("sign_in Wrong", Some("username"), "The user name or the password is wrong."),
        ("sign_in Missing", Some("username"), "Enter your user name and your password."),
        ("sign_in TooMany { minutes: 1 }", None, "Too many attempts. Please try again in a minute."),
        ("sign_in TooMany { minutes: 15 }", None, "Too many attempts. Please try again in 15 minutes."),
        ("password Some(WrongCurrent)", Some("current_password"), "The current password is wrong."),
        (
            "password Some(TooShort)",
            Some("new_password"),
            "The new password is too short: it needs at least 15 characters.",
        ),
        ("reset Some(Missing)", Some("new_password"), "Fill in every field."),
        ("forgot Some(Missing)", Some("username"), "Enter your user name."),
    ] {
        let page = parse(&pages[name]);
        let main = page.named("main")[0];
        let summary = &main.children[0];
        assert_eq!((summary.attribute("role"), summary.attribute("tabindex")), (Some("alert"), Some("-1")), "{name}");
        assert!(summary.attribute("autofocus").is_some() && summary.text.ends_with(text), "{name}: {}", summary.text);
        let link = summary.named("a").first().and_then(|link| link.attribute("href")?.strip_prefix('#'));
        assert_eq!(link, field, "{name}");
        let wrong: Vec<_> =
            page.named("input").into_iter().filter(|one| one.attribute("aria-invalid") == Some("true")).collect();
        assert_eq!(wrong.first().and_then(|one| one.attribute("name")), field, "{name}");
        let names_it = |one: &&Element| {
            one.attribute("aria-describedby").is_some_and(|ids| ids.split(' ').any(|id| id == "trouble"))
        };
        assert!(wrong.iter().all(names_it), "{name}");
    }
    // A wrong sign-in does not say which of the two was wrong, and keeps the name but never the password.
    let wrong = parse(&pages["sign_in Wrong"]);
    let values: Vec<_> = wrong
        .named("input")
        .iter()
        .skip(1)
        .map(|one| (one.attribute("aria-invalid"), one.attribute("value")))
        .collect();
    assert_eq!(values, [(Some("true"), Some(REALISTIC.username)), (Some("true"), None)]);
}

#[test]
fn the_focus_waits_in_the_first_empty_field_of_the_sign_in() {
    let (theme, texts) = (theme(None), Texts::english());
    let pages = pages(&Frame { theme: &theme, texts: &texts, base: "/auth" }, REALISTIC);
    for (name, field) in [("sign_in", Some("username")), ("sign_in hinted", Some("password")), ("consent 90", None)] {
        let page = parse(&pages[name]);
        let focused = page.all().into_iter().find(|one| one.attribute("autofocus").is_some());
        assert_eq!(focused.and_then(|one| one.attribute("name")), field, "{name}");
    }
}

#[test]
fn the_policy_has_the_hash_of_the_style_element_of_every_page() {
    let theme = theme(Some("/logo.svg"));
    let texts = Texts::german();
    for (name, html) in pages(&Frame { theme: &theme, texts: &texts, base: "" }, BAD) {
        let (_, rest) = html.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
        let response = respond(StatusCode::OK, &theme, html.clone(), &[]);
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains(&format!("style-src 'sha256-{hash}'; img-src 'self';")), "{name}: {policy}");
        assert_eq!(&response.body()[..], html.as_bytes());
    }
}

#[test]
fn a_logo_stands_for_the_name_and_is_all_that_a_page_loads() {
    let (theme, texts) = (theme(Some("https://cdn.example/l.svg?a=1&b=2")), Texts::english());
    let page = parse(&signed_out(&Frame { theme: &theme, texts: &texts, base: "" }));
    let logo = page.named("header")[0].named("img")[0];
    assert_eq!(logo.attribute("src"), Some("https://cdn.example/l.svg?a=1&b=2"));
    assert_eq!(logo.attribute("alt"), Some("Example & Daughters"));
    assert_eq!(page.named("link")[0].attribute("href"), logo.attribute("src"));
}

#[test]
fn pages_are_below_ten_kilobytes() {
    let theme = theme(Some("/auth/static/logo-of-the-house.svg"));
    for texts in [Texts::english(), Texts::german()] {
        for (name, html) in pages(&Frame { theme: &theme, texts: &texts, base: "/auth" }, REALISTIC) {
            assert!(html.len() < 10_000, "{name} has {} bytes", html.len());
        }
    }
}

#[test]
fn a_way_back_is_https_or_none() {
    let (theme, texts) = (theme(None), Texts::english());
    let frame = Frame { theme: &theme, texts: &texts, base: "" };
    for (url, shown) in [
        ("https://app.example/", true),
        ("http://app.example/", false),
        ("javascript:alert(1)", false),
        ("//app.example", false),
        (" https://app.example/", false),
        ("com.example.app:/cb", false),
    ] {
        let page = ProblemPage {
            kind: ProblemKind::Expired,
            description: "",
            reference: "",
            back: Some(("app.example", url)),
        };
        let page = parse(&problem(&frame, &page));
        assert_eq!(page.named("a").len(), usize::from(shown), "{url}");
        assert_eq!(page.named("main")[0].named("p").len(), 1 + usize::from(shown), "nothing empty is shown");
    }
}

#[test]
fn consent_says_who_gets_what_for_how_long_and_warns_of_applications_on_the_device() {
    let (theme, texts) = (theme(None), Texts::english());
    let pages = pages(&Frame { theme: &theme, texts: &texts, base: "" }, REALISTIC);
    let (far, near) = (parse(&pages["consent 90"]), parse(&pages["consent 1"]));
    let (far, near) = (&far.named("main")[0].text, &near.named("main")[0].text);
    for word in [REALISTIC.client, REALISTIC.host, REALISTIC.username, REALISTIC.scopes[0], REALISTIC.scopes[2]] {
        assert!(far.contains(word) && near.contains(word), "{word}");
    }
    assert!(far.contains("after 90 days") && near.contains("after one day"));
    assert!(near.contains("application on this device") && !far.contains("application on this device"));
}

#[test]
fn a_language_from_right_to_left_is_laid_out_so() {
    let (theme, texts) = (theme(None), Texts::read("ar", []).unwrap());
    let page = parse(&signed_out(&Frame { theme: &theme, texts: &texts, base: "" }));
    assert_eq!(page.named("html")[0].attribute("dir"), Some("rtl"));
}
