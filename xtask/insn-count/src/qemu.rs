//! The few functions of QEMU's plugin interface that are used, each behind a safe one.
//!
//! Declared by hand: no distribution packages the header, and these have not changed since the interface exists.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};

/// What QEMU calls this plugin.
pub(crate) type Id = u64;
/// Code that runs from its first to its last instruction.
#[repr(C)]
pub(crate) struct Block(u8);
#[repr(C)]
struct Instruction(u8);

type OnTranslation = extern "C" fn(Id, *mut Block);
type OnExit = extern "C" fn(Id, *mut c_void);
type OnRun = extern "C" fn(c_uint, *mut c_void);

/// The called back function touches no guest registers.
const NO_REGISTERS: c_int = 0;

unsafe extern "C" {
    fn qemu_plugin_register_vcpu_tb_trans_cb(id: Id, call: OnTranslation);
    fn qemu_plugin_register_atexit_cb(id: Id, call: OnExit, data: *mut c_void);
    fn qemu_plugin_tb_n_insns(block: *const Block) -> usize;
    fn qemu_plugin_tb_vaddr(block: *const Block) -> u64;
    fn qemu_plugin_tb_get_insn(block: *const Block, index: usize) -> *mut Instruction;
    fn qemu_plugin_insn_symbol(instruction: *const Instruction) -> *const c_char;
    fn qemu_plugin_register_vcpu_tb_exec_cb(
        block: *mut Block,
        call: OnRun,
        flags: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_register_vcpu_insn_exec_cb(
        instruction: *mut Instruction,
        call: OnRun,
        flags: c_int,
        data: *mut c_void,
    );
}

/// The text of an argument.
///
/// # Safety
/// `text` must point to a string that ends with a zero.
pub(crate) unsafe fn string(text: *const c_char) -> String {
    // SAFETY: the caller says so.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

pub(crate) fn on_translation(id: Id, call: OnTranslation) {
    // SAFETY: registers a function that lives as long as the process.
    unsafe { qemu_plugin_register_vcpu_tb_trans_cb(id, call) }
}

pub(crate) fn on_exit(id: Id, call: OnExit) {
    // SAFETY: as above; there is no data.
    unsafe { qemu_plugin_register_atexit_cb(id, call, std::ptr::null_mut()) }
}

/// Number of instructions of a block that is just being translated.
pub(crate) fn instructions(block: *const Block) -> usize {
    // SAFETY: QEMU gave the block to the callback that is running.
    unsafe { qemu_plugin_tb_n_insns(block) }
}

/// Where the block begins.
pub(crate) fn address(block: *const Block) -> u64 {
    // SAFETY: as above.
    unsafe { qemu_plugin_tb_vaddr(block) }
}

/// Name of the function that the block's first instruction belongs to.
pub(crate) fn symbol(block: *const Block) -> Option<CString> {
    // SAFETY: as above; a block has at least one instruction, and the name outlives this call.
    unsafe {
        let name = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(block, 0));
        (!name.is_null()).then(|| CStr::from_ptr(name).to_owned())
    }
}

/// Calls `call` with the address of `data` whenever the block is entered.
pub(crate) fn on_entry<T: Sync>(block: *mut Block, call: OnRun, data: &'static T) {
    let data = std::ptr::from_ref(data).cast_mut().cast();
    // SAFETY: as above; the data lives as long as the process, and `call` only reads it.
    unsafe { qemu_plugin_register_vcpu_tb_exec_cb(block, call, NO_REGISTERS, data) }
}

/// Calls `call` before the block's first instruction, after what [`on_entry`] calls.
pub(crate) fn on_first_instruction(block: *mut Block, call: OnRun) {
    // SAFETY: as above; there is no data.
    unsafe {
        let instruction = qemu_plugin_tb_get_insn(block, 0);
        qemu_plugin_register_vcpu_insn_exec_cb(
            instruction,
            call,
            NO_REGISTERS,
            std::ptr::null_mut(),
        );
    }
}
