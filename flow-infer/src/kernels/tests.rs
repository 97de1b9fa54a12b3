use super::tile::{Run, Tile, Window};
use super::{pair, portable, single};
use crate::kernel_trials::Trials;
use crate::plan::LANES;
use std::boxed::Box;
use std::println;
use std::vec::Vec;

type Sums = [i32; LANES];
type Single = dyn Fn(&Tile<'_, i16>, &mut Sums);
type Pair = dyn Fn(&Tile<'_, i16>, &mut [Sums; 2]);

/// A kernel's two functions.
struct Kernel {
    name: &'static str,
    single: Box<Single>,
    pair: Box<Pair>,
}

const TRIALS: u32 = 2000;

/// The kernels that this processor can run.
fn kernels() -> Vec<Kernel> {
    let mut kernels = Vec::<Kernel>::new();
    kernels.push(Kernel {
        name: "portable",
        single: Box::new(portable::single),
        pair: Box::new(portable::pair),
    });
    kernels.push(Kernel {
        name: "chosen",
        single: Box::new(single),
        pair: Box::new(pair),
    });
    #[cfg(whole_rows)]
    kernels.extend(
        super::host::Extension::all()
            .into_iter()
            .map(|extension| Kernel {
                name: extension.name(),
                single: Box::new(move |tile, sums| extension.dot(tile, std::array::from_mut(sums))),
                pair: Box::new(move |tile, sums| extension.dot(tile, sums)),
            }),
    );
    kernels
}

/// The definition: every product of every run, in no particular order, in 64 bits.
fn sums_of(tile: &Tile<'_, i16>, sums: [i32; LANES], place: usize) -> [i32; LANES] {
    let mut row = 0;
    sums.map(|sum| {
        let mut exact = i64::from(sum);
        for run in tile.window().runs().iter().rev() {
            for k in 0..tile.window().run_len() {
                let weight = tile.weights()[row * tile.row_bytes() + run.weights + k] as i8;
                let activation = tile.activations()[place + run.activations + k];
                exact += i64::from(weight) * i64::from(activation);
            }
        }
        row += 1;
        exact as i32
    })
}

#[test]
fn every_kernel_computes_the_definition() {
    for Kernel { name, single, pair } in kernels() {
        let seed = 0x5EED_0001;
        println!("{name}: seed {seed:#x}");
        let mut trials = Trials::new(seed);
        for trial in 0..TRIALS {
            let differs = trials.differs(|tile, sums| {
                let wanted = [0, tile.distance()].map(|place| sums_of(tile, sums, place));
                let (mut of_single, mut of_pair) = (sums, [sums; 2]);
                single(tile, &mut of_single);
                pair(tile, &mut of_pair);
                of_single == wanted[0] && of_pair == wanted
            });
            assert!(!differs, "{name}, trial {trial}");
        }
    }
}

#[test]
fn boards_would_notice_a_difference() {
    let mut trials = Trials::new(7);
    assert_eq!(trials.first_difference(50), None);
    assert!((0..50).any(|_| trials.row_differs(|row, _| {
        row.target[0] ^= 1;
        row.fits()
    })));
    let differs = trials.differs(|tile, sums| {
        let mut one_more = sums.map(|sum| sum.wrapping_add(1));
        single(tile, &mut one_more);
        let mut right = sums;
        portable::single(tile, &mut right);
        one_more == right
    });
    assert!(differs);
}

#[test]
fn a_tile_that_does_not_fit_does_not_exist() {
    let runs = [(0, 4), (8, 20)].map(|(weights, activations)| Run {
        weights,
        activations,
    });
    let window = Window::new(&runs, 8);
    let (weights, activations) = ([0; 4 * 16], [0i16; 28 + 6]);
    let fits = |weights: &[u8], row_bytes, weight_bytes, activations: &[i16], distance| {
        let weights = (weights, row_bytes, weight_bytes);
        Tile::new(&window, weights, (activations, distance)).is_some()
    };
    assert!(fits(&weights, 16, 1, &activations, 6));
    assert!(!fits(&weights, 16, 1, &activations, 7));
    assert!(!fits(&weights, 16, 1, &activations[..33], 6));
    assert!(!fits(&weights[..63], 16, 1, &activations, 6));
    assert!(!fits(&weights, 17, 1, &activations, 6));
    assert!(!fits(&weights, 15, 1, &activations, 6));
    assert!(!fits(&weights, 16, 2, &activations, 6));
    assert!(!fits(&weights, 16, 0, &activations, 6));
    assert!(!fits(&weights, 16, 1, &activations, usize::MAX));
    assert!(!fits(&weights, usize::MAX, 1, &activations, 0));
    assert!(!fits(&weights, 16, usize::MAX, &activations, 0));
    let beyond = [Run {
        weights: usize::MAX,
        activations: usize::MAX,
    }];
    let window = Window::new(&beyond, 8);
    assert!(Tile::new(&window, (&weights, 16, 1), (&activations[..], 0)).is_none());
}
