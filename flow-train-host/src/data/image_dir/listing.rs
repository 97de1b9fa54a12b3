//! Which files of a directory are pictures, in which order, and what the others are.

use std::cmp::Ordering;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use crate::data::error::{DataError, Problem};
use crate::data::notice::Noticed;
use crate::data::source::fail;

const READ: [&str; 13] = [
    "bmp", "dib", "jfif", "jpe", "jpeg", "jpg", "pgm", "png", "pnm", "ppm", "tif", "tiff", "webp",
];
/// Formats of pictures that are not read.
const NOT_READ: [&str; 15] = [
    "avif", "cr2", "dng", "exr", "gif", "heic", "heif", "ico", "j2k", "jp2", "jxl", "nef", "psd",
    "raw", "svg",
];

/// Names quoted in a notice.
const QUOTED: usize = 5;
/// Deepest folder within a folder.
const MOST_LEVELS: usize = 32;

/// Why a file is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Format,
    Other,
    Hidden,
    Dangling,
    Level,
}

const REASONS: [(Reason, &str); 5] = [
    (Reason::Format, "pictures of a format that is not read"),
    (Reason::Other, "files that are no pictures"),
    (Reason::Hidden, "hidden files"),
    (Reason::Dangling, "links that lead nowhere"),
    (Reason::Level, "folders that lie too deep or lead back"),
];

/// The files of a directory and of the folders within, as paths from there.
#[derive(Debug, Default)]
pub(in crate::data) struct Listing {
    pub(in crate::data) pictures: Vec<PathBuf>,
    others: Vec<(Reason, PathBuf)>,
}

impl Listing {
    pub(in crate::data) fn of(directory: &Path) -> Result<Self, DataError> {
        let mut listing = Self::default();
        let mut walk = Walk {
            top: directory,
            above: Vec::new(),
            listing: &mut listing,
        };
        walk.folder(Path::new(""))?;
        listing.pictures.sort_by(|a, b| natural_order(a, b));
        listing.others.sort_by(|a, b| natural_order(&a.1, &b.1));
        Ok(listing)
    }

    /// The pictures' names, parts of paths joined by slashes everywhere.
    pub(super) fn names(&self) -> Vec<String> {
        self.pictures.iter().map(|path| name_of(path)).collect()
    }

    /// What is not read, by reason.
    pub(super) fn passed_over(&self) -> impl Iterator<Item = Noticed> + '_ {
        REASONS.iter().filter_map(|&(reason, what)| {
            let of_reason = self.others.iter().filter(|(other, _)| *other == reason);
            let names: Vec<String> = of_reason.map(|(_, path)| name_of(path)).collect();
            (!names.is_empty()).then(|| Noticed::PassedOver {
                what,
                count: names.len(),
                names: names.into_iter().take(QUOTED).collect(),
            })
        })
    }
}

fn name_of(path: &Path) -> String {
    let parts = path.iter().map(|part| part.to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

struct Walk<'a> {
    top: &'a Path,
    /// The folders that lead here, links resolved: one that leads back would never end.
    above: Vec<PathBuf>,
    listing: &'a mut Listing,
}

impl Walk<'_> {
    fn folder(&mut self, within: &Path) -> Result<(), DataError> {
        let path = self.top.join(within);
        let at_folder = |error| fail(&path, Problem::Io(error));
        let place = path.canonicalize().map_err(at_folder)?;
        if self.above.contains(&place) || self.above.len() >= MOST_LEVELS {
            let others = &mut self.listing.others;
            others.push((Reason::Level, within.to_owned()));
            return Ok(());
        }
        self.above.push(place);
        for entry in fs::read_dir(&path).map_err(at_folder)? {
            let entry = entry.map_err(at_folder)?;
            self.entry(&entry, &within.join(entry.file_name()))?;
        }
        self.above.pop();
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, within: &Path) -> Result<(), DataError> {
        let reason = if entry.file_name().as_encoded_bytes().starts_with(b".") {
            Reason::Hidden
        } else {
            match fs::metadata(entry.path()) {
                Ok(metadata) if metadata.is_dir() => return self.folder(within),
                Ok(metadata) => match reason(within).filter(|_| metadata.is_file()) {
                    None if metadata.is_file() => {
                        self.listing.pictures.push(within.to_owned());
                        return Ok(());
                    }
                    found => found.unwrap_or(Reason::Other),
                },
                Err(error) if error.kind() == io::ErrorKind::NotFound => Reason::Dangling,
                Err(error) => return Err(fail(&entry.path(), Problem::Io(error))),
            }
        };
        self.listing.others.push((reason, within.to_owned()));
        Ok(())
    }
}

/// Why a file of this name is not read, if it is not.
fn reason(path: &Path) -> Option<Reason> {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    let is_one_of = |known: &[&str]| known.iter().any(|&known| extension == known);
    match (is_one_of(&READ), is_one_of(&NOT_READ)) {
        (true, _) => None,
        (false, true) => Some(Reason::Format),
        (false, false) => Some(Reason::Other),
    }
}

/// Part by part, digits as numbers; equal numbers by their bytes (`1` before `01`).
fn natural_order(a: &Path, b: &Path) -> Ordering {
    let mut parts = a.iter().zip(b.iter());
    let decided = parts.find_map(|(a, b)| {
        let order = natural(a.as_encoded_bytes(), b.as_encoded_bytes());
        Some(order.then_with(|| a.cmp(b))).filter(|order| order.is_ne())
    });
    decided.unwrap_or_else(|| a.iter().count().cmp(&b.iter().count()))
}

fn natural(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while let ([first_a, ..], [first_b, ..]) = (a, b) {
        let order = match first_a.is_ascii_digit() && first_b.is_ascii_digit() {
            true => {
                let (number_a, number_b) = (digits(&mut a), digits(&mut b));
                let longer = number_a.len().cmp(&number_b.len());
                longer.then_with(|| number_a.cmp(number_b))
            }
            false => {
                (a, b) = (&a[1..], &b[1..]);
                first_a.cmp(first_b)
            }
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// Takes the digits off the front; without the zeros before the number.
fn digits<'t>(text: &mut &'t [u8]) -> &'t [u8] {
    let end = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(end);
    *text = rest;
    let zeros = number.iter().take_while(|&&byte| byte == b'0').count();
    &number[zeros..]
}
