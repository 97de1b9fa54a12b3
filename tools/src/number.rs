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

#[cfg(test)]
mod tests {
    use super::*;

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
