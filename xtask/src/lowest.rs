//! What is published, built by the oldest compilers that its crates say they need.

use crate::{process, repo, setup};
use anyhow::Result;
use std::collections::BTreeMap;
use std::process::Command;

/// # Errors
/// A compiler is missing and could not be installed, or does not build a crate.
pub(crate) fn check() -> Result<()> {
    for (version, crates) in stated()? {
        setup::toolchain(&version)?;
        let mut check = Command::new("rustup");
        check.args(["run", &version, "cargo", "check", "--quiet", "--lib"]);
        for name in &crates {
            check.args(["--package", name]);
        }
        process::run(check.current_dir(repo::root()))?;
        println!("{}: build with Rust {version}", crates.join(", "));
    }
    Ok(())
}

/// The compilers that crates state, each with those that are published and state it.
fn stated() -> Result<BTreeMap<String, Vec<String>>> {
    let mut ask = process::cargo();
    ask.args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(repo::root());
    let metadata: serde_json::Value = serde_json::from_str(&process::stdout(&mut ask)?)?;
    let mut stated = BTreeMap::<String, Vec<String>>::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let texts = [&package["rust_version"], &package["name"]].map(|text| text.as_str());
        if let ([Some(version), Some(name)], true) = (texts, package["publish"].is_null()) {
            let crates = stated.entry(version.to_owned()).or_default();
            crates.push(name.to_owned());
        }
    }
    Ok(stated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_crate_states_a_compiler() {
        let all: Vec<String> = stated().unwrap().into_values().flatten().collect();
        for name in ["flow-infer", "flow-slots", "flow-train-host", "flowgate"] {
            assert!(all.contains(&name.to_owned()), "{name} not in {all:?}");
        }
        assert!(!all.contains(&"xtask".to_owned()), "{all:?}");
    }
}
