//! What a panic does: a program that could reach it does not link.

use core::panic::PanicInfo;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn flowgate_a_panic_path_remains() -> !;
    }
    // SAFETY: never runs: a program that contains this call cannot be linked.
    unsafe { flowgate_a_panic_path_remains() }
}
