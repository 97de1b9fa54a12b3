//! Text with places in it.

/// A template with its places filled: `{{name}}` becomes the value of that name.
pub(super) fn fill(template: &str, values: &[(&str, String)]) -> String {
    values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{{{name}}}}}"), value)
        })
}

/// A list of strings in Rust, as it stands between brackets.
pub(super) fn strings<'s>(strings: impl IntoIterator<Item = &'s str>) -> String {
    let quoted = strings.into_iter().map(|string| format!("{string:?}"));
    quoted.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_by_name() {
        let values = [("a", "1".to_owned()), ("b", "2".to_owned())];
        assert_eq!(
            fill("{{a}} {b} {{b}}{{a}} {{c}}", &values),
            "1 {b} 21 {{c}}"
        );
        assert_eq!(strings(["-Tlink.x", "a\"b"]), r#""-Tlink.x", "a\"b""#);
    }
}
