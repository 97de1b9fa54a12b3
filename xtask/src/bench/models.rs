//! Flows with random tensors: what an instruction count needs of a model is its architecture.

use anyhow::{Result, anyhow};
use flow_infer::front_end::Reduction;
use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, CouplingSpec, FlowSpec, Half, InputSpec, LevelSpec,
    Parity, ScaleMap, Shape, StepSpec,
};
use flow_train_host::data::{Dataset, Images, Vectors, WindowSet};
use flow_train_host::export;
use flow_train_host::front_end::FrontEnd;
use flow_train_host::model::tensors::{TensorSpec, tensor_list};
use flow_train_host::model::{Model, Tensor};
use flow_train_host::train::{TrainConfig, initial_model};
use flow_train_host::windows::WindowSpec;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Inputs that the activations are scaled by; the first one is counted.
const INPUTS: usize = 4;

/// A model in the bytes of its file, and inputs for it.
pub(crate) struct Subject {
    pub(crate) bytes: Vec<u8>,
    pub(crate) data: Dataset,
}

/// A flow of `couplings` checkerboard couplings on grey images with `side` pixels a side.
pub(crate) fn image_flow(
    side: u16,
    couplings: usize,
    conditioner: ConditionerSpec,
) -> Result<Subject> {
    images_flow(Shape::new(1, side, side), couplings, conditioner, None)
}

/// A flow of one small coupling on what becomes of frames.
pub(crate) fn frames_flow(reduction: Reduction) -> Result<Subject> {
    let (channels, layers) = (4, 2);
    let conditioner = ConditionerSpec::Convnet { channels, layers };
    images_flow(
        reduction.output,
        1,
        conditioner,
        Some(FrontEnd::Frames(reduction)),
    )
}

/// A flow on what is measured in windows of samples, standardized by them, and the windows.
pub(crate) fn windows_flow(
    spec: &WindowSpec,
    samples: Vec<i16>,
    couplings: usize,
    conditioner: ConditionerSpec,
) -> Result<Subject> {
    let set = WindowSet::new(Arc::new(spec.clone()), samples)?;
    let data = Dataset::Vectors(Vectors::of_windows(set));
    let kept = [Half::First, Half::Second];
    subject(
        InputSpec::Vector {
            dims: u16::try_from(data.dims())?,
        },
        kept.map(|kept| CouplingMask::Channel { kept }),
        couplings,
        conditioner,
        data,
        Some(FrontEnd::Windows(spec.clone())),
    )
}

fn images_flow(
    shape: Shape,
    couplings: usize,
    conditioner: ConditionerSpec,
    front_end: Option<FrontEnd>,
) -> Result<Subject> {
    let input = InputSpec::Image {
        shape,
        logit_margin: 0.05,
    };
    let kept = [Parity::Odd, Parity::Even];
    let masks = kept.map(|kept| CouplingMask::Checkerboard { kept });
    let mut numbers = Numbers::new();
    let pixels = numbers.take(INPUTS * shape.len());
    let pixels = pixels
        .map(|number| (128.0 + 100.0 * number) as u8)
        .collect();
    let [channels, height, width] = [shape.channels, shape.height, shape.width].map(usize::from);
    let images = Images::new(channels, height, width, pixels)?;
    let data = Dataset::Images(images);
    subject(input, masks, couplings, conditioner, data, front_end)
}

/// A flow of one coupling on vectors of `dims` coordinates.
pub(crate) fn vector_flow(dims: u16, conditioner: ConditionerSpec) -> Result<Subject> {
    let kept = [Half::First, Half::Second];
    let masks = kept.map(|kept| CouplingMask::Channel { kept });
    let mut numbers = Numbers::new();
    let values = numbers.take(INPUTS * usize::from(dims)).collect();
    let vectors = Vectors::new(usize::from(dims), values)?;
    subject(
        InputSpec::Vector { dims },
        masks,
        1,
        conditioner,
        Dataset::Vectors(vectors),
        None,
    )
}

fn subject(
    input: InputSpec,
    masks: [CouplingMask; 2],
    couplings: usize,
    conditioner: ConditionerSpec,
    data: Dataset,
    front_end: Option<FrontEnd>,
) -> Result<Subject> {
    let mut level = LevelSpec::default();
    for mask in masks.into_iter().cycle().take(couplings) {
        let coupling = StepSpec::Coupling(CouplingSpec {
            mask,
            conditioner,
            scale_map: ScaleMap::TanhBound,
            affine: AffineForm::ShiftThenScale,
        });
        level
            .steps
            .push(coupling)
            .map_err(|_| anyhow!("too many couplings"))?;
    }
    let mut spec = FlowSpec {
        input,
        levels: Default::default(),
    };
    spec.levels
        .push(level)
        .map_err(|_| anyhow!("too many levels"))?;
    let mut numbers = Numbers::new();
    let tensors = tensor_list(&spec).into_iter();
    let tensors = tensors.map(|wanted| (wanted.name.clone(), tensor(wanted, &mut numbers)));
    let mut tensors: BTreeMap<String, Tensor> = tensors.collect();
    if matches!(front_end, Some(FrontEnd::Windows(_))) {
        tensors.extend(standardization(&spec, &data)?);
    }
    let model = Model::new(spec.clone(), tensors)?.with_front_end(front_end);
    let bytes = export::quantized(&model, &data, &|| ())?.to_bytes()?;
    Ok(Subject { bytes, data })
}

/// What is measured in windows is large: mean and deviation of the data, as a trainer begins with.
fn standardization(spec: &FlowSpec, data: &Dataset) -> Result<BTreeMap<String, Tensor>> {
    let initial = initial_model(&TrainConfig::new(spec.clone()), data)?;
    let tensors = initial.tensors().clone().into_iter();
    Ok(tensors
        .filter(|(name, _)| name.starts_with("input."))
        .collect())
}

/// Weights of a size that keeps activations as large as they were, everything else in (0, 1).
fn tensor(wanted: TensorSpec, numbers: &mut Numbers) -> Tensor {
    let count = wanted.shape.iter().product();
    let fan_in: usize = wanted.shape.iter().skip(1).product();
    let weight = |number: f32| number * (6.0 / fan_in as f32).sqrt();
    let weights = wanted.name.ends_with("weights");
    let values = numbers.take(count);
    let values = values.map(|n| if weights { weight(n) } else { 0.5 + 0.4 * n });
    Tensor {
        values: values.collect(),
        shape: wanted.shape,
    }
}

/// Numbers in (-1, 1), always the same ones.
struct Numbers(u64);

impl Numbers {
    fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    fn take(&mut self, count: usize) -> impl Iterator<Item = f32> {
        (0..count).map(|_| {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 40) as f32 / (1u32 << 23) as f32 - 1.0
        })
    }
}
