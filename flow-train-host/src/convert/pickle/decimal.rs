//! Numbers and strings that are written out as a line of text, as protocols 0 and 1 do.

use super::Value;

/// An integer: decimal digits, an `L` behind those of Python 2's long; `00` and `01` are the truth values.
pub(super) fn integer<'a>(line: &[u8]) -> Option<Value<'a>> {
    match line {
        b"00" => return Some(Value::Bool(false)),
        b"01" => return Some(Value::Bool(true)),
        _ => {}
    }
    let digits = std::str::from_utf8(line).ok()?.trim_end_matches('L');
    digits.parse().ok().map(Value::Int)
}

/// A float.
pub(super) fn float<'a>(line: &[u8]) -> Option<Value<'a>> {
    let text = std::str::from_utf8(line).ok()?;
    text.parse().ok().map(Value::Float)
}

/// A quoted string that needs no unescaping; others name no tensor.
pub(super) fn quoted(line: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(line).ok()?;
    let inner = ["'", "\""].into_iter().find_map(|quote| {
        let rest = text.strip_prefix(quote)?;
        rest.strip_suffix(quote)
    });
    inner.filter(|text| !text.contains('\\'))
}
