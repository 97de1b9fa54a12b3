//! Images of real chips, byte for byte as they are flashed, booted by emulators that have the chip's core and memory.
//!
//! Such an emulator has none of the chip's devices. It logs what is written to them, and so the decision pin is seen.

use crate::boards::{self, Board, Program};
use crate::inputs::Inputs;
use crate::{CheckFailed, host, process, repo, session, setup};
use anyhow::{Context, Result};
use flow_infer::gate::Decision;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const EMULATOR: &str = "qemu-system-arm";
/// Nothing happens for this long: the image is stuck.
const STALL: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(100);

/// What a board's manifest says of the emulator that boots its image.
struct Emulation {
    machine: String,
    device: String,
    offset: u64,
    high: u64,
    low: u64,
    /// Writes to the pin before the first decision.
    setup: usize,
}

/// Boots every chip's image that an emulator can boot, until it has decided about all its compiled-in images; returns
/// a sentence for each.
///
/// # Errors
/// An image does not build or boot, or its pin is not what this host decides.
pub(crate) fn check() -> Result<Vec<String>> {
    let wanted = decisions()?;
    let mut told = vec![];
    for board in boards::all()?
        .iter()
        .filter(|board| board.emulator.is_none())
    {
        let Some(emulation) = Emulation::of(board)? else {
            continue;
        };
        setup::programs([EMULATOR].into_iter())?;
        let elf = session::build(board, Program::Gate)?;
        let pin = emulation.boot(&elf, wanted.len())?;
        if pin != wanted {
            let cause = format!("{}: the pin was {pin:?} instead of {wanted:?}", board.name);
            return Err(CheckFailed(cause).into());
        }
        let Emulation { machine, .. } = emulation;
        let count = wanted.len();
        told.push(format!(
            "{} on {machine}: {count} decisions on the pin, the host's",
            board.name
        ));
    }
    Ok(told)
}

/// Whether this host accepts each compiled-in image.
fn decisions() -> Result<Vec<bool>> {
    let model = fs::read(repo::device_model())?;
    let images = Inputs::load(&repo::compiled_in_images(), None)?;
    let answers = host::answers(&model, &images)?.into_iter();
    Ok(answers
        .map(|answer| answer.decision == Some(Decision::Accept))
        .collect())
}

impl Emulation {
    /// `None` where the manifest names no emulator.
    fn of(board: &Board) -> Result<Option<Self>> {
        let found = &board.metadata()?["emulator"];
        if found.is_null() {
            return Ok(None);
        }
        let text = |key: &str| {
            let value = found[key].as_str().map(str::to_owned);
            value.with_context(|| format!("{}: metadata.emulator.{key}", board.name))
        };
        let number = |key: &str| {
            let value = found[key].as_u64();
            value.with_context(|| format!("{}: metadata.emulator.{key}", board.name))
        };
        Ok(Some(Self {
            machine: text("machine")?,
            device: text("device")?,
            offset: number("offset")?,
            high: number("high")?,
            low: number("low")?,
            setup: usize::try_from(number("setup")?)?,
        }))
    }

    /// The pin after each decision, of as many as are wanted.
    fn boot(&self, elf: &Path, wanted: usize) -> Result<Vec<bool>> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("devices.log");
        let mut command = Command::new(EMULATOR);
        command
            .args([
                "-M",
                &self.machine,
                "-nographic",
                "-monitor",
                "none",
                "-serial",
                "none",
            ])
            .args(["-d", "unimp", "-D"])
            .arg(&log)
            .arg("-kernel")
            .arg(elf)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let line = process::line(&command);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start `{line}`"))?;
        let pin = self.watch(&mut child, &log, wanted);
        // The image sleeps for ever, and an emulator that ended by itself needs no end.
        let _ = child.kill();
        child.wait()?;
        pin
    }

    fn watch(&self, child: &mut Child, log: &Path, wanted: usize) -> Result<Vec<bool>> {
        let began = Instant::now();
        loop {
            let ended = child.try_wait()?;
            let pin = self.pin(&fs::read_to_string(log).unwrap_or_default());
            let pin = pin.get(self.setup..).unwrap_or(&[]);
            if pin.len() >= wanted {
                return Ok(pin.to_vec());
            }
            if let Some(status) = ended {
                let cause = format!("the emulator ended after {} decisions: {status}", pin.len());
                return Err(CheckFailed(cause).into());
            }
            if began.elapsed() > STALL {
                let cause = format!(
                    "{} of {wanted} decisions in {} s",
                    pin.len(),
                    STALL.as_secs()
                );
                return Err(CheckFailed(cause).into());
            }
            std::thread::sleep(POLL);
        }
    }

    /// The pin after each write to its register.
    fn pin(&self, log: &str) -> Vec<bool> {
        let writes = log.lines().filter_map(|line| {
            let (device, rest) = line.split_once(": unimplemented device write")?;
            let value_of = |key: &str| {
                let (_, rest) = rest.split_once(key)?;
                let digits = rest.trim_start().trim_start_matches("0x");
                let end = digits
                    .find(|c: char| !c.is_ascii_hexdigit())
                    .unwrap_or(digits.len());
                u64::from_str_radix(&digits[..end], 16).ok()
            };
            let is_pin = device.trim() == self.device && value_of("offset") == Some(self.offset);
            is_pin.then(|| value_of("value")).flatten()
        });
        let level = |value| match value {
            value if value == self.high => Some(true),
            value if value == self.low => Some(false),
            _ => None,
        };
        writes.filter_map(level).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pin_is_read_from_the_log_of_devices() {
        let emulation = Emulation {
            machine: "netduinoplus2".to_owned(),
            device: "GPIOA".to_owned(),
            offset: 0x018,
            high: 0x100,
            low: 0x0100_0000,
            setup: 0,
        };
        let log = "RCC: unimplemented device read  (size 4, offset 0x000)\n\
            GPIOA: unimplemented device write (size 4, offset 0x000, value 0x00000100)\n\
            GPIOA: unimplemented device write (size 4, offset 0x018, value 0x00000100)\n\
            GPIOB: unimplemented device write (size 4, offset 0x018, value 0x00000100)\n\
            GPIOA: unimplemented device write (size 4, offset 0x018, value 0x01000000)\n\
            GPIOA: unimplemented device write (size 4, offset 0x018, value 0x00";
        assert_eq!(emulation.pin(log), [true, false]);
    }
}
