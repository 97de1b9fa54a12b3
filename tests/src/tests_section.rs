//! Files with a test whose statistic their plan may not have.

use flow_infer::artifact::{Artifact, Section};
use flow_infer::score::combined::{Rule, TestKind};
use flow_train_host::calibrate::{TestTable, tests_section};
use flow_train_host::export::ExportError;
use flow_train_host::export::file::FlowFile;

/// The file with a test of a kind, loaded as a device loads it.
/// # Errors
/// Those of a load.
///
/// # Panics
/// If the file without the test does not load.
pub fn with_test(file: &[u8], kind: TestKind) -> Result<(), ExportError> {
    let table = TestTable {
        kind,
        knots: Vec::new(),
        points: vec![[-256, -65536], [0, 0]],
    };
    let mut copy = FlowFile::from_artifact(&Artifact::load(file).expect("loads"));
    copy.set(Section::Tests, tests_section(Rule::Minimum, &[table]));
    copy.to_bytes().map(|_| ())
}
