//! Models in two slots of flash, updated on the emulated Cortex-M4 with the power cut at every operation.

use crate::size::Sizes;
use crate::{CheckFailed, process, repo, setup};
use anyhow::{Context, Result};
use ed25519_compact::{KeyPair, Seed};
use flow_infer::artifact::Artifact;
use flow_train_host::export::file::FlowFile;
use std::fs;
use tempfile::TempDir;

const TARGET: &str = "thumbv7em-none-eabihf";
const EMULATOR: &str = "qemu-system-arm";
const PROGRAM: &str = "slots-m4";
/// The crate that checks signatures, and its code at most: without its feature for size it is thirty times as much.
const SIGNATURES: &str = "ed25519_compact";
const MOST_CODE: u64 = 12 * 1024;

/// Runs the example firmware of flow-slots, and says what checking signatures costs in code.
///
/// # Errors
/// It does not build, after some cut no model ran, or the code is too large.
pub(crate) fn check() -> Result<()> {
    setup::targets([TARGET].into_iter())?;
    setup::programs([EMULATOR].into_iter())?;
    let folder = TempDir::new()?;
    let key = KeyPair::from_seed(Seed::new([7; Seed::BYTES]));
    let model = fs::read(repo::vectors_model())?;
    fs::write(folder.path().join("old.flow"), signed(&model, 1, &key)?)?;
    fs::write(folder.path().join("new.flow"), signed(&model, 2, &key)?)?;
    fs::write(folder.path().join("key.bin"), *key.pk)?;

    let example = repo::root().join("flow-slots/examples/firmware");
    // Dependencies that the boards have built already.
    let target = repo::firmware().join("target");
    let cargo = |verb: &str| {
        let mut cargo = process::cargo();
        cargo
            .arg("--config")
            .arg(example.join(".cargo/config.toml"));
        cargo.args([verb, "--release", "--quiet", "--manifest-path"]);
        cargo.arg(example.join("Cargo.toml"));
        cargo
            .env("CARGO_TARGET_DIR", &target)
            .current_dir(folder.path());
        cargo
    };
    process::run(&mut cargo("build"))?;
    print!("{}", process::stdout(&mut cargo("run"))?);
    let elf = target.join(TARGET).join("release").join(PROGRAM);
    let code = Sizes::of(&elf)?.text_of(SIGNATURES);
    println!("checking a signature: {code} bytes of code");
    match code {
        1..=MOST_CODE => Ok(()),
        _ => Err(CheckFailed(format!("of {MOST_CODE} bytes at most")).into()),
    }
}

/// The model with this version, signed.
fn signed(model: &[u8], version: u32, key: &KeyPair) -> Result<Vec<u8>> {
    let artifact = Artifact::load(model).context("the model is refused")?;
    let mut file = FlowFile::from_artifact(&artifact);
    file.model_version = version;
    file.sign(|message| (*key.pk, *key.sk.sign(message, None)))?;
    Ok(file.to_bytes()?)
}
