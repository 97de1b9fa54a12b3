//! Which inputs belong together, so that none is tested whose neighbour was learned.

use crate::blocks::{self, BlockChoice};
use crate::inputs::Named;
use anyhow::{Result, bail};
use flow_train_host::calibrate::Blocks;
use flow_train_host::data::ItemNames;
use flow_train_host::files::one_line;
use std::collections::BTreeSet;
use std::path::Path;

/// Most blocks that a sequence is cut into.
const MOST_STRETCHES: usize = 50;
/// ... where every model of a fold shall have missed a long one.
const LONG_STRETCHES: usize = 10;
/// Fewest inputs of a stretch.
const STRETCH: usize = 8;
/// Fewest blocks that can be split: one trains, two calibrate, one tests.
pub(super) const FEWEST: usize = 4;

/// What the user says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Every input stands alone.
    None,
    Blocks(BlockChoice),
}

/// `none`, or what `calibrate --blocks` takes.
pub(super) fn choice(text: &str) -> Result<Choice, String> {
    match text {
        "none" => Ok(Choice::None),
        text => blocks::choice(text).map(Choice::Blocks),
    }
}

impl Choice {
    /// The column of a table that says it.
    pub(super) fn column(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Blocks(choice) => choice.column(),
        }
    }
}

/// Blocks of inputs, if they have any, and why.
pub(super) struct Together {
    pub(super) blocks: Option<Blocks>,
    pub(super) why: String,
}

impl Together {
    /// As the user says, or as names and order suggest.
    ///
    /// `crossed` says whether blocks will be held out of models of their own.
    pub(super) fn of(
        chosen: Option<&Choice>,
        path: &Path,
        named: &Named,
        crossed: bool,
    ) -> Result<Self> {
        let (choice, why) = match chosen {
            Some(Choice::None) => (None, "--blocks none".to_owned()),
            Some(Choice::Blocks(choice)) => (Some(choice.clone()), "as --blocks says".to_owned()),
            None if named.data.windows().is_some() => of_recordings(named),
            None => suggested(path, &named.items, named.data.len(), crossed),
        };
        let Some(choice) = choice else {
            return Ok(Self { blocks: None, why });
        };
        let blocks = choice.of(path, named)?;
        if blocks.count() < FEWEST {
            bail!(
                "{}: {} blocks, and it takes {FEWEST} to train, calibrate and test on different ones",
                one_line(path),
                blocks.count()
            );
        }
        let count = blocks.count();
        Ok(Self {
            why: format!("in {count} blocks, {why}"),
            blocks: Some(blocks),
        })
    }
}

/// The recordings, where there are enough; else stretches of them: neighbouring windows share samples.
fn of_recordings(named: &Named) -> (Option<BlockChoice>, String) {
    let recordings: BTreeSet<&String> = named.blocks.iter().collect();
    let stretches = (named.data.len() / STRETCH).min(MOST_STRETCHES);
    match (recordings.len(), stretches) {
        (FEWEST.., _) => (
            Some(BlockChoice::Column("recordings".to_owned())),
            "the recordings: files, or folders of them".to_owned(),
        ),
        (_, FEWEST..) => (
            Some(BlockChoice::Stretches(stretches)),
            "stretches of the recordings: neighbours are alike".to_owned(),
        ),
        _ => (None, "by a seeded shuffle".to_owned()),
    }
}

/// What names and order suggest.
fn suggested(
    path: &Path,
    items: &ItemNames,
    count: usize,
    crossed: bool,
) -> (Option<BlockChoice>, String) {
    let most = match crossed {
        true => LONG_STRETCHES,
        false => MOST_STRETCHES,
    };
    let stretches = (count / STRETCH).min(most);
    let sequence = |why: &str| match stretches {
        FEWEST.. => (Some(BlockChoice::Stretches(stretches)), why.to_owned()),
        _ => (None, "by a seeded shuffle".to_owned()),
    };
    let names = match items {
        ItemNames::Files(names) => names,
        _ if path.extension().is_some_and(|e| e == "y4m") => {
            return sequence("stretches of the video: neighbours are alike");
        }
        _ => return (None, "by a seeded shuffle".to_owned()),
    };
    if folders_count(names) {
        let why = "the folders: their names count, as those of days or sites do";
        return (Some(BlockChoice::Folders), why.to_owned());
    }
    match files_count(names) {
        true => sequence("stretches in the order of names, which count: neighbours are alike"),
        false => (None, "by a seeded shuffle".to_owned()),
    }
}

/// Whether there are folders enough to split, and nearly all have a number in their names: `day_3`, `2026-05-01`.
/// Others (`round`, `square`) are classes, each of which has to be learned.
fn folders_count(names: &[String]) -> bool {
    let folder = |name: &'_ String| name.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let folders: BTreeSet<String> = names.iter().filter_map(folder).collect();
    let numbered = folders
        .iter()
        .filter(|folder| folder.bytes().any(|b| b.is_ascii_digit()))
        .count();
    folders.len() >= FEWEST && 10 * numbered >= 9 * folders.len()
}

/// Whether files are called as a camera counts: `frame_0012.png` behind `frame_0011.png`. Plain numbers are what
/// anybody calls files.
fn files_count(names: &[String]) -> bool {
    let numbers: Vec<(&str, u64)> = names.iter().filter_map(|name| numbered(name)).collect();
    let named = numbers
        .iter()
        .filter(|(text, _)| text.chars().any(char::is_alphabetic))
        .count();
    let of_one_name = numbers.windows(2).filter(|two| two[0].0 == two[1].0);
    let (mut pairs, mut next) = (0, 0);
    for two in of_one_name {
        pairs += 1;
        next += usize::from(two[1].1 == two[0].1 + 1);
    }
    pairs > 10 && 10 * next > 8 * pairs && 2 * named > names.len()
}

/// Text and number of a file's name.
fn numbered(name: &str) -> Option<(&str, u64)> {
    let file = name.rsplit_once('/').map_or(name, |(_, file)| file);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let text = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    Some((text, stem[text.len()..].parse().ok()?))
}

/// What a name of a folder says of its content: nobody calls benign inputs so.
pub(super) fn sounds_foreign(folder: &str) -> bool {
    const WORDS: [&str; 16] = [
        "abnormal",
        "anomalies",
        "anomalous",
        "anomaly",
        "bad",
        "broken",
        "damaged",
        "defect",
        "defective",
        "defects",
        "faulty",
        "ng",
        "nok",
        "ood",
        "reject",
        "scrap",
    ];
    let folder = folder.to_lowercase();
    let mut words = folder.split(|c: char| !c.is_alphabetic());
    words.any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize, name: impl Fn(usize) -> String) -> ItemNames {
        ItemNames::Files((0..count).map(name).collect())
    }

    fn of(path: &str, items: &ItemNames, count: usize) -> Option<BlockChoice> {
        suggested(Path::new(path), items, count, false).0
    }

    #[test]
    fn names_that_count_are_a_sequence() {
        assert_eq!(numbered("a/frame_0012.png"), Some(("frame_", 12)));
        assert_eq!(numbered("a.png"), None);
        let camera = names(400, |i| format!("IMG_{i:04}.png"));
        assert_eq!(of("p", &camera, 400), Some(BlockChoice::Stretches(50)));
        let long = suggested(Path::new("p"), &camera, 400, true).0;
        assert_eq!(long, Some(BlockChoice::Stretches(10)));
        let few = names(40, |i| format!("frame{i}.png"));
        assert_eq!(of("p", &few, 40), Some(BlockChoice::Stretches(5)));
        let plain = names(400, |i| format!("{i}.png"));
        assert_eq!(of("p", &plain, 400), None);
        let rows = ItemNames::Rows(0..400);
        assert_eq!(of("v.y4m", &rows, 400), Some(BlockChoice::Stretches(50)));
        assert_eq!(of("v.npy", &rows, 400), None);
    }

    #[test]
    fn folders_of_days_are_blocks_and_classes_are_none() {
        let days = names(60, |i| format!("day-{}/{i}x.png", i / 10));
        assert_eq!(of("p", &days, 60), Some(BlockChoice::Folders));
        let classes = names(60, |i| format!("{}/{i}x.png", ["a", "b", "c", "d"][i % 4]));
        assert_eq!(of("p", &classes, 60), None);
        let two = names(60, |i| format!("day-{}/{i}x.png", i / 30));
        assert_eq!(of("p", &two, 60), None);
    }

    #[test]
    fn folders_of_broken_parts_are_noticed() {
        assert!(sounds_foreign("test/Broken_large") && sounds_foreign("ng"));
        assert!(!sounds_foreign("good") && !sounds_foreign("badges") && !sounds_foreign("ring"));
    }
}
