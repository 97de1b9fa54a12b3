//! The gate with the model in flash.

#![no_std]
#![no_main]

use cortex_m as _;

#[cortex_m_rt::entry]
fn main() -> ! {
    flowgate_emulated::gate()
}
