//! Data sets of strangers: IDX, gzip, npy, npz, pictures and tables, told apart by their content as the command does.

#![no_main]

use flow_train_host::data::load_bytes;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|file: &[u8]| {
    match load_bytes(Path::new("fuzzed"), file.to_vec()) {
        Err(error) => assert!(!error.to_string().contains('\n')),
        // What is said about a data set agrees with what is there.
        Ok(data) => {
            let bytes = (0..data.len()).map(|i| data.input_bytes(i).len());
            let shape: usize = data.shape().iter().product();
            assert_eq!(shape, data.dims());
            bytes.for_each(|len| assert!(len == shape || len == 4 * shape));
        }
    }
});
