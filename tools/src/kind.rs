//! What a file is that stands where another kind was wanted, and which verb reads it.

use flow_infer::artifact::MAGIC;
use flow_train_host::files::one_line;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes that tell the kind: the name of a zip archive's first member is among them.
const BEGINNING: usize = 512;

/// A kind of file, told by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Flow,
    Safetensors,
    Checkpoint,
    Data(&'static str),
}

/// Why the file is no model, where it is something else that is known.
pub(crate) fn no_model(path: &Path) -> Option<String> {
    let what = match of(path)? {
        Kind::Flow | Kind::Safetensors => return None,
        Kind::Checkpoint => {
            "a PyTorch checkpoint; `flowgate convert` makes a model of it".to_owned()
        }
        Kind::Data(what) => format!("{what}: data, and no model"),
    };
    Some(format!("{}: {what}", one_line(path)))
}

/// Why the file is no data, where it is something else that is known.
pub(crate) fn no_data(path: &Path) -> Option<String> {
    let what = match of(path)? {
        Kind::Data(_) => return None,
        Kind::Flow => "a .flow: a model, and no data",
        Kind::Safetensors => "a safetensors file: a model, and no data",
        Kind::Checkpoint => "a PyTorch checkpoint, which `flowgate convert` reads: no data",
    };
    Some(format!("{}: {what}", one_line(path)))
}

fn of(path: &Path) -> Option<Kind> {
    // A pipe has no beginning to look at: what is read of it is gone.
    if !path.is_file() {
        return None;
    }
    let mut beginning = Vec::new();
    let file = File::open(path).ok()?;
    file.take(BEGINNING as u64)
        .read_to_end(&mut beginning)
        .ok()?;
    kind(&beginning)
}

fn kind(beginning: &[u8]) -> Option<Kind> {
    match beginning {
        b if b.starts_with(&MAGIC) => Some(Kind::Flow),
        b if b.get(8) == Some(&b'{') && b[..8].ends_with(&[0; 4]) => Some(Kind::Safetensors),
        b if b.starts_with(b"PK") => match b.windows(8).any(|w| w == b"data.pkl") {
            true => Some(Kind::Checkpoint),
            false => Some(Kind::Data("a zip archive of arrays")),
        },
        // torch.save before version 1.6: a pickle of its magic number first.
        [0x80, 2, 0x8a, 0x0a, ..] => Some(Kind::Checkpoint),
        b if b.starts_with(b"\x93NUMPY") => Some(Kind::Data("a NumPy array")),
        [0, 0, 0x08..=0x0e, 1..=4, ..] => Some(Kind::Data("an IDX file")),
        b if b.starts_with(b"\x89PNG") || b.starts_with(&[0xff, 0xd8, 0xff]) => {
            Some(Kind::Data("a picture"))
        }
        [b'P', b'1'..=b'7', b'\n' | b' ', ..] => Some(Kind::Data("a picture")),
        [0x1f, 0x8b, ..] => Some(Kind::Data("a gzip stream")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_first_bytes() {
        let zip =
            b"PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0f\0\0\0flow/data.pklFB";
        let safetensors = [&[90, 0, 0, 0, 0, 0, 0, 0][..], b"{\"__metadata__\""].concat();
        let cases: [(&[u8], Option<Kind>); 9] = [
            (&MAGIC, Some(Kind::Flow)),
            (&safetensors, Some(Kind::Safetensors)),
            (zip, Some(Kind::Checkpoint)),
            (b"\x80\x02\x8a\x0a\x6c\xfc", Some(Kind::Checkpoint)),
            (
                b"PK\x03\x04 x.npy",
                Some(Kind::Data("a zip archive of arrays")),
            ),
            (b"\x93NUMPY\x01\0", Some(Kind::Data("a NumPy array"))),
            (&[0, 0, 8, 3, 0, 0, 0, 1], Some(Kind::Data("an IDX file"))),
            (b"P5\n8 8\n255\n", Some(Kind::Data("a picture"))),
            (b"0.5,1.5\n", None),
        ];
        for (bytes, wanted) in cases {
            assert_eq!(kind(bytes), wanted, "{bytes:?}");
        }
    }
}
