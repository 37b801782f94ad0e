//! Dates by their parts (RFC 5260 §4.2).

use crate::ast::DatePart;
use congvu_types::Timestamp;
use jiff::tz::Offset;

/// Reads `+hhmm` into minutes.
pub(crate) fn zone(text: &str) -> Option<i32> {
    let (sign, digits) = text.split_at_checked(1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes) = (number / 100, number % 100);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

impl DatePart {
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "year" => Self::Year,
            "month" => Self::Month,
            "day" => Self::Day,
            "date" => Self::Date,
            "julian" => Self::Julian,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "second" => Self::Second,
            "time" => Self::Time,
            "iso8601" => Self::Iso8601,
            "std11" => Self::Std11,
            "zone" => Self::Zone,
            "weekday" => Self::Weekday,
            _ => return None,
        })
    }

    /// This part of an instant, as it is told in a zone.
    pub(crate) fn of(self, instant: Timestamp, zone_minutes: i32) -> Option<String> {
        /// Days from the beginning of the modified Julian calendar to 1970.
        const JULIAN: i64 = 40_587;
        let offset = Offset::from_seconds(zone_minutes.checked_mul(60)?).ok()?;
        let stamp = jiff::Timestamp::from_second(instant.seconds()).ok()?;
        let local = offset.to_datetime(stamp);
        let sign = if zone_minutes < 0 { '-' } else { '+' };
        let (hours, minutes) = (zone_minutes.abs() / 60, zone_minutes.abs() % 60);
        let format = match self {
            Self::Year => "%Y",
            Self::Month => "%m",
            Self::Day => "%d",
            Self::Date => "%Y-%m-%d",
            Self::Hour => "%H",
            Self::Minute => "%M",
            Self::Second => "%S",
            Self::Time => "%H:%M:%S",
            Self::Weekday => "%w",
            Self::Julian => {
                let seconds = instant.seconds().checked_add(i64::from(zone_minutes) * 60)?;
                return Some((seconds.div_euclid(86_400) + JULIAN).to_string());
            }
            Self::Zone => return Some(format!("{sign}{hours:02}{minutes:02}")),
            Self::Iso8601 => {
                return Some(format!("{}{sign}{hours:02}:{minutes:02}", local.strftime("%Y-%m-%dT%H:%M:%S")));
            }
            Self::Std11 => {
                return Some(format!(
                    "{} {sign}{hours:02}{minutes:02}",
                    local.strftime("%a, %d %b %Y %H:%M:%S")
                ));
            }
        };
        Some(local.strftime(format).to_string())
    }
}
