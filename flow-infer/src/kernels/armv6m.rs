//! Armv6-M and Armv8-M baseline: Cortex-M0, M0+, M23.
//!
//! Only eight registers can be multiplied or address memory, and there is no multiply-add, so four rows by one pixel
//! is the best tile: the sums lie in the high registers, which can at least be added to. A second pixel would replace
//! the load of each weight by a copy of it and gain nothing. 15 instructions for 4 products; the compiler, which keeps
//! sums on the stack, needs 32.

use super::call::Call;
use core::arch::naked_asm;

/// Adds a product of each row. r8-r11: sums; r2: activations; r3: weights; r4-r6: 1, 2 and 3 rows of weights; r7: zero.
macro_rules! step {
    () => {
        "ldrsh r0, [r2, r7]
        adds r2, #2
        ldrsb r1, [r3, r7]
        muls r1, r0, r1
        add r8, r1
        ldrsb r1, [r3, r4]
        muls r1, r0, r1
        add r9, r1
        ldrsb r1, [r3, r5]
        muls r1, r0, r1
        add r10, r1
        ldrsb r1, [r3, r6]
        adds r3, #1
        muls r1, r0, r1
        add r11, r1
        "
    };
}

/// Stack: the call, the next run. r12: end of the activations' run.
///
/// # Safety
/// What [`Call`] names is there: [`call`](super::call::call) asks for checked tiles only.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn single_kernel(call: *const Call) {
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r0, r1, r4-r7}}",
        "ldr r1, [r0, #28]",
        "ldm r1!, {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "ldr r4, [r0, #4]",
        "adds r5, r4, r4",
        "adds r6, r5, r4",
        "movs r7, #0",
        "ldr r1, [r0, #16]",
        "2:", // the next run
        "ldm r1!, {{r2, r3}}",
        "str r1, [sp, #4]",
        "lsls r3, r3, #1",
        "ldr r1, [r0, #8]",
        "adds r1, r1, r3",
        "ldr r3, [r0]",
        "adds r3, r3, r2",
        "mov r2, r1",
        "ldr r1, [r0, #24]",
        "lsls r1, r1, #3",
        "adds r1, r1, r2",
        "mov r12, r1",
        "3:",
        step!(),
        step!(),
        step!(),
        step!(),
        "cmp r2, r12",
        "bne 3b",
        "ldr r0, [sp]",
        "ldr r1, [sp, #4]",
        "ldr r2, [r0, #20]",
        "cmp r1, r2",
        "bne 2b",
        "ldr r1, [r0, #28]",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "stm r1!, {{r4-r7}}",
        "pop {{r0, r1, r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
    )
}
