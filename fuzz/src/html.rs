//! Pages, read as strictly as XML: whatever was sent, only our own elements and attributes stand in them.

const ELEMENTS: [&str; 33] = [
    "html", "head", "body", "meta", "title", "style", "link", "header", "main", "footer", "nav", "section", "div", "p",
    "h1", "h2", "h3", "ul", "ol", "li", "dl", "dt", "dd", "form", "label", "input", "button", "a", "img", "small",
    "strong", "bdi", "code",
];
const MORE_ELEMENTS: [&str; 4] = ["time", "span", "br", "em"];
const VOID: [&str; 5] = ["meta", "link", "input", "img", "br"];

/// Checks a page.
///
/// # Panics
/// If it is not well formed, or holds what no page of ours holds.
pub(crate) fn assert_page(html: &str) {
    let mut rest = html.strip_prefix("<!DOCTYPE html>").unwrap_or_else(|| panic!("a doctype: {html}"));
    let mut open: Vec<&str> = Vec::new();
    while let Some((text, tag)) = rest.split_once('<') {
        if open.last() != Some(&"style") {
            assert_text(text);
        }
        let (tag, after) = tag.split_once('>').unwrap_or_else(|| panic!("a tag that is closed: {tag}"));
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed in order");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(ELEMENTS.contains(&name) || MORE_ELEMENTS.contains(&name), "no element of ours: <{tag}>");
        assert_attributes(attributes);
        if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "everything is closed: {open:?} {rest}");
}

fn assert_attributes(text: &str) {
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(['=', ' ']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        assert!(plain && !name.starts_with("on"), "no attribute of ours: {text}");
        rest = match after.strip_prefix('=') {
            None => after.trim_start(),
            Some(value) => {
                let value = value.strip_prefix('"').unwrap_or_else(|| panic!("a quoted value: {text}"));
                let (value, after) = value.split_once('"').unwrap_or_else(|| panic!("a closed value: {text}"));
                assert_text(value);
                if matches!(name, "href" | "src" | "action") {
                    let leads = value.starts_with(['/', '#', '?'])
                        || value.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
                    assert!(leads && !value.starts_with("//"), "an address that runs nothing: {value}");
                }
                after.trim_start()
            }
        };
    }
}

fn assert_text(text: &str) {
    assert!(!text.contains(['<', '>', '"']), "not escaped: {text}");
    let stray = |letter: char| letter.is_control() && letter != '\n';
    assert!(!text.contains(stray), "a control character: {text:?}");
    for after in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|entity| after.starts_with(entity));
        assert!(known, "a bare ampersand: {text}");
    }
}
