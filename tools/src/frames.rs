//! How pictures and frames become a model's input, on the command line.

use clap::{Args, ValueEnum};
use flow_infer::front_end::{FrontEnd, Reduction, Region};
use flow_infer::spec::Shape;

/// What pictures of any size are averaged to.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct FrameArgs {
    /// Average pictures of any size to W columns and H rows; the model keeps it, and a board does the same
    #[arg(long, value_name = "WxH", value_parser = size, help_heading = "Pictures of any size")]
    size: Option<(u16, u16)>,
    /// Make luma of them, or red, green and blue
    #[arg(
        long,
        value_enum,
        default_value_t = Colour::Grey,
        requires = "size",
        help_heading = "Pictures of any size"
    )]
    colour: Colour,
    /// Look at this part of every picture: first column and row, width and height
    #[arg(
        long,
        value_name = "X,Y,W,H",
        value_parser = region,
        requires = "size",
        help_heading = "Pictures of any size"
    )]
    region: Option<Region>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    #[default]
    Grey,
    Rgb,
}

impl FrameArgs {
    /// What was asked for.
    pub(crate) fn reduction(&self) -> Option<Reduction> {
        let (width, height) = self.size?;
        let channels = match self.colour {
            Colour::Grey => 1,
            Colour::Rgb => 3,
        };
        Some(Reduction {
            region: self.region,
            ..Reduction::to(Shape::new(channels, height, width))
        })
    }
}

/// The reduction of a front end.
pub(crate) fn reduction(front_end: Option<&FrontEnd>) -> Option<Reduction> {
    match front_end? {
        FrontEnd::Frames(reduction) => Some(*reduction),
        _ => None,
    }
}

/// Columns and rows, as 32x24.
pub(crate) fn size(text: &str) -> Result<(u16, u16), String> {
    let sides = text.split_once(['x', 'X']);
    let sides = sides.and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    match sides {
        Some((width, height)) if width > 0 && height > 0 => Ok((width, height)),
        _ => Err("expected WxH, as 32x24".to_owned()),
    }
}

pub(crate) fn region(text: &str) -> Result<Region, String> {
    let numbers: Result<Vec<u16>, _> = text.split(',').map(|n| n.trim().parse()).collect();
    match numbers.as_deref() {
        Ok(&[x, y, width, height]) if width > 0 && height > 0 => Ok(Region {
            x,
            y,
            width,
            height,
        }),
        _ => Err("expected X,Y,W,H, as 160,0,320,240".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_regions_are_numbers() {
        assert_eq!(size("32x24"), Ok((32, 24)));
        for bad in ["", "32", "0x4", "4x0", "-1x2", "70000x1", "1x2x3"] {
            assert!(size(bad).is_err(), "{bad}");
        }
        let wanted = Region {
            x: 1,
            y: 0,
            width: 3,
            height: 4,
        };
        assert_eq!(region("1,0, 3,4"), Ok(wanted));
        for bad in ["", "1,2,3", "1,2,0,4", "1,2,3,4,5", "a,b,c,d"] {
            assert!(region(bad).is_err(), "{bad}");
        }
    }
}
