//! The style sheet: a card on a neutral ground, in light and dark, down to 320 pixels.

use super::colour::Colour;

/// The colours that do not depend on the theme.
struct Palette {
    ground: Colour,
    card: Colour,
    text: Colour,
    soft: Colour,
    /// Decorative lines.
    line: Colour,
    /// The edges of fields, which have to be seen (WCAG 2.2 success criterion 1.4.11).
    edge: Colour,
    bad: Colour,
    bad_ground: Colour,
    good: Colour,
    good_ground: Colour,
}

const LIGHT: Palette = Palette {
    ground: Colour::new(0x00f2_f4f7),
    card: Colour::WHITE,
    text: Colour::new(0x001b_1f24),
    soft: Colour::new(0x0056_5e68),
    line: Colour::new(0x00dd_e1e6),
    edge: Colour::new(0x007d_8590),
    bad: Colour::new(0x00a8_1d1d),
    bad_ground: Colour::new(0x00fd_eeee),
    good: Colour::new(0x001a_6334),
    good_ground: Colour::new(0x00ea_f6ee),
};

const DARK: Palette = Palette {
    ground: Colour::new(0x0010_1317),
    card: Colour::new(0x001a_1f26),
    text: Colour::new(0x00e8_eaed),
    soft: Colour::new(0x00a9_b1bb),
    line: Colour::new(0x0034_3b45),
    edge: Colour::new(0x0080_8994),
    bad: Colour::new(0x00ff_a8a0),
    bad_ground: Colour::new(0x0034_1c1e),
    good: Colour::new(0x008f_dba6),
    good_ground: Colour::new(0x0017_2d1f),
};

impl Palette {
    /// The custom properties; `on` is the text on `accent`.
    fn properties(&self, accent: Colour, on: Colour) -> String {
        let Self { ground, card, text, soft, line, edge, bad, bad_ground, good, good_ground } = self;
        format!(
            ":root{{--accent:{accent};--on:{on};--ground:{ground};--card:{card};--text:{text};--soft:{soft};--line:{line};\
             --edge:{edge};--bad:{bad};--bad-ground:{bad_ground};--good:{good};--good-ground:{good_ground}}}"
        )
    }
}

/// The accent in the dark: the theme's colour, or the nearest lighter one that can be read there.
fn dark_accent(accent: Colour) -> Colour {
    accent.readable(Colour::WHITE, &[DARK.card, DARK.ground])
}

/// The whole sheet. It has none of `<`, `>` and `&`, so it is the same as text of an element and as bytes that are hashed.
pub(super) fn sheet(accent: Colour) -> String {
    let light = LIGHT.properties(accent, Colour::WHITE);
    let dark = DARK.properties(dark_accent(accent), DARK.card);
    let rules: String = RULES.lines().map(str::trim).collect();
    format!("{light}@media(prefers-color-scheme:dark){{{dark}}}{rules}")
}

const RULES: &str = "
:root{color-scheme:light dark}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;padding:2rem 1rem;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,main{max-width:27rem;margin:0 auto}
header{margin-bottom:1.25rem;text-align:center;font-size:1.125rem;font-weight:600}
header p{margin:0}
header img{display:block;max-width:100%;height:3rem;margin:0 auto;object-fit:contain}
main{padding:1.75rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;box-shadow:0 1px 3px rgb(0 0 0/.08)}
main.wide{max-width:40rem}
h1{margin:0 0 .5rem;font-size:1.5rem;line-height:1.25;text-wrap:balance}
h2{margin:1.75rem 0 .5rem;font-size:1.125rem;line-height:1.3}
h3{margin:0;font-size:1rem}
p{margin:.5rem 0}
ul{margin:.5rem 0;padding-inline-start:1.25rem}
form{margin:0}
.soft{color:var(--soft)}
small,.soft{font-size:.9375rem}
label{display:block;margin:1rem 0 .25rem;font-weight:600}
input{font:inherit}
.field{width:100%;min-height:2.75rem;padding:.5rem .75rem;color:inherit;background:var(--card);border:1px solid var(--edge);border-radius:.5rem}
.field[aria-invalid]{border:2px solid var(--bad)}
.check{display:flex;align-items:center;gap:.75rem;min-height:2.75rem;font-weight:400;cursor:pointer}
.check input{flex:none;width:1.5rem;height:1.5rem;margin:0;accent-color:var(--accent)}
button{width:100%;min-height:2.75rem;margin-top:1.25rem;padding:.5rem 1rem;font:inherit;font-weight:600;color:var(--on);background:var(--accent);border:2px solid var(--accent);border-radius:.5rem;cursor:pointer}
button.plain{color:var(--accent);background:none}
button.link{border-color:transparent;font-weight:400;color:var(--accent);background:none;text-decoration:underline}
button:hover,a:hover{text-decoration:underline;text-underline-offset:.2em;text-decoration-thickness:2px}
a{color:var(--accent)}
.links{display:flex;flex-wrap:wrap;justify-content:center;gap:0 1.5rem;margin-top:1rem;padding:0;list-style:none}
.links a,.note a{display:inline-block;min-width:2.75rem;padding:.625rem 0}
:focus-visible,[tabindex]:focus{outline:3px solid var(--accent);outline-offset:2px}
.pair{display:flex;flex-wrap:wrap;gap:0 .75rem}
.pair button{flex:1 1 8rem}
.note{margin:1rem 0;padding:.75rem 1rem;border:1px solid;border-inline-start-width:5px;border-radius:.5rem}
.note h2{margin:0}
.note p{margin:0}
.note ul{margin:0;padding:0;list-style:none}
.note a{color:inherit}
.note:first-child{margin:0 0 1.25rem}
.bad{color:var(--bad);background:var(--bad-ground)}
.good{color:var(--good);background:var(--good-ground)}
.scopes li{margin:.25rem 0}
.items{padding:0;list-style:none}
.items li.item{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;justify-content:space-between;padding:.75rem 0;border-top:1px solid var(--line)}
.item div{flex:1 1 14rem;min-width:0}
.item p{margin:0}
.item ul{margin:.25rem 0}
.item button{width:auto;margin:0}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
code{font-family:ui-monospace,monospace;font-size:.875rem}
@media(max-width:30rem){body{padding:1rem .5rem}main{padding:1.25rem 1rem}.item button{width:100%}}
@media(prefers-reduced-motion:no-preference){button{transition:box-shadow .15s}button:hover{box-shadow:0 2px 6px rgb(0 0 0/.2)}}
@media(forced-colors:active){main,button,.note{border:2px solid}:focus-visible,[tabindex]:focus{outline-color:Highlight}}
";

#[cfg(test)]
mod tests {
    use super::super::colour::TEXT;
    use super::*;

    /// The least contrast of what is no text (WCAG 2.2 success criterion 1.4.11).
    const SHAPE: f64 = 3.0;

    #[test]
    fn the_fixed_colours_are_readable_in_light_and_dark() {
        for (name, palette) in [("light", &LIGHT), ("dark", &DARK)] {
            for (what, front, back, least) in [
                ("text on the card", palette.text, palette.card, TEXT),
                ("text on the ground", palette.text, palette.ground, TEXT),
                ("soft text on the card", palette.soft, palette.card, TEXT),
                ("a problem", palette.bad, palette.bad_ground, TEXT),
                ("a message", palette.good, palette.good_ground, TEXT),
                ("the edge of a field", palette.edge, palette.card, SHAPE),
                ("the edge of a wrong field", palette.bad, palette.card, SHAPE),
            ] {
                assert!(front.contrast(back) >= least, "{name}, {what}: {:.2}", front.contrast(back));
            }
        }
    }

    #[test]
    fn every_accent_is_readable_in_the_dark_and_its_focus_ring_is_seen_on_every_ground() {
        for rgb in
            (0..16_u32.pow(3)).map(|at| Colour::new((at >> 8) * 0x11_0000 + (at >> 4 & 15) * 0x1100 + (at & 15) * 0x11))
        {
            let dark = dark_accent(rgb);
            assert!(dark.contrast(DARK.card) >= TEXT && dark.contrast(DARK.ground) >= TEXT, "{rgb} {dark}");
            assert!(
                dark.contrast(DARK.bad_ground) >= SHAPE && dark.contrast(DARK.good_ground) >= SHAPE,
                "{rgb} {dark}"
            );
            if rgb.contrast(Colour::WHITE) >= TEXT {
                for ground in [LIGHT.ground, LIGHT.bad_ground, LIGHT.good_ground] {
                    assert!(rgb.contrast(ground) >= SHAPE, "{rgb}");
                }
            }
        }
    }

    #[test]
    fn the_sheet_needs_no_escape_and_loads_nothing() {
        let sheet = sheet(Colour::new(0));
        assert!(!sheet.contains(['<', '>', '&']), "{sheet}");
        assert!(!sheet.contains("url(") && !sheet.contains("@import") && !sheet.contains("//"), "{sheet}");
        assert_eq!(sheet.matches('{').count(), sheet.matches('}').count());
    }
}
