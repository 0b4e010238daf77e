//! When was this, to the second, in one spelling?
//!
//! TIME is an instant of UTC as `YYYY-MM-DDTHH:MM:SSZ`, of the years 2000 to 2199, without leap seconds. Days are counted from 1 March,
//! so that the leap day is a year's last (the calendar repeats after 400 years of 146,097 days). Integers alone; constant time.

use crate::{refuse, Fault};

const DAY: i64 = 86_400;
/// Days from 1 March of year 0 to 1 January 1970.
const TO_1970: i64 = 719_468;

/// The Unix time that `text` spells.
pub fn parse(text: &str) -> Result<i64, Fault> {
    let shape = text.len() == 20
        && text
            .bytes()
            .zip(b"dddd-dd-ddTdd:dd:ddZ")
            .all(|(byte, like)| match like {
                b'd' => byte.is_ascii_digit(),
                _ => byte == *like,
            });
    if !shape {
        // The text may be as long as a file.
        refuse!("a text that is no time: «YYYY-MM-DDTHH:MM:SSZ» is expected");
    }
    let mut digits = [0; 14];
    let given = text.bytes().filter(u8::is_ascii_digit);
    for (place, digit) in digits.iter_mut().zip(given) {
        *place = digit;
    }
    match instant(&digits) {
        Some(time) => Ok(time),
        None => refuse!("«{text}» is no instant of the years 2000 to 2199"),
    }
}

/// The Unix time of the digits `YYYYMMDDHHMMSS`, if there is such an instant in the years 2000 to 2199.
pub(crate) fn instant(digits: &[u8; 14]) -> Option<i64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |from: usize, to: usize| {
        digits[from..to]
            .iter()
            .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
    };
    let (year, month, day) = (number(0, 4), number(4, 6), number(6, 8));
    let (hour, minute, second) = (number(8, 10), number(10, 12), number(12, 14));
    let real = (2000..2200).contains(&year)
        && (1..=12).contains(&month)
        && hour < 24
        && minute < 60
        && second < 60;
    if !real {
        return None;
    }
    let days = days(year, month, day);
    // 31 April comes back as 1 May.
    (date(days) == (year, month, day)).then_some(days * DAY + hour * 3600 + minute * 60 + second)
}

/// The spelling of a Unix time. [`parse`] reads it back if it is in the years 2000 to 2199.
pub fn write(time: i64) -> String {
    let (year, month, day) = date(time.div_euclid(DAY));
    let second = time.rem_euclid(DAY);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Days from 1 January 1970 to a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month < 3);
    let month = (month + 9) % 12;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400)
        // Months from March have 31, 30, 31, 30, 31 days, and so on: 153 in five.
        + (153 * month + 2) / 5
        + day
        - 1
        - TO_1970
}

/// Year, month and day, so many days after 1 January 1970.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + TO_1970;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (400 * era + year + i64::from(month < 3), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_day_is_counted_as_by_the_calendar_on_the_wall() {
        let mut time = 946_684_800;
        for year in 2000..2200_i64 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let february = if leap { 29 } else { 28 };
            let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, length) in (1..).zip(months) {
                for day in 1..=31 {
                    let text = format!("{year}-{month:02}-{day:02}T00:00:00Z");
                    if day > length {
                        assert!(parse(&text).is_err(), "{text}");
                        continue;
                    }
                    assert_eq!(parse(&text), Ok(time), "{text}");
                    assert_eq!(write(time), text);
                    time += DAY;
                }
            }
        }
        assert_eq!(time, 7_258_118_400);
    }

    #[test]
    fn known_instants() {
        assert_eq!(write(0), "1970-01-01T00:00:00Z");
        assert_eq!(write(-1), "1969-12-31T23:59:59Z");
        assert_eq!(parse("2023-08-23T15:09:27Z"), Ok(1_692_803_367));
        assert_eq!(parse("2199-12-31T23:59:59Z"), Ok(7_258_118_399));
    }

    #[test]
    fn other_spellings_and_other_years_are_refused() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00z",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00.0Z",
            "2026-01-01T00:00:00+00:00",
            "2026-1-01T00:00:000Z",
            "+026-01-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-32T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-12-31T23:59:60Z",
            "1999-12-31T23:59:59Z",
            "2200-01-01T00:00:00Z",
            "２026-01-01T00:00Z",
            "2026-01-01T00:00:00Z ",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(time in 946_684_800..7_258_118_400_i64) {
            prop_assert_eq!(parse(&write(time)), Ok(time));
        }

        #[test]
        fn what_is_read_has_one_spelling(text in "[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z") {
            if let Ok(time) = parse(&text) {
                prop_assert_eq!(write(time), text);
            }
        }

        #[test]
        fn no_input_panics(text in any::<String>(), time in any::<i64>()) {
            let _either = parse(&text);
            prop_assert!(write(time).ends_with('Z'));
        }
    }
}
