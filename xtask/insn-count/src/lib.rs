//! A QEMU plugin that counts the instructions of an emulated program from mark to mark.
//!
//! A mark is a call of a function named `count_mark`. At each of them, and at the end, the file named by the argument
//! `out` gets one line: instructions executed so far. Differences of lines are exact and the same in every run, unlike
//! anything a clock says. They are instructions, not cycles: emulation knows nothing of wait states and pipelines.
//!
//! Counted is per block of straight code, on entry, which costs a fifth of counting each instruction; the programs
//! counted here take no interrupts and no faults, so every block that is entered is left at its end.

mod qemu;

use qemu::{Block, Id};
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

/// The function whose calls are marks.
const MARK: &std::ffi::CStr = c"count_mark";

static EXECUTED: AtomicU64 = AtomicU64::new(0);
static AT_MARKS: Mutex<Vec<u64>> = Mutex::new(Vec::new());
static MARK_ENTRY: OnceLock<u64> = OnceLock::new();
static OUT: OnceLock<PathBuf> = OnceLock::new();

/// Version of QEMU's plugin interface: 7.2 takes 1, 9.0 and later take 2; what is used here is in both.
#[unsafe(export_name = "qemu_plugin_version")]
pub static PLUGIN_VERSION: c_int = if option_env!("QEMU_PLUGIN_VERSION_2").is_some() {
    2
} else {
    1
};

/// Called by QEMU when it loads the plugin.
///
/// # Safety
/// `arguments` must point to `count` strings that end with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(
    id: Id,
    _machine: *const c_void,
    count: c_int,
    arguments: *const *const c_char,
) -> c_int {
    for index in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the caller says that there are `count` strings.
        let argument = unsafe { qemu::string(*arguments.add(index)) };
        match argument.split_once('=') {
            Some(("out", path)) if OUT.set(PathBuf::from(path)).is_ok() => {}
            _ => {
                eprintln!("insn-count: unknown argument `{argument}`; give out=FILE");
                return -1;
            }
        }
    }
    qemu::on_translation(id, translated);
    qemu::on_exit(id, finished);
    0
}

/// A block of code has been translated: count it whenever it is entered, and note the mark's.
extern "C" fn translated(_: Id, block: *mut Block) {
    let length = qemu::instructions(block);
    qemu::on_entry(block, entered, length);
    if qemu::symbol(block).as_deref() == Some(MARK) {
        // The mark may lie across two pages and so in two blocks; the first one seen is its entry.
        let address = qemu::address(block);
        if *MARK_ENTRY.get_or_init(|| address) == address {
            qemu::on_first_instruction(block, marked);
        }
    }
}

extern "C" fn entered(_: c_uint, length: *mut c_void) {
    EXECUTED.fetch_add(length.addr() as u64, Relaxed);
}

extern "C" fn marked(_: c_uint, _: *mut c_void) {
    if let Ok(mut marks) = AT_MARKS.lock() {
        marks.push(EXECUTED.load(Relaxed));
    }
}

extern "C" fn finished(_: Id, _: *mut c_void) {
    let mut text = String::new();
    let marks = AT_MARKS
        .lock()
        .map(|marks| marks.clone())
        .unwrap_or_default();
    for executed in marks.into_iter().chain([EXECUTED.load(Relaxed)]) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{executed}");
    }
    match OUT.get().map(|path| std::fs::write(path, &text)) {
        Some(Ok(())) => {}
        Some(Err(error)) => eprintln!("insn-count: {error}"),
        None => eprint!("{text}"),
    }
}
