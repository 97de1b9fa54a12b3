//! Which model the gate carries: the committed one, or the file that `FLOWGATE_MODEL` names.

use std::env;
use std::path::{Path, PathBuf};
use std::process::exit;

const MODEL: &str = "FLOWGATE_MODEL";
/// The folder where cargo was called, from which people count paths: build scripts run elsewhere.
const CALLED_IN: &str = "PWD";

fn main() {
    println!("cargo:rerun-if-env-changed={MODEL}");
    println!("cargo:rustc-check-cfg=cfg(own_model)");
    let path = match env::var_os(MODEL) {
        Some(own) => {
            println!("cargo:rustc-cfg=own_model");
            absolute(PathBuf::from(own))
        }
        None => folder("CARGO_MANIFEST_DIR").join("../models/fashion-bottleneck.flow"),
    };
    if !path.is_file() {
        println!("cargo:error={MODEL}: no file {}", path.display());
        exit(1);
    }
    println!("cargo:rerun-if-changed={}", path.display());
    println!("cargo:rustc-env=FLOWGATE_MODEL_FILE={}", path.display());
}

fn absolute(path: PathBuf) -> PathBuf {
    if path.is_relative() {
        println!("cargo:rerun-if-env-changed={CALLED_IN}");
    }
    folder(CALLED_IN).join(path)
}

fn folder(variable: &str) -> PathBuf {
    Path::new(&env::var_os(variable).unwrap_or_default()).to_owned()
}
