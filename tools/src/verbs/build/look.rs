//! What there is to say of data before anything is made of them.

use super::together::sounds_foreign;
use crate::failure;
use crate::inputs::Named;
use crate::number::{count, percent};
use crate::table::Table;
use anyhow::{Result, bail};
use flow_train_host::data::fetch::sha256_hex;
use flow_train_host::data::{Dataset, ImageSize, ItemNames};
use flow_train_host::files::one_line;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Share of black and white pixels above which a picture counts as saturated.
const SATURATED: f64 = 0.9;
/// Folders that are listed.
const LISTED: usize = 8;

/// What was found.
pub(super) struct Findings {
    items: usize,
    /// Of each input, the first one that is the same.
    pub(super) same: Vec<usize>,
    /// Items that repeat one before them.
    repeats: usize,
    /// An item that repeats, and the one that it repeats.
    example: Option<(String, String)>,
    /// Pictures of one colour, and one of them.
    constant: (usize, String),
    /// Pictures nearly all of whose pixels are black or white, and one of them.
    saturated: (usize, String),
    /// Inputs in each folder.
    folders: BTreeMap<String, usize>,
}

impl Findings {
    pub(super) fn of(named: &Named) -> Self {
        let data = &named.data;
        let name = |index: usize| named.items.get(index).to_string();
        let mut found = Self {
            items: data.len(),
            same: Vec::with_capacity(data.len()),
            repeats: 0,
            example: None,
            constant: (0, String::new()),
            saturated: (0, String::new()),
            folders: folders(&named.items),
        };
        let mut seen: HashMap<String, usize> = HashMap::new();
        let add = |to: &mut (usize, String), index| {
            if to.0 == 0 {
                to.1 = name(index);
            }
            to.0 += 1;
        };
        for index in 0..data.len() {
            let bytes = data.input_bytes(index);
            if matches!(data, Dataset::Images(_)) {
                let ends = bytes.iter().filter(|&&b| b == 0 || b == u8::MAX).count();
                if bytes.iter().all(|&b| Some(b) == bytes.first().copied()) {
                    add(&mut found.constant, index);
                } else if ends as f64 > SATURATED * bytes.len() as f64 {
                    add(&mut found.saturated, index);
                }
            }
            let first = *seen.entry(sha256_hex(&bytes)).or_insert(index);
            found.same.push(first);
            if first != index {
                found.repeats += 1;
                found
                    .example
                    .get_or_insert_with(|| (name(index), name(first)));
            }
        }
        found
    }

    /// Refuses data that nothing can be learned from.
    pub(super) fn refuse(&self) -> Result<()> {
        match (self.items, self.items - self.repeats) {
            (0 | 1, _) => bail!(
                "holds {}: nothing can be learned from that",
                count(self.items, "input")
            ),
            (_, 1) => bail!(
                "all {} inputs are the same: nothing can be learned from that",
                self.items
            ),
            _ => Ok(()),
        }
    }

    pub(super) fn facts(&self, table: &mut Table) {
        let share = |n: usize| percent(n as f64 / self.items.max(1) as f64);
        if self.folders.len() > 1 {
            let listed = self.folders.iter().take(LISTED);
            let listed: Vec<String> = listed.map(|(name, n)| format!("{name} {n}")).collect();
            let more = match self.folders.len().saturating_sub(LISTED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            table.fact("folders", listed.join(", ") + &more);
        }
        let repeats = match &self.example {
            None => "none".to_owned(),
            Some((again, first)) => format!(
                "{} ({}), as {again} of {first}; they stay in one part",
                self.repeats,
                share(self.repeats)
            ),
        };
        table.fact("repeats", repeats);
        for (what, (n, example)) in [
            ("of one colour", &self.constant),
            ("black or white nearly all over", &self.saturated),
        ] {
            if *n > 0 {
                table.fact(what, format!("{n} ({}), as {example}", share(*n)));
            }
        }
    }

    /// Warns of folders that nobody fills with benign inputs.
    pub(super) fn warn(&self, path: &Path) {
        let foreign: Vec<&str> = self
            .folders
            .keys()
            .map(String::as_str)
            .filter(|folder| sounds_foreign(folder))
            .collect();
        if let Some(first) = foreign.first() {
            failure::warn(&format!(
                "{}: everything here is taken for what the gate shall accept, also folder {}; if that holds foreign \
                 inputs, name the other folder as --data and this one as --ood NAME=PATH",
                one_line(path),
                first
            ));
        }
    }
}

fn folders(items: &ItemNames) -> BTreeMap<String, usize> {
    let ItemNames::Files(names) = items else {
        return BTreeMap::new();
    };
    let mut folders = BTreeMap::new();
    for name in names {
        let folder = name.rsplit_once('/').map_or(".", |(folder, _)| folder);
        *folders.entry(folder.to_owned()).or_insert(0) += 1;
    }
    folders
}

/// Sizes of pictures in words.
pub(super) fn sizes(sizes: &[ImageSize]) -> String {
    let mut all: Vec<(u32, u32)> = sizes.iter().map(|s| (s.width, s.height)).collect();
    all.sort_unstable_by_key(|&(w, h)| (u64::from(w) * u64::from(h), w));
    all.dedup();
    match all.as_slice() {
        [] => "none".to_owned(),
        [(w, h)] => format!("{w}x{h}"),
        [(w, h), .., (wide, high)] => {
            format!("{w}x{h} to {wide}x{high}, {} different", all.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_train_host::data::Images;

    fn images(pixels: &[u8]) -> Named {
        let data = Dataset::Images(Images::new(1, 1, 2, pixels.to_vec()).unwrap());
        Named {
            items: ItemNames::Rows(0..data.len()),
            data,
            blocks: Vec::new(),
        }
    }

    #[test]
    fn repeats_and_flat_pictures_are_counted() {
        let found = Findings::of(&images(&[1, 2, 3, 3, 1, 2, 0, 255, 1, 2]));
        assert_eq!(found.repeats, 2);
        assert_eq!(found.same, [0, 1, 0, 3, 0]);
        let example = found.example.clone().unwrap();
        assert_eq!(example, ("row 2".to_owned(), "row 0".to_owned()));
        assert_eq!((found.constant.0, found.saturated.0), (1, 1));
        assert!(found.refuse().is_ok());
    }

    #[test]
    fn what_teaches_nothing_is_refused() {
        for pixels in [&[1, 2][..], &[1, 2, 1, 2, 1, 2]] {
            assert!(Findings::of(&images(pixels)).refuse().is_err());
        }
    }

    #[test]
    fn sizes_are_told_from_the_smallest_to_the_largest() {
        let size = |width, height| ImageSize {
            channels: 3,
            height,
            width,
        };
        assert_eq!(sizes(&[size(4, 3); 2]), "4x3");
        let three = [size(9, 9), size(4, 3), size(5, 5)];
        assert_eq!(sizes(&three), "4x3 to 9x9, 3 different");
    }
}
