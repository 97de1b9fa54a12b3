//! One file as a stream of bytes, decompressed on the way, that knows its place and its bounds.
//!
//! Two dangers have their home here. *Allocation:* a header of 16 bytes can claim terabytes, so
//! nothing is reserved beyond what the file can hold: its length, times 1032 if compressed (a
//! deflate match yields at most 258 bytes and costs at least 2 bits). *Fault:* every reader asks
//! the source for its errors, which then name the file, the member and the byte.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use super::element::Element;
use super::error::{DataError, Position, Problem};
use super::gzip::{self, BytesFollow, Members};
use super::notice::{Notice, Noticed};

/// Most bytes that one byte of a deflate stream can become.
pub(super) const DEFLATE_MAX_RATIO: u64 = 1032;

/// Bytes looked at to tell formats apart; the longest magic (PNG's) has 8 bytes.
const PREFIX_LEN: usize = 8;

/// Values are decoded from pieces of this size, not from a second copy of the whole file.
const PIECE_BYTES: usize = 64 * 1024;

/// A readable file, or a member of an archive.
pub(super) struct Source<'a> {
    path: PathBuf,
    member: Option<String>,
    prefix: Vec<u8>,
    stream: Box<dyn BufRead + 'a>,
    compressed: bool,
    position: u64,
    at_most: u64,
}

impl Source<'static> {
    /// Opens `path`, decompressing if its content (not its name) is gzip.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let io_problem = |error| fail(path, Problem::Io(error));
        let mut file = File::open(path).map_err(io_problem)?;
        let metadata = file.metadata().map_err(io_problem)?;
        if metadata.is_file() {
            let buffered = BufReader::with_capacity(PIECE_BYTES, file);
            return Self::new(path, Box::new(buffered), metadata.len());
        }
        // A pipe has no length to bound claims by; reading it whole gives it one.
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(io_problem)?;
        Self::from_bytes(path, content)
    }

    /// The bytes of a file; `path` is for the errors.
    pub(super) fn from_bytes(path: &Path, content: Vec<u8>) -> Result<Self, DataError> {
        let length = content.len() as u64;
        Self::new(path, Box::new(Cursor::new(content)), length)
    }

    /// A stream of any length; `path` is for the errors.
    pub(super) fn of_stream(path: &Path, stream: Box<dyn BufRead>) -> Result<Self, DataError> {
        Self::new(path, stream, u64::MAX)
    }

    fn new(path: &Path, mut raw: Box<dyn BufRead>, length: u64) -> Result<Self, DataError> {
        let start = raw
            .fill_buf()
            .map_err(|error| fail(path, Problem::Io(error)))?;
        let compressed = start.starts_with(&gzip::MAGIC);
        let (stream, at_most): (Box<dyn BufRead>, u64) = if compressed {
            let inflated = BufReader::with_capacity(PIECE_BYTES, Members::new(raw));
            (Box::new(inflated), length.saturating_mul(DEFLATE_MAX_RATIO))
        } else {
            (raw, length)
        };
        Self {
            path: path.to_path_buf(),
            member: None,
            prefix: Vec::new(),
            stream,
            compressed,
            position: 0,
            at_most,
        }
        .with_prefix()
    }
}

impl<'a> Source<'a> {
    /// A member of an archive: a stream of at most `at_most` bytes.
    pub(super) fn member(
        path: &Path,
        member: &str,
        stream: Box<dyn BufRead + 'a>,
        compressed: bool,
        at_most: u64,
    ) -> Result<Self, DataError> {
        Self {
            path: path.to_path_buf(),
            member: Some(member.to_owned()),
            prefix: Vec::new(),
            stream,
            compressed,
            position: 0,
            at_most,
        }
        .with_prefix()
    }

    /// Reads the first bytes and puts them back.
    fn with_prefix(mut self) -> Result<Self, DataError> {
        let mut prefix = Vec::with_capacity(PREFIX_LEN);
        let read = (&mut self.stream)
            .take(PREFIX_LEN as u64)
            .read_to_end(&mut prefix);
        read.map_err(|error| self.io_error(error))?;
        self.prefix = prefix.clone();
        self.stream = Box::new(Cursor::new(prefix).chain(self.stream));
        Ok(self)
    }

    /// The first bytes, at most eight, whatever has been read since.
    pub(super) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// The file itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What was noticed, of this file.
    pub(super) fn notices(&self, noticed: Vec<Noticed>) -> Vec<Notice> {
        let of_file = |what| Notice {
            path: self.path.clone(),
            what,
        };
        noticed.into_iter().map(of_file).collect()
    }

    /// Offset of the next byte.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// An error of the whole file.
    pub(super) fn error(&self, problem: Problem) -> DataError {
        DataError {
            member: self.member.clone(),
            ..fail(&self.path, problem)
        }
    }

    /// An error at a place in the file.
    pub(super) fn error_at(&self, position: Position, problem: Problem) -> DataError {
        DataError {
            position: Some(position),
            ..self.error(problem)
        }
    }

    /// An error at the next byte.
    pub(super) fn error_here(&self, problem: Problem) -> DataError {
        self.error_at(Position::Byte(self.position), problem)
    }

    fn io_error(&self, error: io::Error) -> DataError {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        let inner = error.get_ref();
        if inner.is_some_and(|inner| inner.is::<BytesFollow>()) {
            return self.error(Problem::BytesAfterGzip);
        }
        match error.kind() {
            UnexpectedEof if self.member.is_none() && self.compressed => {
                self.error_here(Problem::TruncatedGzip)
            }
            InvalidData | InvalidInput | Other | UnexpectedEof => {
                self.error_here(Problem::CorruptCompression(error.to_string()))
            }
            _ => self.error_here(Problem::Io(error)),
        }
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DataError> {
        let mut bytes = [0; N];
        let found = self.read_up_to(&mut bytes)?;
        self.advance(N, found)?;
        Ok(bytes)
    }

    /// The next `len` bytes, once it is certain that the file can hold that many.
    pub(super) fn bytes(&mut self, len: Option<u64>) -> Result<Vec<u8>, DataError> {
        let len = self.checked_len(len)?;
        let mut bytes = self.reserve(len)?;
        let read = (&mut self.stream).take(len as u64).read_to_end(&mut bytes);
        read.map_err(|error| self.io_error(error))?;
        self.advance(len, bytes.len())?;
        Ok(bytes)
    }

    /// The next `count` values, once it is certain that the file can hold that many.
    pub(super) fn values<T: Element>(
        &mut self,
        count: Option<u64>,
        big_endian: bool,
    ) -> Result<Vec<T>, DataError> {
        let total = count.and_then(|count| count.checked_mul(T::SIZE as u64));
        let total = self.checked_len(total)?;
        let mut values = self.reserve(total / T::SIZE)?;
        let mut piece = vec![0; PIECE_BYTES.min(total)];
        let mut done = 0;
        while done < total {
            let piece = &mut piece[..PIECE_BYTES.min(total - done)];
            let found = self.read_up_to(piece)?;
            if found < piece.len() {
                return Err(self.truncated(total, done + found));
            }
            let chunks = piece.chunks_exact(T::SIZE);
            match big_endian {
                true => values.extend(chunks.map(T::from_be)),
                false => values.extend(chunks.map(T::from_le)),
            }
            done += found;
        }
        self.position += total as u64;
        Ok(values)
    }

    /// Everything that is left.
    pub(super) fn rest(&mut self) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        let read = self.stream.read_to_end(&mut bytes);
        self.position += bytes.len() as u64;
        read.map_err(|error| self.io_error(error))?;
        Ok(bytes)
    }

    /// The next line with its end, appended to `lines`; false at the end of the file.
    pub(super) fn line(&mut self, lines: &mut Vec<u8>) -> Result<bool, DataError> {
        let read = self.stream.read_until(b'\n', lines);
        let read = read.map_err(|error| self.io_error(error))?;
        self.position += read as u64;
        Ok(read > 0)
    }

    /// Refuses anything that follows, and has gzip and zip compare their checksums.
    pub(super) fn expect_end(&mut self) -> Result<(), DataError> {
        match self.stream.fill_buf() {
            Ok([]) => Ok(()),
            Ok(_) => Err(self.error_here(Problem::TrailingBytes)),
            Err(error) => Err(self.io_error(error)),
        }
    }

    /// `len` if the rest of the file can be that long.
    fn checked_len(&self, len: Option<u64>) -> Result<usize, DataError> {
        let at_most = self.at_most.saturating_sub(self.position);
        match len {
            Some(len) if len <= at_most && len <= isize::MAX as u64 => Ok(len as usize),
            Some(expected) if !self.compressed => Err(self.error_here(Problem::Truncated {
                expected,
                found: at_most,
            })),
            claimed => Err(self.error_here(Problem::SizeAbsurd { claimed, at_most })),
        }
    }

    /// An empty vector with room for `len`; a claim within bounds may still exceed the memory.
    fn reserve<T>(&self, len: usize) -> Result<Vec<T>, DataError> {
        let mut values = Vec::new();
        match values.try_reserve_exact(len) {
            Ok(()) => Ok(values),
            Err(_) => Err(self.error_here(Problem::Io(io::ErrorKind::OutOfMemory.into()))),
        }
    }

    /// Fills `bytes` as far as the stream reaches.
    fn read_up_to(&mut self, bytes: &mut [u8]) -> Result<usize, DataError> {
        let mut found = 0;
        while found < bytes.len() {
            match self.stream.read(&mut bytes[found..]) {
                Ok(0) => break,
                Ok(read) => found += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.io_error(error)),
            }
        }
        Ok(found)
    }

    fn advance(&mut self, expected: usize, found: usize) -> Result<(), DataError> {
        if found < expected {
            return Err(self.truncated(expected, found));
        }
        self.position += found as u64;
        Ok(())
    }

    fn truncated(&self, expected: usize, found: usize) -> DataError {
        let (expected, found) = (expected as u64, found as u64);
        self.error_here(Problem::Truncated { expected, found })
    }
}

/// An error of the whole file at `path`.
pub(super) fn fail(path: &Path, problem: Problem) -> DataError {
    DataError {
        path: path.to_path_buf(),
        member: None,
        position: None,
        problem,
    }
}
