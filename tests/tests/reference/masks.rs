//! Masks against drawings: `k` kept, `c` changed, `.` left alone.

use flow_infer::spec::{CouplingMask, Half, Parity, Quadrant, Shape};

fn drawing(mask: CouplingMask, channel: usize, shape: Shape) -> String {
    let pixel = |y, x| {
        let kept = mask.is_kept(channel, y, x, shape);
        match (kept, mask.is_changed(channel, y, x, shape)) {
            (true, false) => 'k',
            (false, true) => 'c',
            (false, false) => '.',
            (true, true) => '!',
        }
    };
    let row = |y| (0..shape.width.into()).map(|x| pixel(y, x)).collect();
    let rows: Vec<String> = (0..shape.height.into()).map(row).collect();
    rows.join(" ")
}

#[test]
fn spatial_masks_look_like_their_drawings_in_every_channel() {
    let shape = Shape::new(2, 3, 5);
    let drawings = [
        (
            CouplingMask::Checkerboard { kept: Parity::Even },
            "kckck ckckc kckck",
        ),
        (
            CouplingMask::Checkerboard { kept: Parity::Odd },
            "ckckc kckck ckckc",
        ),
        (
            CouplingMask::Horizontal { kept: Half::First },
            "kkkkk ccccc ccccc",
        ),
        (
            CouplingMask::Horizontal { kept: Half::Second },
            "ccccc kkkkk kkkkk",
        ),
        (
            CouplingMask::Vertical { kept: Half::First },
            "kkccc kkccc kkccc",
        ),
        (
            CouplingMask::Vertical { kept: Half::Second },
            "cckkk cckkk cckkk",
        ),
        (
            CouplingMask::Cycle {
                kept: Quadrant::TopLeft,
            },
            "kkccc ..... .....",
        ),
        (
            CouplingMask::Cycle {
                kept: Quadrant::TopRight,
            },
            "..kkk ..ccc ..ccc",
        ),
        (
            CouplingMask::Cycle {
                kept: Quadrant::BottomRight,
            },
            "..... cckkk cckkk",
        ),
        (
            CouplingMask::Cycle {
                kept: Quadrant::BottomLeft,
            },
            "cc... kk... kk...",
        ),
    ];
    for (mask, wanted) in drawings {
        for channel in 0..2 {
            assert_eq!(drawing(mask, channel, shape), wanted, "{mask:?}");
        }
    }
}

#[test]
fn the_channel_mask_splits_channels_the_smaller_half_first() {
    let shape = Shape::new(3, 1, 2);
    let first = CouplingMask::Channel { kept: Half::First };
    let second = CouplingMask::Channel { kept: Half::Second };
    assert_eq!(
        [0, 1, 2].map(|c| drawing(first, c, shape)),
        ["kk", "cc", "cc"]
    );
    assert_eq!(
        [0, 1, 2].map(|c| drawing(second, c, shape)),
        ["cc", "kk", "kk"]
    );
}
