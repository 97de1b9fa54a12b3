//! Piecewise linear functions in flash: records of 32-bit words in ascending order of their first.

/// The word at an index of a record.
fn word(record: &[u8], index: usize) -> i32 {
    let bytes = record.get(index * 4..).and_then(|b| b.first_chunk::<4>());
    i32::from_le_bytes(bytes.copied().unwrap_or_default())
}

/// Records that have been checked, `WORDS` words each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Curve<'b, const WORDS: usize> {
    records: &'b [u8],
}

/// Fraction bits of the way from one record to the next.
const WAY_BITS: u32 = 15;

impl<'b, const WORDS: usize> Curve<'b, WORDS> {
    pub(super) const RECORD_LEN: usize = WORDS * 4;

    pub(super) fn new(records: &'b [u8]) -> Self {
        Self { records }
    }

    /// The words of all records.
    pub(super) fn records(&self) -> impl Iterator<Item = [i32; WORDS]> + Clone + 'b {
        let records = self.records.chunks_exact(Self::RECORD_LEN);
        records.map(|record| core::array::from_fn(|index| word(record, index)))
    }

    /// The functions at `x`: linear between records, constant beyond the first and the last.
    pub(super) fn at(&self, x: i32) -> [i32; WORDS] {
        let mut records = self.records();
        let mut before = records.next().unwrap_or([0; WORDS]);
        let first = |record: &[i32; WORDS]| record.first().copied().unwrap_or(0);
        for after in records {
            let (low, high) = (first(&before), first(&after));
            if x < high {
                let way = way(low, x.max(low), high);
                return core::array::from_fn(|index| {
                    let of = |record: &[i32; WORDS]| record.get(index).copied().unwrap_or(0);
                    between(of(&before), of(&after), way)
                });
            }
            before = after;
        }
        before
    }
}

/// How far x lies on the way from low to high: 0 at low, at most one below high; rises with x.
fn way(low: i32, x: i32, high: i32) -> u32 {
    let span = high.wrapping_sub(low) as u32;
    let gone = x.wrapping_sub(low) as u32;
    // 17 bits of the span, so that the quotient's dividend fits 32: cores without a 64-bit division need none.
    let shift = WAY_BITS.saturating_sub(span.leading_zeros());
    let quotient = ((gone >> shift) << WAY_BITS).checked_div(span >> shift);
    quotient.unwrap_or(0)
}

fn between(low: i32, high: i32, way: u32) -> i32 {
    let difference = i64::from(high) - i64::from(low);
    (i64::from(low) + ((difference * i64::from(way)) >> WAY_BITS)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::println;
    use std::vec::Vec;

    fn bytes(words: &[i32]) -> Vec<u8> {
        words.iter().flat_map(|w| w.to_le_bytes()).collect()
    }

    #[test]
    fn between_records_it_is_linear_and_beyond_them_constant() {
        let bytes = bytes(&[-4, 100, 4, 500, 6, 400]);
        let curve = Curve::<2>::new(&bytes);
        let at = |x| curve.at(x)[1];
        assert_eq!(
            [-9, -4, -3, 0, 4, 5, 6, i32::MAX].map(at),
            [100, 100, 150, 300, 500, 450, 400, 400]
        );
        assert_eq!(Curve::<2>::new(&[]).at(7), [0, 0]);
    }

    #[test]
    fn no_span_is_too_wide_and_none_too_narrow() {
        let seed = 0x5EED_0014u64;
        println!("seed {seed:#x}");
        let mut state = seed;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 32) as i32
        };
        for round in 0..20_000 {
            let shift = round % 31;
            let (a, b) = (next() >> shift, next() >> shift);
            let (low, high) = (a.min(b), a.max(b));
            if low == high {
                continue;
            }
            let inside = |v: i32| {
                (i64::from(low) + i64::from(v as u32) % (i64::from(high) - i64::from(low))) as i32
            };
            let (p, q) = (inside(next()), inside(next()));
            let (p, q) = (p.min(q), p.max(q));
            let (from, to) = (way(low, p, high), way(low, q, high));
            assert!(
                from <= to && to <= 1 << WAY_BITS,
                "{low} {p} {q} {high}: {from} {to}"
            );
            let exact = (f64::from(q) - f64::from(low)) / (f64::from(high) - f64::from(low));
            let error = f64::from(to) / f64::from(1 << WAY_BITS) - exact;
            assert!(error.abs() < 1.0 / 20_000.0, "{low} {q} {high}: {error}");
        }
        assert_eq!(way(i32::MIN, i32::MIN, i32::MAX), 0);
        assert_eq!(way(i32::MIN, i32::MAX - 1, i32::MAX), 1 << WAY_BITS);
    }
}
