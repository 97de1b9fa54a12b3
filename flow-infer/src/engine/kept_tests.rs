//! Rows that a kernel reads against coordinates one by one.

use super::arithmetic::Arithmetic;
use super::fixed::Fixed;
use crate::kernel_trials::Trials;
use crate::kernels::Kept;
use crate::plan::Activation;
use std::{println, vec, vec::Vec};

/// Latents, gains and offsets of every size, rows of every length, pixels at the end of which one is missing.
#[test]
fn rows_are_read_as_coordinates_are() {
    let seed = 0x5EED_0041;
    println!("seed {seed:#x}");
    let mut trials = Trials::new(seed);
    let mut at_once = 0;
    for trial in 0..6000 {
        let bits = 8 + trials.below(25) as u32;
        let number = |trials: &mut Trials| trials.next() as i32 >> (32 - bits);
        let record = [(); 2].map(|()| number(&mut trials).to_le_bytes()).concat();
        let activation = [
            Activation::Identity,
            Activation::Relu,
            Activation::LeakyRelu,
        ];
        let activation = activation[trials.below(3)];
        let (stride, distance) = (1 + trials.below(4), 1 + trials.below(9));
        let count = trials.below(30);
        let latents: Vec<i32> = (0..stride * count).map(|_| number(&mut trials)).collect();
        let (positive, negative) = (trials.below(distance), trials.below(distance));
        let negative = (trials.below(2) == 0 && negative != positive).then_some(negative);
        let short = trials.below(4) / 3;
        let len = (distance * count).saturating_sub(short * distance);

        let mut found = vec![0x5A5A; len];
        let mut row = Kept {
            latents: &latents,
            stride,
            count,
            pixels: &mut found,
            distance,
            positive,
            negative,
        };
        if !Fixed::input_row(&mut row, &record, activation) {
            continue;
        }
        at_once += 1;
        let mut expected = vec![0x5A5A; len];
        let pixels = expected.chunks_exact_mut(distance);
        for (pixel, &latent) in pixels.zip(latents.iter().step_by(stride)) {
            let (value, below) = Fixed::input(latent, &record, activation);
            pixel[positive] = value;
            if let Some(place) = negative {
                pixel[place] = below;
            }
        }
        assert_eq!(
            found, expected,
            "trial {trial}: {activation:?}, {count} by {stride}"
        );
    }
    println!("{at_once} at once");
    #[cfg(all(kernel = "x86_64", feature = "std"))]
    let has_kernel = std::is_x86_feature_detected!("avx2");
    #[cfg(not(all(kernel = "x86_64", feature = "std")))]
    let has_kernel = cfg!(all(kernel = "x86_64", target_feature = "avx2"));
    // Rows of fewer than four coordinates are not.
    assert!(!has_kernel || (4000..6000).contains(&at_once));
}
