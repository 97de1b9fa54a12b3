//! RV32 with multiplication.
//!
//! There is no multiply-add and no widening beyond the loads', but 31 registers: a tile of four rows by two pixels
//! costs 22 instructions for 8 products. Assembly, because the compiler turns the loads of bytes into words that it
//! takes apart again: 5.8 instructions a product instead of 2.9.

use super::call::Call;
use core::arch::naked_asm;

/// Link-time optimization assembles for plain RV32I, whatever the target has.
#[cfg(target_feature = "c")]
macro_rules! extensions {
    () => {
        ".option push\n.option arch, +m, +c"
    };
}
#[cfg(not(target_feature = "c"))]
macro_rules! extensions {
    () => {
        ".option push\n.option arch, +m"
    };
}

/// Adds a product of one row. a4: activation. Changes a5.
macro_rules! row_of_single {
    ($weight:expr, $sum:literal) => {
        concat!(
            "lb a5, ", $weight, "\n",
            "mul a5, a5, a4\n",
            "add ", $sum, ", ", $sum, ", a5\n",
        )
    };
}

/// Adds a product of each row. t3-t6: sums; t0-t2, a2: weights; a1: activations.
macro_rules! step_of_single {
    ($weight:literal, $activation:literal) => {
        concat!(
            "lh a4, ", $activation, "(a1)\n",
            row_of_single!(concat!($weight, "(t0)"), "t3"),
            row_of_single!(concat!($weight, "(t1)"), "t4"),
            row_of_single!(concat!($weight, "(t2)"), "t5"),
            row_of_single!(concat!($weight, "(a2)"), "t6"),
        )
    };
}

/// a0: the call; a3: its sums; a7: the next run; a6: end of the first row's run.
///
/// # Safety
/// What [`Call`] names is there: [`call`](super::call::call) asks for checked tiles only.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn single_kernel(call: *const Call) {
    naked_asm!(
        extensions!(),
        "lw a3, 28(a0)",
        "lw t3, 0(a3)",
        "lw t4, 4(a3)",
        "lw t5, 8(a3)",
        "lw t6, 12(a3)",
        "lw a7, 16(a0)",
        "2:", // the next run
        "lw t0, 0(a0)",
        "lw a4, 0(a7)",
        "lw a1, 4(a7)",
        "addi a7, a7, 8",
        "add t0, t0, a4",
        "lw a4, 4(a0)",
        "add t1, t0, a4",
        "add t2, t1, a4",
        "add a2, t2, a4",
        "lw a4, 8(a0)",
        "slli a1, a1, 1",
        "add a1, a1, a4",
        "lw a6, 24(a0)",
        "slli a6, a6, 2",
        "add a6, a6, t0",
        "3:",
        step_of_single!("0", "0"),
        step_of_single!("1", "2"),
        step_of_single!("2", "4"),
        step_of_single!("3", "6"),
        "addi t0, t0, 4",
        "addi t1, t1, 4",
        "addi t2, t2, 4",
        "addi a2, a2, 4",
        "addi a1, a1, 8",
        "bne t0, a6, 3b",
        "lw a4, 20(a0)",
        "bne a7, a4, 2b",
        "sw t3, 0(a3)",
        "sw t4, 4(a3)",
        "sw t5, 8(a3)",
        "sw t6, 12(a3)",
        "ret",
        ".option pop",
    )
}

/// Adds a product of one row for each pixel. a4, a5: activations. Changes a6, t3, t4.
macro_rules! row_of_pair {
    ($weight:expr, $first:literal, $second:literal) => {
        concat!(
            "lb a6, ", $weight, "\n",
            "mul t3, a6, a4\n",
            "mul t4, a6, a5\n",
            "add ", $first, ", ", $first, ", t3\n",
            "add ", $second, ", ", $second, ", t4\n",
        )
    };
}

/// Adds a product of each row for each pixel. s0-s3: sums of the first pixel; s4-s7: of the second; t0-t2, t5:
/// weights; a1, a2: activations.
macro_rules! step_of_pair {
    ($weight:literal, $activation:literal) => {
        concat!(
            "lh a4, ", $activation, "(a1)\n",
            "lh a5, ", $activation, "(a2)\n",
            row_of_pair!(concat!($weight, "(t0)"), "s0", "s4"),
            row_of_pair!(concat!($weight, "(t1)"), "s1", "s5"),
            row_of_pair!(concat!($weight, "(t2)"), "s2", "s6"),
            row_of_pair!(concat!($weight, "(t5)"), "s3", "s7"),
        )
    };
}

/// a0: the call; a3: its sums; a7: the next run; t6: end of the first row's run.
///
/// # Safety
/// What [`Call`] names is there: [`call`](super::call::call) asks for checked tiles only.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn pair_kernel(call: *const Call) {
    naked_asm!(
        extensions!(),
        "addi sp, sp, -32",
        "sw s0, 0(sp)",
        "sw s1, 4(sp)",
        "sw s2, 8(sp)",
        "sw s3, 12(sp)",
        "sw s4, 16(sp)",
        "sw s5, 20(sp)",
        "sw s6, 24(sp)",
        "sw s7, 28(sp)",
        "lw a3, 28(a0)",
        "lw s0, 0(a3)",
        "lw s1, 4(a3)",
        "lw s2, 8(a3)",
        "lw s3, 12(a3)",
        "lw s4, 16(a3)",
        "lw s5, 20(a3)",
        "lw s6, 24(a3)",
        "lw s7, 28(a3)",
        "lw a7, 16(a0)",
        "2:", // the next run
        "lw t0, 0(a0)",
        "lw a4, 0(a7)",
        "lw a1, 4(a7)",
        "addi a7, a7, 8",
        "add t0, t0, a4",
        "lw a4, 4(a0)",
        "add t1, t0, a4",
        "add t2, t1, a4",
        "add t5, t2, a4",
        "lw a4, 8(a0)",
        "slli a1, a1, 1",
        "add a1, a1, a4",
        "lw a2, 12(a0)",
        "add a2, a2, a1",
        "lw t6, 24(a0)",
        "slli t6, t6, 2",
        "add t6, t6, t0",
        "3:",
        step_of_pair!("0", "0"),
        step_of_pair!("1", "2"),
        step_of_pair!("2", "4"),
        step_of_pair!("3", "6"),
        "addi t0, t0, 4",
        "addi t1, t1, 4",
        "addi t2, t2, 4",
        "addi t5, t5, 4",
        "addi a1, a1, 8",
        "addi a2, a2, 8",
        "bne t0, t6, 3b",
        "lw a4, 20(a0)",
        "bne a7, a4, 2b",
        "sw s0, 0(a3)",
        "sw s1, 4(a3)",
        "sw s2, 8(a3)",
        "sw s3, 12(a3)",
        "sw s4, 16(a3)",
        "sw s5, 20(a3)",
        "sw s6, 24(a3)",
        "sw s7, 28(a3)",
        "lw s0, 0(sp)",
        "lw s1, 4(sp)",
        "lw s2, 8(sp)",
        "lw s3, 12(sp)",
        "lw s4, 16(sp)",
        "lw s5, 20(sp)",
        "lw s6, 24(sp)",
        "lw s7, 28(sp)",
        "addi sp, sp, 32",
        "ret",
        ".option pop",
    )
}
