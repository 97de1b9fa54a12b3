//! Work on all cores that can fail, with one answer: of several errors the first in order.
//!
//! rayon collects into a `Result` too, but keeps the error that happens to come first in time: the
//! same command on the same file would name another line from one run to the next.

use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// `of` each index below `count`, in order. Every thread has memory of its own; after an error,
/// indices behind it are left out.
pub(crate) fn try_map<M, T: Send, E: Send>(
    count: usize,
    memory: impl Fn() -> M + Send + Sync,
    of: impl Fn(&mut M, usize) -> Result<T, E> + Send + Sync,
) -> Result<Vec<T>, E> {
    let first_error = AtomicUsize::new(usize::MAX);
    let one = |memory: &mut M, index| {
        if index > first_error.load(Relaxed) {
            return None;
        }
        let result = of(memory, index);
        if result.is_err() {
            first_error.fetch_min(index, Relaxed);
        }
        Some(result)
    };
    let indices = (0..count).into_par_iter();
    let results: Vec<Option<Result<T, E>>> = indices.map_init(memory, one).collect();
    // What was left out stands behind an error, where this stops.
    results.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::try_map;
    use std::thread::sleep;
    use std::time::Duration;

    #[test]
    fn results_are_in_order() {
        let doubled = try_map(1000, || 2, |two, index| Ok::<_, ()>(index * *two));
        assert_eq!(doubled, Ok((0..1000).map(|index| 2 * index).collect()));
    }

    #[test]
    fn the_first_error_in_order_is_named_though_it_comes_last_in_time() {
        let late = |_: &mut (), index: usize| match index {
            3 => {
                sleep(Duration::from_millis(50));
                Err(index)
            }
            4.. => Err(index),
            _ => Ok(()),
        };
        assert_eq!(try_map(64, || (), late), Err(3));
    }
}
