//! Videos of strangers: everything behind the first word of a YUV4MPEG2 stream, frame after frame.

#![no_main]

use flow_train_host::data::load_bytes;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|rest: &[u8]| {
    let file = [b"YUV4MPEG2 ", rest].concat();
    match load_bytes(Path::new("fuzzed"), file) {
        Err(error) => assert!(!error.to_string().contains('\n')),
        Ok(video) => assert_eq!(video.shape().iter().product::<usize>(), video.dims()),
    }
});
