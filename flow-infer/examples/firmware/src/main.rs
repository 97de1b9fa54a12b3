//! A pump's gate: two measurements in, a decision on a pin.

#![no_std]
#![no_main]

mod board;

use board::Board;
use cortex_m_rt::entry;
use flow_infer::Decision;
use panic_halt as _;

flow_infer::gate!(Pump = "../../../tests/data/pump.flow");

#[entry]
fn main() -> ! {
    if let (Some(mut board), Ok(mut gate)) = (Board::take(), Pump::take()) {
        loop {
            let decision = gate.decide(&board.measure());
            board.pin.set_state(decision.is_ok_and(Decision::accepted).into());
        }
    }
    loop {
        cortex_m::asm::wfi();
    }
}
