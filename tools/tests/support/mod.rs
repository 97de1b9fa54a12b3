//! A directory with small models and data, and the command run in it.

// Each test program uses its part of it.
#![allow(dead_code)]

pub(crate) mod camera;

use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, CouplingSpec, FlowSpec, Half, InputSpec, LevelSpec,
    Norm, Parity, ScaleMap, Shape, StepSpec,
};
use flow_train_host::data::{Images, idx};
use flow_train_host::model::tensors::tensor_list;
use flow_train_host::model::{Model, Tensor};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Side of the images that the small model reads.
pub(crate) const SIDE: u16 = 8;

/// A generator for weights and pixels; the seed is part of each call.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub(crate) fn uniform(&mut self) -> f32 {
        self.next() as f32 / (1u64 << 31) as f32
    }
}

/// A directory that is removed with its content.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.file(name), content).unwrap();
        self.file(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.file(name)).unwrap()
    }

    /// Images of bright blobs, or of noise.
    pub(crate) fn images(&self, name: &str, count: usize, side: u16, seed: u64, noisy: bool) {
        let mut random = Random(seed);
        let side = usize::from(side);
        let mut pixels = Vec::new();
        for _ in 0..count {
            let (top, left) = (random.uniform() * 4.0, random.uniform() * 4.0);
            for at in 0..side * side {
                let (y, x) = (
                    (at / side) as f32 - 2.0 - top,
                    (at % side) as f32 - 2.0 - left,
                );
                let blob = 220.0 * (-(y * y + x * x) / 6.0).exp() + 16.0 * random.uniform();
                let value = if noisy {
                    255.0 * random.uniform()
                } else {
                    blob
                };
                pixels.push(value as u8);
            }
        }
        let images = Images::new(1, side, side, pixels).unwrap();
        idx::write_images(&self.file(name), &images).unwrap();
    }

    /// Images without anything bright: simpler than blobs, and so likely for a flow of blobs.
    pub(crate) fn dark_images(&self, name: &str, count: usize) {
        let side = usize::from(SIDE);
        let mut random = Random(count as u64);
        let pixels = (0..count * side * side).map(|_| (16.0 * random.uniform()) as u8);
        let images = Images::new(1, side, side, pixels.collect()).unwrap();
        idx::write_images(&self.file(name), &images).unwrap();
    }

    /// Rows of `dims` numbers.
    pub(crate) fn table(&self, name: &str, count: usize, dims: usize, seed: u64) {
        let mut random = Random(seed);
        let row = |_| {
            let values: Vec<String> = (0..dims).map(|_| random.uniform().to_string()).collect();
            values.join(",") + "\n"
        };
        self.write(name, (0..count).map(row).collect::<String>());
    }

    /// Every file below the directory.
    pub(crate) fn listing(&self) -> Vec<PathBuf> {
        fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, files);
                }
                files.push(path);
            }
        }
        let mut files = Vec::new();
        walk(self.path(), &mut files);
        files.sort();
        files
    }

    /// Runs the command here.
    pub(crate) fn flowgate<A: AsRef<str>>(&self, args: impl IntoIterator<Item = A>) -> Output {
        let args = args.into_iter().map(|a| a.as_ref().to_owned());
        Command::new(env!("CARGO_BIN_EXE_flowgate"))
            .args(args.collect::<Vec<_>>())
            .current_dir(self.path())
            .env_remove("NO_COLOR")
            .output()
            .unwrap()
    }

    /// Runs a command line here, words at blanks; it must succeed. Returns standard output.
    pub(crate) fn ok(&self, line: &str) -> String {
        let output = self.flowgate(line.split_whitespace());
        let (out, err) = texts(&output);
        assert_eq!(
            output.status.code(),
            Some(0),
            "flowgate {line}\n{out}\n{err}"
        );
        assert_eq!(err, "", "flowgate {line}: no bars where nobody looks");
        out
    }

    /// Runs a command line that must be refused: exit code 2, one line that names `named`, nothing left behind.
    pub(crate) fn refused(&self, line: &str, named: &[&str]) {
        let before = self.listing();
        let output = self.flowgate(line.split_whitespace());
        let (_, err) = texts(&output);
        assert_eq!(output.status.code(), Some(2), "flowgate {line}\n{err}");
        one_line(line, &err, named);
        assert_eq!(
            self.listing(),
            before,
            "flowgate {line}: nothing half-written"
        );
    }
}

/// An error is one line that names what it is about.
pub(crate) fn one_line(line: &str, err: &str, named: &[&str]) {
    assert_eq!(err.lines().count(), 1, "flowgate {line}\n{err}");
    assert!(err.starts_with("error: "), "flowgate {line}\n{err}");
    assert!(!err.contains("panicked"), "flowgate {line}\n{err}");
    for name in named {
        assert!(
            err.contains(name),
            "flowgate {line}: {name} is not in\n{err}"
        );
    }
}

pub(crate) fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// A small flow for images.
pub(crate) fn image_spec() -> FlowSpec {
    let conditioner = ConditionerSpec::Resnet {
        channels: 4,
        blocks: 1,
        skip: false,
        norm: Norm::None,
        bottleneck: 0,
    };
    let masks = [Parity::Odd, Parity::Even].map(|kept| CouplingMask::Checkerboard { kept });
    let input = InputSpec::Image {
        shape: Shape::new(1, SIDE, SIDE),
        logit_margin: 0.05,
    };
    flow(input, masks, conditioner)
}

/// A small flow for vectors.
pub(crate) fn vector_spec(dims: u16) -> FlowSpec {
    let conditioner = ConditionerSpec::Mlp {
        hidden: 8,
        layers: 1,
    };
    let masks = [Half::First, Half::Second].map(|kept| CouplingMask::Channel { kept });
    flow(InputSpec::Vector { dims }, masks, conditioner)
}

fn flow(input: InputSpec, masks: [CouplingMask; 2], conditioner: ConditionerSpec) -> FlowSpec {
    let mut level = LevelSpec::default();
    for mask in masks {
        let coupling = CouplingSpec {
            mask,
            conditioner,
            scale_map: ScaleMap::TanhBound,
            affine: AffineForm::ShiftThenScale,
        };
        level.steps.push(StepSpec::Coupling(coupling)).unwrap();
    }
    FlowSpec {
        input,
        levels: [level].into_iter().collect(),
    }
}

/// A model with random weights.
pub(crate) fn model(spec: FlowSpec, seed: u64) -> Model {
    let mut random = Random(seed);
    let tensors = tensor_list(&spec).into_iter().map(|wanted| {
        let count: usize = wanted.shape.iter().product();
        let value = |_| match wanted.name.as_str() {
            // Divided by: a deviation near zero is another test's subject.
            "input.deviation" => 0.5 + random.uniform(),
            _ => 0.4 * (random.uniform() - 0.5),
        };
        let values = (0..count).map(value).collect();
        (
            wanted.name,
            Tensor {
                shape: wanted.shape,
                values,
            },
        )
    });
    let tensors = tensors.collect();
    Model::new(spec, tensors).unwrap()
}
