//! What a made camera shows: no two frames are alike, so that rows of two frames together would be seen.

use crate::{ROW_BYTES, ROWS, SPEC, Said};
use flow_infer::{Assessment, FrameError, Gate};

/// A row of a frame: brighter to the right, as the gate knows it, and in some frames not.
pub fn row(frame: u32, y: u16) -> [u8; ROW_BYTES] {
    let mut row = [128; ROW_BYTES];
    let drift = (frame * 7 + u32::from(y) / 16) % 23;
    for (x, pixel) in row.chunks_exact_mut(2).enumerate() {
        let ramp = 90 + x as u32 * 60 / 160 + drift;
        let odd = frame % 5 == 4 && (x / 8 + usize::from(y) / 8) % 2 == 0;
        pixel[0] = if odd { 255 } else { ramp as u8 };
    }
    row
}

/// What the gate says of the frame in one go.
///
/// # Errors
/// [`FrameError`]: the model is not for such frames.
pub fn in_one_go(gate: &mut Gate<'_>, frame: u32) -> Result<Assessment, FrameError> {
    let mut input = gate.frame(SPEC)?;
    (0..ROWS).try_for_each(|y| input.push_row(&[&row(frame, y)]))?;
    input.assess()
}

/// Counts what is said, and whether it is what one go says.
#[derive(Debug, Default)]
pub struct Check {
    /// Frames decided about.
    pub decided: u32,
    /// Frames lost.
    pub lost: u32,
    /// Frames rejected.
    pub rejected: u32,
    /// Frames about which something else was said in one go.
    pub wrong: u32,
}

impl Check {
    /// Counts what was said of a frame.
    pub fn push(&mut self, gate: &mut Gate<'_>, said: &Said) {
        self.decided += 1;
        self.lost += said.lost;
        self.rejected += u32::from(!said.assessment.decision.accepted());
        self.wrong += u32::from(in_one_go(gate, said.frame) != Ok(said.assessment));
        // Every frame up to this one is either decided about or lost.
        self.wrong += u32::from(self.decided + self.lost != said.frame + 1);
    }

    /// Whether all was as it should be; some frames must have been lost, for their loss to be checked.
    pub fn passed(&self) -> bool {
        self.wrong == 0 && self.lost > 0 && self.rejected > 0 && self.rejected < self.decided
    }
}
