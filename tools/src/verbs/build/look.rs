//! What there is to say of data before anything is made of them.

use crate::number::{count, percent};
use crate::table::Table;
use anyhow::{Result, bail};
use flow_train_host::data::Dataset;
use std::collections::HashMap;

/// Share of black and white pixels above which a picture counts as saturated.
const SATURATED: f64 = 0.9;

/// What was found.
pub(super) struct Findings {
    items: usize,
    /// Items that repeat one before them.
    repeats: usize,
    /// Index of an item that repeats, and of the one that it repeats.
    example: Option<(usize, usize)>,
    /// Pictures of one colour.
    constant: usize,
    /// Pictures nearly all of whose pixels are black or white.
    saturated: usize,
}

impl Findings {
    pub(super) fn of(data: &Dataset) -> Self {
        let mut found = Self {
            items: data.len(),
            repeats: 0,
            example: None,
            constant: 0,
            saturated: 0,
        };
        let mut seen: HashMap<Vec<u8>, usize> = HashMap::new();
        for index in 0..data.len() {
            let bytes = data.input_bytes(index);
            if matches!(data, Dataset::Images(_)) {
                found.constant +=
                    usize::from(bytes.iter().all(|&b| Some(b) == bytes.first().copied()));
                let ends = bytes.iter().filter(|&&b| b == 0 || b == u8::MAX).count();
                found.saturated += usize::from(ends as f64 > SATURATED * bytes.len() as f64);
            }
            match seen.get(&*bytes) {
                Some(&first) => {
                    found.repeats += 1;
                    found.example.get_or_insert((index, first));
                }
                None => {
                    seen.insert(bytes.into_owned(), index);
                }
            }
        }
        found
    }

    /// Refuses data that nothing can be learned from.
    pub(super) fn refuse(&self) -> Result<()> {
        match (self.items, self.items - self.repeats) {
            (0 | 1, _) => bail!(
                "holds {}: nothing can be learned from that",
                count(self.items, "input")
            ),
            (_, 1) => bail!(
                "all {} inputs are the same: nothing can be learned from that",
                self.items
            ),
            _ => Ok(()),
        }
    }

    pub(super) fn facts(&self, table: &mut Table) {
        let share = |n: usize| percent(n as f64 / self.items.max(1) as f64);
        let repeats = match self.example {
            None => "none".to_owned(),
            Some((again, first)) => format!(
                "{} ({}), as input {again} of input {first}: a part may test what another has seen",
                self.repeats,
                share(self.repeats)
            ),
        };
        table.fact("repeats", repeats);
        if self.constant > 0 {
            table.fact(
                "of one colour",
                format!("{} ({})", self.constant, share(self.constant)),
            );
        }
        if self.saturated > 0 {
            let text = format!("{} ({})", self.saturated, share(self.saturated));
            table.fact("black or white nearly all over", text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_train_host::data::Images;

    fn images(pixels: &[u8]) -> Dataset {
        Dataset::Images(Images::new(1, 1, 2, pixels.to_vec()).unwrap())
    }

    #[test]
    fn repeats_and_flat_pictures_are_counted() {
        let found = Findings::of(&images(&[1, 2, 3, 3, 1, 2, 0, 255, 1, 2]));
        assert_eq!((found.repeats, found.example), (2, Some((2, 0))));
        assert_eq!((found.constant, found.saturated), (1, 1));
        assert!(found.refuse().is_ok());
    }

    #[test]
    fn what_teaches_nothing_is_refused() {
        for pixels in [&[1, 2][..], &[1, 2, 1, 2, 1, 2]] {
            assert!(Findings::of(&images(pixels)).refuse().is_err());
        }
    }
}
