//! Any model, from a file of the host.

#![no_std]
#![no_main]

use cortex_m as _;

#[cortex_m_rt::entry]
fn main() -> ! {
    flowgate_emulated::score()
}
