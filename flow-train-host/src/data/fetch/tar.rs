//! Finding one file in a tar archive.
//!
//! A member is a header of 512 bytes (name, octal size, prefix) and its content, padded to whole
//! blocks. No dependency for that: what is found is compared with a checksum anyway.

const BLOCK: usize = 512;
const NAME: std::ops::Range<usize> = 0..100;
const SIZE: std::ops::Range<usize> = 124..136;
const PREFIX: std::ops::Range<usize> = 345..500;

/// The content of the member called `name`, if the archive is whole up to there.
pub(super) fn member<'a>(archive: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = archive;
    while let Some((header, after)) = rest.split_at_checked(BLOCK) {
        let size = size(header)?;
        let content = after.get(..size)?;
        if path(header) == name {
            return Some(content);
        }
        rest = after.get(size.checked_next_multiple_of(BLOCK)?..)?;
    }
    None
}

fn path(header: &[u8]) -> String {
    let (prefix, name) = (text(&header[PREFIX]), text(&header[NAME]));
    if prefix.is_empty() {
        name
    } else {
        format!("{prefix}/{name}")
    }
}

/// The two empty blocks at the end have no size; their text is empty.
fn size(header: &[u8]) -> Option<usize> {
    let digits = text(&header[SIZE]);
    usize::from_str_radix(digits.trim(), 8).ok()
}

fn text(field: &[u8]) -> String {
    let end = field
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}
