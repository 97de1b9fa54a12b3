//! The clock of a Pico and of a Pico 2, whose parts for it have the same registers.

/// Polls before something that does not come is given up: some ten times what a crystal takes to start.
const PATIENCE: u32 = 100_000;

/// Polls until something is ready, or patience is over.
pub fn within_patience(ready: impl Fn() -> bool) -> bool {
    (0..PATIENCE).any(|_| ready())
}

/// `Clock`, which makes the core run from a crystal of 12 MHz by the registers of a `pac`: at 12 MHz * 125 / `divider` /
/// 2, which is `full_hz`. The boot ROM leaves the core on its ring oscillator, at about `ring_hz`.
#[macro_export]
macro_rules! pico_clock {
    (pac: $pac:path, divider: $divider:literal, full_hz: $full_hz:literal, ring_hz: $ring_hz:literal $(,)?) => {
        use $pac as pac;

        const CRYSTAL_HZ: u32 = 12_000_000;
        /// Where the boot ROM leaves the core: on the ring oscillator, at about this frequency.
        const RING_HZ: u32 = $ring_hz;
        /// The sources of a clock as its register of the selected one shows them.
        const REFERENCE_IS_CRYSTAL: u32 = 1 << 2;
        const SYSTEM_IS_REFERENCE: u32 = 1;
        const SYSTEM_IS_PLL: u32 = 1 << 1;

        /// What makes the core's clock.
        pub(crate) struct Clock<'r> {
            pub(crate) crystal: &'r pac::XOSC,
            pub(crate) clocks: &'r pac::CLOCKS,
            pub(crate) pll: &'r pac::PLL_SYS,
            pub(crate) resets: &'r pac::RESETS,
        }

        impl Clock<'_> {
            /// Makes the core run at full speed and returns its frequency: a lower one where a part does not start.
            pub(crate) fn full_speed(&self) -> u32 {
                if !self.start_crystal() {
                    return RING_HZ;
                }
                match self.start_pll() {
                    true => $full_hz,
                    false => CRYSTAL_HZ,
                }
            }

            /// Runs everything from the crystal.
            fn start_crystal(&self) -> bool {
                self.crystal.ctrl().write(|w| w.freq_range()._1_15mhz());
                // SAFETY: about a millisecond at 12 MHz, in steps of 256 cycles; any value of the field is one.
                self.crystal
                    .startup()
                    .write(|w| unsafe { w.delay().bits(47) });
                self.crystal.ctrl().modify(|_, w| w.enable().enable());
                if !$crate::within_patience(|| self.crystal.status().read().stable().bit()) {
                    return false;
                }
                let clocks = self.clocks;
                clocks.clk_sys_ctrl().modify(|_, w| w.src().clk_ref());
                let system = || clocks.clk_sys_selected().read().bits() == SYSTEM_IS_REFERENCE;
                if !$crate::within_patience(system) {
                    return false;
                }
                clocks.clk_ref_ctrl().modify(|_, w| w.src().xosc_clksrc());
                $crate::within_patience(|| {
                    clocks.clk_ref_selected().read().bits() == REFERENCE_IS_CRYSTAL
                })
            }

            /// Runs the core from the PLL.
            fn start_pll(&self) -> bool {
                let Self {
                    clocks,
                    pll,
                    resets,
                    ..
                } = self;
                resets.reset().modify(|_, w| w.pll_sys().set_bit());
                resets.reset().modify(|_, w| w.pll_sys().clear_bit());
                if !$crate::within_patience(|| resets.reset_done().read().pll_sys().bit()) {
                    return false;
                }
                // SAFETY: by the datasheet the reference is not divided, the multiplier is in 16 to 320 and gives 1500 MHz, of
                // 750 MHz to 1600 MHz.
                unsafe {
                    pll.cs().write(|w| w.refdiv().bits(1));
                    pll.fbdiv_int().write(|w| w.fbdiv_int().bits(125));
                }
                pll.pwr()
                    .modify(|_, w| w.pd().clear_bit().vcopd().clear_bit());
                if !$crate::within_patience(|| pll.cs().read().lock().bit()) {
                    return false;
                }
                // SAFETY: both dividers are in 1 to 7.
                pll.prim()
                    .write(|w| unsafe { w.postdiv1().bits($divider).postdiv2().bits(2) });
                pll.pwr().modify(|_, w| w.postdivpd().clear_bit());
                clocks
                    .clk_sys_ctrl()
                    .modify(|_, w| w.auxsrc().clksrc_pll_sys());
                clocks
                    .clk_sys_ctrl()
                    .modify(|_, w| w.src().clksrc_clk_sys_aux());
                $crate::within_patience(|| clocks.clk_sys_selected().read().bits() == SYSTEM_IS_PLL)
            }
        }
    };
}
