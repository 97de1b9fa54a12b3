//! Kernels of every instruction set against loops in f64.

use super::kernels::{Cpu, Finish};
use super::*;

/// f32 sums of at most 9 * 40 products of numbers around 1, and the multiply-add's other rounding.
const SUM_BOUND: f64 = 1e-4;

/// Sums of up to 2 x 784 products, whose deviation is about 13: Winograd's points are sums of
/// larger numbers of both signs, and cost one more decimal than the direct sum.
const WEIGHT_SUM_BOUND: f64 = 5e-4;

/// A cheap generator for test data: values in [-1, 1), many of them exact zeros after a relu.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn map(&mut self, channels: usize, grid: Grid) -> Map {
        let mut map = Map::new(channels, grid);
        for (c, y, x) in places(channels, grid) {
            let at = map.index(c, y, x);
            map.set(at, self.next());
        }
        map
    }
}

fn places(channels: usize, grid: Grid) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..channels).flat_map(move |c| {
        (0..grid.rows()).flat_map(move |y| (0..grid.width).map(move |x| (c, y, x)))
    })
}

fn read(map: &Map, c: usize, y: usize, x: usize) -> f64 {
    f64::from(map.get(map.index(c, y, x)))
}

/// The pixel at a distance from another one, both ways, that may lie outside of its image.
fn read_near(map: &Map, c: usize, [y, x]: [usize; 2], [dy, dx]: [isize; 2]) -> f64 {
    let grid = map.grid();
    let within = |at: usize, d: isize, size: usize| {
        let near = at as isize + d;
        (0..size as isize).contains(&near).then_some(near as usize)
    };
    let first = y / grid.height * grid.height;
    let near = (
        within(y - first, dy, grid.height),
        within(x, dx, grid.width),
    );
    match near {
        (Some(y), Some(x)) => read(map, c, first + y, x),
        _ => 0.0,
    }
}

struct Case {
    inputs: usize,
    outputs: usize,
    side: usize,
    grid: Grid,
}

/// Channels around and beyond a block, widths around and beyond a tile, dense layers.
fn cases() -> Vec<Case> {
    let case = |inputs, outputs, side, grid| Case {
        inputs,
        outputs,
        side,
        grid,
    };
    vec![
        case(2, 16, 3, Grid::image(5, 28)),
        case(4, 20, 3, Grid::image(7, 7)),
        case(16, 16, 3, Grid::image(14, 14)),
        case(19, 35, 3, Grid::image(4, 17)),
        case(40, 33, 3, Grid::image(3, 15)),
        case(33, 35, 3, Grid::image(21, 22)),
        case(32, 32, 3, Grid::image(23, 24).times(3)),
        case(5, 17, 3, Grid::image(3, 8).times(3)),
        case(34, 33, 3, Grid::image(14, 14).times(2)),
        case(32, 48, 3, Grid::image(7, 6).times(8)),
        case(16, 18, 1, Grid::image(2, 3).times(2)),
        case(1, 1, 3, Grid::image(1, 1)),
        case(16, 2, 1, Grid::image(6, 29)),
        case(7, 5, 1, Grid::image(2, 3)),
        case(33, 50, 1, Grid::vectors(13)),
        case(3, 18, 1, Grid::vectors(1)),
    ]
}

/// A layer with random weights and bias.
struct OneLayer {
    conv: Conv,
    layout: Layout,
    weights: Weights,
    /// Weights, then bias, in the model's order.
    flat: Vec<f32>,
}

fn layer(case: &Case, random: &mut Random) -> OneLayer {
    let mut registry = Registry::default();
    let conv = Conv::new(&mut registry, "layer", case.inputs, case.outputs, case.side);
    let layout = registry.finish();
    let mut flat = vec![0.0; layout.flat];
    flat.fill_with(|| random.next());
    let (mut numbers, mut backward) = (layout.zeros(), layout.backward());
    conv.set(&flat, &mut numbers);
    conv.backward_weights(&numbers.blocked, &mut (0, &mut backward))
        .run();
    OneLayer {
        conv,
        layout,
        weights: Weights { numbers, backward },
        flat,
    }
}

fn weight(case: &Case, flat: &[f32], o: usize, i: usize, ky: usize, kx: usize) -> f64 {
    let at = ((o * case.inputs + i) * case.side + ky) * case.side + kx;
    f64::from(flat[at])
}

fn taps(side: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..side).flat_map(move |ky| (0..side).map(move |kx| (ky, kx)))
}

/// out[o, y, x] = bias[o] + sum weights[o, i, ky, kx] in[i, y + ky - p, x + kx - p].
fn naive_forward(case: &Case, flat: &[f32], input: &Map, o: usize, y: usize, x: usize) -> f64 {
    let bias = f64::from(flat[flat.len() - case.outputs + o]);
    let p = case.side as isize / 2;
    let mut sum = bias;
    for i in 0..case.inputs {
        for (ky, kx) in taps(case.side) {
            let away = [ky as isize - p, kx as isize - p];
            sum += weight(case, flat, o, i, ky, kx) * read_near(input, i, [y, x], away);
        }
    }
    sum
}

/// Every output pixel that input pixel (i, y, x) reached, times its weight.
fn naive_input_gradient(case: &Case, flat: &[f32], out: &Map, i: usize, y: usize, x: usize) -> f64 {
    let p = case.side as isize / 2;
    let mut sum = 0.0;
    for o in 0..case.outputs {
        for (ky, kx) in taps(case.side) {
            let away = [p - ky as isize, p - kx as isize];
            sum += weight(case, flat, o, i, ky, kx) * read_near(out, o, [y, x], away);
        }
    }
    sum
}

fn close(found: f64, wanted: f64, what: &str) {
    close_within(SUM_BOUND, found, wanted, what);
}

fn close_within(bound: f64, found: f64, wanted: f64, what: &str) {
    let error = (found - wanted).abs();
    assert!(
        error < bound * wanted.abs().max(1.0),
        "{what}: {found} instead of {wanted}"
    );
}

#[test]
fn convolution_is_the_sum_over_taps_and_channels() {
    for cpu in Cpu::all() {
        for case in cases() {
            let mut numbers = Random(11);
            let OneLayer {
                conv,
                weights,
                flat,
                ..
            } = layer(&case, &mut numbers);
            let input = numbers.map(case.inputs, case.grid);
            let mut out = Map::new(case.outputs, case.grid);
            conv.forward(cpu, &weights, &input, &mut out, Finish::Store);
            for (o, y, x) in places(case.outputs, case.grid) {
                let wanted = naive_forward(&case, &flat, &input, o, y, x);
                close(read(&out, o, y, x), wanted, "forward");
            }
            border_is_zero(&out);
        }
    }
}

#[test]
fn the_input_gradient_is_the_transposed_convolution() {
    for cpu in Cpu::all() {
        for case in cases() {
            let mut numbers = Random(12);
            let OneLayer {
                conv,
                weights,
                flat,
                ..
            } = layer(&case, &mut numbers);
            let out = numbers.map(case.outputs, case.grid);
            let mut input = Map::new(case.inputs, case.grid);
            conv.input_gradient(cpu, &weights, &out, &mut input, Finish::Store);
            for (i, y, x) in places(case.inputs, case.grid) {
                let wanted = naive_input_gradient(&case, &flat, &out, i, y, x);
                close(read(&input, i, y, x), wanted, "input gradient");
            }
            border_is_zero(&input);
        }
    }
}

#[test]
fn weight_gradients_are_correlations_and_add_up() {
    for cpu in Cpu::all() {
        for case in cases() {
            let mut numbers = Random(13);
            let OneLayer { conv, layout, .. } = layer(&case, &mut numbers);
            let input = numbers.map(case.inputs, case.grid);
            let out = numbers.map(case.outputs, case.grid);
            let mut sum = layout.zeros();
            let gradient = OrderedReduction::new(&mut sum, layout.layers.iter().cloned());
            // Twice: a second image must add to the first.
            for group in 0..2 {
                let ticket = gradient.ticket(group, &mut []);
                conv.weight_gradient(cpu, &input, &out, &ticket);
            }
            drop(gradient);
            let mut gradient = vec![0.0; layout.flat];
            conv.get(&sum, &mut gradient);
            let p = case.side as isize / 2;
            for o in 0..case.outputs {
                for i in 0..case.inputs {
                    for (ky, kx) in taps(case.side) {
                        let pixel = |(_, y, x): (usize, usize, usize)| {
                            let away = [ky as isize - p, kx as isize - p];
                            read(&out, o, y, x) * read_near(&input, i, [y, x], away)
                        };
                        let wanted: f64 = 2.0 * places(1, case.grid).map(pixel).sum::<f64>();
                        let found = weight(&case, &gradient, o, i, ky, kx);
                        close_within(WEIGHT_SUM_BOUND, found, wanted, "weight gradient");
                    }
                }
                let wanted: f64 = 2.0
                    * places(1, case.grid)
                        .map(|(_, y, x)| read(&out, o, y, x))
                        .sum::<f64>();
                let found = gradient[gradient.len() - case.outputs + o];
                close(f64::from(found), wanted, "bias gradient");
            }
        }
    }
}

#[test]
fn finishes_do_what_their_names_say() {
    let case = Case {
        inputs: 5,
        outputs: 20,
        side: 3,
        grid: Grid::image(3, 9),
    };
    for cpu in Cpu::all() {
        let mut numbers = Random(14);
        let OneLayer { conv, weights, .. } = layer(&case, &mut numbers);
        let input = numbers.map(case.inputs, case.grid);
        let before = numbers.map(case.outputs, case.grid);
        let activation = numbers.map(case.outputs, case.grid);
        let mut sum = Map::new(case.outputs, case.grid);
        conv.forward(cpu, &weights, &input, &mut sum, Finish::Store);
        let relu = |v: f64| v.max(0.0);
        type Wanted<'a> = &'a dyn Fn(f64, f64, f64) -> [f64; 2];
        let check = |name: &str, finish: &dyn Fn(&mut Map, &mut Map), wanted: Wanted<'_>| {
            let mut out = before.clone();
            let mut second = Map::new(case.outputs, case.grid);
            finish(&mut out, &mut second);
            for (c, y, x) in places(case.outputs, case.grid) {
                let at = |m: &Map| read(m, c, y, x);
                let [first, rectified] = wanted(at(&before), at(&sum), at(&activation));
                close(at(&out), first, name);
                close(at(&second), rectified, name);
            }
            border_is_zero(&out);
        };
        let run = |out: &mut Map, finish: Finish<'_>| {
            conv.forward(cpu, &weights, &input, out, finish);
        };
        check("relu", &|o, _| run(o, Finish::Relu), &|_, s, _| {
            [relu(s), 0.0]
        });
        check("add", &|o, _| run(o, Finish::Add), &|b, s, _| [b + s, 0.0]);
        check(
            "store and relu",
            &|o, r| run(o, Finish::StoreAndRelu(r)),
            &|_, s, _| [s, relu(s)],
        );
        check(
            "add and relu",
            &|o, r| run(o, Finish::AddAndRelu(r)),
            &|b, s, _| [b + s, relu(b + s)],
        );
        check(
            "mask",
            &|o, _| run(o, Finish::Mask(&activation)),
            &|_, s, a| [if a > 0.0 { s } else { 0.0 }, 0.0],
        );
        check(
            "add masked",
            &|o, _| run(o, Finish::AddMasked(&activation)),
            &|b, s, a| [b + if a > 0.0 { s } else { 0.0 }, 0.0],
        );
    }
}

/// The next layer reads the border as its padding.
fn border_is_zero(map: &Map) {
    let grid = map.grid();
    let total: f64 = map
        .data()
        .iter()
        .flat_map(|l| l.0)
        .map(|v| f64::from(v).abs())
        .sum();
    let inside: f64 = places(map.channels(), grid)
        .map(|(c, y, x)| read(map, c, y, x).abs())
        .sum();
    assert!(
        (total - inside).abs() <= 1e-9 * total,
        "something was written outside"
    );
}
