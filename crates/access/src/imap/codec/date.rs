//! Dates of IMAP (RFC 9051 §9: date, date-time).

use super::scan::{Bad, Scanned, Scanner};
use congvu_types::Timestamp;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: i64 = 86_400;

/// Days since 1970-01-01 of a day of the Gregorian calendar (Hinnant's algorithm).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
fn civil(days: i64) -> (i64, usize, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, usize::try_from(month - 1).unwrap_or(0), day)
}

/// Days since 1970-01-01 of year, month and day.
pub(crate) fn days_of((year, month, day): (u16, u8, u8)) -> i64 {
    days(i64::from(year), i64::from(month), i64::from(day))
}

/// Reads `d-Mon-yyyy`; returns days since 1970-01-01.
fn day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let day: i64 = day.trim_start().parse().ok().filter(|d| (1..=31).contains(d))?;
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(month))?;
    let year: i64 = year.parse().ok().filter(|y| (1..=9999).contains(y))?;
    parts.next().is_none().then(|| days(year, i64::try_from(month).unwrap_or(0) + 1, day))
}

/// Reads the date of a search, quoted or not; returns days since 1970-01-01.
pub(crate) fn search_date(scanner: &mut Scanner<'_>) -> Scanned<i64> {
    day(&scanner.text()?).ok_or(Bad("a date such as 23-Nov-2026"))
}

/// Reads the date-time of APPEND, in its quotes.
pub(crate) fn date_time(scanner: &mut Scanner<'_>) -> Scanned<Timestamp> {
    let bad = Bad("a date-time such as \"23-Nov-2026 08:00:00 +0700\"");
    let text = scanner.string()?;
    let text = std::str::from_utf8(&text).map_err(|_| bad.clone())?;
    read_date_time(text).ok_or(bad)
}

fn read_date_time(text: &str) -> Option<Timestamp> {
    let mut words = text.trim_start().split(' ');
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    let mut clock = time.split(':').map(|p| p.parse::<i64>().ok().filter(|n| (0..=60).contains(n)));
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let offset: i64 = zone.get(1..).filter(|z| z.len() == 4)?.parse().ok()?;
    let offset = sign * (offset / 100 * 3600 + offset % 100 * 60);
    let seconds = day(date)? * DAY + hour * 3600 + minute * 60 + second - offset;
    (hour < 24 && words.next().is_none()).then(|| Timestamp::from_seconds(seconds))
}

/// Writes an internal date, in Vietnam's zone: `"23-Nov-2026 15:15:00 +0700"`.
pub(crate) fn internal_date(at: Timestamp) -> String {
    let local = at.seconds() + 7 * 3600;
    let (year, month, day) = civil(local.div_euclid(DAY));
    let of_day = local.rem_euclid(DAY);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("\"{day:02}-{}-{year:04} {hour:02}:{minute:02}:{second:02} +0700\"", MONTHS[month.min(11)])
}

/// The day of an instant in Vietnam's zone: what searches compare (RFC 9051 §6.4.4 disregards time and zone).
pub(crate) fn day_of(at: Timestamp) -> i64 {
    (at.seconds() + 7 * 3600).div_euclid(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_written() {
        let at = read_date_time("23-Nov-2026 15:15:00 +0700").unwrap();
        assert_eq!(at, Timestamp(1_795_421_700_000));
        assert_eq!(internal_date(at), "\"23-Nov-2026 15:15:00 +0700\"");
        assert_eq!(read_date_time(" 1-Jan-1970 00:00:00 +0000"), Some(Timestamp(0)));
        assert_eq!(day("29-Feb-2024").map(civil), Some((2024, 1, 29)));
        assert_eq!(day_of(Timestamp(0)), 0);
        for bad in ["23-Nov-2026", "x", "1-Foo-2026 00:00:00 +0000", "1-Jan-2026 24:00:00 +0000"] {
            assert_eq!(read_date_time(bad), None, "{bad}");
        }
    }
}
