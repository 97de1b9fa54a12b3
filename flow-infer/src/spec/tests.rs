use super::*;

fn squeeze_twice() -> View {
    View::whole(Shape::new(1, 8, 8))
        .after(&StepSpec::Squeeze)
        .factor_out()
        .after(&StepSpec::Squeeze)
}

#[test]
fn one_squeeze_orders_channel_row_column() {
    let view = View::whole(Shape::new(2, 4, 6)).after(&StepSpec::Squeeze);
    assert_eq!(view.shape(), Shape::new(8, 2, 3));
    // out channel 4 c + 2 dy + dx holds in(c, 2 y + dy, 2 x + dx).
    for c in 0..2 {
        for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let offset = view.offset(4 * c + 2 * dy + dx, 1, 2);
            assert_eq!(offset, c * 24 + (2 + dy) * 6 + 4 + dx);
        }
    }
}

#[test]
fn nested_squeezes_visit_every_coordinate_of_the_kept_half_once() {
    let view = squeeze_twice();
    assert_eq!(view.shape(), Shape::new(8, 2, 2));
    let mut seen = [false; 64];
    for c in 0..8 {
        for y in 0..2 {
            for x in 0..2 {
                let offset = view.offset(c, y, x);
                assert!(!core::mem::replace(&mut seen[offset], true));
                // The first factor_out kept dy = 0 of the first squeeze: even rows of the image.
                assert_eq!(offset / 8 % 2, 0);
            }
        }
    }
    // Channel 5 = 4 * 1 + 1: dx = 1 of the first squeeze, then (dy, dx) = (0, 1) of the second.
    assert_eq!(view.offset(5, 0, 0), 1 + 2);
}

#[test]
fn masks_split_the_coordinates() {
    let shape = Shape::new(3, 5, 4);
    let masks = [
        CouplingMask::Checkerboard { kept: Parity::Odd },
        CouplingMask::Channel { kept: Half::First },
        CouplingMask::Horizontal { kept: Half::Second },
        CouplingMask::Vertical { kept: Half::First },
    ];
    for mask in masks {
        for (c, y, x) in coordinates(shape) {
            assert_ne!(
                mask.is_kept(c, y, x, shape),
                mask.is_changed(c, y, x, shape)
            );
        }
    }
    assert!(
        masks[0].is_changed(0, 0, 0, shape),
        "the paper's normal checkerboard changes the top left pixel"
    );
    assert_eq!(masks[1].kept_channels(3), (0, 1));
    assert_eq!(masks[1].changed_channels(3), (1, 2));
}

#[test]
fn the_cycle_runs_clockwise_and_leaves_two_quadrants_alone() {
    let shape = Shape::new(1, 4, 4);
    let mask = CouplingMask::Cycle {
        kept: Quadrant::TopRight,
    };
    let count =
        |f: &dyn Fn(usize, usize) -> bool| coordinates(shape).filter(|&(_, y, x)| f(y, x)).count();
    assert_eq!(count(&|y, x| mask.is_kept(0, y, x, shape)), 4);
    assert_eq!(count(&|y, x| mask.is_changed(0, y, x, shape)), 4);
    assert!(mask.is_kept(0, 0, 3, shape) && mask.is_changed(0, 3, 3, shape));
}

#[test]
fn columns_are_those_of_the_mask() {
    use {CouplingMask as M, Half as H, Parity as P, Quadrant as Q};
    let masks = [
        [P::Even, P::Odd]
            .map(|kept| M::Checkerboard { kept })
            .to_vec(),
        [H::First, H::Second]
            .map(|kept| M::Channel { kept })
            .to_vec(),
        [H::First, H::Second]
            .map(|kept| M::Horizontal { kept })
            .to_vec(),
        [H::First, H::Second]
            .map(|kept| M::Vertical { kept })
            .to_vec(),
        [Q::TopLeft, Q::TopRight, Q::BottomRight, Q::BottomLeft]
            .map(|kept| M::Cycle { kept })
            .to_vec(),
    ];
    for mask in masks.concat() {
        for shape in [(2, 4, 4), (3, 5, 7), (2, 1, 1), (2, 3, 2)] {
            let shape = Shape::new(shape.0, shape.1, shape.2);
            let (channels, width) = (usize::from(shape.channels), usize::from(shape.width));
            for y in 0..usize::from(shape.height) {
                let (kept, _) = mask.kept_channels(channels);
                let (changed, _) = mask.changed_channels(channels);
                let wanted = |f: &dyn Fn(usize) -> bool| -> std::vec::Vec<usize> {
                    (0..width).filter(|&x| f(x)).collect()
                };
                let columns: std::vec::Vec<_> = mask.kept_columns(y, shape).collect();
                assert_eq!(columns, wanted(&|x| mask.is_kept(kept, y, x, shape)));
                let columns = mask.changed_columns(y, shape);
                assert_eq!(columns.count(), columns.count());
                let columns: std::vec::Vec<_> = columns.collect();
                assert_eq!(columns, wanted(&|x| mask.is_changed(changed, y, x, shape)));
            }
        }
    }
}

fn coordinates(shape: Shape) -> impl Iterator<Item = (usize, usize, usize)> {
    let (c, h, w) = (
        shape.channels as usize,
        shape.height as usize,
        shape.width as usize,
    );
    (0..c).flat_map(move |c| (0..h).flat_map(move |y| (0..w).map(move |x| (c, y, x))))
}

#[test]
fn validation_names_the_fault() {
    let coupling = StepSpec::Coupling(CouplingSpec {
        mask: CouplingMask::Channel { kept: Half::First },
        conditioner: ConditionerSpec::Mlp {
            hidden: 4,
            layers: 1,
        },
        scale_map: ScaleMap::TanhBound,
        affine: AffineForm::ShiftThenScale,
    });
    let level = LevelSpec {
        steps: Vec::from_slice(&[coupling]).unwrap(),
    };
    let mut spec = FlowSpec {
        input: InputSpec::Vector { dims: 2 },
        levels: Vec::from_slice(&[level]).unwrap(),
    };
    assert_eq!(spec.validate(), Ok(()));
    spec.input = InputSpec::Vector { dims: 1 };
    assert_eq!(spec.validate(), Err(SpecError::Mask));
    spec.input = InputSpec::Image {
        shape: Shape::new(2, 3, 3),
        logit_margin: 0.05,
    };
    assert_eq!(spec.validate(), Err(SpecError::Conditioner));
    spec.input = InputSpec::Image {
        shape: Shape::new(2, 3, 3),
        logit_margin: 0.5,
    };
    assert_eq!(spec.validate(), Err(SpecError::LogitMargin));
    spec.levels[0].steps[0] = StepSpec::Squeeze;
    spec.input = InputSpec::Image {
        shape: Shape::new(2, 3, 3),
        logit_margin: 0.05,
    };
    assert_eq!(spec.validate(), Err(SpecError::OddSqueeze));
    spec.levels.clear();
    assert_eq!(spec.validate(), Err(SpecError::Empty));
}

#[test]
fn the_walk_places_every_step() {
    let steps = |list: &[StepSpec]| LevelSpec {
        steps: Vec::from_slice(list).unwrap(),
    };
    let spec = FlowSpec {
        input: InputSpec::Image {
            shape: Shape::new(1, 8, 8),
            logit_margin: 0.05,
        },
        levels: Vec::from_slice(&[
            steps(&[StepSpec::Actnorm, StepSpec::Squeeze, StepSpec::Actnorm]),
            steps(&[StepSpec::Squeeze, StepSpec::Actnorm]),
        ])
        .unwrap(),
    };
    let shapes = [
        (0, 0, 1, 8),
        (0, 1, 4, 4),
        (0, 2, 4, 4),
        (1, 0, 8, 2),
        (1, 1, 8, 2),
    ];
    let walked: heapless::Vec<_, 8> = spec
        .steps()
        .map(|p| {
            (
                p.level,
                p.index,
                p.view.shape().channels,
                p.view.shape().height,
            )
        })
        .collect();
    assert_eq!(walked.as_slice(), shapes);
}
