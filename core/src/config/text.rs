//! Settings as text: spans of time, limits, lists.

use std::time::Duration;

use super::Limit;

/// `900`, `900s`, `15m`, `12h`, `30d` or `0.5`: seconds unless a unit is named.
pub fn span(text: &str) -> Option<Duration> {
    let text = text.trim();
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
    let seconds = match text.get(number.len()..)?.trim() {
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

/// A span as short as it can be said: `1h`, `900s`, `0.5s`.
pub fn span_text(span: Duration) -> String {
    let seconds = span.as_secs();
    if span.subsec_millis() != 0 {
        return format!("{}s", span.as_secs_f64());
    }
    for (unit, size) in [("d", 86_400), ("h", 3600), ("m", 60)] {
        if seconds > 0 && seconds.is_multiple_of(size) {
            return format!("{}{unit}", seconds.checked_div(size).unwrap_or(0));
        }
    }
    format!("{seconds}s")
}

/// `10/15m`, or `off`.
pub(crate) fn limit(text: &str) -> Option<Option<Limit>> {
    if text.trim() == "off" {
        return Some(None);
    }
    let (failures, window) = text.split_once('/')?;
    let (failures, window) = (failures.trim().parse().ok()?, span(window)?);
    (failures > 0 && (1..=86_400).contains(&window.as_secs())).then_some(Some(Limit { failures, window }))
}

pub(crate) fn limit_text(limit: Option<Limit>) -> String {
    limit.map_or_else(|| "off".to_owned(), |limit| format!("{}/{}", limit.failures, span_text(limit.window)))
}

/// Words separated by blanks or commas.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', '\t', '\n']).filter(|word| !word.is_empty())
}

/// A size in bytes: `65536`, `64k`, `64 KiB`, `1m`.
pub fn size(text: &str) -> Option<usize> {
    let text = text.trim().to_ascii_lowercase();
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
    let unit: usize = match text.get(number.len()..)?.trim() {
        "" | "b" => 1,
        "k" | "kib" => 1024,
        "m" | "mib" => 1024 * 1024,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_with_and_without_units_and_nothing_else() {
        for (text, seconds) in [("900", 900), ("15m", 900), ("12h", 43_200), ("30 d", 2_592_000), ("0", 0)] {
            assert_eq!(span(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(span("0.5"), Some(Duration::from_millis(500)));
        for bad in ["", "m", "-1", "1w", "1h30m", "1e9", "99999999999999999999999d", "NaN"] {
            assert_eq!(span(bad), None, "{bad}");
        }
        for text in ["90d", "1h", "15m", "901s", "0s", "0.5s"] {
            assert_eq!(span_text(span(text).unwrap()), text);
        }
    }

    #[test]
    fn limits_are_failures_in_a_window() {
        assert_eq!(limit("10/15m"), Some(Some(Limit { failures: 10, window: Duration::from_secs(900) })));
        assert_eq!(limit("off"), Some(None));
        for bad in ["", "10", "0/1m", "10/0", "10/2d", "x/1m"] {
            assert_eq!(limit(bad), None, "{bad}");
        }
        assert_eq!(limit_text(limit("10/15m").unwrap()), "10/15m");
    }

    #[test]
    fn sizes_are_bytes_or_binary_multiples() {
        assert_eq!(size("64 KiB"), Some(65_536));
        assert_eq!(size("4096"), Some(4096));
        assert_eq!(size("1m"), Some(1_048_576));
        assert_eq!(size("1g"), None);
    }
}
