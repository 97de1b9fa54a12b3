//! A row of a convolution with its requantization in vectors.
//!
//! `vrmulh` is the requantization itself: the rounded high word of a 64-bit product, four at a time. Eight outputs cost
//! 30 instructions instead of 170 in scalar code, and the weights' and activations' addresses stay in registers from
//! one block of channels to the next: 0.40 instructions a product of a 3x3 convolution of 16 channels instead of 0.63.

use super::checked::Checked;
use crate::kernels::PackedWeights;
use crate::kernels::row::Row;
use crate::kernels::tile::Run;
use core::arch::naked_asm;
use core::ptr;

/// Everything that the kernels read and write; the fields' offsets 0, 4, ... 48 are part of the assembly, which moves
/// the pointers of a block on to the next one.
#[repr(C)]
struct Call {
    /// Weights of the block.
    weights: *const u8,
    /// Distance of two rows of weights in bytes.
    row_bytes: usize,
    /// What runs count from.
    activations: *const i16,
    /// Distance of the second pixel in bytes.
    distance_bytes: usize,
    /// First run, and the end of the runs.
    runs: *const Run,
    runs_end: *const Run,
    /// Length of a run.
    run_len: usize,
    /// Records of the block.
    records: *const u8,
    /// Where the block's outputs of the first pixel go.
    target: *mut i16,
    /// Distance of the second pixel's outputs in bytes.
    target_distance_bytes: usize,
    /// What is added to the block's outputs of the first pixel, or null.
    residual: *const i16,
    /// Least value before that.
    least: i32,
    /// Blocks left.
    blocks: usize,
}

/// Computes a whole row, if it fits and its activation is one that a bound can express.
#[inline(always)]
pub(crate) fn row(row: &mut Row<'_, i16>, _: &mut PackedWeights) -> bool {
    Checked::new(row).map(columns).is_some()
}

fn columns(mut checked: Checked<'_, '_>) {
    let target = checked.target();
    let row = checked.row();
    let runs = row.window.runs().as_ptr_range();
    let pixel_len = row.pixel_len();
    let mut call = Call {
        weights: ptr::null(),
        row_bytes: row.row_bytes,
        activations: row.activations.as_ptr(),
        distance_bytes: row.step * size_of::<i16>(),
        runs: runs.start,
        runs_end: runs.end,
        run_len: row.window.run_len(),
        records: ptr::null(),
        target,
        target_distance_bytes: pixel_len * size_of::<i16>(),
        residual: row.residual.as_ptr(),
        least: checked.least(),
        blocks: 0,
    };
    if row.residual.is_empty() {
        call.residual = ptr::null();
    }
    let mut left = row.columns;
    while left > 0 {
        call.weights = row.weights.as_ptr();
        call.records = row.records.as_ptr();
        call.blocks = row.blocks;
        // SAFETY: `Checked::new` has found the window's runs within every row of weights and, from each column, within
        // the activations, records and weights for every block, and outputs for every block and column, as in the
        // residual, if there is one. A pair starts at a column that has another one after it.
        unsafe {
            match left {
                1 => {
                    call.target_distance_bytes = 0;
                    single_kernel(&raw mut call);
                }
                _ => pair_kernel(&raw mut call),
            }
        }
        left = left.saturating_sub(2);
        // The kernel has gone over the first pixel's outputs; here over the second's.
        call.activations = call.activations.wrapping_add(2 * row.step);
        call.target = call.target.wrapping_add(pixel_len);
        if !call.residual.is_null() {
            call.residual = call.residual.wrapping_add(pixel_len);
        }
    }
}

/// Sums of two rows for two pixels, to two words of the stack for each pixel. r0: the call; r2: distance of two rows;
/// r3: weights of the first row, then of the second next; r11: length of a run. Changes r1, r4-r10, r12, lr.
macro_rules! two_rows {
    ($first:literal, $second:literal) => {
        concat!(
            "movs r6, #0
            mov r8, #0
            mov r10, #0
            mov r12, #0
            ldr r1, [r0, #16]
        2:
            ldrd r4, r9, [r1], #8
            ldrd r5, r7, [r0, #8]
            add r4, r4, r3
            add r9, r5, r9, lsl #1
            adds r5, r4, r2
            add r7, r7, r9
            dlstp.16 lr, r11
        3:
            vldrh.u16 q0, [r9], #16
            vldrb.s16 q1, [r4], #8
            vmladava.s16 r6, q0, q1
            vldrb.s16 q2, [r5], #8
            vmladava.s16 r8, q0, q2
            vldrh.u16 q3, [r7], #16
            vmladava.s16 r10, q3, q1
            vmladava.s16 r12, q3, q2
            letp lr, 3b
            ldr r4, [r0, #20]
            cmp r1, r4
            bne 2b
            add r3, r3, r2, lsl #1
            strd r6, r8, [sp, #",
            $first,
            "]
            strd r10, r12, [sp, #",
            $second,
            "]
            "
        )
    };
}

/// Requantizes q0 and q1, the sums of four channels of two pixels, writes them, and moves on to the next block. r0: the
/// call; q4-q7: as [`limits`] leaves them. Changes q2, q3, r4, r5, r7 and 32 bytes of the stack: records lie anywhere in memory, but only bytes may be
/// loaded into a vector from anywhere.
macro_rules! finish {
    () => {
        "ldr r4, [r0, #28]
            mov r5, sp
            vldrb.u8 q2, [r4], #16
            vldrb.u8 q3, [r4], #16
            str r4, [r0, #28]
            vstrw.32 q2, [r5]
            vstrw.32 q3, [r5, #16]
            vld20.32 {{q2, q3}}, [r5]
            vld21.32 {{q2, q3}}, [r5]
            vadd.i32 q0, q0, q2
            vadd.i32 q1, q1, q2
            vrmulh.s32 q0, q0, q3
            vrmulh.s32 q1, q1, q3
            vmax.s32 q0, q0, q4
            vmax.s32 q1, q1, q4
            vmin.s32 q0, q0, q5
            vmin.s32 q1, q1, q5
            ldr r5, [r0, #36]
            ldr r4, [r0, #40]
            cbz r4, 7f
            adds r7, r4, r5
            vldrh.s32 q2, [r4], #8
            vldrh.s32 q3, [r7]
            str r4, [r0, #40]
            vadd.i32 q0, q0, q2
            vadd.i32 q1, q1, q3
        7:
            vmin.s32 q0, q0, q6
            vmin.s32 q1, q1, q6
            vmax.s32 q0, q0, q7
            vmax.s32 q1, q1, q7
            ldr r4, [r0, #32]
            adds r7, r4, r5
            vstrh.32 q1, [r7]
            vstrh.32 q0, [r4], #8
            str r4, [r0, #32]
            ldr r4, [r0, #48]
            subs r4, #1
            str r4, [r0, #48]
            "
    };
}

/// Saves q4-q7 and fills them: least and largest value before the residual is added, then largest and least after it.
macro_rules! limits {
    () => {
        "vpush {{d8-d15}}
            ldr r4, [r0, #44]
            vdup.32 q4, r4
            movw r4, #65535
            vdup.32 q5, r4
            movw r4, #32767
            vdup.32 q6, r4
            vneg.s32 q7, q6
            "
    };
}

/// All blocks of two pixels. Stack: the sums.
///
/// # Safety
/// What [`Call`] names is there, as [`columns`] says of its rows.
#[unsafe(naked)]
unsafe extern "C" fn pair_kernel(call: *mut Call) {
    naked_asm!(
        ".cpu cortex-m55", // link-time optimization assembles for the target, not for the core
        "push {{r4-r11, lr}}",
        limits!(),
        "sub sp, #36",
        "ldrd r3, r2, [r0]",
        "ldr r11, [r0, #24]",
        "4:", // the next block
        two_rows!("0", "16"),
        two_rows!("8", "24"),
        "vldrw.32 q0, [sp]",
        "vldrw.32 q1, [sp, #16]",
        finish!(),
        "bne 4b",
        "add sp, #36",
        "vpop {{d8-d15}}",
        "pop {{r4-r11, pc}}",
    )
}

/// All blocks of one pixel. r1: runs; r2-r5: four rows of weights; r6, r8, r10, r12: sums; r7: activations; r9:
/// distance of two rows; r11: length of a run.
///
/// # Safety
/// What [`Call`] names is there, as [`columns`] says of its rows.
#[unsafe(naked)]
unsafe extern "C" fn single_kernel(call: *mut Call) {
    naked_asm!(
        ".cpu cortex-m55", // link-time optimization assembles for the target, not for the core
        "push {{r4-r11, lr}}",
        limits!(),
        "sub sp, #36",
        "ldr r9, [r0, #4]",
        "ldr r11, [r0, #24]",
        "4:", // the next block
        "movs r6, #0",
        "mov r8, #0",
        "mov r10, #0",
        "mov r12, #0",
        "ldr r1, [r0, #16]",
        "2:", // the next run
        "ldrd r2, r7, [r1], #8",
        "ldr r3, [r0, #8]",
        "ldr r4, [r0]",
        "add r7, r3, r7, lsl #1",
        "add r2, r2, r4",
        "add r3, r2, r9",
        "add r4, r3, r9",
        "add r5, r4, r9",
        "dlstp.16 lr, r11",
        "3:",
        "vldrh.u16 q0, [r7], #16",
        "vldrb.s16 q1, [r2], #8",
        "vmladava.s16 r6, q0, q1",
        "vldrb.s16 q2, [r3], #8",
        "vmladava.s16 r8, q0, q2",
        "vldrb.s16 q1, [r4], #8",
        "vmladava.s16 r10, q0, q1",
        "vldrb.s16 q2, [r5], #8",
        "vmladava.s16 r12, q0, q2",
        "letp lr, 3b",
        "ldr r4, [r0, #20]",
        "cmp r1, r4",
        "bne 2b",
        "ldr r4, [r0]",
        "add r4, r4, r9, lsl #2",
        "str r4, [r0]",
        "strd r6, r8, [sp]",
        "strd r10, r12, [sp, #8]",
        "vldrw.32 q0, [sp]",
        "vmov q1, q0",
        finish!(),
        "bne 4b",
        "add sp, #36",
        "vpop {{d8-d15}}",
        "pop {{r4-r11, pc}}",
    )
}
