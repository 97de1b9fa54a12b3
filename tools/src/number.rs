//! Numbers for people.

/// With a separator every three digits: 12,345.
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes, with KiB beside them from there on.
pub(crate) fn bytes(value: u64) -> String {
    match value {
        0..1024 => format!("{value} B"),
        _ => format!("{} B ({:.1} KiB)", grouped(value), value as f64 / 1024.0),
    }
}

/// A share in percent with as many digits as a reader can use.
pub(crate) fn percent(share: f64) -> String {
    match share * 100.0 {
        p if p.is_nan() => "-".to_owned(),
        p if p == 0.0 || p >= 10.0 => format!("{p:.1} %"),
        p => format!("{p:.2} %"),
    }
}

/// A number of things: "1 image", "3 images".
pub(crate) fn count(value: usize, thing: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(value as u64))
}

/// Reads bytes: 65536, 64K, 1M or 2G.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    scaled(text, 1024)
}

/// Reads a number: 8000000 or 8M.
pub(crate) fn amount(text: &str) -> Result<u64, String> {
    scaled(text, 1000)
}

fn scaled(text: &str, thousand: u64) -> Result<u64, String> {
    let (number, scale) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], thousand),
        Some(b'M' | b'm') => (&text[..text.len() - 1], thousand.pow(2)),
        Some(b'G' | b'g') => (&text[..text.len() - 1], thousand.pow(3)),
        _ => (text, 1),
    };
    let number: Option<u64> = number.parse().ok();
    match number.and_then(|n| n.checked_mul(scale)) {
        Some(value) if value > 0 => Ok(value),
        _ => Err("expected a number, as 65536, 64K or 1M".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_suffixes() {
        assert_eq!(size("64K"), Ok(65_536));
        assert_eq!(size("1m"), Ok(1 << 20));
        assert_eq!(size("2G"), Ok(2 << 30));
        assert_eq!(amount("8M"), Ok(8_000_000));
        assert_eq!(amount("17"), Ok(17));
        for bad in ["", "K", "0", "-1", "1.5M", "64KiB", "99999999999999999999"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn digits_are_grouped_from_the_right() {
        let all = [0, 12, 123, 1234, 1_234_567].map(grouped);
        assert_eq!(all, ["0", "12", "123", "1,234", "1,234,567"]);
    }

    #[test]
    fn units_follow_the_size() {
        assert_eq!(bytes(7), "7 B");
        assert_eq!(bytes(2048), "2,048 B (2.0 KiB)");
        assert_eq!(
            [0.0, 0.0123, 0.5, 1.0].map(percent),
            ["0.0 %", "1.23 %", "50.0 %", "100.0 %"]
        );
        assert_eq!(
            (count(1, "image"), count(2, "image")),
            ("1 image".into(), "2 images".into())
        );
    }
}
