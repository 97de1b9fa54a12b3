//! What Arm's own kernels cost, counted once in the same way.

use super::cases::{CONVOLUTION, DENSE};

/// How the figures came about.
pub(crate) const SOURCE: &str = "CMSIS-NN: version 99f736a, gcc 12.2 -Ofast, same sizes and counter; s16 has 8-bit \
                                 weights and 16-bit activations as here, s8 has 8-bit activations.";

/// Instructions per nominal multiply of a kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    case: &'static str,
    boards: &'static [&'static str],
    /// With 16-bit activations.
    pub(crate) wide: Option<f64>,
    /// With 8-bit activations.
    pub(crate) narrow: Option<f64>,
}

const fn peer(
    case: &'static str,
    boards: &'static [&'static str],
    wide: Option<f64>,
    narrow: f64,
) -> Peer {
    let narrow = Some(narrow);
    Peer {
        case,
        boards,
        wide,
        narrow,
    }
}

const PEERS: [Peer; 8] = [
    peer(CONVOLUTION, &["m0"], None, 7.55),
    peer(CONVOLUTION, &["m3"], Some(3.07), 3.33),
    peer(CONVOLUTION, &["m4", "m7"], Some(2.50), 2.33),
    peer(CONVOLUTION, &["m55"], Some(0.55), 0.39),
    peer(DENSE, &["m0"], None, 6.80),
    peer(DENSE, &["m3"], Some(5.41), 3.67),
    peer(DENSE, &["m4", "m7"], Some(2.81), 2.27),
    peer(DENSE, &["m55"], Some(1.17), 0.58),
];

/// The peer of a case on a board, if it was counted.
pub(crate) fn find(case: &str, board: &str) -> Option<&'static Peer> {
    PEERS
        .iter()
        .find(|peer| peer.case == case && peer.boards.contains(&board))
}
