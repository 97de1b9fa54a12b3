//! The zip container: `NAME/data.pkl`, `NAME/byteorder` (since 2.0) and one entry `NAME/data/KEY` for each storage.

use super::storage::Storages;
use crate::convert::ConvertError;
use crate::convert::pickle::{self, Pickle};
use crate::convert::zip::Archive;

const PICKLE: &str = "/data.pkl";

pub(super) fn read(bytes: &[u8]) -> Result<(Pickle<'_>, Storages<'_>), ConvertError> {
    let archive = Archive::open(bytes)?;
    let folder = folder(&archive)?;
    if let Some(order) = archive.get(&format!("{folder}/byteorder"))
        && order != b"little"
    {
        return Err(fault("/byteorder", "only little-endian storages are read"));
    }
    let program = archive
        .get(&format!("{folder}{PICKLE}"))
        .unwrap_or_default();
    let pickle = pickle::load(program)?;
    let prefix = format!("{folder}/data/");
    let storages = archive.names().filter_map(|name| {
        let key = name.strip_prefix(&prefix)?;
        Some((key.to_owned(), archive.get(name)?))
    });
    Ok((pickle, Storages(storages.collect())))
}

/// The folder that everything is in: it is called like the file when it was written.
fn folder(archive: &Archive<'_>) -> Result<String, ConvertError> {
    let mut folders = archive
        .names()
        .filter_map(|name| name.strip_suffix(PICKLE))
        .filter(|folder| !folder.contains('/'));
    match (folders.next(), folders.next()) {
        (Some(folder), None) => Ok(folder.to_owned()),
        (Some(_), Some(_)) => Err(fault(PICKLE, "occurs in several folders")),
        (None, _) => Err(fault(PICKLE, "is missing: no checkpoint of PyTorch")),
    }
}

fn fault(entry: &str, why: &str) -> ConvertError {
    ConvertError::Zip {
        entry: entry.to_owned(),
        why: why.to_owned(),
    }
}
