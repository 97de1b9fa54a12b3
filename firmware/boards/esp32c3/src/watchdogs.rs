//! The watchdogs that the bootloader leaves running: a decision takes longer than they wait.
#![allow(unsafe_code)]

use esp32c3::{RTC_CNTL, TIMG0, TIMG1};

/// Opens the registers of a watchdog to writes (Technical Reference Manual, 12).
const KEY: u32 = 0x50D8_3AA1;
/// The same of the super watchdog.
const SUPER_KEY: u32 = 0x8F1D_312A;
/// Closes them again.
const CLOSED: u32 = 0;

/// Stops them; the super watchdog, which cannot be stopped, feeds itself.
pub(crate) fn stop(rtc: &RTC_CNTL, first: &TIMG0, second: &TIMG1) {
    // SAFETY: the manual's keys, and zero, with which a watchdog is off; nothing else uses these registers.
    unsafe {
        rtc.wdtwprotect().write(|w| w.bits(KEY));
        rtc.wdtconfig0().write(|w| w.bits(0));
        rtc.wdtwprotect().write(|w| w.bits(CLOSED));
        rtc.swd_wprotect().write(|w| w.bits(SUPER_KEY));
        rtc.swd_conf().modify(|_, w| w.swd_auto_feed_en().set_bit());
        rtc.swd_wprotect().write(|w| w.bits(CLOSED));
        first.wdtwprotect().write(|w| w.bits(KEY));
        first.wdtconfig0().write(|w| w.bits(0));
        first.wdtwprotect().write(|w| w.bits(CLOSED));
        second.wdtwprotect().write(|w| w.bits(KEY));
        second.wdtconfig0().write(|w| w.bits(0));
        second.wdtwprotect().write(|w| w.bits(CLOSED));
    }
}
