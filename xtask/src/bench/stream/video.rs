//! Videos as y4m, frame by frame.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

/// Luma of a frame.
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) luma: Vec<u8>,
}

/// A video of 4:2:0, frame by frame.
pub(super) struct Video {
    stream: BufReader<File>,
    pub(super) header: String,
    width: usize,
    height: usize,
}

impl Video {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let place = || path.display().to_string();
        let mut stream = BufReader::new(File::open(path).with_context(place)?);
        let mut header = String::new();
        stream.read_line(&mut header).with_context(place)?;
        let field = |name: char| {
            let mut fields = header.split_whitespace().skip(1);
            fields.find_map(|field| field.strip_prefix(name).map(str::to_owned))
        };
        let side = |name| field(name).and_then(|n| n.parse().ok());
        let (Some(width), Some(height)) = (side('W'), side('H')) else {
            bail!("{}: no y4m", place());
        };
        if field('C').is_some_and(|chroma| !chroma.starts_with("420")) {
            bail!("{}: not 4:2:0", place());
        }
        Ok(Self {
            stream,
            header,
            width,
            height,
        })
    }

    /// Frames a second.
    pub(super) fn rate(&self) -> Result<f64> {
        let field = self
            .header
            .split_whitespace()
            .find_map(|field| field.strip_prefix('F'));
        let rate = field
            .and_then(|field| field.split_once(':'))
            .and_then(|(over, under)| {
                let [over, under] = [over, under].map(|n| n.parse::<f64>().ok());
                Some(over? / under?)
            });
        match rate {
            Some(rate) if rate > 0.0 && f64::is_finite(rate) => Ok(rate),
            _ => bail!("{}: no rate", self.header.trim()),
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Frame>> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let luma = self.width * self.height;
        let mut pixels = vec![0; luma + 2 * self.width.div_ceil(2) * self.height.div_ceil(2)];
        self.stream.read_exact(&mut pixels)?;
        pixels.truncate(luma);
        Ok(Some(Frame {
            width: self.width,
            height: self.height,
            luma: pixels,
        }))
    }

    /// A video like this one, to be filled with luma.
    pub(super) fn like(&self, path: &Path) -> Result<File> {
        let mut file = File::create(path)?;
        file.write_all(self.header.as_bytes())?;
        Ok(file)
    }

    pub(super) fn write(&self, luma: &[u8], file: &mut impl Write) -> Result<()> {
        let chroma = vec![128; 2 * self.width.div_ceil(2) * self.height.div_ceil(2)];
        file.write_all(&[b"FRAME\n", luma, &chroma].concat())?;
        Ok(())
    }
}
