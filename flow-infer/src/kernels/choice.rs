//! Which of a host's kernels computes, where it has several: for comparing one with another.

#[cfg(whole_rows)]
pub use super::host::{choose, names};

/// Names of the kernels that this processor can run, best first.
#[cfg(not(whole_rows))]
pub fn names() -> impl Iterator<Item = &'static str> {
    [env!("FLOW_INFER_KERNEL_NAME")].into_iter()
}

/// Has the kernel of this name compute from now on, in all threads; false where there is none.
#[cfg(not(whole_rows))]
pub fn choose(name: &str) -> bool {
    names().any(|other| other == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_that_is_named_can_be_chosen() {
        assert!(names().all(choose));
        assert!(!choose("abacus"));
        assert!(names().next().is_some_and(choose));
    }
}
