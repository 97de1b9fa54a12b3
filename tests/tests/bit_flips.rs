//! Damaged and malformed files: none is run, none panics.

use flow_infer::artifact::{Artifact, checksum};
use flow_infer::engine::{Fixed, Noise, ScratchMut, evaluate};
use flow_infer::plan::NumberFormat;
use flow_tests::random::SplitMix64;
use flow_tests::tiny_flow::tiny_flow;

/// Elements of scratch that a file which loads may ask for before this test declines to run it.
const MOST_SCRATCH: u32 = 1 << 20;

#[test]
fn every_flipped_bit_is_found() {
    let bytes = tiny_flow();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Artifact::load(&damaged).is_err(), "bit {bit}");
    }
}

#[test]
fn every_error_burst_of_up_to_four_bytes_is_found() {
    let bytes = tiny_flow();
    let mut random = SplitMix64::named("bursts");
    println!("seed {:#x}", random.seed());
    for start in 0..bytes.len() {
        for len in 1..=4.min(bytes.len() - start) {
            let mut damaged = bytes.clone();
            let burst = &mut damaged[start..start + len];
            burst.iter_mut().for_each(|b| *b ^= random.bits() as u8);
            if damaged != bytes {
                assert!(Artifact::load(&damaged).is_err(), "{len} bytes at {start}");
            }
        }
    }
}

#[test]
fn every_truncation_and_padding_is_found() {
    let bytes = tiny_flow();
    for len in 0..bytes.len() {
        assert!(Artifact::load(&bytes[..len]).is_err(), "{len} bytes");
    }
    for more in 1..=64 {
        let mut longer = bytes.clone();
        longer.resize(bytes.len() + more, 0);
        assert!(Artifact::load(&longer).is_err(), "{more} bytes more");
    }
}

#[test]
fn random_bytes_are_no_file() {
    let mut random = SplitMix64::named("random bytes");
    println!("seed {:#x}", random.seed());
    for len in 0..2000 {
        let mut bytes: Vec<u8> = (0..len).map(|_| random.bits() as u8).collect();
        assert!(Artifact::load(&bytes).is_err());
        // With the right start and the right end, the rest still has to be a plan.
        if len >= 64 {
            bytes[..8].copy_from_slice(&tiny_flow()[..8]);
            bytes[8..12].copy_from_slice(&(len as u32).to_le_bytes());
            bytes[24..32].fill(0);
            seal(&mut bytes);
            assert!(Artifact::load(&bytes).is_err());
        }
    }
}

/// An attacker can compute a checksum. What then loads must still run without a panic, within its scratch.
#[test]
fn what_loads_after_a_resealed_change_runs() {
    let bytes = tiny_flow();
    let mut random = SplitMix64::named("resealed");
    println!("seed {:#x}", random.seed());
    let mut ran = 0;
    for position in 0..bytes.len() - 4 {
        for value in 0..=255 {
            let mut changed = bytes.clone();
            changed[position] = value;
            seal(&mut changed);
            ran += u32::from(run(&changed, &mut random));
        }
    }
    // Most bytes are weights and constants: any value of theirs is a model.
    assert!(ran > 10_000, "only {ran} files ran");
    for _ in 0..200_000 {
        let mut changed = bytes.clone();
        for _ in 0..2 + random.below(6) {
            let position = random.below(bytes.len() as u64 - 4) as usize;
            changed[position] = random.bits() as u8;
        }
        seal(&mut changed);
        run(&changed, &mut random);
    }
}

fn seal(bytes: &mut [u8]) {
    let end = bytes.len() - 4;
    let sum = checksum(&bytes[..end]);
    bytes[end..].copy_from_slice(&sum.to_le_bytes());
}

/// Loads and evaluates; false if the file is refused or asks for more scratch than is given here.
fn run(bytes: &[u8], random: &mut SplitMix64) -> bool {
    let Ok(artifact) = Artifact::load(bytes) else {
        return false;
    };
    let need = artifact.scratch_need();
    if need.latents.max(need.activations) > MOST_SCRATCH {
        return false;
    }
    if artifact.number_format() != NumberFormat::Q8 {
        return false;
    }
    let mut latents = vec![0; need.latents as usize];
    let mut activations = vec![0; need.activations as usize];
    let input: Vec<u8> = (0..artifact.input_len())
        .map(|_| random.bits() as u8)
        .collect();
    let scratch = ScratchMut::<Fixed> {
        latents: &mut latents,
        activations: &mut activations,
    };
    // NaN inputs are refused, everything else is some number.
    let _ = evaluate(&artifact, &input, Noise::Planned, scratch, &mut ());
    true
}
