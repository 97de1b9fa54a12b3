//! Armv8.1-M with the vector extension: Cortex-M52, M55, M85.
//!
//! `vmladava` multiplies eight pairs of 16-bit numbers and adds all products to a register; a load widens eight
//! weights on the way. The loop counts and masks its last turn by itself (`dlstp`, `letp`), so it needs no tail. Two
//! rows by two pixels: 9 instructions for 32 products. Sums must lie in even registers and widening loads address by
//! r0-r7, which leaves no room for a larger tile.

mod checked;
mod row;

pub(crate) use row::row;

use super::call::Call;
use core::arch::naked_asm;

/// max(a, 0) of each activation: half an instruction an activation instead of four.
pub(crate) fn relu(source: &[i16], target: &mut [i16]) {
    let count = source.len().min(target.len());
    // SAFETY: both have `count` elements.
    unsafe { relu_kernel(source.as_ptr(), target.as_mut_ptr(), count) }
}

/// # Safety
/// `source` and `target` have `count` elements.
#[unsafe(naked)]
unsafe extern "C" fn relu_kernel(source: *const i16, target: *mut i16, count: usize) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r7, lr}}",
        "vmov.i32 q1, #0",
        "wlstp.16 lr, r2, 3f", // no turn where there is nothing
        "2:",
        "vldrh.u16 q0, [r0], #16",
        "vmax.s16 q0, q0, q1",
        "vstrh.16 q0, [r1], #16",
        "letp lr, 2b",
        "3:",
        "pop {{r7, pc}}",
    )
}

/// Stack: the call, the next run. r6, r8, r10, r12: sums; r2-r5: weights of rows 0, 3, 1, 2; r7: activations.
///
/// # Safety
/// What [`Call`] names is there: [`call`](super::call::call) asks for checked tiles only.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn single_kernel(call: *const Call) {
    naked_asm!(
        ".cpu cortex-m55", // link-time optimization assembles for the target, not for the core
        "push {{r0, r1, r4-r11, lr}}",
        "ldr r1, [r0, #28]",
        "ldrd r6, r8, [r1]",
        "ldrd r10, r12, [r1, #8]",
        "ldr r1, [r0, #16]",
        "2:", // the next run
        "ldrd r2, r7, [r1], #8",
        "str r1, [sp, #4]",
        "ldm r0, {{r1, r3, r4}}",
        "add r2, r2, r1",
        "add r7, r4, r7, lsl #1",
        "adds r4, r3, r2",
        "adds r5, r4, r3",
        "add r3, r3, r5",
        "ldr r0, [r0, #24]",
        "lsls r0, r0, #2",
        "dlstp.16 lr, r0",
        "3:",
        "vldrh.u16 q0, [r7], #16",
        "vldrb.s16 q1, [r2], #8",
        "vmladava.s16 r6, q0, q1",
        "vldrb.s16 q2, [r4], #8",
        "vmladava.s16 r8, q0, q2",
        "vldrb.s16 q1, [r5], #8",
        "vmladava.s16 r10, q0, q1",
        "vldrb.s16 q2, [r3], #8",
        "vmladava.s16 r12, q0, q2",
        "letp lr, 3b",
        "ldrd r0, r1, [sp]",
        "ldr r2, [r0, #20]",
        "cmp r1, r2",
        "bne 2b",
        "ldr r1, [r0, #28]",
        "strd r6, r8, [r1]",
        "strd r10, r12, [r1, #8]",
        "pop {{r0, r1, r4-r11, pc}}",
    )
}

/// Two rows, then the other two. Stack: the call, the next run, nothing, rows done. r6, r8: sums of the first pixel;
/// r10, r12: of the second; r4, r5: weights of two rows; r7, r9: activations of two pixels.
///
/// # Safety
/// What [`Call`] names is there: [`call`](super::call::call) asks for checked tiles only.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn pair_kernel(call: *const Call) {
    naked_asm!(
        ".cpu cortex-m55", // link-time optimization assembles for the target, not for the core
        "movs r3, #0",
        "push {{r0-r11, lr}}",
        "5:", // the next two rows
        "ldr r1, [r0, #28]",
        "add r1, r1, r3, lsl #2",
        "ldrd r6, r8, [r1]",
        "ldrd r10, r12, [r1, #16]",
        "ldr r1, [r0, #16]",
        "2:", // the next run
        "ldrd r4, r9, [r1], #8",
        "str r1, [sp, #4]",
        "ldr r3, [sp, #12]",
        "ldm r0, {{r1, r2, r7, r11}}",
        "ldr r0, [r0, #24]",
        "mla r1, r2, r3, r1",
        "add r4, r4, r1",
        "add r5, r4, r2",
        "add r7, r7, r9, lsl #1",
        "add r9, r7, r11",
        "lsls r0, r0, #2",
        "dlstp.16 lr, r0",
        "3:",
        "vldrh.u16 q0, [r7], #16",
        "vldrb.s16 q1, [r4], #8",
        "vmladava.s16 r6, q0, q1",
        "vldrb.s16 q2, [r5], #8",
        "vmladava.s16 r8, q0, q2",
        "vldrh.u16 q3, [r9], #16",
        "vmladava.s16 r10, q3, q1",
        "vmladava.s16 r12, q3, q2",
        "letp lr, 3b",
        "ldrd r0, r1, [sp]",
        "ldr r2, [r0, #20]",
        "cmp r1, r2",
        "bne 2b",
        "ldr r3, [sp, #12]",
        "ldr r1, [r0, #28]",
        "add r1, r1, r3, lsl #2",
        "strd r6, r8, [r1]",
        "strd r10, r12, [r1, #16]",
        "adds r3, #2",
        "str r3, [sp, #12]",
        "cmp r3, #4",
        "bne 5b",
        "pop {{r0-r11, pc}}",
    )
}
