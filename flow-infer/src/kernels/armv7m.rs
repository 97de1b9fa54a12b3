//! Armv7-M, and Armv8-M without extensions: Cortex-M3.
//!
//! One product and its addition are one instruction (`mla`); what can be saved is loading. A tile of two rows by two
//! pixels needs 8 instructions for 4 products, one of four rows by one pixel 9; larger tiles do not fit 14 registers.
//! Assembly, because the compiler spills four of them: 4.2 instructions a product instead of 2.1.

use super::call::Call;
use core::arch::naked_asm;

/// Adds a product of each row. r4-r7: sums; r8: weights; r9: activations; r10, r11: 1 and 3 rows of weights.
macro_rules! step_of_single {
    () => {
        "ldrsh r1, [r9], #2
        ldrsb r2, [r8, r10]
        ldrsb r3, [r8, r10, lsl #1]
        ldrsb r12, [r8, r11]
        ldrsb lr, [r8], #1
        mla r5, r1, r2, r5
        mla r6, r1, r3, r6
        mla r7, r1, r12, r7
        mla r4, r1, lr, r4
        "
    };
}

/// Stack: the call, the next run.
///
/// # Safety
/// What [`Call`] names is there: [`call`](super::call::call) asks for checked tiles only.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn single_kernel(call: *const Call) {
    naked_asm!(
        "push {{r0, r1, r4-r11, lr}}",
        "ldr r1, [r0, #28]",
        "ldm r1, {{r4-r7}}",
        "ldr r10, [r0, #4]",
        "add r11, r10, r10, lsl #1",
        "ldr r1, [r0, #16]",
        "2:", // the next run
        "ldm r1!, {{r8, r9}}",
        "str r1, [sp, #4]",
        "ldm r0, {{r1, r2, r3}}",
        "add r8, r8, r1",
        "add r9, r3, r9, lsl #1",
        "ldr r0, [r0, #24]",
        "3:",
        step_of_single!(),
        step_of_single!(),
        step_of_single!(),
        step_of_single!(),
        "subs r0, #1",
        "bne 3b",
        "ldrd r0, r1, [sp]",
        "ldr r2, [r0, #20]",
        "cmp r1, r2",
        "bne 2b",
        "ldr r1, [r0, #28]",
        "stm r1, {{r4-r7}}",
        "pop {{r0, r1, r4-r11, pc}}",
    )
}

/// Adds a product of two rows for each pixel. r4, r5: sums of the first pixel; r6, r7: of the second; r0: activations;
/// r3: distance of the pixels; r1: weights; r2: distance of the rows.
macro_rules! step_of_pair {
    () => {
        "ldrsb r9, [r1, r2]
        ldrsb r8, [r1], #1
        ldrsh r11, [r0, r3]
        ldrsh r10, [r0], #2
        mla r4, r8, r10, r4
        mla r5, r9, r10, r5
        mla r6, r8, r11, r6
        mla r7, r9, r11, r7
        "
    };
}

/// Two rows, then the other two. Stack: the call, the next run, nothing, rows done.
///
/// # Safety
/// What [`Call`] names is there: [`call`](super::call::call) asks for checked tiles only.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn pair_kernel(call: *const Call) {
    naked_asm!(
        "movs r3, #0",
        "push {{r0-r11, lr}}",
        "5:", // the next two rows
        "ldr r1, [r0, #28]",
        "add r1, r1, r3, lsl #2",
        "ldrd r4, r5, [r1]",
        "ldrd r6, r7, [r1, #16]",
        "ldr r1, [r0, #16]",
        "2:", // the next run
        "ldm r1!, {{r8, r9}}",
        "str r1, [sp, #4]",
        "ldr r11, [sp, #12]",
        "ldm r0, {{r1, r2, r3, r10}}",
        "ldr r12, [r0, #24]",
        "mla r1, r2, r11, r1",
        "add r1, r1, r8",
        "add r0, r3, r9, lsl #1",
        "mov r3, r10",
        "3:",
        step_of_pair!(),
        step_of_pair!(),
        step_of_pair!(),
        step_of_pair!(),
        "subs r12, #1",
        "bne 3b",
        "ldrd r0, r1, [sp]",
        "ldr r2, [r0, #20]",
        "cmp r1, r2",
        "bne 2b",
        "ldr r3, [sp, #12]",
        "ldr r1, [r0, #28]",
        "add r1, r1, r3, lsl #2",
        "strd r4, r5, [r1]",
        "strd r6, r7, [r1, #16]",
        "adds r3, #2",
        "str r3, [sp, #12]",
        "cmp r3, #4",
        "bne 5b",
        "pop {{r0-r11, pc}}",
    )
}
