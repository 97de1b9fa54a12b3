//! ed25519 signatures of `.flow` files, with keys as `openssl genpkey -algorithm ed25519` writes them.

use anyhow::{Result, anyhow};
use ed25519_compact::{KeyPair, PublicKey, Signature};
use flow_infer::artifact::Signed;
use flow_train_host::files::one_line;
use std::path::Path;

/// A signer's key pair, from a PEM file.
pub(crate) fn key_pair(path: &Path) -> Result<KeyPair> {
    let parse = |pem: &str| KeyPair::from_pem(pem).map_err(|error| error.to_string());
    read(path, "ed25519 private key", parse)
}

/// A public key, from a PEM file.
pub(crate) fn public_key(path: &Path) -> Result<PublicKey> {
    let parse = |pem: &str| PublicKey::from_pem(pem).map_err(|error| error.to_string());
    read(path, "ed25519 public key", parse)
}

fn read<K>(path: &Path, what: &str, parse: impl Fn(&str) -> Result<K, String>) -> Result<K> {
    let cannot = |error: &dyn std::fmt::Display| anyhow!("{}: no {what}: {error}", one_line(path));
    let pem = std::fs::read_to_string(path).map_err(|error| cannot(&error))?;
    parse(pem.trim()).map_err(|error| cannot(&error))
}

/// Whether the signature is that of its key over the file.
pub(crate) fn is_valid(signed: &Signed<'_>) -> bool {
    let signature = Signature::new(*signed.signature);
    PublicKey::new(*signed.public_key)
        .verify(signed.message, &signature)
        .is_ok()
}

/// The first bytes of a key, for people.
pub(crate) fn fingerprint(key: &[u8]) -> String {
    key.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
