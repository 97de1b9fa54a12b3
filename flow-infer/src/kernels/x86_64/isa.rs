//! The instruction sets, and the proof that a processor has them: only `detect` makes a value.

/// AVX2.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Avx2(());

/// AVX-512 with VNNI, in all widths, and AVX2.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Vnni(());

macro_rules! has {
    ($($feature:tt),*) => {{
        #[cfg(feature = "std")]
        let has = $(std::is_x86_feature_detected!($feature))&&*;
        #[cfg(not(feature = "std"))]
        let has = $(cfg!(target_feature = $feature))&&*;
        has
    }};
}

impl Vnni {
    #[inline]
    pub(super) fn detect() -> Option<Self> {
        has!("avx2", "avx512f", "avx512bw", "avx512vl", "avx512vnni").then_some(Self(()))
    }

    /// What every such processor has as well.
    #[inline(always)]
    pub(super) fn avx2(self) -> Avx2 {
        Avx2(())
    }
}

impl Avx2 {
    #[inline]
    pub(super) fn detect() -> Option<Self> {
        has!("avx2").then_some(Self(()))
    }
}
