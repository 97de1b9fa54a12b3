//! Code length and faults of a window, channel by channel.

use crate::engine::Elements;
use crate::front_end::windows::{Samples, Windows};
use crate::score::complexity::CodeLength;
use crate::score::window::{ChannelFault, Expected, of_channel};

/// What is known of a window, and how far its channels were looked at.
#[derive(Debug)]
pub(super) struct Windowed<'s> {
    windows: Windows<'s>,
    samples: Samples<'s>,
    /// The next channel.
    channel: u8,
    bits: u32,
    fault: Option<ChannelFault>,
}

impl<'s> Windowed<'s> {
    /// The window of an input; none of other inputs.
    pub(super) fn of(elements: Elements<'s>) -> Option<Self> {
        let Elements::Window(windows, samples) = elements else {
            return None;
        };
        Some(Self {
            windows,
            samples,
            channel: 0,
            bits: 0,
            fault: None,
        })
    }

    /// Looks at one channel a step, counts the steps down, and says whether all were looked at.
    pub(super) fn poll(&mut self, steps: &mut u32) -> bool {
        while let Some(channel) = self.windows.channel(self.channel.into()) {
            if *steps == 0 {
                return false;
            }
            *steps -= 1;
            let expected = Expected {
                step_bits: channel.step_bits,
                may_be_constant: channel.may_be_constant,
                ends: [channel.low, channel.high],
            };
            let found = of_channel(self.samples.of_channel(self.channel.into()), &expected);
            self.bits += found.bits;
            let fault = found.fault.map(|kind| ChannelFault {
                channel: self.channel,
                kind,
            });
            self.fault = self.fault.or(fault);
            self.channel += 1;
        }
        true
    }

    /// The length of the code of all channels.
    pub(super) fn code_length(&self) -> CodeLength {
        CodeLength::of_bits(self.bits)
    }

    /// The first channel that is not in order.
    pub(super) fn fault(&self) -> Option<ChannelFault> {
        self.fault
    }
}
