//! What `--json` prints for machines.

use crate::output::Output;
use anyhow::Result;
use serde::Serialize;
use std::io::Write;

/// Version of the objects: counted up when a key goes or changes its meaning. New keys may come at any time.
pub(crate) const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Versioned<'a, T> {
    schema: u32,
    #[serde(flatten)]
    value: &'a T,
}

/// Prints one object on one line, its version first.
pub(crate) fn print(value: &impl Serialize, out: &mut Output) -> Result<()> {
    let schema = SCHEMA;
    let text = serde_json::to_string(&Versioned { schema, value })?;
    Ok(writeln!(out, "{text}")?)
}
