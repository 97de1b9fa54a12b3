//! Signed files, made of flow-infer's own test models.

use ed25519_compact::{KeyPair, Seed};
use flow_infer::artifact::{Section, checksum};

pub(crate) const PUMP: &[u8] = include_bytes!("../../../flow-infer/tests/data/pump.flow");
pub(crate) const PARTS: &[u8] = include_bytes!("../../../flow-infer/tests/data/parts.flow");

/// The key that the firmware carries.
pub(crate) fn own() -> KeyPair {
    KeyPair::from_seed(Seed::new([7; 32]))
}

/// The file with another version, signed.
pub(crate) fn signed(flow: &[u8], version: u32, key: &KeyPair) -> Vec<u8> {
    let mut sections = sections(flow);
    sections.push((Section::Signature as u32, vec![0; 96]));
    let mut file = join(&flow[..32], &sections);
    file[20..24].copy_from_slice(&version.to_le_bytes());
    let at = file.len() - 96;
    let signature = key.sk.sign(&file[..at], None);
    file[at..at + 32].copy_from_slice(&key.pk[..]);
    file[at + 32..].copy_from_slice(&signature[..]);
    with_checksum(file)
}

/// The file with another version, and nobody's signature.
pub(crate) fn unsigned(flow: &[u8], version: u32) -> Vec<u8> {
    let mut file = flow[..flow.len() - 4].to_vec();
    file[20..24].copy_from_slice(&version.to_le_bytes());
    with_checksum(file)
}

/// The file with a golden vector that no machine reproduces.
pub(crate) fn with_other_golden(flow: &[u8]) -> Vec<u8> {
    let mut sections = sections(flow);
    let golden = sections
        .iter_mut()
        .find(|(kind, _)| *kind == Section::Golden as u32);
    // Two measurements, then the log_prob.
    golden.expect("golden vectors").1[8] ^= 1;
    with_checksum(join(&flow[..32], &sections))
}

/// A bit flipped, and the checksum mended.
pub(crate) fn flipped(file: &[u8], at: usize) -> Vec<u8> {
    let mut file = file[..file.len() - 4].to_vec();
    file[at] ^= 1;
    with_checksum(file)
}

fn with_checksum(mut file: Vec<u8>) -> Vec<u8> {
    let sum = checksum(&file);
    file.extend(sum.to_le_bytes());
    file
}

fn sections(flow: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let word = |at: usize| u32::from_le_bytes(flow[at..at + 4].try_into().expect("four bytes"));
    let entries = (0..usize::from(flow[6])).map(|i| 32 + 12 * i);
    entries
        .map(|entry| {
            let (start, len) = (word(entry + 4) as usize, word(entry + 8) as usize);
            (word(entry), flow[start..start + len].to_vec())
        })
        .collect()
}

/// Header, table and sections; the checksum is still missing.
fn join(header: &[u8], sections: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut file = header.to_vec();
    file[6] = sections.len() as u8;
    file.resize(32 + 12 * sections.len(), 0);
    for (index, (kind, bytes)) in sections.iter().enumerate() {
        file.resize(file.len().next_multiple_of(16), 0);
        let entry = [*kind, file.len() as u32, bytes.len() as u32].map(u32::to_le_bytes);
        file[32 + 12 * index..][..12].copy_from_slice(entry.as_flattened());
        file.extend(bytes);
    }
    let total = file.len() as u32 + 4;
    file[8..12].copy_from_slice(&total.to_le_bytes());
    file
}
