//! The header of a `.npy` file: magic, version, length, and a Python dictionary as text.
//!
//! NumPy writes the dictionary with `repr`, and other writers imitate it with other spaces, quotes
//! and key order; so it is parsed as Python would, for the three keys that the format allows.

use crate::data::error::{DataError, Problem, excerpt};
use crate::data::source::Source;

/// A header is padded to a multiple of this, so that the values may be mapped in place.
const ALIGNMENT: usize = 64;

/// What the header says of the values.
pub(super) struct Header {
    pub(super) descr: String,
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<usize>,
}

impl Header {
    pub(super) fn read(source: &mut Source<'_>) -> Result<Self, DataError> {
        let magic: [u8; 6] = source.array()?;
        if magic != super::MAGIC {
            let found = [magic[0], magic[1], magic[2], magic[3]];
            let expected = "an NPY file";
            return Err(source.error(Problem::WrongMagic { found, expected }));
        }
        let len: u64 = match source.array()? {
            [1, _] => u16::from_le_bytes(source.array()?).into(),
            [2 | 3, _] => u32::from_le_bytes(source.array()?).into(),
            [major, minor] => {
                let why = format!("NPY version {major}.{minor} is unknown");
                return Err(source.error(Problem::Malformed(why)));
            }
        };
        let text = source.bytes(Some(len))?;
        let header = std::str::from_utf8(&text)
            .ok()
            .and_then(|text| Parser(text).header());
        header.ok_or_else(|| {
            let why = format!("damaged NPY header {:?}", excerpt(&text));
            source.error(Problem::Malformed(why))
        })
    }
}

/// The bytes before the values: a version 1 header.
pub(super) fn encode(descr: &str, shape: &[usize]) -> Vec<u8> {
    let mut dims: String = shape.iter().map(|dim| format!("{dim}, ")).collect();
    if shape.len() > 1 {
        dims.truncate(dims.len() - 2);
    } else {
        dims.truncate(dims.trim_end().len());
    }
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({dims}), }}");
    let unpadded = super::MAGIC.len() + 4 + text.len() + 1;
    let padding = unpadded.next_multiple_of(ALIGNMENT) - unpadded;
    let len = u16::try_from(text.len() + padding + 1).expect("fewer than thousands of dimensions");
    let mut bytes = super::MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend(len.to_le_bytes());
    bytes.extend(text.bytes());
    bytes.extend(std::iter::repeat_n(b' ', padding));
    bytes.push(b'\n');
    bytes
}

/// The text that is left; every method takes its part off the front, or gives `None`.
struct Parser<'a>(&'a str);

impl<'a> Parser<'a> {
    fn header(&mut self) -> Option<Header> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.token("{")?;
        while self.token("}").is_none() {
            let key = self.string()?;
            self.token(":")?;
            match key {
                "descr" => descr = Some(self.descr()?.to_owned()),
                "fortran_order" => fortran_order = Some(self.boolean()?),
                "shape" => shape = Some(self.tuple()?),
                _ => return None,
            }
            if self.token(",").is_none() && !self.0.trim_start().starts_with('}') {
                return None;
            }
        }
        let complete = self.0.trim().is_empty();
        complete.then_some(Header {
            descr: descr?,
            fortran_order: fortran_order?,
            shape: shape?,
        })
    }

    fn token(&mut self, token: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(token)?;
        Some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        let quote = if self.token("'").is_some() {
            '\''
        } else {
            self.token("\"").map(|()| '"')?
        };
        let (string, rest) = self.0.split_once(quote)?;
        self.0 = rest;
        Some(string)
    }

    /// A type; that of a structured array is a list, kept as text to be refused by name.
    fn descr(&mut self) -> Option<&'a str> {
        self.0 = self.0.trim_start();
        if !self.0.starts_with('[') {
            return self.string();
        }
        let (list, rest) = self.0.split_at(self.0.find(']')? + 1);
        self.0 = rest;
        Some(list)
    }

    fn boolean(&mut self) -> Option<bool> {
        match self.token("True") {
            Some(()) => Some(true),
            None => self.token("False").map(|()| false),
        }
    }

    fn tuple(&mut self) -> Option<Vec<usize>> {
        let mut numbers = Vec::new();
        self.token("(")?;
        while self.token(")").is_none() {
            self.0 = self.0.trim_start();
            let end = self.0.find(|c: char| !c.is_ascii_digit())?;
            let (digits, rest) = self.0.split_at(end);
            numbers.push(digits.parse().ok()?);
            // Python 2 wrote long integers so.
            self.0 = rest.strip_prefix('L').unwrap_or(rest);
            if self.token(",").is_none() && !self.0.trim_start().starts_with(')') {
                return None;
            }
        }
        Some(numbers)
    }
}
