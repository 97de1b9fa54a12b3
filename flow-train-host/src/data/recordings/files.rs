//! The files that are recordings.

use crate::data::error::{DataError, Problem};
use crate::data::source::fail;
use std::path::{Path, PathBuf};

/// Endings of recordings in a folder.
const ENDINGS: [&str; 5] = ["csv", "tsv", "txt", "npy", "wav"];
/// Folders within folders that are read.
const DEEPEST: usize = 16;

/// A file and what it is called.
pub(super) struct Named {
    pub(super) path: PathBuf,
    /// Within the folder that was read.
    pub(super) name: String,
    /// The first folder within that folder, or the file itself.
    pub(super) block: String,
}

/// The file, or all recordings of a folder and of those within, in the order of their names.
pub(super) fn of(path: &Path) -> Result<Vec<Named>, DataError> {
    if !path.is_dir() {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().into_owned();
        return Ok(vec![Named {
            path: path.to_owned(),
            block: name.clone(),
            name,
        }]);
    }
    let mut names = Vec::new();
    list(path, "", 0, &mut names)?;
    if names.is_empty() {
        let why = format!("holds no recordings ({})", ENDINGS.join(", "));
        return Err(fail(path, Problem::Malformed(why)));
    }
    names.sort_by_key(|name| sort_key(name));
    let named = names.into_iter().map(|name| Named {
        path: path.join(&name),
        block: name.split('/').next().unwrap_or(&name).to_owned(),
        name,
    });
    Ok(named.collect())
}

fn list(
    folder: &Path,
    within: &str,
    depth: usize,
    names: &mut Vec<String>,
) -> Result<(), DataError> {
    let problem = |error| fail(folder, Problem::Io(error));
    for entry in std::fs::read_dir(folder).map_err(problem)? {
        let entry = entry.map_err(problem)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        let name = format!("{within}{name}");
        if path.is_dir() {
            if depth < DEEPEST {
                list(&path, &format!("{name}/"), depth + 1, names)?;
            }
        } else if is_recording(&name) {
            names.push(name);
        }
    }
    Ok(())
}

fn is_recording(name: &str) -> bool {
    let name = name.to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

/// Numbers count as numbers: `2.csv` before `10.csv`.
fn sort_key(name: &str) -> Vec<(String, u64)> {
    let mut key = Vec::new();
    let (mut text, mut digits) = (String::new(), String::new());
    for character in name.chars() {
        match character.is_ascii_digit() {
            true => digits.push(character),
            false => {
                if !digits.is_empty() {
                    key.push((
                        std::mem::take(&mut text),
                        digits.parse().unwrap_or(u64::MAX),
                    ));
                    digits.clear();
                }
                text.push(character);
            }
        }
    }
    key.push((text, digits.parse().unwrap_or(0)));
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_in_the_order_of_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("u2")).unwrap();
        std::fs::create_dir(at("u10")).unwrap();
        for name in [
            "u10/1.csv",
            "u2/10.csv",
            "u2/9.wav",
            "u2/.x.csv",
            "u2/notes.md",
            "a.npy",
        ] {
            std::fs::write(at(name), "").unwrap();
        }
        let found = of(folder.path()).unwrap();
        let names: Vec<(&str, &str)> = found.iter().map(|f| (&f.name[..], &f.block[..])).collect();
        let wanted = [
            ("a.npy", "a.npy"),
            ("u2/9.wav", "u2"),
            ("u2/10.csv", "u2"),
            ("u10/1.csv", "u10"),
        ];
        assert_eq!(names, wanted);
        assert!(
            of(&at("u2/notes.md")).is_ok(),
            "a file that is named is read whatever its name"
        );
    }
}
