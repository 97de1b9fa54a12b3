//! What a file is by its first bytes, for messages about the wrong file.

/// Where a zip file of PyTorch has the name of its pickle; the folder before it is called like the file.
const NAMES: usize = 4096;

/// What a file is and which verb reads it, if its first bytes tell.
pub fn of(bytes: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let head = &bytes[..bytes.len().min(NAMES)];
    let names = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
    Some(
        if starts(b"PK\x03\x04") && names(b"data.pkl") || starts(b"\x80\x02\x8a\x0al\xfc") {
            "a PyTorch checkpoint: flowgate convert makes a model of it"
        } else if starts(b"PK\x03\x04") && names(b".npy") {
            "an .npz archive of arrays: data, not a model"
        } else if starts(b"PK\x03\x04") {
            "a zip file"
        } else if starts(&flow_infer::artifact::MAGIC) {
            "a .flow file: score, eval, inspect and verify read it"
        } else if starts(b"\x93NUMPY") {
            "a NumPy array: data, not a model"
        } else if starts(b"\x89HDF") {
            "an HDF5 file"
        } else if starts(b"\x1f\x8b") {
            "a gzip file"
        } else if starts(b"\x89PNG") || starts(b"\xff\xd8\xff") {
            "a picture: data, not a model"
        } else if bytes.get(8) == Some(&b'{') {
            "a safetensors file: convert reads it with the names of each library"
        } else if starts(b"\x80")
            && bytes
                .get(1)
                .is_some_and(|protocol| (2..6).contains(protocol))
        {
            "a pickle that torch.save did not write: save the state_dict() with torch.save"
        } else {
            return None;
        },
    )
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn first_bytes_tell() {
        let cases: [(&[u8], &str); 6] = [
            (
                b"PK\x03\x04............model/data.pkl",
                "PyTorch checkpoint",
            ),
            (b"PK\x03\x04............x.npy", ".npz"),
            (b"\x93FLW", ".flow"),
            (b"\x93NUMPY\x01", "NumPy"),
            (b"\x10\0\0\0\0\0\0\0{}", "safetensors"),
            (b"\x80\x04\x95", "pickle"),
        ];
        for (bytes, telling) in cases {
            assert!(
                of(bytes).is_some_and(|kind| kind.contains(telling)),
                "{telling}"
            );
        }
        assert_eq!(of(b"x,y\n1,2\n"), None);
    }
}
