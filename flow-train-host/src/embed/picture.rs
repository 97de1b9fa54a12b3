//! An image as the network was trained to see it: the central square, resized, (byte - 127) / 128, colour.
//!
//! Resizing is what the trainers' image library does: the cubic convolution kernel with a = -1/2, widened by the factor
//! of reduction so that no pixel is skipped, weights normalized at the edges; rows first, rounded to bytes after each
//! axis.

const A: f64 = -0.5;
/// Reach of the kernel in pixels of the finer grid.
const REACH: f64 = 2.0;

/// The network's input for one image of [channels, height, width], channel by channel.
pub(super) fn prepare(pixels: &[u8], size: [usize; 3], side: usize) -> Vec<f32> {
    let [channels, height, width] = size;
    let square = height.min(width);
    let (top, left) = ((height - square) / 2, (width - square) / 2);
    let taps = taps(square, side);
    let planes = (0..channels).map(|channel| {
        let plane = &pixels[channel * height * width..][..height * width];
        let rows = plane.chunks_exact(width).skip(top).take(square);
        let cut: Vec<u8> = rows
            .flat_map(|row| &row[left..left + square])
            .copied()
            .collect();
        // Along the rows, then along what has become the rows by turning the image over its diagonal.
        let narrow = turned(&along_rows(&cut, square, &taps), side);
        turned(&along_rows(&narrow, square, &taps), side)
    });
    let planes: Vec<Vec<u8>> = planes.collect();
    let value = |&byte: &u8| (f32::from(byte) - 127.0) / 128.0;
    // Grey is red, green and blue alike.
    let colours = (0..3).map(|colour| &planes[colour.min(channels - 1)]);
    colours.flat_map(|plane| plane.iter().map(value)).collect()
}

/// The inputs that make one output: the first, and their weights.
struct Taps {
    first: usize,
    weights: Vec<f64>,
}

fn cubic(x: f64) -> f64 {
    let x = x.abs();
    match x {
        _ if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        _ if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        _ => 0.0,
    }
}

fn taps(from: usize, to: usize) -> Vec<Taps> {
    let ratio = from as f64 / to as f64;
    let widened = ratio.max(1.0);
    let of_output = |index: usize| {
        let centre = (index as f64 + 0.5) * ratio;
        let reach = REACH * widened;
        let first = (centre - reach + 0.5).floor().max(0.0) as usize;
        let last = ((centre + reach + 0.5).floor() as usize).min(from);
        let weight = |at: usize| cubic((at as f64 + 0.5 - centre) / widened);
        let weights: Vec<f64> = (first..last).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        let weights = weights.iter().map(|w| w / sum).collect();
        Taps { first, weights }
    };
    (0..to).map(of_output).collect()
}

/// Every row of `len` bytes resized.
fn along_rows(plane: &[u8], len: usize, taps: &[Taps]) -> Vec<u8> {
    let resized = plane.chunks_exact(len).flat_map(|row| {
        taps.iter().map(|Taps { first, weights }| {
            let pairs = weights.iter().zip(&row[*first..]);
            let sum: f64 = pairs.map(|(w, &byte)| w * f64::from(byte)).sum();
            (sum + 0.5).floor().clamp(0.0, 255.0) as u8
        })
    });
    resized.collect()
}

/// Rows of `width` bytes become columns.
fn turned(plane: &[u8], width: usize) -> Vec<u8> {
    let columns = (0..width).flat_map(|x| plane.iter().skip(x).step_by(width).copied());
    columns.collect()
}
