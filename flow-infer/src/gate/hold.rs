//! An alarm that does not flap: m-of-n to raise it, fewer to clear it, and a time that it stays.

use super::Decision;

/// m-of-n debouncing with hysteresis and hold.
///
/// The alarm is raised where at least `raise` of the last `window` decisions were not accepted. It is cleared where at most
/// `clear` of them were not, but not before it has stood for `hold` inputs. With plain m-of-n ([`Debounce`](super::Debounce)) an
/// alarm comes and goes with every input as long as half of them are odd.
///
/// ```
/// use flow_infer::{Decision, HoldAlarm};
///
/// let mut alarm = HoldAlarm::new(3, 0, 5, 10).expect("3 of 5 raise it, none of 5 clear it");
/// let odd = [1, 1, 1, 0, 0, 0, 0, 0].map(|odd| if odd == 1 { Decision::Reject } else { Decision::Accept });
/// let stands = odd.map(|decision| alarm.push(decision));
/// assert_eq!(stands, [false, false, true, true, true, true, true, true]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldAlarm {
    raise: u32,
    clear: u32,
    window: u32,
    hold: u32,
    /// One bit a decision, newest lowest.
    history: u32,
    /// Inputs since the alarm was raised, counting that one; none where there is no alarm.
    stood: Option<u32>,
}

impl HoldAlarm {
    /// `window` at most 32, `raise` from 1 to `window`, `clear` below `raise`.
    pub const fn new(raise: u32, clear: u32, window: u32, hold: u32) -> Option<Self> {
        if raise == 0 || raise > window || window > 32 || clear >= raise {
            return None;
        }
        Some(Self {
            raise,
            clear,
            window,
            hold,
            history: 0,
            stood: None,
        })
    }

    /// The same with another hold, for what sets it later.
    pub const fn with_hold(self, hold: u32) -> Self {
        Self { hold, ..self }
    }

    /// Takes a decision and says whether there is an alarm now.
    pub fn push(&mut self, decision: Decision) -> bool {
        let odd = u32::from(!decision.accepted());
        self.history = (self.history << 1) | odd;
        let seen = u32::MAX >> (32 - self.window);
        let odd = (self.history & seen).count_ones();
        self.stood = match self.stood {
            None if odd >= self.raise => Some(1),
            None => None,
            Some(stood) if stood >= self.hold && odd <= self.clear => None,
            Some(stood) => Some(stood.saturating_add(1)),
        };
        self.alarm()
    }

    /// Whether there is an alarm.
    pub const fn alarm(&self) -> bool {
        self.stood.is_some()
    }

    /// Whether any of the decisions in the window was not accepted.
    pub const fn is_suspicious(&self) -> bool {
        self.history & (u32::MAX >> (32 - self.window)) != 0
    }

    /// Forgets everything.
    pub const fn reset(&mut self) {
        (self.history, self.stood) = (0, None);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Debounce;
    use super::*;
    use crate::gate::simulation::Random;
    use std::println;

    fn flips(alarms: impl Iterator<Item = bool>) -> usize {
        let mut last = false;
        alarms
            .filter(|&alarm| std::mem::replace(&mut last, alarm) != alarm)
            .count()
    }

    #[test]
    fn it_does_not_flap() {
        let seed = 0x5EED_0F1A;
        println!("seed {seed:#x}");
        // Half of the inputs are odd.
        let mut random = Random(seed);
        let decisions: std::vec::Vec<Decision> = (0..200)
            .map(|_| match random.below(2) {
                0 => Decision::Reject,
                _ => Decision::Accept,
            })
            .collect();
        let mut plain = Debounce::new(3, 5).unwrap();
        let mut held = HoldAlarm::new(3, 0, 5, 20).unwrap();
        let plain = flips(decisions.iter().map(|&d| plain.push(d)));
        let held = flips(decisions.iter().map(|&d| held.push(d)));
        println!("changes of the alarm in 200 inputs: {plain} of 3 of 5, {held} with hold");
        assert!(plain >= 30, "{plain}");
        assert!(held <= 6, "{held}");
    }

    #[test]
    fn it_is_cleared_after_its_time() {
        let mut alarm = HoldAlarm::new(2, 0, 3, 4).unwrap();
        let odd = [1, 1, 0, 0, 0, 0, 0].map(|odd| match odd {
            1 => Decision::Invalid,
            _ => Decision::Accept,
        });
        let stands = odd.map(|d| alarm.push(d));
        // Raised by the second, stands for four, and the window is clear by then.
        assert_eq!(stands, [false, true, true, true, true, false, false]);
        alarm.push(Decision::Reject);
        assert!(alarm.is_suspicious());
        alarm.reset();
        assert!(!alarm.is_suspicious() && !alarm.alarm());
    }

    #[test]
    fn senseless_numbers_are_refused() {
        for (raise, clear, window) in [(0, 0, 3), (4, 0, 3), (2, 2, 3), (2, 0, 33)] {
            assert_eq!(HoldAlarm::new(raise, clear, window, 0), None);
        }
    }
}
