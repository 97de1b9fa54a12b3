//! Whether a TIFF holds several pages: the decoder gives the first and says nothing of the others.

/// Whether another page follows the first.
pub(super) fn are_several(content: &[u8]) -> bool {
    next_page(content).is_some_and(|offset| offset != 0)
}

/// Offset of the second page's directory, zero where there is none.
fn next_page(content: &[u8]) -> Option<u32> {
    let little = content.starts_with(b"II");
    let long = |at: usize| {
        let bytes = *content.get(at..)?.first_chunk()?;
        Some(match little {
            true => u32::from_le_bytes(bytes),
            false => u32::from_be_bytes(bytes),
        })
    };
    let short = |at: usize| {
        let bytes = *content.get(at..)?.first_chunk()?;
        Some(match little {
            true => u16::from_le_bytes(bytes),
            false => u16::from_be_bytes(bytes),
        })
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let entries = usize::from(short(directory)?);
    long(directory.checked_add(2 + 12 * entries)?)
}
