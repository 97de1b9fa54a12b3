//! Checkpoints written byte by byte, so that they can be wrong in any way.

/// A tensor as a pickle describes it, contiguous unless told otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Class of its storage in the module `torch`.
    pub(crate) class: &'static str,
    pub(crate) shape: Vec<u64>,
    pub(crate) strides: Vec<u64>,
    /// Elements that the pickle claims the storage to have.
    pub(crate) elements: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Entry {
    /// A list of 64-bit integers.
    pub(crate) fn i64(key: &str, values: &[i64]) -> Self {
        Self {
            class: "LongStorage",
            bytes: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            elements: values.len() as u64,
            shape: vec![values.len() as u64],
            ..Self::f32(key, &[1], &[])
        }
    }

    /// A tensor of f32.
    pub(crate) fn f32(key: &str, shape: &[usize], values: &[f32]) -> Self {
        let shape: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
        let strides = (0..shape.len()).map(|axis| shape[axis + 1..].iter().product());
        Self {
            key: key.to_owned(),
            class: "FloatStorage",
            strides: strides.collect(),
            shape,
            elements: values.len() as u64,
            bytes: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        }
    }
}

/// A pickle under construction, in protocol 2.
#[derive(Clone, Debug)]
pub(crate) struct Program(pub(crate) Vec<u8>);

impl Program {
    pub(crate) fn new() -> Self {
        Self(vec![0x80, 2])
    }

    pub(crate) fn code(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub(crate) fn text(self, text: &str) -> Self {
        let len = (text.len() as u32).to_le_bytes();
        self.code(b"X").code(&len).code(text.as_bytes())
    }

    /// LONG1 of eight digits.
    pub(crate) fn int(self, value: u64) -> Self {
        self.code(&[0x8a, 8]).code(&value.to_le_bytes())
    }

    pub(crate) fn global(self, module: &str, name: &str) -> Self {
        self.code(format!("c{module}\n{name}\n").as_bytes())
    }

    pub(crate) fn sizes(self, sizes: &[u64]) -> Self {
        sizes
            .iter()
            .fold(self.code(b"("), |program, &size| program.int(size))
            .code(b"t")
    }

    /// A tensor whose storage has a number for its key; `legacy` references have a sixth part.
    pub(crate) fn tensor(self, entry: &Entry, storage: usize, legacy: bool) -> Self {
        self.global("torch._utils", "_rebuild_tensor_v2")
            .code(b"((")
            .text("storage")
            .global("torch", entry.class)
            .text(&storage.to_string())
            .text("cpu")
            .int(entry.elements)
            .code(if legacy { b"NtQ" } else { b"tQ" })
            .int(0)
            .sizes(&entry.shape)
            .sizes(&entry.strides)
            .code(b"\x89")
            .global("collections", "OrderedDict")
            .code(b")RtR")
    }

    /// The usual dictionary: the tensors under "net", and an epoch.
    pub(crate) fn checkpoint(entries: &[Entry], legacy: bool) -> Self {
        let mut program = Self::new().code(b"}(").text("net").code(b"}(");
        for (storage, entry) in entries.iter().enumerate() {
            program = program.text(&entry.key).tensor(entry, storage, legacy);
        }
        program.code(b"u").text("epoch").code(b"K\x01u.")
    }
}

/// A checkpoint in the zip format.
pub(crate) fn zipped(entries: &[Entry]) -> Vec<u8> {
    zip_around(&Program::checkpoint(entries, false).0, entries)
}

/// A zip checkpoint around any pickle.
pub(crate) fn zip_around(program: &[u8], entries: &[Entry]) -> Vec<u8> {
    let mut zip = Zip::default();
    zip.add("model/data.pkl", program);
    zip.add("model/byteorder", b"little");
    for (storage, entry) in entries.iter().enumerate() {
        zip.add(&format!("model/data/{storage}"), &entry.bytes);
    }
    zip.finish()
}

/// A checkpoint in the legacy format.
pub(crate) fn legacy(entries: &[Entry]) -> Vec<u8> {
    legacy_around(&Program::checkpoint(entries, true).0, entries)
}

/// A legacy checkpoint around any pickle.
pub(crate) fn legacy_around(program: &[u8], entries: &[Entry]) -> Vec<u8> {
    let magic = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
    let mut file = Program::new().code(&[0x8a, 10]).code(&magic).code(b".").0;
    file.extend(Program::new().code(b"M\xe9\x03.").0);
    file.extend(
        Program::new()
            .code(b"}(")
            .text("little_endian")
            .code(b"\x88u.")
            .0,
    );
    file.extend(program);
    let keys = (0..entries.len()).fold(Program::new().code(b"]("), |program, storage| {
        program.text(&storage.to_string())
    });
    file.extend(keys.code(b"e.").0);
    for entry in entries {
        file.extend(entry.elements.to_le_bytes());
        file.extend(&entry.bytes);
    }
    file
}

/// A zip file with stored entries.
#[derive(Default)]
pub(crate) struct Zip {
    pub(crate) file: Vec<u8>,
    pub(crate) directory: Vec<u8>,
    pub(crate) count: u16,
    /// Compression method and flags that the headers claim.
    pub(crate) method: u16,
    pub(crate) flags: u16,
}

impl Zip {
    pub(crate) fn add(&mut self, name: &str, content: &[u8]) {
        let at = self.file.len() as u32;
        let header = self.header(name, content);
        self.file.extend(b"PK\x03\x04\x14\x00");
        self.file.extend(&header);
        self.file.extend(name.as_bytes());
        self.file.extend(content);
        self.list(name, content, at);
    }

    /// Only an entry of the directory, for content that begins elsewhere.
    pub(crate) fn list(&mut self, name: &str, content: &[u8], at: u32) {
        let header = self.header(name, content);
        self.directory.extend(b"PK\x01\x02\x14\x00\x14\x00");
        self.directory.extend(&header);
        self.directory.extend([0; 10]);
        self.directory.extend(at.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.count += 1;
    }

    fn header(&self, name: &str, content: &[u8]) -> Vec<u8> {
        let len = (content.len() as u32).to_le_bytes();
        let mut header = Vec::new();
        header.extend(self.flags.to_le_bytes());
        header.extend(self.method.to_le_bytes());
        header.extend([0; 4]);
        header.extend(crc32(content).to_le_bytes());
        header.extend([len, len].concat());
        header.extend((name.len() as u16).to_le_bytes());
        header.extend([0; 2]);
        header
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let mut file = self.file;
        let at = (file.len() as u32).to_le_bytes();
        let len = (self.directory.len() as u32).to_le_bytes();
        let count = self.count.to_le_bytes();
        file.extend(&self.directory);
        file.extend(b"PK\x05\x06\0\0\0\0");
        file.extend([count, count].concat());
        file.extend([len, at].concat());
        file.extend([0; 2]);
        file
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc: u32, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1))
        })
    })
}
