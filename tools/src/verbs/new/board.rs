//! The boards that a firmware can be written for.

/// A board: what its files say, and how much it has.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) target: &'static str,
    /// The core, where it has instructions that its target has not.
    pub(super) core: Option<&'static str>,
    pub(super) runner: &'static str,
    /// The command that installs the runner.
    pub(super) install: &'static str,
    /// Where the decision is seen.
    pub(super) pin: &'static str,
    pub(super) flash: u64,
    pub(super) ram: u64,
    /// Bytes of a program without its model, as `cargo xtask new` found them, rounded up.
    pub(super) code: u64,
    /// Bytes of RAM beside the workspace: the stack, and statics of the program.
    pub(super) reserve: u64,
    /// `src/board.rs`.
    pub(super) source: &'static str,
    pub(super) dependencies: &'static str,
    pub(super) link_arguments: &'static [&'static str],
    /// Linker scripts beside the manifest.
    pub(super) scripts: &'static [(&'static str, &'static str)],
}

const KIB: u64 = 1024;
const PROBE: &str = "cargo install probe-rs-tools --locked";
/// Sections would otherwise be aligned to pages that no microcontroller has.
const CORTEX_M: &[&str] = &["--nmagic", "-Tlink.x", "-Tstack.x"];

macro_rules! template {
    ($($name:expr),+) => {
        include_str!(concat!("../../../templates/", $($name),+))
    };
}

macro_rules! cortex_m_scripts {
    ($name:literal) => {
        &[
            ("memory.x", template!("boards/", $name, "/memory.x")),
            ("stack.x", template!("stack.x")),
        ]
    };
}

pub(super) const BOARDS: [Board; 6] = [
    Board {
        name: "m4-qemu",
        what: "an emulated Cortex-M4 (QEMU's mps2-an386)",
        target: "thumbv7em-none-eabihf",
        core: None,
        runner: "qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none \
                 -semihosting-config enable=on,target=native -kernel",
        install: "apt install qemu-system-arm",
        pin: "Decision and pin are printed.",
        flash: 4096 * KIB,
        ram: 16_384 * KIB,
        code: 56 * KIB,
        reserve: 12 * KIB,
        source: template!("boards/m4-qemu/board.rs"),
        dependencies: template!("boards/m4-qemu/dependencies.toml"),
        link_arguments: CORTEX_M,
        scripts: cortex_m_scripts!("m4-qemu"),
    },
    Board {
        name: "stm32f401",
        what: "an STM32F401xC",
        target: "thumbv7em-none-eabihf",
        core: None,
        runner: "probe-rs run --chip STM32F401CCUx",
        install: PROBE,
        pin: "The decision is on PA8, and what the program says goes to the probe.",
        flash: 256 * KIB,
        ram: 64 * KIB,
        code: 56 * KIB,
        reserve: 12 * KIB,
        source: template!("boards/stm32f401/board.rs"),
        dependencies: template!("boards/stm32f401/dependencies.toml"),
        link_arguments: CORTEX_M,
        scripts: cortex_m_scripts!("stm32f401"),
    },
    Board {
        name: "nrf52840",
        what: "an nRF52840",
        target: "thumbv7em-none-eabihf",
        core: None,
        runner: "probe-rs run --chip nRF52840_xxAA",
        install: PROBE,
        pin: "The decision is on P1.01, and what the program says goes to the probe.",
        flash: 1024 * KIB,
        ram: 256 * KIB,
        code: 56 * KIB,
        reserve: 12 * KIB,
        source: template!("boards/nrf52840/board.rs"),
        dependencies: template!("boards/nrf52840/dependencies.toml"),
        link_arguments: CORTEX_M,
        scripts: cortex_m_scripts!("nrf52840"),
    },
    Board {
        name: "rp2040",
        what: "an RP2040 with 2 MiB of flash (a Pico)",
        target: "thumbv6m-none-eabi",
        core: None,
        runner: "probe-rs run --chip RP2040",
        install: PROBE,
        pin: "The decision is on GPIO25, and what the program says goes to the probe.",
        flash: 2048 * KIB,
        ram: 256 * KIB,
        code: 64 * KIB,
        reserve: 12 * KIB,
        source: template!("boards/rp2040/board.rs"),
        dependencies: template!("boards/rp2040/dependencies.toml"),
        link_arguments: CORTEX_M,
        scripts: cortex_m_scripts!("rp2040"),
    },
    Board {
        name: "rp2350",
        what: "an RP2350 with 4 MiB of flash (a Pico 2)",
        target: "thumbv8m.main-none-eabihf",
        core: Some("cortex-m33"),
        runner: "probe-rs run --chip RP235x",
        install: PROBE,
        pin: "The decision is on GPIO25, and what the program says goes to the probe.",
        flash: 4096 * KIB,
        ram: 512 * KIB,
        code: 64 * KIB,
        reserve: 12 * KIB,
        source: template!("boards/rp2350/board.rs"),
        dependencies: template!("boards/rp2350/dependencies.toml"),
        link_arguments: CORTEX_M,
        scripts: cortex_m_scripts!("rp2350"),
    },
    Board {
        name: "esp32c3",
        what: "an ESP32-C3 with 4 MiB of flash",
        target: "riscv32imc-unknown-none-elf",
        core: None,
        runner: "espflash flash --monitor",
        install: "cargo install espflash --locked",
        pin: "The decision is on GPIO8, and what the program says goes to its USB or serial port.",
        // Behind the bootloader and the table of partitions.
        flash: 4096 * KIB - 64 * KIB,
        // What the bootloader and the caches leave.
        ram: 313 * KIB,
        code: 72 * KIB,
        reserve: 48 * KIB,
        source: template!("boards/esp32c3/board.rs"),
        dependencies: template!("boards/esp32c3/dependencies.toml"),
        link_arguments: &["-Tlinkall.x"],
        scripts: &[],
    },
];

/// The board of this name.
pub(super) fn find(name: &str) -> Option<&'static Board> {
    BOARDS.iter().find(|board| board.name == name)
}
