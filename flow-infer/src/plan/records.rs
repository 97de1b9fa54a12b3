//! Which records may be computed with: what loading checks, so that no arithmetic of the engine can overflow.

use super::{NumberFormat, PlanError};
use crate::bytes::{float, int, run};

/// Nodes a unit of an interpolation table.
pub const TABLE_STEPS_PER_UNIT: i32 = 16;
/// The table spans -REACH to REACH; beyond, its end value holds.
pub const TABLE_REACH: i32 = 8;
/// Nodes of a table: both ends, and one beyond each for the cubic. Node i is at -8 + (i - 1) / 16.
pub const TABLE_ENTRIES: usize = (2 * TABLE_REACH * TABLE_STEPS_PER_UNIT) as usize + 3;
/// Entries of the table of an image's first latents: one a byte, and the upper edge of the last.
pub const IMAGE_TABLE_ENTRIES: usize = 257;
/// Bytes of that table.
pub(crate) const IMAGE_TABLE_BYTES: usize = IMAGE_TABLE_ENTRIES * 8;
/// Most channels an `invertible_linear` may have: one pixel's channels lie on the stack.
pub const MAX_LINEAR_CHANNELS: usize = 64;

/// Fraction bits of a mantissa.
pub(crate) const MANTISSA_BITS: i32 = 30;
/// Largest magnitude of an activation; symmetric, so that a negated activation is one too.
pub(crate) const ACTIVATION_LIMIT: i32 = 32767;
/// Largest magnitude of a measurement on its integer scale.
pub(crate) const MEASUREMENT_LIMIT: i64 = 1 << 30;

/// Sums of magnitudes that 32-bit accumulators can hold whatever the activations are.
pub(super) fn check_sums(
    format: NumberFormat,
    weights: &[u8],
    records: &[u8],
    fan_in: usize,
) -> Result<(), PlanError> {
    if format != NumberFormat::Q8 {
        return Ok(());
    }
    for (index, record) in records.chunks_exact(8).enumerate() {
        let row = run(weights, index * fan_in, fan_in);
        let magnitudes = row
            .iter()
            .map(|&w| u64::from((w as i8).unsigned_abs()))
            .sum::<u64>();
        let bias = u64::from(int(record, 0).unsigned_abs());
        if magnitudes * ACTIVATION_LIMIT as u64 + bias > i32::MAX as u64 {
            return Err(PlanError::Accumulator);
        }
    }
    Ok(())
}

/// Mantissas are normalized and exponents within the shifts' range.
pub(super) fn check_actnorm(format: NumberFormat, records: &[u8]) -> Result<(), PlanError> {
    let good = match format {
        NumberFormat::Q8 => records.chunks_exact(12).all(|record| {
            int(record, 1) >= 1 << MANTISSA_BITS && (-16..=15).contains(&int(record, 2))
        }),
        _ => records.chunks_exact(8).all(|record| {
            let scale = float(record, 1);
            scale.is_finite() && scale != 0.0
        }),
    };
    if good { Ok(()) } else { Err(PlanError::Scale) }
}

/// Rows of `invertible_linear` whose sum over any latents fits 64 bits.
pub(super) fn check_linear(
    format: NumberFormat,
    weights: &[u8],
    channels: usize,
) -> Result<(), PlanError> {
    if format != NumberFormat::Q8 {
        return Ok(());
    }
    for row in weights.chunks_exact(4 * channels.max(1)) {
        let magnitudes = row
            .chunks_exact(4)
            .map(|weight| u64::from(int(weight, 0).unsigned_abs()));
        if magnitudes.sum::<u64>() > i32::MAX as u64 {
            return Err(PlanError::Accumulator);
        }
    }
    Ok(())
}

/// Standardization records are within their shifts' range, deviations positive.
pub(super) fn check_standardization(format: NumberFormat, records: &[u8]) -> Result<(), PlanError> {
    let good = match format {
        NumberFormat::Q8 => records.chunks_exact(16).all(|record| {
            let mean = i64::from(int(record, 1)).abs() <= MEASUREMENT_LIMIT;
            let exponent = (-160..=160).contains(&int(record, 0));
            mean && exponent
                && int(record, 2) >= 1 << MANTISSA_BITS
                && (1..=62).contains(&int(record, 3))
        }),
        _ => records.chunks_exact(8).all(|record| {
            let deviation = float(record, 1);
            deviation.is_finite() && deviation > 0.0
        }),
    };
    if good { Ok(()) } else { Err(PlanError::Scale) }
}

/// Shifts of whitening rows are within their range, floats finite.
pub(super) fn check_whitening(
    format: NumberFormat,
    rows: &[u8],
    row_len: usize,
) -> Result<(), PlanError> {
    let finite = |weight: &[u8]| float(weight, 0).is_finite();
    let good = match format {
        NumberFormat::Q8 => {
            let mut rows = rows.chunks_exact(row_len.max(1));
            rows.all(|row| (1..=62).contains(&int(row, 0)))
        }
        _ => rows.chunks_exact(4).all(finite),
    };
    if good { Ok(()) } else { Err(PlanError::Scale) }
}

/// Bounds are finite; integer ones are whatever the grid holds.
pub(super) fn check_bounds(format: NumberFormat, records: &[u8]) -> Result<(), PlanError> {
    let finite = |record: &[u8]| float(record, 0).is_finite();
    let good = format == NumberFormat::Q8 || records.chunks_exact(4).all(finite);
    if good { Ok(()) } else { Err(PlanError::Scale) }
}

/// Entries lie within 16 (the maps' own reach 8 and a little): so small that no sum of their interpolation overflows.
pub(crate) fn check_table(table: &[u8]) -> Result<(), PlanError> {
    const MOST: u32 = 16 << 24;
    let small = |entry: &[u8]| int(entry, 0).unsigned_abs() <= MOST;
    match table.chunks_exact(4).all(small) {
        true => Ok(()),
        false => Err(PlanError::Scale),
    }
}
