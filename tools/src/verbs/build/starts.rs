//! Several starts of one training, of which the likeliest is kept.
//!
//! Few pictures leave much to the first weights: of five hundred frames of a fixed camera, three seeds came to 2.69 to 2.76
//! bits a dimension on the frames that validate, and the least likely of them alone accepted mirrored frames
//! (`records/fixed-camera.md`). A dense flow is trained in seconds, so three are.

use super::training;
use flow_train_host::families::Family;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Starts of a dense flow of few pictures.
const STARTS: usize = 3;

/// How many starts suit a family; inputs are few where they are cut into folds.
pub(super) fn suited(family: Family, folds: usize) -> usize {
    match family {
        Family::Dense if folds > 0 => STARTS,
        _ => 1,
    }
}

/// Where the n-th start of a run lies, counted from 0.
pub(super) fn folder(run: &Path, start: usize) -> PathBuf {
    match start {
        0 => run.to_owned(),
        start => {
            let mut name = OsString::from(run);
            name.push(format!("-{}", start + 1));
            name.into()
        }
    }
}

/// Whether the run has a model.
pub(super) fn is_there(run: &Path) -> bool {
    run.join("model.safetensors").exists()
}

/// Where the start of a run lies that is likeliest on the inputs that validate; the first of those that are alike.
pub(super) fn likeliest(run: &Path) -> PathBuf {
    folder(run, likeliest_of(run))
}

/// Which of a run's starts that is.
pub(super) fn likeliest_of(run: &Path) -> usize {
    let there = (0..).take_while(|&start| is_there(&folder(run, start)));
    let bits = there.map(|start| (start, training::bits_per_dim(&folder(run, start))));
    let likeliest = bits.min_by(|(_, a), (_, b)| a.total_cmp(b));
    likeliest.map_or(0, |(start, _)| start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_likeliest_start_is_the_one_with_the_fewest_bits() {
        let place = tempfile::tempdir().unwrap();
        let run = place.path().join("run-0123");
        let begin = |start: usize, bits: [f64; 2]| {
            let folder = folder(&run, start);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("model.safetensors"), []).unwrap();
            let log = format!("head\n0,1,2,{}\n0,1,2,{}\n", bits[0], bits[1]);
            fs::write(folder.join("log.csv"), log).unwrap();
        };
        assert_eq!(likeliest(&run), run);
        begin(0, [3.0, 2.5]);
        begin(1, [2.4, 2.6]);
        assert_eq!(likeliest(&run), place.path().join("run-0123-2"));
        begin(2, [2.4, 2.4]);
        assert_eq!(likeliest(&run), place.path().join("run-0123-2"));
    }
}
