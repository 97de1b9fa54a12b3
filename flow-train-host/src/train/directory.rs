//! The directory of a run.
//!
//! `config.json` what determines the run; `model.safetensors` the best averaged weights on the validation items;
//! `checkpoint.safetensors` the state to resume from; `log.csv` one line an epoch. Each is replaced as a whole, so a
//! run can be killed at any time and loses at most the steps since its last checkpoint.

use super::checkpoint::{Counters, State};
use super::config::TrainConfig;
use super::error::TrainError;
use super::lock::DirectoryLock;
use super::network::Network;
use super::optimizer::Optimizer;
use super::progress::EpochRecord;
use crate::data::Dataset;
use crate::files::write_atomically;
use crate::model::store::MODEL_FILE;
use std::path::Path;

const CONFIG_FILE: &str = "config.json";
/// The state to resume from.
pub(super) const CHECKPOINT_FILE: &str = "checkpoint.safetensors";
const LOG_FILE: &str = "log.csv";

/// Makes the directory of a new run if need be, and keeps other runs out of it while the lock is there.
///
/// # Errors
/// It holds a run, another run works in it, or it cannot be made.
pub fn claim_directory(directory: &Path) -> Result<DirectoryLock, TrainError> {
    let broken = |e| TrainError::File(directory.to_owned(), format!("cannot be made: {e}"));
    must_be_free(directory)?;
    std::fs::create_dir_all(directory).map_err(broken)?;
    let lock = DirectoryLock::take(directory)?;
    // Another run may have come and gone in between.
    must_be_free(directory)?;
    Ok(lock)
}

/// Refuses a directory that holds a run.
fn must_be_free(directory: &Path) -> Result<(), TrainError> {
    let taken = |name: &str| directory.join(name).exists();
    match taken(CHECKPOINT_FILE) || taken(MODEL_FILE) {
        true => Err(TrainError::Exists(directory.to_owned())),
        false => Ok(()),
    }
}

/// Starts a run in a directory that has none.
pub(super) fn start(
    config: &TrainConfig,
    given: Given<'_>,
    network: &Network,
    directory: &Path,
    train: &[usize],
) -> Result<(State, DirectoryLock), TrainError> {
    let broken = |e: String| TrainError::File(directory.to_owned(), e);
    let lock = claim_directory(directory)?;
    let json = serde_json::to_string_pretty(config).map_err(|e| broken(e.to_string()))?;
    write_atomically(&directory.join(CONFIG_FILE), |w| writeln!(w, "{json}"))?;
    let parameters = network.initial((config.seed, config.sensor.as_ref()), given.data, train);
    let state = State {
        optimizer: Optimizer::new(&parameters),
        parameters,
        counters: Counters {
            data_fingerprint: given.fingerprint(),
            ..Counters::default()
        },
    };
    state.save(network, &directory.join(CHECKPOINT_FILE))?;
    Ok((state, lock))
}

/// The state of a run that was interrupted.
pub(super) fn resume(
    config: &TrainConfig,
    given: Given<'_>,
    network: &Network,
    directory: &Path,
) -> Result<(State, DirectoryLock), TrainError> {
    let path = directory.join(CONFIG_FILE);
    if !path.exists() {
        return Err(TrainError::NothingToResume(directory.to_owned()));
    }
    let lock = DirectoryLock::take(directory)?;
    let unreadable =
        |e: std::io::Error| TrainError::File(path.clone(), format!("cannot be read: {e}"));
    let json = std::fs::read_to_string(&path).map_err(unreadable)?;
    let broken = |e: serde_json::Error| TrainError::File(path.clone(), e.to_string());
    let mut started_with: TrainConfig = serde_json::from_str(&json).map_err(broken)?;
    // Trained when the flow is, of which it changes no bit.
    started_with.ratio.clone_from(&config.ratio);
    if started_with != *config {
        return Err(TrainError::Changed(directory.to_owned(), "config"));
    }
    let path = directory.join(CHECKPOINT_FILE);
    let state = State::load(network, &path)?;
    if state.counters.data_fingerprint != given.fingerprint() {
        return Err(TrainError::Changed(directory.to_owned(), "data set"));
    }
    Ok((state, lock))
}

/// The data of a run.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    /// What the flow learns, and validates on.
    pub(super) data: &'a Dataset,
    /// What it learns to give a low likelihood.
    pub(super) negative: Option<&'a Dataset>,
}

impl Given<'_> {
    /// FNV-1a over the data: tells an accidental change of the data, not a deliberate one.
    fn fingerprint(&self) -> u64 {
        let start = fingerprint(0xcbf2_9ce4_8422_2325, self.data);
        self.negative.map_or(start, |n| fingerprint(start, n))
    }
}

fn fingerprint(start: u64, data: &Dataset) -> u64 {
    let absorb = |h: u64, byte: u8| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    match data {
        Dataset::Images(images) => images.pixels().iter().copied().fold(start, absorb),
        Dataset::Vectors(vectors) => {
            let bytes = vectors.values().iter().flat_map(|v| v.to_le_bytes());
            bytes.fold(start, absorb)
        }
    }
}

/// Replaces the log.
pub(super) fn write_log(directory: &Path, records: &[EpochRecord]) -> Result<(), TrainError> {
    write_atomically(&directory.join(LOG_FILE), |w| {
        writeln!(
            w,
            "epoch,steps,train_bits_per_dim,validation_bits_per_dim,best,items_per_second,other_share"
        )?;
        for r in records {
            write!(w, "{},{},", r.epoch, r.steps)?;
            write!(
                w,
                "{:.6},{:.6},",
                r.train_bits_per_dim, r.validation_bits_per_dim
            )?;
            writeln!(
                w,
                "{},{:.1},{:.4}",
                r.best, r.items_per_second, r.other_share
            )?;
        }
        Ok(())
    })?;
    Ok(())
}
