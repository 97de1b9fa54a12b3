//! Armv7E-M, and Armv8-M with the DSP extension: Cortex-M4, M7, M33.
//!
//! `smlad` multiplies two pairs of 16-bit numbers and adds both products. Weights are widened a word at a time, which
//! gives the pairs (0, 2) and (1, 3), so activations lie in memory in that order ([`super::SWAPS_MIDDLE`]). A tile of
//! two rows by two pixels costs 18 instructions for 16 products, one of four rows by one pixel 22; bringing activations
//! into pairs here took four and two more. Larger tiles do not fit 14 registers. Assembly, because the compiler spills
//! four of them: 3.2 instructions a product.

use super::call::Call;
use core::arch::naked_asm;

/// Link-time optimization assembles for the target, not for the core, and of the Armv8-M targets none has the extension.
#[cfg(armv8m)]
macro_rules! core {
    () => {
        ".cpu cortex-m33"
    };
}
#[cfg(not(armv8m))]
macro_rules! core {
    () => {
        ""
    };
}

/// Adds four products of one row. r3: activations 0 and 2, r2: 1 and 3. Changes r12, lr.
macro_rules! row_of_single {
    ($weights:literal, $sum:literal) => {
        concat!(
            "ldr r12, ", $weights, "\n",
            "sxtb16 lr, r12\n",
            "sxtb16 r12, r12, ror #8\n",
            "smlad ", $sum, ", lr, r3, ", $sum, "\n",
            "smlad ", $sum, ", r12, r2, ", $sum, "\n",
        )
    };
}

/// Adds four products of each row. r4-r7: sums; r8: weights; r9: activations; r10, r11: 1 and 3 rows of weights.
macro_rules! group_of_single {
    () => {
        concat!(
            "ldr r3, [r9], #4\n",
            "ldr r2, [r9], #4\n",
            row_of_single!("[r8, r10]", "r5"),
            row_of_single!("[r8, r10, lsl #1]", "r6"),
            row_of_single!("[r8, r11]", "r7"),
            row_of_single!("[r8], #4", "r4"),
        )
    };
}

/// Stack: the call, the next run.
///
/// # Safety
/// What [`Call`] names is there: [`call`](super::call::call) asks for checked tiles only.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn single_kernel(call: *const Call) {
    naked_asm!(
        core!(),
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
        "ands r1, r0, #3", // four groups a turn: what is left over comes first
        "beq 3f",
        "adds r0, #4",
        "subs r0, r0, r1",
        "cmp r1, #2",
        "blo 6f",
        "beq 5f",
        "b 4f",
        "3:",
        group_of_single!(),
        "4:",
        group_of_single!(),
        "5:",
        group_of_single!(),
        "6:",
        group_of_single!(),
        "subs r0, #4",
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

/// Adds four products of one row for each pixel. r12, r9: activations of the first pixel, r8, r11: of the second.
/// Changes r10, lr.
macro_rules! row_of_pair {
    ($weights:literal, $first:literal, $second:literal) => {
        concat!(
            "ldr r10, ", $weights, "\n",
            "sxtb16 lr, r10\n",
            "sxtb16 r10, r10, ror #8\n",
            "smlad ", $first, ", lr, r12, ", $first, "\n",
            "smlad ", $second, ", lr, r8, ", $second, "\n",
            "smlad ", $first, ", r10, r9, ", $first, "\n",
            "smlad ", $second, ", r10, r11, ", $second, "\n",
        )
    };
}

/// Adds four products of two rows for each pixel. r4, r5: sums of the first pixel; r6, r7: of the second; r0: four
/// bytes in front of the activations; r3: distance of the pixels; r1: weights; r2: distance of the rows.
macro_rules! group_of_pair {
    () => {
        concat!(
            "ldr r12, [r0, #4]!\n",
            "ldr r8, [r0, r3]\n",
            "ldr r9, [r0, #4]!\n",
            "ldr r11, [r0, r3]\n",
            row_of_pair!("[r1, r2]", "r5", "r7"),
            row_of_pair!("[r1], #4", "r4", "r6"),
        )
    };
}

/// Two rows, then the other two. Stack: the call, the next run, the end of the first row's run, rows done.
///
/// # Safety
/// What [`Call`] names is there: [`call`](super::call::call) asks for checked tiles only.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn pair_kernel(call: *const Call) {
    naked_asm!(
        core!(),
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
        "ldr r3, [sp, #12]",
        "ldm r0, {{r1, r2, r10, r11}}",
        "mla r1, r2, r3, r1",
        "ldr r3, [r0, #24]",
        "add r1, r1, r8",
        "add r0, r10, r9, lsl #1",
        "subs r0, #4",
        "add lr, r1, r3, lsl #2",
        "str lr, [sp, #8]",
        "lsrs r3, r3, #1", // two groups a turn: an odd number begins in the middle
        "mov r3, r11",
        "bcs 4f",
        "3:",
        group_of_pair!(),
        "4:",
        group_of_pair!(),
        "ldr lr, [sp, #8]",
        "cmp r1, lr",
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
