//! What a window's samples say beside the model: how long their code is, and whether a sensor can have meant them.
//!
//! Sensors show the failure of plain likelihoods as images do: a flow that learned people who walk gives people who sit
//! more likelihood than its own data. The code length of the samples is the remedy here too; the tests of the combined
//! score look at both together.

pub mod rice;

use rice::Rice;

/// Why a window is no input: nothing that a sensor in order delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FaultKind {
    /// The channel does not change within the window, as benign data always do.
    Stuck,
    /// At least an eighth of the channel's samples lie at an end of what its sensor can say.
    Saturated,
}

/// A channel that is not in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ChannelFault {
    /// Which channel, counted from 0; the first of several.
    pub channel: u8,
    /// What is wrong with it.
    pub kind: FaultKind,
}

impl FaultKind {
    /// The name, as in `score --json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Saturated => "saturated",
        }
    }
}

/// What is known of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Samples are coded in steps of 2^step_bits.
    pub step_bits: u8,
    /// Whether a channel that does not change is in order.
    pub may_be_constant: bool,
    /// The ends of what the sensor can say.
    pub ends: [i16; 2],
}

/// What was found in a channel of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Bits of its code.
    pub bits: u32,
    /// What is wrong with it.
    pub fault: Option<FaultKind>,
}

/// Looks at the samples of one channel, oldest first.
pub fn of_channel(mut samples: impl Iterator<Item = i32>, expected: &Expected) -> Found {
    let [low, high] = expected.ends.map(i32::from);
    let is_at_end = |sample: i32| u32::from(sample <= low || sample >= high);
    let first = samples.next().unwrap_or(0);
    let mut last = rice::stepped(first, expected.step_bits);
    let (mut code, mut bits) = (Rice::new(), rice::FIRST_BITS);
    let (mut count, mut at_ends, mut changes) = (1, is_at_end(first), false);
    for sample in samples {
        count += 1;
        at_ends += is_at_end(sample);
        changes |= sample != first;
        let stepped = rice::stepped(sample, expected.step_bits);
        bits += code.bits(rice::folded(stepped - last));
        last = stepped;
    }
    let stuck = !changes && !expected.may_be_constant;
    let fault = match 8 * at_ends >= count {
        true => Some(FaultKind::Saturated),
        false => stuck.then_some(FaultKind::Stuck),
    };
    Found { bits, fault }
}

#[cfg(test)]
mod tests;
