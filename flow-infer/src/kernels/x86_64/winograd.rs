//! Winograd's filtering F(2 x 2, 3 x 3), exactly: four outputs of a 3 x 3 convolution by 16 products where there were 36.
//!
//! Three weights of a side become four, [2a, a + b + c, a - b + c, 2c], and four pixels likewise; two outputs come out
//! twice as large, of both sides four times, which a shift undoes: 144 weights of 8 bits and activations of 14 sum up
//! to less than 2^29. Activations that are not negative, as behind a relu, and below 2^14 have differences and sums of
//! 16 bits; the sum of four is held less 2^15, which the sums of products begin with. Rows with others are refused.
//!
//! Rows come one at a time and in order, with three rows of the source in memory. The first one of two takes three
//! quarters of the products, of which it keeps what the second one needs; that one takes the last quarter.

use super::super::groups::{Group, Target, WholePixels, of_width};
use super::super::pack::CHANNELS;
use super::super::places::{Place, Places, Source};
use super::super::row::Row;
use super::super::tile::Run;
use super::avx2::{Eights, eight};
use super::isa::Avx2;
use super::operations::Operations;
use super::pack::{PAIR, Pairs};
use crate::bytes;
use core::arch::x86_64::*;
use core::array;
use core::ops::Range;
use heapless::Vec;

/// Sides of a window, of a square of outputs, and of the pixels that they are computed from.
const WINDOW: usize = 3;
const OUTPUTS: usize = 2;
const PIXELS: usize = 4;
/// Products of a square and channel, those of its first row, and the one of the largest pixels.
const PRODUCTS: usize = PIXELS * PIXELS;
const OF_FIRST: usize = 3 * PIXELS;
const LARGEST: usize = PIXELS + 1;

/// Pairs of a pixel's channels.
const PAIRS: usize = CHANNELS / PAIR;
/// Bits that no activation may have: the sign, and the one above 14.
const FORBIDDEN: i16 = 0xC000_u16 as i16;

/// Squares of a row that there is room for, and squares that there are registers for.
const SQUARES: usize = 16;
const MOST_AT_ONCE: usize = 4;
/// Groups of a coupling's channels that there is room for: 84 KiB of a
/// host's stack. Without a host, one.
const GROUPS: usize = if cfg!(feature = "std") { 8 } else { 1 };
/// Eight numbers of 32 bits, or pairs of 16.
type Eight = [i32; 8];
/// Sixteen channels, or pairs of them.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Sixteen([Eight; 2]);

/// A pixel's channels.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
struct Pixel(Eight);

/// Weights of a group, product by product.
type Weights = [[Sixteen; PAIRS]; PRODUCTS];

/// What is kept of a coupling from row to row.
#[derive(Debug)]
pub(crate) struct Winograd {
    places: Places<GROUPS, 0>,
    weights: Vec<Weights, GROUPS>,
    /// What first rows leave to their second ones, column by column of a square.
    left: Vec<[[Sixteen; SQUARES]; OUTPUTS], GROUPS>,
    expected: Vec<Second, GROUPS>,
    /// Of the present row, product by product: pixels, and of some squares the sums over their channels.
    pixels: Vec<[Pixel; SQUARES], OF_FIRST>,
    sums: Vec<[Sixteen; MOST_AT_ONCE], OF_FIRST>,
    /// Of the present row, column by column of a square: what comes out, four times as large and without biases.
    done: Vec<[Sixteen; SQUARES], OUTPUTS>,
}

impl Default for Winograd {
    // Where it is to lie: half a microsecond to copy.
    #[inline(always)]
    fn default() -> Self {
        Self {
            places: Places::new(),
            weights: Vec::new(),
            left: Vec::new(),
            expected: Vec::new(),
            pixels: Vec::new(),
            sums: Vec::new(),
            done: Vec::new(),
        }
    }
}

/// A second row: the one behind the first of the same layer, with as many columns, above the same rows of the source.
#[derive(Debug, PartialEq, Eq)]
struct Second {
    layer: Source,
    y: usize,
    columns: usize,
    above: [usize; 2],
}

/// A row that is computed so.
#[derive(Clone, Copy)]
pub(super) struct Begun {
    /// Place of its first group.
    begin: usize,
    squares: usize,
    is_second: bool,
}

/// The source's pixels that a row is computed from.
type Pixels<'r> = &'r [[i16; CHANNELS]];

/// A row of the source above its first and below its last one.
static ZEROS: [[i16; CHANNELS]; OUTPUTS * SQUARES + PIXELS - OUTPUTS] =
    [[0; CHANNELS]; OUTPUTS * SQUARES + PIXELS - OUTPUTS];

/// The three rows of the source, if the row is one of a 3 x 3 convolution of 16 channels.
#[inline]
fn source<'r>(row: &Row<'r, i16>) -> Option<[Pixels<'r>; WINDOW]> {
    const RUN: usize = WINDOW * CHANNELS;
    let is_square = row.window.run_len() == RUN && row.row_bytes == WINDOW * RUN;
    let is_dense = row.step == CHANNELS && row.mirrored.is_none();
    let has_groups = row.pixel_len().is_multiple_of(CHANNELS);
    let has_squares = row.columns.is_multiple_of(OUTPUTS) && row.columns <= OUTPUTS * SQUARES;
    if !(is_square && is_dense && has_groups && has_squares) {
        return None;
    }
    let columns = row.columns + PIXELS - OUTPUTS;
    let pixels = |run: &Run| {
        let pixels = bytes::run(row.activations, run.activations, columns * CHANNELS);
        pixels.as_chunks().0
    };
    let zeros = bytes::run(&ZEROS, 0, columns);
    match row.window.runs() {
        [a, b, c] if [a, b, c].map(|run| run.weights) == [0, RUN, 2 * RUN] => {
            Some([a, b, c].map(pixels))
        }
        [b, c] if [b, c].map(|run| run.weights) == [RUN, 2 * RUN] => {
            Some([zeros, pixels(b), pixels(c)])
        }
        [a, b] if [a, b].map(|run| run.weights) == [0, RUN] => Some([pixels(a), pixels(b), zeros]),
        _ => None,
    }
}

impl Winograd {
    /// Begins with a row, if it is one to be computed so.
    #[target_feature(enable = "avx2")]
    pub(super) fn begin(&mut self, row: &Row<'_, i16>) -> Option<Begun> {
        let source = source(row)?;
        let (layer, groups) = (Source::of(row), row.pixel_len() / CHANNELS);
        if !self.places.takes(&layer, groups) {
            return None;
        }
        let [a, b, c] = source.map(|pixels| pixels.as_ptr().addr());
        let second = |y, above| Second {
            layer,
            y,
            columns: row.columns,
            above,
        };
        let here = second(row.y, [a, b]);
        let is_second = self.expected.contains(&here);
        self.expected.retain(|second| second.layer != layer);
        let squares = row.columns / OUTPUTS;
        let has_room = self.pixels.resize_default(OF_FIRST).and(self.sums.resize_default(OF_FIRST));
        let has_room = has_room.and(self.done.resize_default(OUTPUTS));
        let fits = match is_second {
            // Of a second row only those of the source above and below it count.
            true => transform::<1>(source, squares, &mut self.pixels),
            false => transform::<WINDOW>(source, squares, &mut self.pixels),
        };
        if has_room.is_err() || !fits {
            return None;
        }
        let (Place::Kept(begin) | Place::New(begin)) = self.places.of(layer, groups) else {
            return None;
        };
        if !is_second {
            self.expected.push(second(row.y + 1, [b, c])).ok()?;
        }
        Some(Begun {
            begin,
            squares,
            is_second,
        })
    }

    /// Computes a group of channels of the row; false where there is no room for its weights.
    #[target_feature(enable = "avx2")]
    pub(super) fn group(
        &mut self,
        isa: Avx2,
        begun: Begun,
        index: usize,
        group: &Group<'_, Pairs>,
        target: &mut Target<'_>,
    ) -> bool {
        let Target::Activations(target) = target else {
            return false;
        };
        let place = begun.begin + index;
        if place == self.weights.len() {
            let len = place + 1;
            let has_room = self.weights.resize_default(len).and(self.left.resize_default(len));
            if let (Ok(()), Some(weights)) = (has_room, self.weights.last_mut()) {
                transform_weights(group.weights(), weights);
            }
        }
        let (Some(weights), Some(left), Some(done)) = (
            self.weights.get(place),
            self.left.get_mut(place),
            self.done.first_chunk_mut(),
        ) else {
            return false;
        };
        let largest = rest_of_largest(weights);
        let products = if begun.is_second { OF_FIRST..PRODUCTS } else { 0..OF_FIRST };
        let weights = &weights[products];
        for at in (0..begun.squares).step_by(MOST_AT_ONCE) {
            let (sums, count) = (&mut self.sums, MOST_AT_ONCE.min(begun.squares - at));
            of_width!(multiply(weights, largest, &self.pixels, at, sums), count; 1 2 3 4);
            match begun.is_second {
                true => second(sums, at..at + count, left, done),
                false => first(sums, at..at + count, left, done),
            }
        }
        finish(isa, done, begun.squares, group, target);
        true
    }
}

/// Transforms the pixels of the products' first `ROWS` rows; false where one is too large.
#[inline(never)]
#[target_feature(enable = "avx2")]
fn transform<const ROWS: usize>(
    source: [Pixels<'_>; WINDOW],
    squares: usize,
    to: &mut [[Pixel; SQUARES]],
) -> bool {
    let (Some(to), squares) = (to.first_chunk_mut::<OF_FIRST>(), squares.min(SQUARES)) else {
        return false;
    };
    // Each square's pixels begin two columns behind those of the one before: a load costs less than to carry them.
    let [above, middle, below] = source.map(|row| row.windows(PIXELS).step_by(OUTPUTS));
    let mut all = zero();
    let mut done = 0;
    for ((above, middle), below) in above.zip(middle).zip(below).take(squares) {
        let [Some(above), Some(middle), Some(below)] =
            [above, middle, below].map(<[_]>::first_chunk::<PIXELS>)
        else {
            return false;
        };
        let column = |row: &[[i16; CHANNELS]; PIXELS], x: usize| load_16(&row[x]);
        for x in 0..PIXELS {
            let (a, b, c) = (column(above, x), column(middle, x), column(below, x));
            all = _mm256_or_si256(all, _mm256_or_si256(a, _mm256_or_si256(b, c)));
        }
        for row in 0..ROWS {
            let [a, b, c, d] = array::from_fn(|x| match row {
                0 => sub(column(above, x), column(below, x)),
                1 => add(column(middle, x), column(below, x)),
                _ => sub(column(below, x), column(middle, x)),
            });
            let mut largest = add(b, c);
            if row == LARGEST / PIXELS {
                largest = _mm256_xor_si256(largest, _mm256_set1_epi16(i16::MIN));
            }
            let values = [sub(a, c), largest, sub(c, b), sub(b, d)];
            for x in 0..PIXELS {
                store(values[x], &mut to[PIXELS * row + x][done].0);
            }
        }
        done += 1;
    }
    done == squares && _mm256_testz_si256(all, _mm256_set1_epi16(FORBIDDEN)) == 1
}

/// Three weights of a side as four.
#[inline]
#[target_feature(enable = "avx2")]
fn four([a, b, c]: [__m256i; WINDOW]) -> [__m256i; PIXELS] {
    let ends = add(a, c);
    [add(a, a), add(ends, b), sub(ends, b), add(c, c)]
}

/// Two outputs of a side, twice as large, from four products.
#[inline]
#[target_feature(enable = "avx2")]
fn two([a, b, c, d]: [__m256i; PIXELS]) -> [__m256i; OUTPUTS] {
    [
        _mm256_add_epi32(_mm256_add_epi32(a, b), c),
        _mm256_sub_epi32(_mm256_sub_epi32(b, c), d),
    ]
}

/// Transforms the weights of a group, pair by pair.
#[inline(never)]
#[target_feature(enable = "avx2")]
fn transform_weights(units: &[Pairs], all: &mut Weights) {
    for pair in 0..PAIRS {
        for half in 0..2 {
            let mut columns = [[zero(); PIXELS]; WINDOW];
            for (x, column) in columns.iter_mut().enumerate() {
                let mut weights = [zero(); WINDOW];
                for (y, weights) in weights.iter_mut().enumerate() {
                    if let Some(unit) = units.get((y * WINDOW + x) * PAIRS + pair) {
                        *weights = unit.widened(half);
                    }
                }
                *column = four(weights);
            }
            let [left, middle, right] = columns;
            for y in 0..PIXELS {
                let row = four([left[y], middle[y], right[y]]);
                for (x, value) in row.into_iter().enumerate() {
                    store(value, &mut all[PIXELS * y + x][pair].0[half]);
                }
            }
        }
    }
}

/// What products with the largest pixels lack, those being held less 2^15.
#[inline]
#[target_feature(enable = "avx2")]
fn rest_of_largest(weights: &Weights) -> [__m256i; 2] {
    let mut rest = [zero(); 2];
    for weights in &weights[LARGEST] {
        for (rest, weights) in rest.iter_mut().zip(&weights.0) {
            let held = _mm256_madd_epi16(load(weights), _mm256_set1_epi16(i16::MIN));
            *rest = _mm256_sub_epi32(*rest, held);
        }
    }
    rest
}

/// Products' sums over the channels of so many squares.
#[target_feature(enable = "avx2")]
fn multiply<const COUNT: usize>(
    weights: &[[Sixteen; PAIRS]],
    largest: [__m256i; 2],
    pixels: &[[Pixel; SQUARES]],
    at: usize,
    to: &mut [[Sixteen; MOST_AT_ONCE]],
) {
    let products = weights.iter().zip(pixels).zip(to).enumerate();
    for (product, ((weights, pixels), to)) in products {
        let Some(pixels) = pixels.get(at..).and_then(<[Pixel]>::first_chunk::<COUNT>) else {
            return;
        };
        let begin = if product == LARGEST { largest } else { [zero(); 2] };
        let mut sums = [begin; COUNT];
        for pair in 0..PAIRS {
            let [low, high] = &weights[pair].0;
            let (low, high) = (load(low), load(high));
            for square in 0..COUNT {
                let pair = _mm256_set1_epi32(pixels[square].0[pair]);
                let [of_low, of_high] = sums[square];
                sums[square] = [
                    _mm256_add_epi32(of_low, _mm256_madd_epi16(low, pair)),
                    _mm256_add_epi32(of_high, _mm256_madd_epi16(high, pair)),
                ];
            }
        }
        for square in 0..COUNT {
            let [low, high] = sums[square];
            store(low, &mut to[square].0[0]);
            store(high, &mut to[square].0[1]);
        }
    }
}

/// The outputs of these squares of a first row, and what it leaves.
#[target_feature(enable = "avx2")]
fn first(
    sums: &[[Sixteen; MOST_AT_ONCE]],
    squares: Range<usize>,
    left: &mut [[Sixteen; SQUARES]; OUTPUTS],
    done: &mut [[Sixteen; SQUARES]; OUTPUTS],
) {
    for (index, square) in squares.enumerate() {
        for half in 0..2 {
            let (mut down, mut rest) = ([zero(); PIXELS], [zero(); PIXELS]);
            for x in 0..PIXELS {
                let a = load(&sums[x][index].0[half]);
                let b = load(&sums[PIXELS + x][index].0[half]);
                let c = load(&sums[2 * PIXELS + x][index].0[half]);
                down[x] = _mm256_add_epi32(_mm256_add_epi32(a, b), c);
                rest[x] = _mm256_sub_epi32(b, c);
            }
            let (down, rest) = (two(down), two(rest));
            for column in 0..OUTPUTS {
                store(down[column], &mut done[column][square].0[half]);
                store(rest[column], &mut left[column][square].0[half]);
            }
        }
    }
}

/// The outputs of these squares of a second row, from what was left to it.
#[target_feature(enable = "avx2")]
fn second(
    sums: &[[Sixteen; MOST_AT_ONCE]],
    squares: Range<usize>,
    left: &[[Sixteen; SQUARES]; OUTPUTS],
    done: &mut [[Sixteen; SQUARES]; OUTPUTS],
) {
    for (index, square) in squares.enumerate() {
        for half in 0..2 {
            let mut below = [zero(); PIXELS];
            for x in 0..PIXELS {
                below[x] = load(&sums[x][index].0[half]);
            }
            let below = two(below);
            for column in 0..OUTPUTS {
                let left = load(&left[column][square].0[half]);
                let value = _mm256_sub_epi32(left, below[column]);
                store(value, &mut done[column][square].0[half]);
            }
        }
    }
}

/// Requantizes and stores a row.
#[inline(never)]
#[target_feature(enable = "avx2")]
fn finish(isa: Avx2, sums: &[[Sixteen; SQUARES]; OUTPUTS], squares: usize, group: &Group<'_, Pairs>, target: &mut [i16]) {
    let [of_low, of_high] = [eight(&group.biases, 0), eight(&group.biases, 1)];
    let biases = (load(of_low), load(of_high));
    let sums = |column: usize, square: usize| {
        let [low, high] = &sums[column][square].0;
        [
            _mm256_add_epi32(_mm256_srai_epi32::<2>(load(low)), biases.0),
            _mm256_add_epi32(_mm256_srai_epi32::<2>(load(high)), biases.1),
        ]
    };
    let (eights, squares) = (Eights::<2>(isa), squares.min(SQUARES));
    let Some(WholePixels { target, residual }) = group.whole_pixels(target, 0) else {
        for (x, to) in (0..OUTPUTS * squares).zip(group.columns_from(target, 0)) {
            eights.finish(sums(x % OUTPUTS, x / OUTPUTS), group, group.residual(x), to);
        }
        return;
    };
    let pairs = (0..squares).zip(target.as_chunks_mut::<OUTPUTS>().0);
    match residual {
        None => {
            for (square, pair) in pairs {
                for (column, to) in pair.iter_mut().enumerate() {
                    eights.finish_sixteen(sums(column, square), group, None, to);
                }
            }
        }
        Some(residual) => {
            for ((square, pair), residual) in pairs.zip(residual.as_chunks::<OUTPUTS>().0) {
                for column in 0..OUTPUTS {
                    let (residual, to) = (Some(&residual[column]), &mut pair[column]);
                    eights.finish_sixteen(sums(column, square), group, residual, to);
                }
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn zero() -> __m256i {
    _mm256_setzero_si256()
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(a: __m256i, b: __m256i) -> __m256i {
    _mm256_add_epi16(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn sub(a: __m256i, b: __m256i) -> __m256i {
    _mm256_sub_epi16(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(from: &Eight) -> __m256i {
    // SAFETY: the load is of the whole array.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_16(from: &[i16; CHANNELS]) -> __m256i {
    // SAFETY: the load is of the whole array.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(values: __m256i, to: &mut Eight) {
    // SAFETY: the store is of the whole array.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), values) }
}
