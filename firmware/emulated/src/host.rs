//! A file of the host, with no way to panic.
//!
//! The file types of the semihosting crate check their handle at every use and panic where it is
//! invalid. Here it is checked once, when the file is opened. A file is never closed: the emulator
//! does that when it exits, and it writes without a buffer.
#![allow(unsafe_code)]

use core::ffi::CStr;
use embedded_io::{ErrorKind, ErrorType, Read};
use flowgate_app::Stop;
use semihosting::fd::BorrowedFd;
use semihosting::sys;
use semihosting::sys::arm_compat::{OpenMode, sys_open};

/// An open file.
#[derive(Clone, Copy)]
pub(crate) struct HostFile(BorrowedFd<'static>);

impl HostFile {
    /// Opens a file for reading.
    pub(crate) fn open(path: &CStr) -> Result<Self, Stop> {
        Self::with_mode(path, OpenMode::RDONLY_BINARY)
    }

    /// Begins a new file.
    pub(crate) fn create(path: &CStr) -> Result<Self, Stop> {
        Self::with_mode(path, OpenMode::WRONLY_TRUNC_BINARY)
    }

    /// The emulator's standard output.
    pub(crate) fn stdout() -> Result<Self, Stop> {
        Self::create(c":tt")
    }

    fn with_mode(path: &CStr, mode: OpenMode) -> Result<Self, Stop> {
        let handle = sys_open(path, mode).map_err(|_| Stop::HostFiles)?;
        // SAFETY: the handle was just opened, so it is valid, and nothing ever closes it.
        Ok(Self(unsafe {
            BorrowedFd::borrow_raw(handle.into_raw_fd())
        }))
    }

    /// Fills the front of `buffer` as far as the file goes, and returns that part.
    pub(crate) fn read<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b mut [u8], Stop> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..) {
            match sys::read(self.0, rest).map_err(|_| Stop::HostFiles)? {
                0 => break,
                read => filled += read,
            }
        }
        buffer.get_mut(..filled).ok_or(Stop::HostFiles)
    }

    /// Fills `buffer`; a file that ends early is malformed.
    pub(crate) fn read_exact(&self, buffer: &mut [u8]) -> Result<(), Stop> {
        let wanted = buffer.len();
        let read = self.read(buffer)?.len();
        if read == wanted {
            Ok(())
        } else {
            Err(Stop::HostFiles)
        }
    }

    /// Writes all of `bytes`.
    pub(crate) fn write_all(&self, mut bytes: &[u8]) -> Result<(), Stop> {
        while !bytes.is_empty() {
            match sys::write(self.0, bytes).map_err(|_| Stop::HostFiles)? {
                0 => return Err(Stop::HostFiles),
                written => bytes = bytes.get(written..).ok_or(Stop::HostFiles)?,
            }
        }
        Ok(())
    }
}

impl ErrorType for HostFile {
    type Error = ErrorKind;
}

impl Read for HostFile {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, ErrorKind> {
        sys::read(self.0, bytes).map_err(|_| ErrorKind::Other)
    }
}
