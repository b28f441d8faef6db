//! What pages are made of: text of others, fields, forms, the summary of problems.

use maud::{Escaper, Markup, Render, html};

use super::Frame;
use super::texts::Id;

/// Text of others as it is shown: escaped, without characters that control or reorder what is around them.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a>(pub(super) &'a str);

impl Render for Shown<'_> {
    fn render_to(&self, buffer: &mut String) {
        use std::fmt::Write as _;
        let shown = self.0.chars().filter(|one| !one.is_control() && !is_direction(*one));
        // Writing into memory cannot fail.
        let _ = shown.into_iter().try_for_each(|one| Escaper::new(buffer).write_char(one));
    }
}

/// Embeddings, overrides, isolates and marks of the bidirectional algorithm (UAX 9).
const fn is_direction(one: char) -> bool {
    matches!(one, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text of others within ours, whose direction stays its own.
pub(super) fn isolated(text: &str) -> Markup {
    html! { bdi { (Shown(text)) } }
}

/// What a form cannot be accepted for, and the field to go to.
pub(super) struct Trouble {
    pub(super) text: Markup,
    pub(super) field: Option<&'static str>,
}

/// The element that fields refer to as the description of what is wrong.
const TROUBLE: &str = "trouble";

/// The summary at the top of a form that was not accepted; it takes the focus, so that it is read first.
pub(super) fn summary(frame: &Frame<'_>, trouble: Option<&Trouble>) -> Markup {
    html! {
        @if let Some(trouble) = trouble {
            div.note.bad role="alert" tabindex="-1" autofocus {
                h2 { (frame.texts.get(Id::ProblemHeading)) }
                @match trouble.field {
                    Some(field) => ul { li { a id=(TROUBLE) href={ "#" (field) } { (trouble.text) } } }
                    None => p { (trouble.text) }
                }
            }
        }
    }
}

/// The text of "try again in so many minutes".
pub(super) fn too_many(frame: &Frame<'_>, minutes: u64) -> Markup {
    match minutes {
        0 | 1 => frame.texts.get(Id::TooManyOne).render(),
        _ => frame.texts.count(Id::TooMany, "minutes", minutes),
    }
}

/// A field with its label. Its id is its name.
pub(super) struct Field<'a> {
    name: &'static str,
    label: &'a str,
    kind: &'static str,
    autocomplete: &'static str,
    value: &'a str,
    hint: Option<Markup>,
    invalid: bool,
    autofocus: bool,
}

impl<'a> Field<'a> {
    pub(super) fn username(frame: &'a Frame<'_>, value: &'a str) -> Self {
        let label = frame.texts.get(Id::Username);
        Self { kind: "text", value, ..Self::password("username", label, "username") }
    }

    pub(super) const fn password(name: &'static str, label: &'a str, autocomplete: &'static str) -> Self {
        Self { name, label, kind: "password", autocomplete, value: "", hint: None, invalid: false, autofocus: false }
    }

    pub(super) fn hint(mut self, hint: Markup) -> Self {
        self.hint = Some(hint);
        self
    }

    pub(super) const fn invalid(mut self, invalid: bool) -> Self {
        self.invalid = invalid;
        self
    }

    pub(super) const fn autofocus(mut self, autofocus: bool) -> Self {
        self.autofocus = autofocus;
        self
    }
}

impl Render for Field<'_> {
    fn render(&self) -> Markup {
        let hint = self.hint.as_ref().map(|_| format!("{}-hint", self.name));
        let described = match (&hint, self.invalid) {
            (Some(hint), true) => Some(format!("{hint} {TROUBLE}")),
            (None, true) => Some(TROUBLE.to_owned()),
            (hint, false) => hint.clone(),
        };
        let text = self.kind == "text";
        html! {
            label for=(self.name) { (self.label) }
            @if let (Some(id), Some(hint)) = (&hint, &self.hint) { p.soft id=(id) { (hint) } }
            input.field id=(self.name) name=(self.name) type=(self.kind) autocomplete=(self.autocomplete)
                value=[text.then_some(Shown(self.value))] dir=[text.then_some("auto")]
                autocapitalize=[text.then_some("none")] spellcheck=[text.then_some("false")] required
                aria-invalid=[self.invalid.then_some("true")] aria-describedby=[described] autofocus[self.autofocus];
        }
    }
}

/// A value that goes back as it came.
pub(super) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}
