//! Text out of a stranger's file.

/// Text out of a file as it may stand in a one-line message: no control characters, at most 200 characters.
pub(in crate::convert) fn one_line(text: &str) -> String {
    const MOST: usize = 200;
    let mut shown: String = text
        .chars()
        .take(MOST)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(MOST).is_some() {
        shown.push_str("...");
    }
    shown
}

/// Text of any length as it may stand in a one-line message: no control characters.
pub(in crate::convert) fn escaped(text: &str) -> String {
    text.chars().flat_map(plain).collect()
}

/// A character, escaped where it would control a terminal.
fn plain(character: char) -> impl Iterator<Item = char> {
    let escape = character.is_control().then(|| character.escape_debug());
    let itself = (!character.is_control()).then_some(character);
    escape.into_iter().flatten().chain(itself)
}
