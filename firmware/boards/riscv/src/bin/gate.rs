//! The gate with the model in flash.

#![no_std]
#![no_main]

use riscv as _;

#[riscv_rt::entry]
fn main() -> ! {
    flowgate_emulated::gate()
}
