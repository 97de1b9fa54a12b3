//! Chooses the kernel of the target.
//!
//! The instructions of a microcontroller are known when its firmware is built, and stable Rust does not tell a crate
//! that a Cortex-M core has the DSP or the vector extension: the target's name and the core given to the compiler do.

use std::env;

/// Cores of Arm's v8-M with the vector extension, and with the DSP extension only.
const VECTOR_CORES: [&str; 3] = ["cortex-m52", "cortex-m55", "cortex-m85"];
const DSP_CORES: [&str; 2] = ["cortex-m33", "cortex-m35p"];

/// Kernels written as functions in assembly.
const IN_ASSEMBLY: [&str; 5] = ["armv6m", "armv7em", "armv7m", "mve", "riscv32"];
/// Kernels of hosts, which compute whole rows; where there is a standard library, stacks have room for those of floats.
const HOSTS: [&str; 2] = ["aarch64", "x86_64"];
const OTHERS: [&str; 3] = ["aarch64", "portable", "x86_64"];

fn main() {
    warn_of_a_slow_host();
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=FLOW_INFER_KERNEL");
    let kernels = [&IN_ASSEMBLY[..], &OTHERS[..]].concat();
    let names: Vec<String> = kernels.iter().map(|kernel| format!("{kernel:?}")).collect();
    println!(
        "cargo:rustc-check-cfg=cfg(kernel, values({}))",
        names.join(", ")
    );
    println!("cargo:rustc-check-cfg=cfg(armv8m)");
    println!("cargo:rustc-check-cfg=cfg(kernel_in_assembly)");
    println!("cargo:rustc-check-cfg=cfg(float_rows)");
    println!("cargo:rustc-check-cfg=cfg(whole_rows)");
    // For comparisons on one target: FLOW_INFER_KERNEL=portable.
    let asked = env::var("FLOW_INFER_KERNEL").ok();
    let kernel = asked.unwrap_or_else(|| kernel_of_target().to_owned());
    assert!(
        kernels.contains(&kernel.as_str()),
        "no kernel `{kernel}`; there are {kernels:?}"
    );
    println!("cargo:rustc-cfg=kernel={kernel:?}");
    println!("cargo:rustc-env=FLOW_INFER_KERNEL_NAME={kernel}");
    if env::var("TARGET").is_ok_and(|target| target.starts_with("thumbv8m")) {
        println!("cargo:rustc-cfg=armv8m");
    }
    if IN_ASSEMBLY.contains(&kernel.as_str()) {
        println!("cargo:rustc-cfg=kernel_in_assembly");
    }
    if HOSTS.contains(&kernel.as_str()) {
        println!("cargo:rustc-cfg=whole_rows");
        if env::var_os("CARGO_FEATURE_STD").is_some() {
            println!("cargo:rustc-cfg=float_rows");
        }
    }
}

/// Only firmware does without the feature `std`; shown where this crate is built from a checkout.
fn warn_of_a_slow_host() {
    let hosted = !env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "none" || os == "unknown");
    if hosted && env::var_os("CARGO_FEATURE_STD").is_none() {
        println!(
            "cargo:warning=flow-infer without its feature `std` takes a host fifteen times as long"
        );
    }
}

fn kernel_of_target() -> &'static str {
    let target = env::var("TARGET").unwrap_or_default();
    let starts = |names: &[&str]| names.iter().any(|name| target.starts_with(name));
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let has = |names: &[&str]| names.iter().any(|name| flags.contains(name));
    let bare = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "none");
    let multiplies =
        env::var("CARGO_CFG_TARGET_FEATURE").is_ok_and(|f| f.split(',').any(|f| f == "m"));
    if starts(&["thumbv8m.main"]) && (has(&VECTOR_CORES) || has(&["+mve"])) {
        "mve"
    } else if starts(&["thumbv7em"])
        || starts(&["thumbv8m.main"]) && (has(&DSP_CORES) || has(&["+dsp"]))
    {
        "armv7em"
    } else if starts(&["thumbv7m", "thumbv8m.main"]) {
        "armv7m"
    } else if starts(&["thumbv6m", "thumbv8m.base"]) {
        "armv6m"
    } else if starts(&["riscv32"]) && bare && multiplies {
        "riscv32"
    } else if starts(&["x86_64"]) {
        "x86_64"
    } else if starts(&["aarch64"]) {
        "aarch64"
    } else {
        "portable"
    }
}
