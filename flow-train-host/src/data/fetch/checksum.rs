//! SHA-256 of the content of files, whether they are gzipped or not.

use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::FetchError;

/// SHA-256 of `bytes` in hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares the content of the gzip file `compressed`; `path` is for the error.
pub(super) fn verify_gzip(
    path: &Path,
    compressed: &[u8],
    expected: &'static str,
) -> Result<(), FetchError> {
    let found = gzip_content_hex(compressed).map_err(FetchError::io(path))?;
    verify(path, found, expected)
}

/// Compares a sum; `path` is for the error.
pub(super) fn verify(path: &Path, found: String, expected: &'static str) -> Result<(), FetchError> {
    if found == expected {
        return Ok(());
    }
    Err(FetchError::Checksum {
        path: path.to_path_buf(),
        expected,
        found,
    })
}

fn gzip_content_hex(compressed: &[u8]) -> io::Result<String> {
    let mut content = MultiGzDecoder::new(compressed);
    let mut digest = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match content.read(&mut piece)? {
            0 => return Ok(hex(&digest.finalize())),
            read => digest.update(&piece[..read]),
        }
    }
}
