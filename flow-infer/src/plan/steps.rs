//! The steps of a plan, read from flash one at a time.
//!
//! The caller owns the room of one coupling and every coupling is decoded into it, field by field. Decoded as a value
//! it was moved from function to function: half of a board's stack, and 50,000 instructions of a coupling on
//! Cortex-M55 that takes 3.7 million.

use super::{Coupling, PlanHead, Step};
use heapless::Vec;
use postcard::{Deserializer, Error, de_flavors::Slice};
use serde::Deserialize;

/// Takes values from the front of bytes.
pub(crate) type Reader<'p> = Deserializer<'p, Slice<'p>>;

/// Reads a plan step by step.
#[derive(Clone, Debug)]
pub struct Steps<'p> {
    bytes: &'p [u8],
    left: u16,
}

/// A step's kind, as it stands in front of its fields.
#[derive(Deserialize)]
enum Kind {
    Actnorm,
    InvertibleLinear,
    Coupling,
    Ratio,
}

impl<'p> Steps<'p> {
    /// The head of a plan and its steps.
    pub fn parse(bytes: &'p [u8]) -> Result<(PlanHead, Self), Error> {
        let (head, bytes) = postcard::take_from_bytes::<PlanHead>(bytes)?;
        let left = head.steps;
        Ok((head, Self { bytes, left }))
    }

    /// So many steps in these bytes.
    pub(crate) const fn of(bytes: &'p [u8], left: u16) -> Self {
        Self { bytes, left }
    }

    /// Bytes that no step has used yet.
    pub fn rest(&self) -> &'p [u8] {
        self.bytes
    }

    /// The next step, a coupling in the room that is given, whatever was there before; `None` after the last one.
    pub fn next_in<'r>(
        &mut self,
        room: &'r mut Coupling,
    ) -> Option<Result<Step<&'r Coupling>, Error>> {
        self.left = self.left.checked_sub(1)?;
        Some(self.read(room))
    }

    fn read<'r>(&mut self, room: &'r mut Coupling) -> Result<Step<&'r Coupling>, Error> {
        let mut from = Deserializer::from_bytes(self.bytes);
        let step = match take(&mut from)? {
            Kind::Actnorm => Step::Actnorm {
                view: take(&mut from)?,
                records: take(&mut from)?,
            },
            Kind::InvertibleLinear => Step::InvertibleLinear {
                view: take(&mut from)?,
                weights: take(&mut from)?,
            },
            kind @ (Kind::Coupling | Kind::Ratio) => {
                room.read(&mut from)?;
                match kind {
                    Kind::Ratio => Step::Ratio(&*room),
                    _ => Step::Coupling(&*room),
                }
            }
        };
        self.bytes = from.finalize()?;
        Ok(step)
    }
}

impl Coupling {
    fn read<'p>(&mut self, from: &mut Reader<'p>) -> Result<(), Error> {
        self.view = take(from)?;
        self.mask = take(from)?;
        self.affine = take(from)?;
        self.scale = take(from)?;
        self.bounds = take(from)?;
        read_list(from, &mut self.buffers)?;
        read_list(from, &mut self.layers)
    }
}

/// The next value.
pub(crate) fn take<'p, T: Deserialize<'p>>(from: &mut Reader<'p>) -> Result<T, Error> {
    T::deserialize(from)
}

/// The next values, into the room of a list.
pub(crate) fn read_list<'p, T: Deserialize<'p>, const MOST: usize>(
    from: &mut Reader<'p>,
    list: &mut Vec<T, MOST>,
) -> Result<(), Error> {
    list.clear();
    for _ in 0..take::<u32>(from)? {
        list.push(take(from)?).map_err(|_| Error::SerdeDeCustom)?;
    }
    Ok(())
}

/// Steps as values, where memory is no concern.
impl Iterator for Steps<'_> {
    type Item = Result<Step, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut room = Coupling::empty();
        let step = self.next_in(&mut room)?;
        Some(step.map(|step| step.cloned()))
    }
}
