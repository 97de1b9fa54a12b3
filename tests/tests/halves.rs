//! One input on two cores: the bits of one core.

use flow_infer::artifact::Artifact;
use flow_infer::engine::{
    Evaluation, Fixed, InputError, Noise, Rendezvous, RowSplit, ScratchMut, evaluate, evaluate_half,
};
use flow_infer::plan::Dequantization;
use flow_infer::spec::Half;
use flow_tests::fixtures::sample_images;
use flow_tests::implementations::random_dataset;
use flow_tests::models::small_models;
use flow_tests::random::SplitMix64;
use flow_train_host::data::Dataset;
use flow_train_host::evaluate::HeapScratch;
use flow_train_host::export::{Source, quantized};
use std::path::Path;
use std::sync::atomic::AtomicI32;
use std::thread;

/// Inputs of each model, one after the other through the same rendezvous.
const INPUTS: usize = 6;

fn rooms(artifact: &Artifact<'_>) -> [Vec<AtomicI32>; 2] {
    let len = Rendezvous::room_len(artifact.dims());
    [(); 2].map(|()| (0..len).map(|_| AtomicI32::new(0)).collect())
}

/// What both cores say of every input, and the latents that are left to each.
fn by_two(artifact: &Artifact<'_>, data: &Dataset) -> [Vec<(Evaluation, Vec<i32>)>; 2] {
    let split = RowSplit::of(artifact);
    let rooms = rooms(artifact);
    let rendezvous = Rendezvous::new(rooms.each_ref().map(Vec::as_slice));
    let core = |half| {
        let mut scratch = HeapScratch::<Fixed>::new(artifact);
        let evaluations = (0..data.len()).map(|index| {
            let (input, scratch) = (data.input_bytes(index), &mut scratch);
            let memory = scratch.borrow();
            let plan = (half, &split);
            let found = evaluate_half(artifact, &input, Noise::Planned, memory, plan, &rendezvous);
            (found.unwrap(), scratch.latents().to_vec())
        });
        evaluations.collect()
    };
    thread::scope(|scope| {
        let second = scope.spawn(|| core(Half::Second));
        [core(Half::First), second.join().unwrap()]
    })
}

fn by_one(artifact: &Artifact<'_>, data: &Dataset) -> Vec<(Evaluation, Vec<i32>)> {
    let mut scratch = HeapScratch::<Fixed>::new(artifact);
    let evaluations = (0..data.len()).map(|index| {
        let input = data.input_bytes(index);
        let found = evaluate(artifact, &input, Noise::Planned, scratch.borrow(), &mut ());
        (found.unwrap(), scratch.latents().to_vec())
    });
    evaluations.collect()
}

#[test]
fn two_cores_find_the_bits_of_one_on_every_architecture() {
    let mut shared = 0;
    for (index, model) in small_models().iter().enumerate() {
        let mut random = SplitMix64::named(&format!("{}: two cores", model.name));
        println!("{}: seed {:#x}", model.name, random.seed());
        let calibration = random_dataset(&model.model, 32, &mut random);
        let dequantization = match index % 2 {
            0 => Dequantization::Midpoint,
            _ => Dequantization::Drawn { draws: 2, seed: 3 },
        };
        let source = Source {
            model: &model.model,
            dequantization,
        };
        let file = quantized(source, &calibration, &|| ()).and_then(|file| file.to_bytes());
        let file = file.unwrap();
        let artifact = Artifact::load(&file).unwrap();
        let data = random_dataset(&model.model, INPUTS, &mut random);
        let wanted = by_one(&artifact, &data);
        for found in by_two(&artifact, &data) {
            assert_eq!(found, wanted, "{}", model.name);
        }
        shared += RowSplit::of(&artifact).count();
    }
    assert!(shared > 10, "only {shared} couplings were shared");
}

#[test]
fn two_cores_find_the_bits_of_one_on_the_committed_models() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/models");
    for (name, couplings) in [("fashion-tiny", 10), ("fashion-bottleneck", 8)] {
        let file = std::fs::read(folder.join(name).with_extension("flow")).unwrap();
        let artifact = Artifact::load(&file).unwrap();
        assert_eq!(RowSplit::of(&artifact).count(), couplings, "{name}");
        let data = sample_images("fashion-mnist").take(0..INPUTS);
        let wanted = by_one(&artifact, &data);
        for found in by_two(&artifact, &data) {
            assert_eq!(found, wanted, "{name}");
        }
    }
}

#[test]
fn nobody_waits_for_a_core_that_refused_its_input() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/models/fashion-tiny.flow");
    let file = std::fs::read(path).unwrap();
    let artifact = &Artifact::load(&file).unwrap();
    let split = &RowSplit::of(artifact);
    let rooms = rooms(artifact);
    let rendezvous = &Rendezvous::new(rooms.each_ref().map(Vec::as_slice));
    let half = |half, memory: ScratchMut<'_, Fixed>| {
        let input = vec![0; 784];
        evaluate_half(
            artifact,
            &input,
            Noise::Planned,
            memory,
            (half, split),
            rendezvous,
        )
    };
    let (first, second) = thread::scope(|scope| {
        let second = scope.spawn(|| {
            let (latents, activations) = (&mut [][..], &mut [][..]);
            half(
                Half::Second,
                ScratchMut {
                    latents,
                    activations,
                },
            )
        });
        let mut scratch = HeapScratch::new(artifact);
        (half(Half::First, scratch.borrow()), second.join().unwrap())
    });
    assert_eq!(first, Err(InputError::Rendezvous));
    assert_eq!(second, Err(InputError::Scratch));
}

#[test]
fn rooms_that_are_too_small_are_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/models/fashion-tiny.flow");
    let file = std::fs::read(path).unwrap();
    let artifact = &Artifact::load(&file).unwrap();
    let split = &RowSplit::of(artifact);
    let small: [Vec<AtomicI32>; 2] = [(); 2].map(|()| vec![]);
    let rendezvous = &Rendezvous::new(small.each_ref().map(Vec::as_slice));
    let half = |half| {
        let mut scratch = HeapScratch::new(artifact);
        let memory = scratch.borrow();
        evaluate_half(
            artifact,
            &[0; 784],
            Noise::Planned,
            memory,
            (half, split),
            rendezvous,
        )
    };
    let (first, second) = thread::scope(|scope| {
        let second = scope.spawn(|| half(Half::Second));
        (half(Half::First), second.join().unwrap())
    });
    assert_eq!([first, second], [Err(InputError::Rendezvous); 2]);
}
