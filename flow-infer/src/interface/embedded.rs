//! A model that is part of the program, and the memory that it needs.

use super::take_once::TakeOnce;
use super::{FixedWorkspace, Gate, OpenError};

/// Bytes at a multiple of 16, as a file's sections lie in it.
#[derive(Debug)]
#[repr(C, align(16))]
pub struct Aligned<B: ?Sized>(pub B);

/// The workspace of a model that [`gate!`](crate::gate) includes.
///
/// Without the model's bytes beside it: with a pointer in it all of it would be initialized data, and lie in flash as
/// well as in RAM.
#[derive(Debug)]
pub struct EmbeddedWorkspace<
    const LATENTS: usize,
    const ACTIVATIONS: usize,
    const SUMS: usize,
    const INPUT: usize,
>(TakeOnce<FixedWorkspace<LATENTS, ACTIVATIONS, SUMS, INPUT>>);

impl<const LATENTS: usize, const ACTIVATIONS: usize, const SUMS: usize, const INPUT: usize>
    EmbeddedWorkspace<LATENTS, ACTIVATIONS, SUMS, INPUT>
{
    /// A workspace that nobody has taken.
    pub const fn new() -> Self {
        Self(TakeOnce::new(FixedWorkspace::new()))
    }

    /// Opens a model in it, the first time.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&'static self, bytes: &'static [u8]) -> Result<Gate<'static>, OpenError> {
        let workspace = self.0.take().ok_or(OpenError::AlreadyTaken)?;
        // Hidden from the optimizer, which would otherwise prove things of this one model: size and freedom of panics
        // shall hold for the next model as well.
        Gate::open(core::hint::black_box(bytes), workspace)
    }
}

impl<const LATENTS: usize, const ACTIVATIONS: usize, const SUMS: usize, const INPUT: usize> Default
    for EmbeddedWorkspace<LATENTS, ACTIVATIONS, SUMS, INPUT>
{
    fn default() -> Self {
        Self::new()
    }
}

/// Makes a model part of the program: its bytes, aligned, and a static workspace of the size that it needs, that of its
/// front end included.
///
/// `gate!(pub Name = "path/to/model.flow");` defines a type `Name` whose `Name::take()` opens the gate, once: another
/// call gives [`OpenError::AlreadyTaken`](crate::OpenError::AlreadyTaken). The path counts from the file in which the
/// macro stands, as with [`include_bytes!`]. A file that cannot be a gate does not compile: of another version, cut off,
/// in floats, not calibrated. A board with too little memory for it does not link.
///
/// ```
/// flow_infer::gate!(
///     /// Tells a healthy pump from all else.
///     pub Pump = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/pump.flow")
/// );
///
/// let mut gate = Pump::take()?;
/// assert!(gate.decide(&[1.0f32, -2.0])?.accepted());
/// assert_eq!(Pump::take().err(), Some(flow_infer::OpenError::AlreadyTaken));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! gate {
    ($(#[$meta:meta])* $visibility:vis $name:ident = $path:expr) => {
        $(#[$meta])*
        $visibility struct $name;

        impl $name {
            /// Opens the gate of the included model, once.
            $visibility fn take() -> ::core::result::Result<$crate::Gate<'static>, $crate::OpenError> {
                use $crate::interface::{Aligned, EmbeddedWorkspace};
                const BYTES: &[u8] = ::core::include_bytes!($path);
                const _: () = $crate::artifact::assert_gate(BYTES);
                const LATENTS: usize = $crate::artifact::scratch_need(BYTES).latents as usize;
                const ACTIVATIONS: usize =
                    $crate::artifact::scratch_need(BYTES).activations as usize;
                const SUMS: usize = $crate::artifact::front_end_need(BYTES).sums;
                const INPUT: usize = $crate::artifact::front_end_need(BYTES).input;
                static MODEL: &Aligned<[u8]> = &Aligned(*::core::include_bytes!($path));
                static WORKSPACE: EmbeddedWorkspace<LATENTS, ACTIVATIONS, SUMS, INPUT> =
                    EmbeddedWorkspace::new();
                WORKSPACE.open(&MODEL.0)
            }
        }
    };
}
