//! Conformal p-values: how rarely benign inputs score as low.
//!
//! With n calibration scores, exchangeable with the benign scores to come, (1 + number of them at or below a score) /
//! (n + 1) is at most u with probability at most u on benign data, for every u. The file keeps some of the calibration
//! scores, all of the lowest and fewer further up, each with the p-value of the scores below it; a score takes the
//! p-value of the next one kept above it, which can only be too large, so the promise holds between them as well.

/// Bytes of a point: an i64 score and a u32 p-value.
const POINT_LEN: usize = 12;
/// Parts per million in one.
const MILLION: u32 = 1_000_000;

/// The table of a file, checked.
#[derive(Clone, Copy, Debug)]
pub struct PValues<'b> {
    samples: u32,
    points: &'b [u8],
}

impl<'b> PValues<'b> {
    /// Reads and checks the section: scores ascend, p-values ascend and are possible with so many samples. `None` where
    /// it is malformed.
    pub fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (samples, points) = bytes.split_first_chunk::<4>()?;
        let samples = u32::from_le_bytes(*samples);
        let table = Self { samples, points };
        let whole = points.len().checked_rem(POINT_LEN) == Some(0) && !points.is_empty();
        let possible =
            |p: u32| p <= MILLION && u64::from(p) * (u64::from(samples) + 1) >= MILLION.into();
        let mut last = None;
        let ascends = table.points().all(|(score, p)| {
            let after = last.is_none_or(|(s, q)| s < score && q < p);
            last = Some((score, p));
            after && possible(p)
        });
        (whole && ascends && samples > 0).then_some(table)
    }

    /// Number n of calibration scores.
    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// Scores, and the p-value in parts per million of what scores below each and not below the one before.
    pub fn points(&self) -> impl Iterator<Item = (i64, u32)> + use<'b> {
        self.points.chunks_exact(POINT_LEN).map(|point| {
            let (score, p) = point.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
            let p = p.first_chunk::<4>().copied().unwrap_or_default();
            (i64::from_le_bytes(*score), u32::from_le_bytes(p))
        })
    }

    /// The p-value of a deciding score in parts per million, never too small.
    pub fn ppm(&self, score_raw: i64) -> u32 {
        let above = self.points().find(|&(score, _)| score_raw < score);
        above.map_or(MILLION, |(_, p)| p)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn table(samples: u32, points: &[(i64, u32)]) -> Vec<u8> {
        let mut bytes = samples.to_le_bytes().to_vec();
        for (score, p) in points {
            bytes.extend(score.to_le_bytes());
            bytes.extend(p.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn a_score_takes_the_p_value_of_the_next_kept_above_it() {
        let bytes = table(9, &[(-5, 100_000), (3, 400_000)]);
        let p = PValues::parse(&bytes).unwrap();
        assert_eq!(
            [i64::MIN, -6, -5, 2, 3].map(|s| p.ppm(s)),
            [100_000, 100_000, 400_000, 400_000, 1_000_000]
        );
        assert_eq!(p.samples(), 9);
    }

    #[test]
    fn tables_that_promise_what_they_cannot_are_refused() {
        let refused =
            |samples, points: &[(i64, u32)]| PValues::parse(&table(samples, points)).is_none();
        assert!(refused(9, &[]), "empty");
        assert!(refused(0, &[(0, 1_000_000)]), "no samples");
        assert!(refused(9, &[(0, 99_999)]), "smaller than 1 / (n + 1)");
        assert!(refused(9, &[(0, 1_000_001)]), "above one");
        assert!(
            refused(9, &[(0, 200_000), (0, 300_000)]),
            "scores do not ascend"
        );
        assert!(
            refused(9, &[(0, 200_000), (1, 200_000)]),
            "p-values do not ascend"
        );
        assert!(PValues::parse(&[9, 0, 0, 0, 1]).is_none(), "not whole");
        assert!(PValues::parse(&[9]).is_none(), "no head");
        assert!(!refused(9, &[(0, 100_000), (1, 1_000_000)]));
    }
}
