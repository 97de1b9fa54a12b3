//! Rows that a kernel rewrites against coordinates one by one.

use super::arithmetic::{Arithmetic, ScaleAt};
use super::fixed::{Fixed, FixedLogDet};
use crate::kernel_trials::Trials;
use crate::kernels::Coordinates;
use crate::plan::{PlannedScale, TABLE_ENTRIES};
use crate::spec::AffineForm;
use std::{println, vec::Vec};

const PIXEL: usize = 4;

/// Nodes of tanh, with 24 fraction bits.
fn tanh() -> Vec<u8> {
    let value = |i: usize| libm::tanh((i as f64 - 1.0) / 16.0 - 8.0) * f64::from(1 << 24);
    let nodes = (0..TABLE_ENTRIES).map(|i| libm::rint(value(i)) as i32);
    nodes.flat_map(i32::to_le_bytes).collect()
}

/// Numbers of up to so many bits.
fn numbers(trials: &mut Trials, bits: u32, count: usize) -> Vec<i32> {
    (0..count)
        .map(|_| trials.next() as i32 >> (32 - bits))
        .collect()
}

/// Latents, sums and multipliers of every size, also such that a latent leaves its range.
#[test]
fn rows_are_rewritten_as_coordinates_are() {
    let seed = 0x5EED_0031;
    println!("seed {seed:#x}");
    let (mut trials, table) = (Trials::new(seed), tanh());
    let (mut at_once, mut all) = (0, 0);
    for trial in 0..6000 {
        let bits = 8 + trials.below(25) as u32;
        let numbers = |trials: &mut Trials, count| numbers(trials, bits, count);
        let records = [(); 2].map(|()| {
            let multiplier = numbers(&mut trials, 1)[0].saturating_abs();
            [[0; 4], multiplier.to_le_bytes()].concat()
        });
        let bound = numbers(&mut trials, 1)[0].saturating_abs().to_le_bytes();
        let map = ScaleAt {
            scale: [PlannedScale::Tanh, PlannedScale::Linear][trials.below(2)],
            table: &table,
            bound: &bound,
            affine: [AffineForm::ShiftThenScale, AffineForm::ScaleThenShift][trials.below(2)],
        };
        let (stride, count) = (1 + trials.below(3), 1 + trials.below(30));
        let (latents_more, sums_more) = (trials.below(12), trials.below(12));
        let latents = numbers(&mut trials, stride * count + latents_more);
        let sums = numbers(&mut trials, PIXEL * count + sums_more);

        let (mut found, mut found_log_det) = (latents.clone(), FixedLogDet::default());
        let mut row = Coordinates {
            latents: &mut found,
            stride,
            sums: &sums,
            pixel_len: PIXEL,
            count,
        };
        let records = [&records[0][..], &records[1][..]];
        let done = Fixed::couple_row(&mut row, records, &map, &mut found_log_det);

        let (mut expected, mut log_det) = (latents, FixedLogDet::default());
        for index in 0..done {
            let raw_scale = Fixed::output(sums[index * PIXEL], records[0]);
            let shift = Fixed::output(sums[index * PIXEL + 1], records[1]);
            let latent = &mut expected[index * stride];
            *latent = Fixed::couple(*latent, raw_scale, shift, &map, &mut log_det);
        }
        assert!(done <= count, "trial {trial}");
        assert_eq!(found, expected, "trial {trial}: {map:?}, {done} of {count}");
        assert_eq!(found_log_det.coupled(), log_det.coupled(), "trial {trial}");
        (at_once, all) = (at_once + done, all + count);
    }
    println!("{at_once} of {all} at once");
    #[cfg(all(kernel = "x86_64", feature = "std"))]
    let has_kernel = std::is_x86_feature_detected!("avx2");
    #[cfg(not(all(kernel = "x86_64", feature = "std")))]
    let has_kernel = cfg!(all(kernel = "x86_64", target_feature = "avx2"));
    // Neither none nor all: some leave their range.
    assert!(!has_kernel || (all / 2..all - 100).contains(&at_once));
}
