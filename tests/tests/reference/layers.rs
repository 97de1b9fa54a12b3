//! Layers of the reference against numbers worked out by hand.

use flow_reference::{Array, Layer, ops};
use flow_tests::random::SplitMix64;
use flow_tests::tolerance::LAYER_BY_HAND;

fn array(size: (usize, usize, usize), values: &[f64]) -> Array {
    let mut values = values.iter().copied();
    let array = Array::from_fn(size, |_, _, _| values.next().expect("a value each"));
    assert_eq!(values.next(), None);
    array
}

fn layer(shape: &[usize], weights: &[f64], bias: &[f64]) -> Layer {
    assert_eq!(shape.iter().product::<usize>(), weights.len());
    Layer {
        shape: shape.to_vec(),
        weights: weights.to_vec(),
        bias: bias.to_vec(),
    }
}

fn random_array(size: (usize, usize, usize), random: &mut SplitMix64) -> Array {
    Array::from_fn(size, |_, _, _| random.normal())
}

#[test]
fn a_padded_convolution_of_one_bright_pixel_draws_its_kernel_mirrored() {
    // Cross-correlation, as every network library has it: the kernel comes out mirrored, and cut off at the edge.
    let kernel = layer(
        &[1, 1, 3, 3],
        &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        &[0.5],
    );
    let input = array((1, 3, 3), &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    let output = ops::conv2d_same(&input, &kernel);
    let wanted = [0.5, 9.5, 8.5, 0.5, 6.5, 5.5, 0.5, 3.5, 2.5];
    assert_eq!(output.values, wanted);
}

#[test]
fn a_convolution_sums_over_channels_and_steps_by_its_stride() {
    let input = Array::from_fn((2, 3, 4), |c, y, x| (100 * c + 10 * y + x) as f64);
    // Output 0: the upper left of channel 0 plus twice the lower right of channel 1; output 1: a constant.
    let weights = [
        [1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 2.0],
        [0.0; 4],
        [0.0; 4],
    ];
    let conv = layer(&[2, 2, 2, 2], &weights.concat(), &[0.25, -3.0]);
    let output = ops::conv2d(&input, &conv, 2);
    // in[0](0, x) + 2 in[1](1, x + 1) + 0.25 at x = 0 and 2; the last row falls short of a stride.
    let wanted = [222.25, 2.0 + 2.0 * 113.0 + 0.25, -3.0, -3.0];
    assert_eq!(output.size(), (2, 1, 2));
    assert_eq!(output.values, wanted);
}

#[test]
fn a_transposed_convolution_stamps_its_kernel_at_every_stride() {
    let input = array((1, 1, 2), &[1.0, 10.0]);
    let stamp = layer(&[1, 1, 2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[0.5]);
    // Columns 0, 1, 2 from the first, 2, 3, 4 from the second; column 5 and row 2 are output padding.
    let output = ops::conv_transposed(&input, &stamp, 2, (3, 6));
    let wanted = [
        [1.5, 2.5, 13.5, 20.5, 30.5, 0.5],
        [4.5, 5.5, 46.5, 50.5, 60.5, 0.5],
        [0.5; 6],
    ];
    assert_eq!(output.values, wanted.concat());
}

#[test]
fn transposed_convolutions_are_adjoint_to_convolutions() {
    // <conv(a), b> = <a, conv_transposed(b)> with the same weights: the one is the other's transposed matrix.
    let mut random = SplitMix64::named("adjoint");
    println!("seed {:#x}", random.seed());
    for (stride, size) in [(1, (3, 6, 7)), (2, (3, 8, 11)), (3, (3, 9, 7))] {
        let weights: Vec<f64> = (0..2 * 3 * 16).map(|_| random.normal()).collect();
        let a = random_array(size, &mut random);
        let down = ops::conv2d(&a, &layer(&[2, 3, 4, 4], &weights, &[0.0; 2]), stride);
        let b = random_array(down.size(), &mut random);
        let up = layer(&[2, 3, 4, 4], &weights, &[0.0; 3]);
        let up = ops::conv_transposed(&b, &up, stride, (size.1, size.2));
        let product = |p: &Array, q: &Array| -> f64 {
            p.values.iter().zip(&q.values).map(|(p, q)| p * q).sum()
        };
        LAYER_BY_HAND.check(
            format!("stride {stride}"),
            product(&down, &b),
            product(&a, &up),
        );
    }
}

#[test]
fn dense_layers_read_their_weights_by_rows_and_by_columns() {
    let input = [1.0, 10.0, 100.0];
    let rows = layer(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[0.5, -0.5]);
    assert_eq!(ops::dense(&input, &rows), [321.5, 653.5]);
    let columns = layer(&[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[0.5, -0.5]);
    assert_eq!(ops::dense_input_first(&input, &columns), [531.5, 641.5]);
}

#[test]
fn activations() {
    let input = array((1, 1, 3), &[-2.0, 0.0, 3.0]);
    assert_eq!(ops::relu(&input).values, [0.0, 0.0, 3.0]);
    assert_eq!(ops::leaky_relu(&input).values, [-0.02, 0.0, 3.0]);
    LAYER_BY_HAND.check("sigmoid", ops::sigmoid(3f64.ln()), 0.75);
    assert_eq!(ops::sigmoid(-1000.0), 0.0);
    assert_eq!(ops::sigmoid(1000.0), 1.0);
}
