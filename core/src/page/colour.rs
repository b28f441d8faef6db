//! Colours and their contrast (WCAG 2.2, relative luminance and contrast ratio).

use std::fmt;

/// The least contrast of text with what is behind it (WCAG 2.2 success criterion 1.4.3, level AA).
pub(super) const TEXT: f64 = 4.5;

/// A colour in sRGB, eight bits a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour([u8; 3]);

impl Colour {
    pub(super) const WHITE: Self = Self([255; 3]);

    /// `0xrrggbb`.
    pub(super) const fn new(rgb: u32) -> Self {
        let [_, red, green, blue] = rgb.to_be_bytes();
        Self([red, green, blue])
    }

    /// `#rgb` or `#rrggbb`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        match digits.len() {
            3 => Self::parse(&digits.chars().fold("#".to_owned(), |all, digit| format!("{all}{digit}{digit}"))),
            6 => u32::from_str_radix(digits, 16).ok().map(Self::new),
            _ => None,
        }
    }

    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast ratio of two colours: 1 to 21.
    pub(super) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// This colour, `parts` of 255 of the way to `other`.
    fn towards(self, other: Self, parts: u8) -> Self {
        let [red, green, blue] = self.0;
        let [to_red, to_green, to_blue] = other.0;
        let mix = |from: u8, to: u8| {
            let (from, to, parts) = (u32::from(from), u32::from(to), u32::from(parts));
            let kept = from.saturating_mul(255_u32.saturating_sub(parts));
            let sum = kept.saturating_add(to.saturating_mul(parts)).saturating_add(127);
            u8::try_from(sum.checked_div(255).unwrap_or(0)).unwrap_or(u8::MAX)
        };
        Self([mix(red, to_red), mix(green, to_green), mix(blue, to_blue)])
    }

    /// The first colour on the way from this one to `end` that has enough contrast with all of `with`.
    pub(super) fn readable(self, end: Self, with: &[Self]) -> Self {
        let enough = |colour: &Self| with.iter().all(|one| colour.contrast(*one) >= TEXT);
        (0..=u8::MAX).map(|parts| self.towards(end, parts)).find(enough).unwrap_or(end)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_the_standard() {
        let black = Colour::new(0);
        assert!((Colour::WHITE.contrast(black) - 21.0).abs() < 1e-9);
        assert!((black.contrast(black) - 1.0).abs() < 1e-9);
        // The well-known edge of AA on white.
        assert!(Colour::new(0x0076_7676).contrast(Colour::WHITE) >= TEXT);
        assert!(Colour::new(0x0077_7777).contrast(Colour::WHITE) < TEXT);
    }

    #[test]
    fn short_and_long_hex_read_alike_and_nothing_else_reads() {
        assert_eq!(Colour::parse("#0aF"), Colour::parse("#00AAff"));
        assert_eq!(Colour::parse("#0aF").unwrap().to_string(), "#00aaff");
        for bad in ["", "#", "blue", "0af", "#0a", "#0000", "#0a0a0a0", "#ggg", "#0af;", "#0á1", "#+12", "rgb(0,0,0)"]
        {
            assert_eq!(Colour::parse(bad), None, "{bad}");
        }
    }
}
