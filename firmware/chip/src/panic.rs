//! What a panic does: in a release build, it does not link.
//!
//! The handler of a release build calls a function that exists nowhere. The linker drops the
//! handler, and with it the call, exactly when no path to a panic is left in the program; otherwise
//! it stops with `undefined symbol: a_panic_path_remains`.

use core::panic::PanicInfo;
#[cfg(all(debug_assertions, target_arch = "arm"))]
use cortex_m::asm::bkpt as breakpoint;
#[cfg(all(debug_assertions, target_arch = "riscv32"))]
use riscv::asm::nop as breakpoint;

#[cfg(debug_assertions)]
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        breakpoint();
    }
}

#[cfg(not(debug_assertions))]
#[panic_handler]
#[allow(unsafe_code)]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn a_panic_path_remains() -> !;
    }
    // SAFETY: never runs: a program that contains this call cannot be linked.
    unsafe { a_panic_path_remains() }
}
