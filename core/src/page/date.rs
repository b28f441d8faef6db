//! Moments as people read them: the proleptic Gregorian calendar in UTC, in the form of RFC 3339.

use maud::{Markup, html};

use crate::time::UnixTime;

const DAY: u64 = 86_400;

/// A day, `2026-11-25`, as a `time` element.
pub(super) fn day(seconds: u64) -> Markup {
    let text = day_text(seconds);
    html! { time datetime=(text) { (text) } }
}

/// A minute, `2026-11-25 06:00 UTC`, as a `time` element.
pub(super) fn minute(seconds: u64) -> Markup {
    let of_day = UnixTime::from_seconds(seconds).seconds().checked_rem(DAY).unwrap_or(0);
    let hour = of_day.checked_div(3600).unwrap_or(0);
    let minute = of_day.checked_rem(3600).and_then(|rest| rest.checked_div(60)).unwrap_or(0);
    let (day, clock) = (day_text(seconds), format!("{hour:02}:{minute:02}"));
    html! { time datetime={ (day) "T" (clock) "Z" } { (day) " " (clock) " UTC" } }
}

/// Days since 1970 to year, month, day: years begin in March, so that the leap day is a year's last.
#[expect(clippy::arithmetic_side_effects, reason = "bounded by the year 9999")]
fn day_text(seconds: u64) -> String {
    let days = UnixTime::from_seconds(seconds).seconds() / DAY + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let (month, later) = if from_march < 10 { (from_march + 3, 0) } else { (from_march - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year_of_era + later)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_709_164_800, "2024-02-29"),
            (1_798_761_599, "2026-12-31"),
            (1_798_761_600, "2027-01-01"),
            (4_107_542_400, "2100-03-01"),
            (u64::MAX, "9999-12-31"),
        ] {
            assert_eq!(day_text(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn a_minute_is_machine_readable_and_says_its_zone() {
        let expected = r#"<time datetime="2000-02-28T23:59Z">2000-02-28 23:59 UTC</time>"#;
        assert_eq!(minute(951_782_399).into_string(), expected);
        assert_eq!(day(0).into_string(), r#"<time datetime="1970-01-01">1970-01-01</time>"#);
    }
}
