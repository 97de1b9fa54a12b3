//! Models that are replaced in the field: two slots of flash beside the program.
//!
//! A slot is what its bytes are, and nothing else is stored: no counter, no flag that says which one counts. A model
//! counts if its file is whole, signed with the key that the firmware carries, reads the inputs that the device has,
//! and reproduces its golden vectors on this very core in the memory that there is; of two such models the one with the
//! higher version runs. An update is written into the other slot. Until its last byte is there it is no whole file, so
//! wherever power is lost one of the two models runs at the next start.
//!
//! ```
//! use flow_infer::{InputShape, Memory};
//! use flow_slots::{Flash, Rules, Slots, UpdateError};
//!
//! fn update<F: Flash>(
//!     flash: F,
//!     public_key: [u8; 32],
//!     workspace: &mut impl Memory,
//!     received: impl Iterator<Item = [u8; 64]>,
//! ) -> Result<u32, UpdateError<F::Error>> {
//!     let rules = Rules { public_key, input: InputShape::Vector { len: 2 }, newer_than: 0 };
//!     let mut slots = Slots::new(flash, rules)?;
//!     let mut update = slots.begin(workspace)?;
//!     for piece in received {
//!         update.write(&piece)?;
//!     }
//!     update.finish(workspace)
//! }
//! ```
//!
//! The kernels and the engine have no path to a panic; of the signature's crate that is not proved.

#![no_std]
#![forbid(unsafe_code)]

mod error;
mod rules;
mod slots;
mod update;

pub use error::{Refused, UpdateError};
pub use rules::Rules;
pub use slots::{Flash, Slots};
pub use update::Update;
