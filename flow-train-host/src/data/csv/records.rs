//! Lines of a text file as records of fields, each with the number of its line.

use std::collections::VecDeque;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use super::{header, parse};
use crate::data::error::{DataError, Position, Problem};
use crate::data::source::Source;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Lines that are looked at to find the separator.
const LINES_LOOKED_AT: usize = 8;

/// What parts the fields of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    Byte(u8),
    /// Any number of blanks and tabs.
    Blanks,
}

const SEPARATORS: [Separator; 4] = [
    Separator::Byte(b','),
    Separator::Byte(b';'),
    Separator::Byte(b'\t'),
    Separator::Blanks,
];

/// A record that is not blank.
#[derive(Clone)]
pub(in crate::data) struct Record {
    /// Its first line, counted from one, blank lines included.
    pub(in crate::data) number: u64,
    /// The fields without their quotes, as many as in every other record.
    pub(in crate::data) fields: Vec<Vec<u8>>,
}

impl Record {
    /// The place of a field.
    pub(in crate::data) fn position(&self, index: usize) -> Position {
        let (line, field) = (self.number, index as u64 + 1);
        Position::Field { line, field }
    }
}

/// A line that is not blank, its end included.
struct Line {
    number: u64,
    text: Vec<u8>,
}

/// The records of a file, one after the other.
pub(in crate::data) struct Records<'s> {
    pub(in crate::data) source: Source<'s>,
    number: u64,
    ahead: VecDeque<Line>,
    splitter: Splitter,
    /// Whether the first line is a comment, and so no values.
    commented: bool,
    /// Fields of a record; zero before the first.
    width: usize,
}

impl<'s> Records<'s> {
    pub(in crate::data) fn new(source: Source<'s>) -> Self {
        Self {
            source,
            number: 0,
            ahead: VecDeque::new(),
            splitter: Splitter::new(SEPARATORS[0]),
            commented: false,
            width: 0,
        }
    }

    /// The next record that is not blank.
    pub(in crate::data) fn next(&mut self) -> Result<Option<Record>, DataError> {
        let is_first = self.width == 0;
        if is_first {
            self.look_ahead()?;
        }
        let line = match self.ahead.pop_front() {
            Some(line) => line,
            None => match self.line()? {
                Some(line) => line,
                None => return Ok(None),
            },
        };
        let number = line.number;
        let fields = self.fields(line.text)?;
        if is_first {
            self.width = fields.len();
        }
        let record = Record { number, fields };
        let (expected, found) = (self.width, record.fields.len());
        if found != expected {
            let position = record.position(found.min(expected) - 1);
            let (expected, found) = (expected as u64, found as u64);
            let problem = Problem::RaggedRow { expected, found };
            return Err(self.source.error_at(position, problem));
        }
        Ok(Some(record))
    }

    /// Whether the first record, of these fields, is a header by itself.
    pub(in crate::data) fn is_header(&self, first: &[Vec<u8>]) -> bool {
        self.commented || header::is_header(first)
    }

    /// Reads the lines that tell the separator. Of comments before the values (`#`, as
    /// `numpy.savetxt` writes them) the last is a header, if it has as many fields as they have.
    fn look_ahead(&mut self) -> Result<(), DataError> {
        while self.ahead.len() < LINES_LOOKED_AT {
            let Some(line) = self.line()? else { break };
            if is_comment(&line) && self.ahead.len() == 1 && is_comment(&self.ahead[0]) {
                self.ahead.clear();
            }
            self.ahead.push_back(line);
        }
        let comment = match self.ahead.front().is_some_and(is_comment) {
            true => self.ahead.pop_front(),
            false => None,
        };
        let lines: Vec<&[u8]> = self.ahead.iter().map(|line| line.text.as_slice()).collect();
        self.splitter = Splitter::new(separator(&lines));
        let Some(mut comment) = comment else {
            return Ok(());
        };
        comment.text.drain(..1);
        let mut width = |text: &[u8]| self.splitter.split(text).len();
        let same = match lines.first() {
            Some(first) => width(&comment.text) == width(first),
            None => true,
        };
        self.commented = same;
        if same {
            self.ahead.push_front(comment);
        }
        Ok(())
    }

    /// The next line of the file that is not blank.
    fn line(&mut self) -> Result<Option<Line>, DataError> {
        let mut text = Vec::new();
        while self.source.line(&mut text)? {
            self.number += 1;
            if self.number == 1 && text.starts_with(BYTE_ORDER_MARK) {
                text.drain(..BYTE_ORDER_MARK.len());
            }
            if !text.trim_ascii().is_empty() {
                let number = self.number;
                return Ok(Some(Line { number, text }));
            }
            text.clear();
        }
        Ok(None)
    }

    /// The fields of a line, and of those behind it while a quote is open.
    fn fields(&mut self, text: Vec<u8>) -> Result<Vec<Vec<u8>>, DataError> {
        self.splitter.begin();
        let mut text = text;
        while !self.splitter.feed(&text) {
            text.clear();
            match self.ahead.pop_front() {
                Some(line) => text = line.text,
                None => {
                    if !self.source.line(&mut text)? {
                        self.splitter.end();
                        break;
                    }
                    self.number += 1;
                }
            }
        }
        Ok(self.splitter.fields())
    }
}

fn is_comment(line: &Line) -> bool {
    line.text.starts_with(b"#")
}

/// The separator of these lines: it gives all of them the same number of fields, numbers if it can.
fn separator(lines: &[&[u8]]) -> Separator {
    let Some((first, rest)) = lines.split_first() else {
        return SEPARATORS[0];
    };
    let fields = |separator: Separator, line: &[u8]| Splitter::new(separator).split(line);
    let parts = |separator: &Separator| {
        let mut splitter = Splitter::new(*separator);
        let width = splitter.split(first).len();
        width > 1 && rest.iter().all(|line| splitter.split(line).len() == width)
    };
    let fitting: Vec<Separator> = SEPARATORS.into_iter().filter(|s| parts(s)).collect();
    let is_number = |field: &Vec<u8>| field.is_empty() || parse(field).is_some();
    let last = lines.last().copied().unwrap_or_default();
    let numbers = |separator: &&Separator| fields(**separator, last).iter().all(is_number);
    if let Some(separator) = fitting.iter().find(numbers) {
        return *separator;
    }
    // Where both fit, commas are those of decimals.
    let semicolon = Separator::Byte(b';');
    if fitting.contains(&semicolon) {
        return semicolon;
    }
    let used = |separator: &Separator| fields(*separator, first).len() > 1;
    let fitting = fitting.first().copied();
    fitting
        .or_else(|| SEPARATORS.into_iter().find(used))
        .unwrap_or(SEPARATORS[0])
}

/// Parts records into fields. It is fed line by line and looks at each byte once, however many
/// lines a quote that nobody closed swallows.
struct Splitter {
    separator: Separator,
    reader: Reader,
    output: Vec<u8>,
    written: usize,
    ends: Vec<usize>,
    fields: usize,
    quoted: bool,
}

impl Splitter {
    fn new(separator: Separator) -> Self {
        let delimiter = match separator {
            Separator::Byte(byte) => byte,
            Separator::Blanks => b' ',
        };
        let mut builder = ReaderBuilder::new();
        builder
            .delimiter(delimiter)
            .terminator(Terminator::Any(b'\n'));
        Self {
            separator,
            reader: builder.build(),
            output: vec![0; 1024],
            written: 0,
            ends: vec![0; 64],
            fields: 0,
            quoted: false,
        }
    }

    /// The fields of a record that ends with `text`, open quotes or not.
    fn split(&mut self, text: &[u8]) -> Vec<Vec<u8>> {
        self.begin();
        if !self.feed(text) {
            self.end();
        }
        self.fields()
    }

    fn begin(&mut self) {
        self.reader.reset();
        (self.written, self.fields, self.quoted) = (0, 0, false);
    }

    /// Takes the next line of the record; whether the record ends with it, or a quote is open.
    fn feed(&mut self, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut line = match self.separator {
            Separator::Byte(_) => line.to_vec(),
            Separator::Blanks => with_single_blanks(line, &mut self.quoted),
        };
        line.push(b'\n');
        self.read(&line)
    }

    /// Ends the record where a quote is open: an empty input tells the reader that the file ends.
    fn end(&mut self) {
        self.read(&[]);
    }

    fn read(&mut self, mut input: &[u8]) -> bool {
        loop {
            let (result, nin, nout, nend) = self.reader.read_record(
                input,
                &mut self.output[self.written..],
                &mut self.ends[self.fields..],
            );
            input = &input[nin..];
            self.written += nout;
            self.fields += nend;
            match result {
                ReadRecordResult::OutputFull => self.output.resize(2 * self.output.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::InputEmpty => return false,
                ReadRecordResult::Record | ReadRecordResult::End => return true,
            }
        }
    }

    fn fields(&self) -> Vec<Vec<u8>> {
        let begins = [0].into_iter().chain(self.ends.iter().copied());
        begins
            .zip(&self.ends[..self.fields])
            .map(|(begin, &end)| trimmed(&self.output[begin..end]))
            .collect()
    }
}

/// A field without the blanks around it, and without quotes behind or before such blanks.
fn trimmed(field: &[u8]) -> Vec<u8> {
    let field = field.trim_ascii();
    match field {
        [b'"', inner @ .., b'"'] => inner.trim_ascii().to_vec(),
        _ => field.to_vec(),
    }
}

/// Blanks outside of quotes as one each, none at either end. `quoted` goes on from line to line.
fn with_single_blanks(text: &[u8], quoted: &mut bool) -> Vec<u8> {
    let mut single = Vec::with_capacity(text.len() + 1);
    for &byte in text.trim_ascii() {
        *quoted ^= byte == b'"';
        match byte.is_ascii_whitespace() && !*quoted {
            false => single.push(byte),
            true if single.last() != Some(&b' ') => single.push(b' '),
            true => {}
        }
    }
    single
}
