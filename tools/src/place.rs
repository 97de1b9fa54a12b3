//! Whether results have a place, asked before the work that makes them.

use crate::output::Output;
use anyhow::{Result, bail};
use flow_train_host::files::{check_directory, check_writable, one_line};
use std::path::Path;

/// `result` can be written, and is none of the files that are only read; where it is standard output, nothing else is
/// printed there.
pub(crate) fn file(result: &Path, read: &[&Path], out: &mut Output) -> Result<()> {
    check_writable(result)?;
    out.make_room(result);
    let Ok(there) = result.canonicalize() else {
        return Ok(());
    };
    // What is no file, such as a terminal, may well be read and written.
    let same = |path: &&&Path| there.is_file() && path.canonicalize().is_ok_and(|p| p == there);
    match read.iter().find(same) {
        Some(path) => bail!(
            "{}: is read here, and is not written over; --out names another file",
            one_line(path)
        ),
        None => Ok(()),
    }
}

/// Files can be written into `out`, which is made where it is missing.
pub(crate) fn directory(out: &Path) -> Result<()> {
    Ok(check_directory(out)?)
}
