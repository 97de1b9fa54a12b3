//! FashionMNIST (Zalando, MIT licence): 60000 + 10000 grey images of 28 x 28, from Debian.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::checksum::verify_gzip;
use super::program::run;
use super::{FetchError, Fetched, create_directory, temporary_directory};
use crate::files::write_atomically;

/// A published file and the SHA-256 of its decompressed content.
#[derive(Clone, Copy)]
pub(super) struct Published {
    pub(super) name: &'static str,
    pub(super) sha256: &'static str,
}

pub(super) const FILES: [Published; 4] = [
    Published {
        name: "train-images-idx3-ubyte.gz",
        sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    },
    Published {
        name: "train-labels-idx1-ubyte.gz",
        sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    },
    Published {
        name: "t10k-images-idx3-ubyte.gz",
        sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    },
    Published {
        name: "t10k-labels-idx1-ubyte.gz",
        sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
];

const PACKAGE: &str = "dataset-fashion-mnist";

/// Where the package puts its files, from the root directory.
const IN_PACKAGE: &str = "usr/share/datasets/fashion-mnist";

const WITHOUT_DEBIAN: &str = "it comes with Debian and Ubuntu; elsewhere put the four files of \
    github.com/zalandoresearch/fashion-mnist (data/fashion) into the output directory and run \
    this again to verify them";

/// Puts the four gzipped IDX files of FashionMNIST into `out`, created if missing.
///
/// Taken, in this order: `out` itself if all are there already, the installed package
/// `dataset-fashion-mnist`, or that package downloaded with `apt-get` and unpacked in a temporary
/// directory, for which nobody needs to be root. `progress` is told each stage.
///
/// # Errors
/// [`FetchError`]. Nothing is written unless all four files are what was published.
pub fn fetch_fashion_mnist(
    out: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<Fetched, FetchError> {
    let installed = Path::new("/").join(IN_PACKAGE);
    if has_all(out, &FILES) {
        progress("verifying the files that are there");
        let files = read_verified(out, &FILES)?
            .into_iter()
            .map(|(name, _)| out.join(name));
        return Ok(Fetched {
            files: files.collect(),
            origin: "already there".to_owned(),
        });
    }
    if has_all(&installed, &FILES) {
        progress("copying the installed package's files");
        let files = copy_verified(&installed, out, &FILES)?;
        return Ok(Fetched {
            files,
            origin: format!("{}", installed.display()),
        });
    }
    let temporary = temporary_directory()?;
    let unpacked = download(temporary.path(), progress)?;
    let files = copy_verified(&unpacked, out, &FILES)?;
    Ok(Fetched {
        files,
        origin: format!("Debian package {PACKAGE}"),
    })
}

/// Downloads and unpacks the package in `temporary`; the directory of its files.
pub(super) fn download(
    temporary: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<PathBuf, FetchError> {
    progress("downloading Debian's package dataset-fashion-mnist (31 MB)");
    run("apt-get", &["download", PACKAGE], temporary, WITHOUT_DEBIAN)?;
    let package = downloaded_package(temporary).map_err(FetchError::io(temporary))?;
    progress("unpacking it");
    run(
        "dpkg-deb",
        &["--extract", &package, "tree"],
        temporary,
        WITHOUT_DEBIAN,
    )?;
    Ok(temporary.join("tree").join(IN_PACKAGE))
}

/// The name of the package file, which holds the version that the client chose.
fn downloaded_package(directory: &Path) -> io::Result<String> {
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with(PACKAGE) && name.ends_with(".deb") {
            return Ok(name);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        "apt-get left no package here",
    ))
}

fn has_all(directory: &Path, files: &[Published]) -> bool {
    files.iter().all(|file| directory.join(file.name).is_file())
}

/// Copies `files` from one directory to another, once all of them are verified.
pub(super) fn copy_verified(
    from: &Path,
    out: &Path,
    files: &[Published],
) -> Result<Vec<PathBuf>, FetchError> {
    let verified = read_verified(from, files)?;
    create_directory(out)?;
    let mut written = Vec::new();
    for (name, content) in verified {
        let path = out.join(name);
        write_atomically(&path, |writer| writer.write_all(&content))?;
        written.push(path);
    }
    Ok(written)
}

fn read_verified(
    from: &Path,
    files: &[Published],
) -> Result<Vec<(&'static str, Vec<u8>)>, FetchError> {
    let mut verified = Vec::new();
    for file in files {
        let path = from.join(file.name);
        let content = fs::read(&path).map_err(FetchError::io(&path))?;
        verify_gzip(&path, &content, file.sha256)?;
        verified.push((file.name, content));
    }
    Ok(verified)
}
