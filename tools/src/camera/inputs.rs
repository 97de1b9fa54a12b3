//! What goes on of a frame: the input of every view, made where the frame lies, or of its rows as they come.
//!
//! By rows, `watch` needs no 0.6 MiB for a frame of 640 x 480 pixels of YUYV, and reducing it is done when its last byte
//! comes.

use super::whole::Whole;
use super::{Arrival, RowSink, Sink};
use flow_infer::front_end::{Frame, FrameError, FrameReader, FrameSpec};
use flow_train_host::data::reduce::Reducer;
use std::time::Duration;

/// A frame's inputs with what is known of it.
pub(super) struct InputsOfFrame {
    pub(super) inputs: Vec<Result<Box<[u8]>, FrameError>>,
    /// The frame itself, where it is wanted.
    pub(super) whole: Option<Whole>,
    pub(super) spec: FrameSpec,
    pub(super) arrival: Arrival,
    /// From its last byte to the inputs.
    pub(super) reduce: Duration,
}

/// Makes inputs of the frame that comes next.
pub(super) struct Inputs<'r> {
    reducers: &'r mut [Reducer],
    /// Whether the frame itself is wanted as well.
    whole: bool,
    /// Of the frame that came.
    pub(super) found: Option<InputsOfFrame>,
}

impl<'r> Inputs<'r> {
    pub(super) fn new(reducers: &'r mut [Reducer], whole: bool) -> Self {
        Self {
            reducers,
            whole,
            found: None,
        }
    }
}

impl Sink for Inputs<'_> {
    fn frame(&mut self, frame: &Frame<'_>, arrival: Arrival) {
        let reducers = self.reducers.iter_mut();
        let inputs = reducers.map(|reducer| reducer.frame(frame).map(Box::from));
        self.found = Some(InputsOfFrame {
            inputs: inputs.collect(),
            whole: self.whole.then(|| Whole::of(frame)),
            spec: frame.spec(),
            arrival,
            reduce: arrival.complete.elapsed(),
        });
    }

    fn rows(&mut self, spec: FrameSpec) -> Option<Box<dyn RowSink + '_>> {
        if self.whole {
            return None;
        }
        let readers = self.reducers.iter_mut();
        Some(Box::new(Rows {
            readers: readers.map(|reducer| reducer.reader(spec)).collect(),
            spec,
            found: &mut self.found,
        }))
    }
}

/// A frame of which some rows came.
struct Rows<'r> {
    readers: Vec<Result<FrameReader<'r>, FrameError>>,
    spec: FrameSpec,
    found: &'r mut Option<InputsOfFrame>,
}

impl RowSink for Rows<'_> {
    fn row(&mut self, row: &[u8]) {
        for reader in &mut self.readers {
            let taken = reader.as_mut().map(|reader| reader.push_row(&[row]));
            if let Ok(Err(error)) = taken {
                *reader = Err(error);
            }
        }
    }

    fn end(self: Box<Self>, arrival: Arrival) {
        let readers = self.readers.into_iter();
        let inputs = readers.map(|reader| Ok(Box::from(reader?.into_input()?)));
        *self.found = Some(InputsOfFrame {
            inputs: inputs.collect(),
            whole: None,
            spec: self.spec,
            arrival,
            reduce: arrival.complete.elapsed(),
        });
    }
}
