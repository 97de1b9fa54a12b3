//! gzip as gzip(1) reads it: one member after the other, zeros behind the last one passed over.
//!
//! Tapes and object stores pad files with zeros. Anything else behind the last member is an error
//! of its own: nothing is missing from the stream, and something was put behind it.

use std::fmt;
use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// The first bytes of a member.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Bytes other than zeros behind the last member.
#[derive(Debug)]
pub(super) struct BytesFollow;

impl fmt::Display for BytesFollow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes follow the end of the gzip stream")
    }
}

impl std::error::Error for BytesFollow {}

/// Decompresses all members of a gzip file.
pub(super) struct Members<R> {
    /// The member that is being read; none behind the last one.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(raw: R) -> Self {
        Self {
            member: Some(GzDecoder::new(raw)),
        }
    }

    /// Goes to the next member, if there is one.
    fn advance(&mut self) -> io::Result<()> {
        let Some(ended) = self.member.take() else {
            return Ok(());
        };
        let mut raw = ended.into_inner();
        let mut padded = false;
        loop {
            let next = raw.fill_buf()?;
            let zeros = next.iter().take_while(|&&byte| byte == 0).count();
            match next.get(zeros) {
                None if next.is_empty() => return Ok(()),
                Some(&byte) if byte == MAGIC[0] && zeros == 0 && !padded => break,
                Some(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, BytesFollow)),
                None => {}
            }
            padded = true;
            raw.consume(zeros);
        }
        self.member = Some(GzDecoder::new(raw));
        Ok(())
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            match member.read(into)? {
                0 if !into.is_empty() => self.advance()?,
                read => return Ok(read),
            }
        }
        Ok(0)
    }
}
