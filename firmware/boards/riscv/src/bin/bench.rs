//! Any model, from a file of the host, under a counter of instructions.

#![no_std]
#![no_main]

use riscv as _;

#[riscv_rt::entry]
fn main() -> ! {
    flowgate_emulated::bench()
}
