//! A QEMU plugin that counts the instructions of an emulated program from mark to mark.
//!
//! `functions`, another argument, names a file for the instructions of each function, a line of their number and the
//! function's name each.
//!
//! A mark is a call of a function named `count_mark`. At each of them, and at the end, the file named by the argument
//! `out` gets one line: instructions executed so far. Differences of lines are exact and the same in every run, unlike
//! anything a clock says. They are instructions, not cycles: emulation knows nothing of wait states and pipelines.
//!
//! Counted is per block of straight code, on entry, which costs a fifth of counting each instruction; the programs
//! counted here take no interrupts and no faults, so every block that is entered is left at its end.

mod qemu;

use qemu::{Block, Id};
use std::collections::BTreeMap;
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

/// The function whose calls are marks.
const MARK: &std::ffi::CStr = c"count_mark";

/// A block of code, as it was translated once.
struct Site {
    length: u64,
    entered: AtomicU64,
    function: String,
}

static SITES: Mutex<Vec<&'static Site>> = Mutex::new(Vec::new());
static EXECUTED: AtomicU64 = AtomicU64::new(0);
static AT_MARKS: Mutex<Vec<u64>> = Mutex::new(Vec::new());
static MARK_ENTRY: OnceLock<u64> = OnceLock::new();
static OUT: OnceLock<PathBuf> = OnceLock::new();
static FUNCTIONS: OnceLock<PathBuf> = OnceLock::new();

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
            Some(("functions", path)) if FUNCTIONS.set(PathBuf::from(path)).is_ok() => {}
            _ => {
                eprintln!(
                    "insn-count: unknown argument `{argument}`; give out=FILE, functions=FILE"
                );
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
    let symbol = qemu::symbol(block);
    // Blocks stay known for as long as the process lives, and there are a few thousand.
    let site: &'static Site = Box::leak(Box::new(Site {
        length: qemu::instructions(block) as u64,
        entered: AtomicU64::new(0),
        function: symbol
            .as_ref()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
    }));
    if let Ok(mut sites) = SITES.lock() {
        sites.push(site);
    }
    qemu::on_entry(block, entered, site);
    if symbol.as_deref() == Some(MARK) {
        // The mark may lie across two pages and so in two blocks; the first one seen is its entry.
        let address = qemu::address(block);
        if *MARK_ENTRY.get_or_init(|| address) == address {
            qemu::on_first_instruction(block, marked);
        }
    }
}

extern "C" fn entered(_: c_uint, site: *mut c_void) {
    // SAFETY: `translated` gave the address of a site, which is never freed.
    let site = unsafe { &*site.cast::<Site>() };
    site.entered.fetch_add(1, Relaxed);
    EXECUTED.fetch_add(site.length, Relaxed);
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
    match OUT.get() {
        Some(path) => write(path, &text),
        None => eprint!("{text}"),
    }
    if let Some(path) = FUNCTIONS.get() {
        write(path, &functions());
    }
}

/// Instructions of each function.
fn functions() -> String {
    let mut of_function = BTreeMap::<&str, u64>::new();
    let sites = SITES.lock().map(|sites| sites.clone()).unwrap_or_default();
    for site in sites {
        let executed = site.length * site.entered.load(Relaxed);
        *of_function.entry(&site.function).or_default() += executed;
    }
    let mut text = String::new();
    for (function, executed) in of_function {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{executed} {function}");
    }
    text
}

fn write(path: &Path, text: &str) {
    if let Err(error) = std::fs::write(path, text) {
        eprintln!("insn-count: {}: {error}", path.display());
    }
}
