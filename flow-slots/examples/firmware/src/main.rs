//! An update on a board: the power is cut at every operation, and one of the two models runs after each.

#![no_std]
#![no_main]

mod flash;

use core::ffi::CStr;
use cortex_m as _;
use cortex_m_rt::entry;
use flash::{CAPACITY, Failed, Memory, Torn};
use flow_infer::{Decision, FixedWorkspace, InputShape};
use flow_slots::{Refused, Rules, Slots, UpdateError};
use semihosting::fs::File;
use semihosting::io::Read;
use semihosting::{println, process};

/// Memory of the largest model that may come: here that of a pump with two sensors.
type Workspace = FixedWorkspace<2, 4>;
type Outcome = Result<u32, UpdateError<Failed>>;

/// Longest file.
const MOST_BYTES: usize = CAPACITY / 2;
/// Bytes of a piece, as a radio delivers them: no whole words.
const PIECE: usize = 48;
/// A measurement that both models know, and one that none does.
const KNOWN: [f32; 2] = [1.0, -2.0];
const STRANGE: [f32; 2] = [60.0, 20.0];

/// How often each model ran after the power had been cut.
#[derive(Default)]
struct Runs {
    old: u32,
    new: u32,
}

#[entry]
fn main() -> ! {
    match run() {
        Ok(Runs { old, new }) => {
            println!(
                "{} cuts: {old} times the old model ran, {new} times the new one",
                old + new
            );
            process::exit(0)
        }
        Err(what) => {
            println!("failed: {what}");
            process::exit(1)
        }
    }
}

fn run() -> Result<Runs, &'static str> {
    let (mut old, mut new, mut key) = ([0; MOST_BYTES], [0; MOST_BYTES], [0; 32]);
    let (old, new) = (read(c"old.flow", &mut old)?, read(c"new.flow", &mut new)?);
    read(c"key.bin", &mut key)?;
    let rules = Rules {
        public_key: key,
        input: InputShape::Vector { len: 2 },
        newer_than: 0,
    };

    let mut installed = [0xff; CAPACITY];
    update(&mut installed, rules, old, None)
        .1
        .map_err(|_| "the first model is refused")?;
    let mut whole = installed;
    let (operations, updated) = update(&mut whole, rules, new, None);
    updated.map_err(|_| "the update is refused")?;
    let replayed = update(&mut whole, rules, old, None).1;
    if !matches!(
        replayed,
        Err(UpdateError::Refused(Refused::OldVersion { .. }))
    ) {
        return Err("the old version is let in again");
    }

    let mut runs = Runs::default();
    for torn in [Torn::Nothing, Torn::HalfOfIt, Torn::Everything] {
        for cut in 0..operations {
            let mut content = installed;
            if update(&mut content, rules, new, Some((cut, torn)))
                .1
                .is_ok()
            {
                return Err("an update without power is done");
            }
            match started(&mut content, rules)? {
                1 => runs.old += 1,
                2 => runs.new += 1,
                _ => return Err("a model runs that nobody sent"),
            }
        }
    }
    Ok(runs)
}

/// Writes a model until the power is cut; the operations that were begun, and what came of it.
fn update(
    content: &mut [u8; CAPACITY],
    rules: Rules,
    file: &[u8],
    cut: Option<(usize, Torn)>,
) -> (usize, Outcome) {
    let mut workspace = Workspace::new();
    let mut slots = match Slots::new(Memory::new(content, cut), rules) {
        Ok(slots) => slots,
        Err(error) => return (0, Err(error)),
    };
    let mut write = || {
        let mut update = slots.begin(&mut workspace)?;
        for piece in file.chunks(PIECE) {
            update.write(piece)?;
        }
        update.finish(&mut workspace)
    };
    let outcome = write();
    (slots.into_flash().operations(), outcome)
}

/// What a start finds: the version of the model that runs, once it has decided.
fn started(content: &mut [u8; CAPACITY], rules: Rules) -> Result<u32, &'static str> {
    let slots = Slots::new(Memory::new(content, None), rules).map_err(|_| "no slots")?;
    let mut workspace = Workspace::new();
    let mut gate = slots.open(&mut workspace).map_err(|_| "no model runs")?;
    let known = gate.decide(&KNOWN) == Ok(Decision::Accept);
    let strange = gate.decide(&STRANGE) == Ok(Decision::Reject);
    match known && strange {
        true => Ok(gate.artifact().model_version()),
        false => Err("a model decides otherwise"),
    }
}

/// The beginning of `buffer`, filled from a file of the host.
fn read<'b>(name: &CStr, buffer: &'b mut [u8]) -> Result<&'b [u8], &'static str> {
    let mut file = File::open(name).map_err(|_| "a file is missing")?;
    let mut len = 0;
    while len < buffer.len() {
        match file
            .read(&mut buffer[len..])
            .map_err(|_| "a file cannot be read")?
        {
            0 => break,
            read => len += read,
        }
    }
    Ok(&buffer[..len])
}
