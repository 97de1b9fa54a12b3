//! Checkpoints of strangers: both containers, the pickle machine, the views of tensors and the search for an
//! architecture in their names.
//!
//! Seeds are the small checkpoints in `tests/data`. A checksum keeps mutations of a zip from its content, so most of
//! what is found comes by the legacy container, which has none.

#![no_main]

use flow_train_host::convert::flows_ood::{self, ArchHint, Class};
use flow_train_host::convert::{ConvertError, Hint, freia, nflows, normflows, zuko};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    if let Err(error) = flows_ood::convert(file, &ArchHint::default()) {
        assert!(!error.to_string().contains('\n'));
        match error {
            ConvertError::Ambiguous(_) => {
                let class = Some(Class::RealNvpCycleMask);
                let _ = flows_ood::convert(
                    file,
                    &ArchHint {
                        class,
                        ..ArchHint::default()
                    },
                );
            }
            // Sound, but of another library.
            ConvertError::Contradiction(_) => {
                for convert in [
                    nflows::convert,
                    normflows::convert,
                    freia::convert,
                    zuko::convert,
                ] {
                    if let Err(error) = convert(file, &Hint::default()) {
                        assert!(!error.to_string().contains('\n'));
                    }
                }
            }
            _ => {}
        }
    }
});
