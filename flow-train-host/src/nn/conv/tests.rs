//! Convolutions of side 4 over the image against dense layers over its patches.

use super::*;
use crate::nn::kernels::{Cpu, Finish, Reach};
use crate::nn::parameters::Layout;
use crate::nn::patches::Patches;
use crate::nn::{Grid, Map, OrderedReduction, Ticket};

/// Winograd's rounding of sums of 1024 products (of weights' gradients 243) of numbers around 1.
const BOUND: f32 = 1e-3;

struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(99);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn map(&mut self, channels: usize, grid: Grid) -> Map {
        let mut map = Map::new(channels, grid);
        for c in 0..channels {
            for y in 0..grid.rows() {
                for x in 0..grid.width {
                    map.set(map.index(c, y, x), self.next());
                }
            }
        }
        map
    }
}

/// A layer between 48 channels of the image and 33 within, with its weights.
struct Given {
    conv: Conv,
    layout: Layout,
    weights: Weights,
    patches: Patches,
    image: Map,
    within: Map,
}

const IMAGE: usize = 48;
const WITHIN: usize = 33;

fn given(reach: Reach, seed: u64) -> Given {
    println!("seed {seed}");
    let mut random = Random(seed);
    let mut registry = Registry::default();
    let conv = match reach {
        Reach::Within => Conv::flattened(&mut registry, "c", &[WITHIN, IMAGE, 4, 4]),
        Reach::Beyond => Conv::transposed(&mut registry, "c", &[WITHIN, IMAGE, 4, 4], &[IMAGE]),
    };
    let conv = conv.over_patches(IMAGE);
    let layout = registry.finish();
    let mut flat = vec![0.0; layout.flat];
    flat.fill_with(|| random.next());
    let (mut numbers, mut backward) = (layout.zeros(), layout.backward());
    conv.set(&flat, &mut numbers);
    conv.backward_weights(&numbers.blocked, &mut (0, &mut backward))
        .run();
    let (outer, inner) = (Grid::image(11, 12).times(2), Grid::bare(8, 9).times(2));
    Given {
        conv,
        layout,
        weights: Weights { numbers, backward },
        patches: Patches::new(inner, outer, 1),
        image: random.map(IMAGE, outer),
        within: random.map(WITHIN, inner),
    }
}

fn assert_close(found: &[Lanes], wanted: &[Lanes], what: &str) {
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(wanted) {
        for (found, wanted) in found.0.iter().zip(wanted.0) {
            let error = (found - wanted).abs();
            assert!(
                error < BOUND * wanted.abs().max(1.0),
                "{what}: {found} {wanted}"
            );
        }
    }
}

#[test]
fn a_convolution_over_the_image_is_the_layer_over_its_patches() {
    for cpu in Cpu::all() {
        let given = given(Reach::Within, 21);
        let Given {
            conv,
            weights,
            patches,
            image,
            within,
            ..
        } = &given;
        let mut read = Map::new(Patches::channels(IMAGE), patches.inner());
        patches.gather(image, &mut read);
        let (mut wanted, mut found) = (within.clone(), within.clone());
        conv.forward(cpu, weights, &read, &mut wanted, Finish::Store);
        conv.forward_side_4(cpu, weights, Reach::Within, (image, &mut found));
        assert_close(found.data(), wanted.data(), "out");

        let (mut grad_input, mut wanted, mut found) = (read.clone(), image.clone(), image.clone());
        let first = gradient(&given, |ticket| {
            conv.gradient(
                cpu,
                weights,
                [&read, within],
                ticket,
                &mut grad_input,
                Finish::Store,
            );
        });
        patches.spread(&grad_input, &[], &mut wanted);
        let second = gradient(&given, |ticket| {
            let both = [image, within];
            conv.gradient_side_4(cpu, weights, Reach::Within, both, ticket, Some(&mut found));
        });
        assert_close(&second, &first, "gradient of weights and bias");
        assert_close(found.data(), wanted.data(), "gradient of the input");
    }
}

#[test]
fn a_transposed_convolution_over_the_image_is_the_layer_that_writes_its_patches() {
    for cpu in Cpu::all() {
        let given = given(Reach::Beyond, 22);
        let Given {
            conv,
            weights,
            patches,
            image,
            within,
            ..
        } = &given;
        let mut written = Map::new(Patches::channels(IMAGE), patches.inner());
        let (mut wanted, mut found) = (image.clone(), image.clone());
        conv.forward(cpu, weights, within, &mut written, Finish::Store);
        patches.spread(&written, conv.shared_bias_of(weights), &mut wanted);
        conv.forward_side_4(cpu, weights, Reach::Beyond, (within, &mut found));
        assert_close(found.data(), wanted.data(), "out");

        let (mut wanted, mut found) = (within.clone(), within.clone());
        patches.gather(image, &mut written);
        let first = gradient(&given, |ticket| {
            let both = [within, &written];
            conv.gradient(cpu, weights, both, ticket, &mut wanted, Finish::Store);
        });
        let second = gradient(&given, |ticket| {
            let both = [within, image];
            conv.gradient_side_4(cpu, weights, Reach::Beyond, both, ticket, Some(&mut found));
        });
        assert_close(&second, &first, "gradient of weights");
        assert_close(found.data(), wanted.data(), "gradient of the input");
    }
}

/// What two turns add up to.
fn gradient(given: &Given, mut add: impl FnMut(&mut Ticket<'_, '_>)) -> Vec<Lanes> {
    let mut sum = given.layout.zeros();
    let gradient = OrderedReduction::new(&mut sum, given.layout.layers.iter().cloned());
    for group in 0..2 {
        let mut unblocked = vec![0.0; IMAGE];
        add(&mut gradient.ticket(group, &mut unblocked));
    }
    drop(gradient);
    sum.blocked
}
