//! What holds for every page, in both languages.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use sha2::{Digest as _, Sha256};

use super::*;

const HOSTILE: &str = "\u{202e}<img src=x onerror=alert(1)>\"'&amp;</style></title><script>\u{2066}\0\u{200f}";
const TOKEN: &str = "pk_Zm9yIGV2ZXJ5IGZvcm0gb25lIHRva2VuIG9mIGZvcnR5IGJ5dGVzIQ.c2VhbGVkIGFuZCBjaGVja2Vk";

/// What differs between realistic and hostile pages.
#[derive(Clone, Copy)]
struct Words<'a> {
    client: &'a str,
    host: &'a str,
    scopes: &'a [&'a str],
    username: &'a str,
    token: &'a str,
    description: &'a str,
    back: &'a str,
}

const REALISTIC: Words<'_> = Words {
    client: "The Orders Workbench of Example & Daughters",
    host: "orders.workbench.example.com",
    scopes: &[
        "See your orders and their state",
        "Change and cancel your orders",
        "See your name and your e-mail address",
    ],
    username: "ada.lovelace@example.com",
    token: TOKEN,
    description: "redirect_uri is not registered for this client",
    back: "https://orders.workbench.example.com/start",
};

const BAD: Words<'_> = Words {
    client: HOSTILE,
    host: HOSTILE,
    scopes: &[HOSTILE],
    username: HOSTILE,
    token: HOSTILE,
    description: HOSTILE,
    back: "https://x.example/\"><script>",
};

const KINDS: [ProblemKind; 10] = [
    ProblemKind::AlreadyUsed,
    ProblemKind::BadRequest,
    ProblemKind::Expired,
    ProblemKind::Failed,
    ProblemKind::Forged,
    ProblemKind::Method,
    ProblemKind::NoLongerSignedIn,
    ProblemKind::NotFound,
    ProblemKind::TooMany,
    ProblemKind::Unavailable,
];

/// Every page in every state, by name.
fn pages(frame: &Frame<'_>, words: Words<'_>) -> BTreeMap<String, String> {
    let Words { client, host, scopes, username, token, description, back } = words;
    let request = token.repeat(8);
    let mut pages = BTreeMap::new();
    let mut add = |name: String, page: String| assert!(pages.insert(name, page).is_none());

    let form = SignIn { request: &request, client: Some(client), username: "", problem: None, may_reset: true };
    add("sign_in".to_owned(), sign_in(frame, &form));
    add("sign_in hinted".to_owned(), sign_in(frame, &SignIn { username, client: None, may_reset: false, ..form }));
    for problem in [
        SignInProblem::Busy,
        SignInProblem::Missing,
        SignInProblem::TooMany { minutes: 1 },
        SignInProblem::TooMany { minutes: 15 },
        SignInProblem::Wrong,
    ] {
        let page =
            SignIn { request: &request, client: Some(client), username, problem: Some(problem), may_reset: true };
        add(format!("sign_in {problem:?}"), sign_in(frame, &page));
    }
    for (days, loopback_or_private) in [(90, false), (1, true)] {
        let page = ConsentPage {
            request: &request,
            token,
            client,
            redirect_host: host,
            scopes,
            username,
            days,
            loopback_or_private,
        };
        add(format!("consent {days}"), consent(frame, &page));
    }
    for kind in KINDS {
        let page = ProblemPage { kind, description, reference: "7Qe2-kk01", back: Some((host, back)) };
        add(format!("problem {kind:?}"), problem(frame, &page));
    }
    add("sign_out".to_owned(), sign_out(frame, &SignOut { token, username }));
    add("signed_out".to_owned(), signed_out(frame));

    let application = |since| Application {
        client_id: client,
        name: client,
        redirect_host: Some(host),
        scopes: scopes.to_vec(),
        since,
    };
    let session = |current, last_used| BrowserSession { id: token, since: 1_795_000_000, last_used, current };
    for done in [None, Some(Done::PasswordChanged), Some(Done::SessionEnded), Some(Done::Withdrawn)] {
        let some: Vec<_> = (0..4).map(|day| application(1_790_000_000 + day * 86_400)).collect();
        let sessions = [session(true, 1_795_000_600), session(false, 1_795_000_060), session(false, 1_795_000_000)];
        let page = ApplicationsPage {
            token,
            username,
            applications: &some,
            sessions: &sessions,
            done,
            may_change_password: true,
        };
        add(format!("applications {done:?}"), applications(frame, &page));
    }
    let sessions = [session(true, 1_795_000_600)];
    let page = ApplicationsPage {
        token,
        username,
        applications: &[],
        sessions: &sessions,
        done: None,
        may_change_password: false,
    };
    add("applications none".to_owned(), applications(frame, &page));

    for problem in [
        None,
        Some(PasswordProblem::Busy),
        Some(PasswordProblem::Missing),
        Some(PasswordProblem::TooCommon),
        Some(PasswordProblem::TooLong),
        Some(PasswordProblem::TooMany { minutes: 3 }),
        Some(PasswordProblem::TooShort),
        Some(PasswordProblem::WrongCurrent),
    ] {
        let page = PasswordPage { token, username, problem, min_length: 15 };
        add(format!("password {problem:?}"), password(frame, &page));
        add(format!("reset {problem:?}"), reset(frame, &ResetPage { token, problem, min_length: 15 }));
    }
    for problem in
        [None, Some(ForgotProblem::Busy), Some(ForgotProblem::Missing), Some(ForgotProblem::TooMany { minutes: 9 })]
    {
        add(format!("forgot {problem:?}"), forgot(frame, problem));
    }
    add("forgot_sent".to_owned(), forgot_sent(frame));
    add("password_set".to_owned(), password_set(frame));
    pages
}

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

/// An element of a page, as far as the tests look.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    children: Vec<Element>,
    /// All text within, children's included.
    text: String,
}

impl Element {
    fn all(&self) -> Vec<&Element> {
        std::iter::once(self).chain(self.children.iter().flat_map(Element::all)).collect()
    }

    fn named(&self, name: &str) -> Vec<&Element> {
        self.all().into_iter().filter(|element| element.name == name).collect()
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    fn ids(&self) -> BTreeSet<&str> {
        let mut ids = BTreeSet::new();
        for id in self.all().into_iter().filter_map(|element| element.attribute("id")) {
            assert!(ids.insert(id), "{id} is there twice");
        }
        ids
    }
}

fn unescape(text: &str) -> String {
    assert!(!text.contains(['<', '>', '"']), "not escaped: {text}");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// Reads HTML as strictly as XML: every element closed in order, every attribute quoted.
fn parse(html: &str) -> Element {
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

#[test]
fn no_value_becomes_markup_and_no_page_has_script() {
    const ELEMENTS: [&str; 28] = [
        "", "a", "bdi", "body", "button", "code", "div", "form", "h1", "h2", "h3", "head", "header", "html", "input",
        "label", "li", "link", "main", "meta", "nav", "p", "span", "style", "time", "title", "ul", "img",
    ];
    const ATTRIBUTES: [&str; 31] = [
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
            let hidden = element.attribute("type") == Some("hidden");
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
        form.named("input")
            .iter()
            .map(|one| format!("{}={}", one.attribute("name").unwrap(), one.attribute("value").unwrap()))
            .collect()
    };
    let forms: Vec<_> = account.named("form").into_iter().map(sent).collect();
    let token = format!("form_token={HOSTILE}");
    assert_eq!(forms.len(), 7);
    assert_eq!(forms[0], [token.clone(), "action=withdraw".to_owned(), format!("client_id={HOSTILE}")]);
    assert_eq!(forms[4], [token.clone(), "action=end_session".to_owned(), format!("session={HOSTILE}")]);
    assert_eq!(forms[6], [token, "action=sign_out_everywhere".to_owned()]);
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
        for id in labels.iter().copied().chain(described.flat_map(|ids| ids.split(' '))).chain(links) {
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
    let (theme, texts) = (theme(Some("https://cdn.example/l.svg?a=1&b=\"2\"")), Texts::english());
    let page = parse(&signed_out(&Frame { theme: &theme, texts: &texts, base: "" }));
    let logo = page.named("header")[0].named("img")[0];
    assert_eq!(logo.attribute("src"), Some("https://cdn.example/l.svg?a=1&b=\"2\""));
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
