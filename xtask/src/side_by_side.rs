//! Things that wait for processes of their own, at the same time.

use anyhow::Result;
use std::thread;

/// Does something with every item, all at once; what came of it, in the order of the items.
///
/// # Errors
/// The first item's that failed, in that order, after all have ended.
pub(crate) fn side_by_side<T: Sync, R: Send>(
    items: &[T],
    act: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let act = &act;
    thread::scope(|scope| {
        let threads: Vec<_> = items
            .iter()
            .map(|item| scope.spawn(move || act(item)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("nothing here panics"))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::side_by_side;
    use anyhow::ensure;

    #[test]
    fn results_stay_in_order_and_a_failure_is_told() {
        let act = |n: &u32| {
            ensure!(*n != 3, "three");
            Ok(n * 10)
        };
        assert_eq!(side_by_side(&[2, 1, 4], act).unwrap(), [20, 10, 40]);
        let told = side_by_side(&[2, 3, 4], act).unwrap_err();
        assert_eq!(told.to_string(), "three");
    }
}
