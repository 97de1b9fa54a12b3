//! Arrays of stored `.npz` files, by name: just enough for what NumPy's `savez` writes.

use flow_train_host::convert::zip::Archive;

/// An array, row-major, as f64 whatever its type.
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f64>,
}

impl Array {
    /// The i-th entry along the first axis.
    pub(crate) fn row(&self, i: usize) -> &[f64] {
        let len = self.shape[1..].iter().product::<usize>();
        &self.values[i * len..(i + 1) * len]
    }
}

/// Reads one array; `None` if there is none of this name.
pub(crate) fn array(file: &[u8], name: &str) -> Option<Array> {
    let archive = Archive::open(file).expect("a stored npz");
    let bytes = archive.get(&format!("{name}.npy"))?;
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..start]).unwrap();
    assert!(header.contains("'fortran_order': False"), "{header}");
    let shape = between(header, "'shape': (", ")");
    let shape = shape
        .split(',')
        .filter_map(|size| size.trim().parse().ok())
        .collect();
    let body = &bytes[start..];
    let values = match between(header, "'descr': '", "'") {
        "|u1" => body.iter().map(|&byte| byte.into()).collect(),
        "<f4" => numbers(body, |b| f64::from(f32::from_le_bytes(b))),
        "<f8" => numbers(body, f64::from_le_bytes),
        other => panic!("no type {other}"),
    };
    Some(Array { shape, values })
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).expect(before).1;
    rest.split_once(after).expect(after).0
}

fn numbers<const N: usize>(body: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    let chunks = body.chunks_exact(N);
    chunks
        .map(|chunk| number(chunk.try_into().unwrap()))
        .collect()
}
