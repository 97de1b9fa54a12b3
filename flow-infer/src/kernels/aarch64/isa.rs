//! The instruction sets, and the proof that a processor has them: only `detect` makes a value.

/// NEON.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Neon(());

/// The dot product instructions.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Sdot(());

impl Sdot {
    #[inline]
    pub(super) fn detect() -> Option<Self> {
        #[cfg(feature = "std")]
        let has = std::arch::is_aarch64_feature_detected!("dotprod");
        #[cfg(not(feature = "std"))]
        let has = cfg!(target_feature = "dotprod");
        has.then_some(Self(()))
    }

    /// What every such processor has as well.
    #[inline(always)]
    pub(super) fn neon(self) -> Neon {
        Neon(())
    }
}

impl Neon {
    #[inline]
    pub(super) fn detect() -> Option<Self> {
        Some(Self(())) // every such processor has it
    }
}
