//! Today, without a calendar library.

use std::time::{SystemTime, UNIX_EPOCH};

/// Today's date in UTC: 2026-03-01.
pub fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    iso(since.map_or(0, |s| s.as_secs() / 86_400))
}

/// The date so many days after 1970-01-01 (Howard Hinnant's algorithm: years begin in March, so
/// that the leap day is the last of a year, and 400 years are one era of 146,097 days).
fn iso(days: u64) -> String {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        let known = [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (19_722, "2023-12-31"),
            (20_513, "2026-03-01"),
        ];
        for (days, date) in known {
            assert_eq!(iso(days), date);
        }
    }
}
