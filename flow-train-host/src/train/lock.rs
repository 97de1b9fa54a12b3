//! One run in a directory at a time.

use super::error::TrainError;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

/// Locked while a run works in its directory. The file stays, empty; the lock is the system's, which takes it back
/// when the process ends, however it ends.
const LOCK_FILE: &str = ".lock";

/// Keeps other runs out of a directory until it is dropped.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Locks a directory that is there.
    pub(super) fn take(directory: &Path) -> Result<Self, TrainError> {
        let path = directory.join(LOCK_FILE);
        let broken =
            |e: std::io::Error| TrainError::File(path.clone(), format!("cannot be made: {e}"));
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(broken)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(TrainError::InUse(directory.to_owned())),
            // Some network file systems have no locks; a run there is as good as its user is careful.
            Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Unsupported => {
                Ok(Self { _file: file })
            }
            Err(TryLockError::Error(e)) => Err(broken(e)),
        }
    }
}
