//! The zip container of a checkpoint, as PyTorch writes it: entries stored, not compressed.
//!
//! A stored entry is a slice of the file, so that a checkpoint of any size is read without copying; and a zip bomb
//! cannot be expressed. General zip tools let a second entry of the same name shadow the first, or entries overlap;
//! here both are errors, because two readers would then see two models in one file.

use super::ConvertError;
use rawzip::{CompressionMethod, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive};
use std::collections::BTreeMap;

/// First bytes of a zip file that has an entry.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

/// The entries of a zip file by name.
#[derive(Debug)]
pub struct Archive<'a> {
    entries: BTreeMap<String, &'a [u8]>,
}

impl<'a> Archive<'a> {
    /// Finds all entries and verifies their checksums.
    ///
    /// # Errors
    /// [`ConvertError::Zip`] for anything malformed, compressed or encrypted, [`ConvertError::Duplicate`].
    pub fn open(bytes: &'a [u8]) -> Result<Self, ConvertError> {
        let whole = |error: rawzip::Error| fault("", error.to_string());
        let archive = ZipArchive::from_slice(bytes).map_err(whole)?;
        let mut entries = BTreeMap::new();
        let mut ranges = Vec::new();
        let mut records = archive.entries();
        while let Some(record) = records.next_entry().map_err(whole)? {
            let name = String::from_utf8_lossy(record.file_path().as_ref()).into_owned();
            let range = range_of(&archive, &record, &name)?;
            let data = bytes.get(range.0..range.1);
            let data = data.ok_or_else(|| fault(&name, "lies outside of the file"))?;
            ranges.push((range, name.clone()));
            if entries.insert(name.clone(), data).is_some() {
                return Err(ConvertError::Duplicate(name));
            }
        }
        refuse_overlaps(ranges)?;
        // Only now, because checksums of entries that overlap could take time quadratic in the file's size.
        verify_checksums(&archive)?;
        Ok(Self { entries })
    }

    /// Content of an entry.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.entries.get(name).copied()
    }

    /// Names of all entries.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }
}

fn fault(entry: &str, why: impl Into<String>) -> ConvertError {
    let (entry, why) = (entry.to_owned(), why.into());
    ConvertError::Zip { entry, why }
}

fn range_of(
    archive: &ZipSliceArchive<&[u8]>,
    record: &ZipFileHeaderRecord<'_>,
    name: &str,
) -> Result<(usize, usize), ConvertError> {
    if record.flags().is_encrypted() {
        return Err(fault(name, "is encrypted"));
    }
    if record.compression_method() != CompressionMethod::STORE {
        return Err(fault(
            name,
            "is compressed; PyTorch stores its entries as they are",
        ));
    }
    let entry = archive
        .get_entry(record.wayfinder())
        .map_err(|error| fault(name, error.to_string()))?;
    let (start, end) = entry.compressed_data_range();
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    range.ok_or_else(|| fault(name, "lies outside of the file"))
}

fn refuse_overlaps(mut ranges: Vec<((usize, usize), String)>) -> Result<(), ConvertError> {
    ranges.sort_unstable();
    match ranges.windows(2).find(|pair| pair[0].0.1 > pair[1].0.0) {
        Some(pair) => Err(fault(&pair[1].1, "overlaps another entry")),
        None => Ok(()),
    }
}

fn verify_checksums(archive: &ZipSliceArchive<&[u8]>) -> Result<(), ConvertError> {
    let mut records = archive.entries();
    while let Ok(Some(record)) = records.next_entry() {
        let verified = archive.get_entry(record.wayfinder()).and_then(|entry| {
            let found = rawzip::ZipVerification {
                crc: rawzip::crc32(entry.data()),
                uncompressed_size: entry.data().len() as u64,
            };
            entry.claim_verifier().valid(found)
        });
        verified.map_err(|error| {
            let name = String::from_utf8_lossy(record.file_path().as_ref()).into_owned();
            fault(&name, error.to_string())
        })?;
    }
    Ok(())
}
