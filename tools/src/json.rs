//! What `--json` prints for machines.

use crate::output::Output;
use anyhow::Result;
use serde::Serialize;
use std::io::Write;

/// Version of the objects: counted up when a key goes or changes its meaning. New keys may come at any time.
const SCHEMA: u32 = 1;

/// An object with its version first.
#[derive(Serialize)]
pub(crate) struct Versioned<'a, T> {
    schema: u32,
    #[serde(flatten)]
    value: &'a T,
}

pub(crate) fn versioned<T: Serialize>(value: &T) -> Versioned<'_, T> {
    let schema = SCHEMA;
    Versioned { schema, value }
}

/// Prints one object on one line.
pub(crate) fn print(value: &impl Serialize, out: &mut Output) -> Result<()> {
    let text = serde_json::to_string(&versioned(value))?;
    Ok(writeln!(out, "{text}")?)
}
