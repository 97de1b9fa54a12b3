//! `.npz`: a zip archive of `.npy` members, stored (`savez`) or deflated (`savez_compressed`).
//!
//! `rawzip` finds the members and compares their checksums; it brings neither dependencies nor a
//! decompressor, and flate2 is here already. The archive is read whole: a zip is read from its
//! end, and what is large in it is about to be read anyway.

use std::io::{BufRead, BufReader};

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder};

use super::read_dataset;
use crate::data::Reading;
use crate::data::error::{DataError, Problem};
use crate::data::options::ReadOptions;
use crate::data::source::{DEFLATE_MAX_RATIO, Source};

/// Names that tell the data from its labels in an archive of several arrays.
const TELLING_NAMES: [&str; 5] = ["images", "inputs", "embeddings", "x", "data"];

struct Member {
    name: String,
    method: CompressionMethod,
    place: ZipArchiveEntryWayfinder,
}

/// Reads the array that is asked for, the only one of the archive, or the only one with a telling
/// name.
pub(in crate::data) fn read(
    mut file: Source<'_>,
    options: &ReadOptions,
) -> Result<Reading, DataError> {
    let content = file.rest()?;
    let damaged = |error: rawzip::Error| {
        file.error(Problem::Malformed(format!("damaged zip archive: {error}")))
    };
    let archive = ZipArchive::from_slice(&content).map_err(damaged)?;
    let mut entries = archive.entries();
    let mut members = Vec::new();
    while let Some(entry) = entries.next_entry().map_err(damaged)? {
        let name = String::from_utf8_lossy(entry.file_path().as_ref()).into_owned();
        let (method, place) = (entry.compression_method(), entry.wayfinder());
        members.push(Member {
            name,
            method,
            place,
        });
    }
    let member = choose(&file, members, options.array.as_deref())?;
    let data = archive.get_entry(member.place).map_err(damaged)?;
    let stored = data.data();
    let (stream, compressed): (Box<dyn BufRead + '_>, bool) = match member.method {
        CompressionMethod::STORE => (
            Box::new(BufReader::new(data.verifying_reader(stored))),
            false,
        ),
        CompressionMethod::DEFLATE => {
            let inflated = data.verifying_reader(DeflateDecoder::new(stored));
            (Box::new(BufReader::new(inflated)), true)
        }
        method => {
            let why = format!(
                "{}: zip compression {method:?} is not supported",
                member.name
            );
            return Err(file.error(Problem::Malformed(why)));
        }
    };
    let ratio = if compressed { DEFLATE_MAX_RATIO } else { 1 };
    let at_most = (stored.len() as u64).saturating_mul(ratio);
    let name = &member.name;
    let source = Source::member(file.path(), name, stream, compressed, at_most)?;
    read_dataset(source, options)
}

fn choose(
    file: &Source<'_>,
    mut members: Vec<Member>,
    wanted: Option<&str>,
) -> Result<Member, DataError> {
    members.retain(|member| member.name.ends_with(".npy"));
    let names = members.iter().map(|member| {
        member
            .name
            .strip_suffix(".npy")
            .unwrap_or_default()
            .to_owned()
    });
    let names: Vec<String> = names.collect();
    if let Some(wanted) = wanted {
        let index = names.iter().position(|name| name == wanted);
        return match index {
            Some(index) => Ok(members.swap_remove(index)),
            None => Err(file.error(Problem::NoSuchArray(wanted.to_owned(), names))),
        };
    }
    if members.len() > 1 {
        members.retain(|member| {
            TELLING_NAMES
                .iter()
                .any(|name| member.name.strip_suffix(".npy") == Some(name))
        });
    }
    match members.pop() {
        Some(member) if members.is_empty() => Ok(member),
        None if names.is_empty() => Err(file.error(Problem::Empty)),
        _ => Err(file.error(Problem::AmbiguousArrays(names))),
    }
}
