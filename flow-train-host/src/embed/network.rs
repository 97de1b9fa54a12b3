//! A network as tract runs it: one image in, one vector out.

use super::EmbedError;
use std::sync::Arc;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::DimLike;

/// Largest side of an image that a network may ask for.
const MOST_SIDE: usize = 4096;

#[derive(Debug)]
pub(super) struct Network {
    plan: Arc<TypedRunnableModel>,
    /// Height and width that it reads.
    pub(super) side: usize,
    /// Values of its output.
    pub(super) dims: usize,
}

impl Network {
    /// A network in a file.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, EmbedError> {
        let proto = tract_onnx::onnx().proto_model_for_read(&mut &*bytes);
        Self::new(&proto.map_err(|_| refused("neither a PyTorch checkpoint nor an ONNX file"))?)
    }

    pub(super) fn new(proto: &ModelProto) -> Result<Self, EmbedError> {
        let model = tract_onnx::onnx()
            .model_for_proto_model(proto)
            .map_err(said)?;
        let side = side_of(&model)?;
        let fact = f32::fact([1, 3, side, side]).into();
        let model = model.with_input_fact(0, fact).map_err(said)?;
        let model = model.into_optimized().map_err(said)?;
        let output = model.output_fact(0).map_err(said)?;
        let shape = output.shape.as_concrete();
        let shape = shape.ok_or_else(|| refused("the size of its output is not fixed"))?;
        Ok(Self {
            dims: shape.iter().product(),
            plan: model.into_runnable().map_err(said)?,
            side,
        })
    }

    /// The output for one image, 3 x side x side.
    pub(super) fn run(&self, image: Vec<f32>) -> Result<Vec<f32>, EmbedError> {
        let shape = [1, 3, self.side, self.side];
        let input = Tensor::from_shape(&shape, &image).map_err(said)?;
        let outputs = self.plan.run(tvec!(input.into())).map_err(said)?;
        let output = outputs.first().ok_or_else(|| refused("it has no output"))?;
        let plain = output.try_as_plain_ram().map_err(said)?;
        let values = plain.as_slice::<f32>().map_err(said)?;
        match values.len() == self.dims {
            true => Ok(values.to_vec()),
            false => Err(refused("the size of its output depends on the image")),
        }
    }
}

/// The side S of an input of 1 x 3 x S x S; the first axis may be left open.
fn side_of(model: &InferenceModel) -> Result<usize, EmbedError> {
    let wrong = || refused("its input is not 1 x 3 x S x S with a fixed S");
    let fact = model.input_fact(0).map_err(said)?;
    let concrete = |axis: usize| {
        let dim = fact.shape.dim(axis)?.concretize()?;
        dim.to_usize().ok()
    };
    let rank = fact.shape.rank().concretize();
    let sizes = [1, 2, 3].map(concrete);
    match sizes {
        [Some(3), Some(height), Some(width)]
            if height == width && (1..=MOST_SIDE).contains(&height) && rank == Some(4) =>
        {
            Ok(height)
        }
        _ => Err(wrong()),
    }
}

fn refused(why: &str) -> EmbedError {
    EmbedError::Network(why.to_owned())
}

fn said(error: TractError) -> EmbedError {
    EmbedError::Network(format!("{error:#}"))
}
