//! Coordinates that are moved as a whole against those moved one by one.

use super::*;
use crate::nn::Grid;
use flow_infer::spec::{AffineForm, ConditionerSpec, ScaleMap};
use flow_infer::spec::{CouplingMask, FlowSpec, Half, InputSpec, LevelSpec, StepSpec};

fn of_vectors(dims: u16, samples: usize) -> Coordinates {
    let coupling = CouplingSpec {
        mask: CouplingMask::Channel { kept: Half::Second },
        conditioner: ConditionerSpec::Mlp {
            hidden: 4,
            layers: 1,
        },
        scale_map: ScaleMap::Exp,
        affine: AffineForm::ShiftThenScale,
    };
    let level = LevelSpec {
        steps: [StepSpec::Coupling(coupling)].into_iter().collect(),
    };
    let flow = FlowSpec {
        input: InputSpec::Vector { dims },
        levels: [level].into_iter().collect(),
    };
    let group = Group {
        dims: dims.into(),
        samples,
        vectors: true,
    };
    let placed = flow.steps().next().unwrap();
    Coordinates::new(group, &placed, &coupling)
}

/// Everything that is moved, to and fro.
fn moved(coordinates: &Coordinates) -> (Map, Map, Vec<f32>) {
    let grid = Grid::vectors(3);
    let (mut input, mut out) = (Map::new(32, grid), Map::new(64, grid));
    let mut z: Vec<f32> = (0..3 * 64).map(|i| i as f32).collect();
    for sample in 0..3 {
        coordinates.read_kept(sample, &z, &mut input);
        coordinates.add_kept(sample, &input, &mut z);
        for changed in coordinates.changed_of(sample) {
            let x = changed.latents(&z);
            let channels: Vec<f32> = (0..32).map(|c| 0.25 * c as f32).collect();
            let channels = changed.of_channels(Some(&channels));
            changed.set_outputs(&mut out, [&x, &channels]);
            let [raw_scale, shift] = changed.outputs(&out);
            assert_eq!((raw_scale, shift), (x, channels));
            changed.set_latents(&mut z, &x.map(|x| -x));
        }
    }
    (input, out, z)
}

#[test]
fn whole_blocks_of_vectors_are_moved_as_their_numbers_are() {
    let mut coordinates = of_vectors(64, 3);
    assert!(coordinates.side_by_side);
    let whole = moved(&coordinates);
    coordinates.side_by_side = false;
    let single = moved(&coordinates);
    assert_eq!(whole.0.data(), single.0.data());
    assert_eq!(whole.1.data(), single.1.data());
    assert_eq!(whole.2, single.2);
    // The first half is changed, of the second the conditioner reads: twice itself, by add_kept.
    assert_eq!((whole.2[33 + 64], whole.2[31 + 64]), (2.0 * 97.0, -95.0));
}

#[test]
fn other_vectors_are_not_side_by_side() {
    for dims in [40, 48, 80] {
        assert!(!of_vectors(dims, 2).side_by_side, "{dims}");
    }
}
