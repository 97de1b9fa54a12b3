//! Training computes the same with every instruction set that this processor has: a machine without AVX-512 or AVX2
//! trains the same flow.

use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, FlowSpec, Half, InputSpec, Norm, Parity, ScaleMap,
    StepSpec,
};
use flow_tests::models::{coupling, image, level, vector};
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::{TRAINER_INSTRUCTIONS, Worst};
use flow_train_host::data::{Dataset, Images, Vectors};
use flow_train_host::train::bench::{Given, first_model, with_trainer};
use flow_train_host::train::{Instructions, OptimizerConfig, TrainConfig};

/// Losses before this many steps are compared.
const STEPS: usize = 4;

fn paper(mask: CouplingMask, conditioner: ConditionerSpec) -> StepSpec {
    coupling(
        mask,
        conditioner,
        ScaleMap::TanhBound,
        AffineForm::ShiftThenScale,
    )
}

fn square(side: u16, steps: &[StepSpec]) -> FlowSpec {
    image(1, side, side, &[level(steps)])
}

/// Every kernel: direct and Winograd convolutions, patches, dense layers, the passes around them.
fn cases() -> Vec<(&'static str, FlowSpec, usize)> {
    let odd = CouplingMask::Checkerboard { kept: Parity::Odd };
    let second = CouplingMask::Channel { kept: Half::Second };
    let resnet = |channels| ConditionerSpec::Resnet {
        channels,
        blocks: 1,
        skip: true,
        norm: Norm::None,
        bottleneck: 0,
    };
    let highway = ConditionerSpec::Highway {
        channels: 33,
        layers: 1,
    };
    let autoencoder = ConditionerSpec::Autoencoder {
        channels: [16, 18, 16, 5],
        latent: 3,
    };
    let mlp = ConditionerSpec::Mlp {
        hidden: 50,
        layers: 1,
    };
    let glow = [
        StepSpec::Squeeze,
        StepSpec::Actnorm,
        StepSpec::InvertibleLinear,
        paper(second, highway),
    ];
    vec![
        ("narrow resnet", square(9, &[paper(odd, resnet(7))]), 3),
        ("wide resnet", square(24, &[paper(odd, resnet(40))]), 2),
        ("glow", square(28, &glow), 20),
        ("autoencoder", square(14, &[paper(odd, autoencoder)]), 5),
        ("dense", vector(37, &[paper(second, mlp)]), 150),
    ]
}

fn batch(input: InputSpec, count: usize, random: &mut SplitMix64) -> Dataset {
    let shape = input.shape();
    let [c, h, w] = [shape.channels, shape.height, shape.width].map(usize::from);
    let mut uniform = |n: usize| -> Vec<f64> { (0..n).map(|_| random.uniform()).collect() };
    match input {
        InputSpec::Image { .. } => {
            let pixels = uniform(count * c * h * w).into_iter();
            let pixels = pixels.map(|u| (256.0 * u) as u8).collect();
            Dataset::Images(Images::new(c, h, w, pixels).unwrap())
        }
        InputSpec::Vector { .. } | InputSpec::Whitened { .. } => {
            let values = uniform(count * c).into_iter().map(|u| u as f32);
            Dataset::Vectors(Vectors::new(c, values.collect()).unwrap())
        }
    }
}

#[test]
fn every_instruction_set_trains_the_same_flow() {
    let sets = Instructions::all();
    let names: Vec<_> = sets.iter().map(|set| set.name()).collect();
    assert_eq!(names.last(), Some(&"portable"));
    let mut worst = Worst::of(TRAINER_INSTRUCTIONS);
    for (name, spec, count) in cases() {
        let mut random = SplitMix64::named(&format!("{name}: instructions"));
        println!("{name}: {names:?}, seed {:#x}", random.seed());
        let data = batch(spec.input, count, &mut random);
        let mut config = TrainConfig::new(spec);
        config.slices = count.div_ceil(4);
        config.optimizer = OptimizerConfig {
            learning_rate: 1e-4,
            ..OptimizerConfig::default()
        };
        let model = first_model(&config, &data).unwrap();
        let noise: Vec<f32> = (0..data.len() * data.dims())
            .map(|_| random.uniform() as f32)
            .collect();
        let losses = |instructions| {
            let given = Given {
                config: &config,
                model: model.clone(),
                data: &data,
                noise: &noise,
                threads: 2,
                instructions,
            };
            with_trainer(given, |t| (0..STEPS).map(|_| t.step()).collect::<Vec<_>>()).unwrap()
        };
        let wanted = losses(Instructions::default());
        assert!(
            wanted[STEPS - 1] < wanted[0],
            "{name} learns nothing: {wanted:?}"
        );
        for &set in &sets {
            for (step, (found, wanted)) in losses(set).into_iter().zip(&wanted).enumerate() {
                worst.check(
                    format!("{name}, {}, step {step}", set.name()),
                    found,
                    *wanted,
                );
            }
        }
    }
}
