//! Values as people read them.

use serde_json::{Map, Value};

/// One line a field, its name first; members whose name says that they are moments are written as dates.
pub(crate) fn fields(values: &Map<String, Value>) -> String {
    let mut text = String::new();
    write(&mut text, values, 0);
    text
}

fn write(text: &mut String, values: &Map<String, Value>, depth: usize) {
    for (name, value) in values {
        let indent = " ".repeat(depth * 2);
        let width = 28_usize.saturating_sub(depth * 2);
        match value {
            Value::Null => {}
            Value::Object(inner) => {
                text.push_str(&format!("{indent}{name}\n"));
                write(text, inner, depth + 1);
            }
            Value::Array(list) if list.iter().any(Value::is_object) => {
                for (number, one) in list.iter().enumerate() {
                    text.push_str(&format!("{indent}{name} {}\n", number + 1));
                    if let Value::Object(inner) = one {
                        write(text, inner, depth + 1);
                    }
                }
            }
            Value::Array(list) => {
                let list: Vec<String> = list.iter().map(|one| single(name, one)).collect();
                text.push_str(&format!("{indent}{name:width$} {}\n", list.join(" ")));
            }
            single_value => text.push_str(&format!("{indent}{name:width$} {}\n", single(name, single_value))),
        }
    }
}

fn single(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(seconds) if is_moment(name) => seconds.as_u64().map_or_else(|| value.to_string(), moment),
        other => other.to_string(),
    }
}

fn is_moment(name: &str) -> bool {
    name.ends_with("_at") || matches!(name, "at" | "since" | "until")
}

/// Seconds since 1970 as RFC 3339 writes them.
pub(crate) fn moment(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (mut year, mut left) = (1970, days);
    while left >= days_of(year) {
        left -= days_of(year);
        year += 1;
    }
    let mut month = 1;
    while left >= days_of_month(year, month) {
        left -= days_of_month(year, month);
        month += 1;
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", left + 1)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates() {
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_268_800, "2026-01-01T12:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(moment(seconds), date);
        }
    }

    #[test]
    fn fields_are_lines_lists_are_words_and_nothing_is_left_out_but_nothing() {
        let value = serde_json::json!({ "a": ["x", "y"], "b": null, "c": { "created_at": 0, "on": true } });
        let Value::Object(map) = value else { panic!("an object") };
        let lines: Vec<String> =
            fields(&map).lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines, ["a x y", "c", "created_at 1970-01-01T00:00:00Z", "on true"]);
    }
}
