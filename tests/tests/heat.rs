//! Heat maps: they are the complexity score, spread over the pixels that earn it.

use flow_infer::artifact::Artifact;
use flow_infer::plan::PlannedInput;
use flow_infer::score::ScoreKind;
use flow_infer::spec::units::nats_from_raw;
use flow_tests::implementations::random_dataset;
use flow_tests::models;
use flow_tests::random::SplitMix64;
use flow_train_host::data::{self, Dataset};
use flow_train_host::evaluate::score_all;
use flow_train_host::export;
use flow_train_host::heat::{HeatError, heat, heat_all};
use std::path::Path;

fn complexities(artifact: &Artifact<'_>, data: &Dataset) -> Vec<f64> {
    let scores = score_all(artifact, data, &|_| None, &|| ()).expect("own kind of data");
    let complexity = |s: flow_infer::score::Scores| s.raw(ScoreKind::Complexity, 0);
    let raw = scores.into_iter().map(complexity);
    raw.map(|raw| nats_from_raw(raw.expect("images"))).collect()
}

/// Of every small model in floats: glow's constants and every scale map among them.
#[test]
fn a_map_sums_up_to_the_complexity_score() {
    for models::NamedModel { name, model } in models::small_models() {
        let mut random = SplitMix64::named(&format!("{name}: heat"));
        println!("{name}: seed {:#x}", random.seed());
        let data = random_dataset(&model, 2, &mut random);
        let file = export::floating(&model, false).and_then(|file| file.to_bytes());
        let file = file.expect("a small model fits");
        let artifact = Artifact::load(&file).expect("an exported file loads");
        if !matches!(artifact.input(), PlannedInput::Image { .. }) {
            let refused = heat(&artifact, &data.input_bytes(0));
            assert_eq!(refused, Err(HeatError::Vectors), "{name}");
            continue;
        }
        let maps = heat_all(&artifact, &data, &|| ()).expect("own kind of data");
        for (map, score) in maps.iter().zip(complexities(&artifact, &data)) {
            let sum: f64 = map.nats.iter().map(|&v| f64::from(v)).sum();
            assert!((sum + score).abs() < 0.05, "{name}: {sum} {score}");
        }
    }
}

fn repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A bright square on a garment, which the committed model has never seen: the heat is there.
#[test]
fn what_was_added_is_what_is_hot() {
    let model = std::fs::read(repository("firmware/models/fashion-bottleneck.flow")).unwrap();
    let artifact = Artifact::load(&model).expect("the committed model loads");
    let data = repository("tests/data/fashion-mnist-sample-images.idx3.gz");
    let Dataset::Images(images) = data::load(&data).unwrap().take(0..12) else {
        panic!("garments are images");
    };
    let mut nearer = 0;
    for image in images.iter() {
        let mut marked = image.to_vec();
        for (y, x) in (4..9).flat_map(|y| (18..23).map(move |x| (y, x))) {
            marked[y * 28 + x] = if (x + y) % 2 == 0 { 255 } else { 0 };
        }
        let (plain, marked) = (heat(&artifact, image), heat(&artifact, &marked));
        let (plain, marked) = (plain.unwrap(), marked.unwrap());
        let more: Vec<f32> = marked
            .nats
            .iter()
            .zip(&plain.nats)
            .map(|(m, p)| m - p)
            .collect();
        let hottest = (0..784)
            .max_by(|&a, &b| more[a].total_cmp(&more[b]))
            .unwrap();
        let (y, x) = (hottest / 28, hottest % 28);
        nearer += usize::from((2..11).contains(&y) && (16..25).contains(&x));
    }
    assert!(
        nearer >= 10,
        "{nearer} of 12 maps are hottest at what was added"
    );
}
