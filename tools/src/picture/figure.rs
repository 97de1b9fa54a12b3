//! Figures: tiles in rows and columns with their labels, and the colour scales below, as SVG.
//!
//! Tiles are pictures of a pixel a coordinate that a viewer enlarges; labels are text, so that they
//! can be searched and read aloud, and stay sharp in print.

use super::colour::{self, BLANK, INK, PAPER, Rgb, SOFT};
use super::file::{data_uri, png_of};
use super::raster::Raster;
use crate::html::{Element, el};
use anyhow::Result;

/// Width that a figure should have, in pixels.
const WIDTH: usize = 1000;
/// Tiles are not shown larger than this.
const TILE: usize = 120;
/// Around everything, and between bands.
const MARGIN: usize = 14;
/// Between tiles.
const GAP: usize = 6;
/// From line to line of the labels.
const LINE: usize = 16;
/// Size of the labels.
const TEXT: usize = 12;
/// Size of the title.
const TITLE: usize = 17;
/// Size of a colour scale.
const BAR: (usize, usize) = (210, 11);
/// Name of the colours' gradient within the file.
const GRADIENT: &str = "colours";

/// A labelled grid of tiles.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figure {
    /// Above everything.
    pub(crate) title: String,
    /// Grids, one below the other.
    pub(crate) bands: Vec<Band>,
    /// Colour scales.
    pub(crate) scales: Vec<Scale>,
}

/// Rows under the same heads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Band {
    /// One a column; a line break is one.
    pub(crate) heads: Vec<String>,
    /// The rows.
    pub(crate) rows: Vec<Row>,
}

/// Tiles side by side.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// To the left; a line break is one.
    pub(crate) label: String,
    /// One a column; nothing leaves its place free.
    pub(crate) tiles: Vec<Option<Raster>>,
}

/// What the colours mean.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    /// What is shown, with its unit.
    pub(crate) name: String,
    /// The value of the last colour; the first one's is its negative.
    pub(crate) range: f32,
    /// What blank coordinates are, if there are any.
    pub(crate) blank: Option<&'static str>,
}

impl Band {
    /// Columns cut into bands of at most `most`.
    pub(crate) fn wrapped(heads: &[String], rows: &[Row], most: usize) -> Vec<Self> {
        let parts = (0..heads.len()).step_by(most.max(1));
        let cut = parts.map(|first| {
            let last = (first + most).min(heads.len());
            let rows = rows.iter().map(|row| Row {
                label: row.label.clone(),
                tiles: row.tiles.iter().take(last).skip(first).cloned().collect(),
            });
            Self {
                heads: heads[first..last].to_vec(),
                rows: rows.collect(),
            }
        });
        cut.collect()
    }
}

/// Measures that all bands share.
struct Layout {
    zoom: usize,
    /// Of the row labels.
    label: usize,
    /// From one column to the next.
    pitch: usize,
}

/// A figure as a file.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    /// The SVG.
    pub(crate) svg: String,
    /// Columns and rows of pixels.
    pub(crate) size: (usize, usize),
}

impl Figure {
    /// Draws it.
    pub(crate) fn draw(&self) -> Result<Drawn> {
        let layout = self.layout();
        let title = TITLE + 2 * GAP;
        let bands = self.bands.iter().map(|b| b.height(&layout) + MARGIN);
        let height = MARGIN + title + bands.sum::<usize>() + self.scales.len() * scale_height();
        let size = (self.width(&layout), height);
        let mut svg = canvas(size).child(text((MARGIN, MARGIN + TITLE), &self.title, TITLE, INK));
        let mut y = MARGIN + title;
        for band in &self.bands {
            svg = svg.children(band.draw(y, &layout)?);
            y += band.height(&layout) + MARGIN;
        }
        for scale in &self.scales {
            svg = svg.children(scale.draw(y));
            y += scale_height();
        }
        let svg = format!("{svg}\n");
        Ok(Drawn { svg, size })
    }

    fn layout(&self) -> Layout {
        let rows = || self.bands.iter().flat_map(|band| &band.rows);
        let labels = rows().flat_map(|row| row.label.lines());
        let label = labels.map(|l| text_width(l, TEXT)).max().unwrap_or(0) + GAP;
        let columns = self.bands.iter().map(|b| b.heads.len()).max().unwrap_or(0);
        let tiles = rows().flat_map(|row| row.tiles.iter().flatten());
        let tile = tiles.map(Raster::width).max().unwrap_or(1).max(1);
        let room = WIDTH.saturating_sub(2 * MARGIN + label) / columns.max(1);
        let zoom = (room.saturating_sub(GAP).min(TILE) / tile).max(1);
        let heads = self.bands.iter().flat_map(|b| &b.heads);
        let heads = heads.flat_map(|head| head.lines());
        let head = heads.map(|h| text_width(h, TEXT)).max().unwrap_or(0);
        Layout {
            zoom,
            label,
            pitch: head.max(tile * zoom) + GAP,
        }
    }

    fn width(&self, layout: &Layout) -> usize {
        let columns = self.bands.iter().map(|b| b.heads.len()).max().unwrap_or(0);
        let grid = layout.label + columns * layout.pitch;
        let scales = self.scales.iter().map(Scale::width).max().unwrap_or(0);
        let title = text_width(&self.title, TITLE);
        2 * MARGIN + grid.max(scales).max(title)
    }
}

/// An empty picture with its colours defined.
fn canvas((width, height): (usize, usize)) -> Element {
    let stop = |(place, colour): (f32, Rgb)| {
        let stop = el("stop").attr("offset", place);
        stop.attr("stop-color", hex(colour))
    };
    let gradient = el("linearGradient").attr("id", GRADIENT);
    let gradient = gradient.children(colour::stops().map(stop));
    let paper = el("rect").attr("width", width).attr("height", height);
    el("svg")
        .attr("xmlns", "http://www.w3.org/2000/svg")
        .attr("viewBox", format!("0 0 {width} {height}"))
        .attr("width", width)
        .attr("height", height)
        .attr("font-family", "system-ui, Helvetica, Arial, sans-serif")
        .child(el("defs").child(gradient))
        .child(paper.attr("fill", hex(PAPER)))
}

/// A line of text whose foot stands at a place.
fn text((x, y): (usize, usize), text: &str, size: usize, colour: Rgb) -> Element {
    let line = el("text").attr("x", x).attr("y", y);
    let line = line.attr("font-size", size).attr("fill", hex(colour));
    line.text(text)
}

/// About as wide as a line of text is, rather wider.
fn text_width(text: &str, size: usize) -> usize {
    text.chars().count() * size * 3 / 5
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The labels of a place, one below the other.
fn lines((x, y): (usize, usize), label: &str) -> impl Iterator<Item = Element> {
    let lines = label.lines().enumerate();
    lines.map(move |(index, line)| text((x, y + TEXT + index * LINE), line, TEXT, SOFT))
}

impl Band {
    fn head_height(&self) -> usize {
        let lines = self.heads.iter().map(|head| head.lines().count()).max();
        lines.unwrap_or(0) * LINE + GAP / 2
    }

    fn row_height(row: &Row, layout: &Layout) -> usize {
        let tiles = row.tiles.iter().flatten().map(Raster::height);
        let tile = tiles.max().unwrap_or(0) * layout.zoom;
        tile.max(row.label.lines().count() * LINE) + GAP
    }

    fn height(&self, layout: &Layout) -> usize {
        let rows = self.rows.iter().map(|row| Self::row_height(row, layout));
        self.head_height() + rows.sum::<usize>()
    }

    fn draw(&self, mut y: usize, layout: &Layout) -> Result<Vec<Element>> {
        let column = |index: usize| MARGIN + layout.label + index * layout.pitch;
        let heads = self.heads.iter().enumerate();
        let mut drawn: Vec<Element> = heads
            .flat_map(|(index, head)| lines((column(index), y), head))
            .collect();
        y += self.head_height();
        for row in &self.rows {
            drawn.extend(lines((MARGIN, y), &row.label));
            for (index, tile) in row.tiles.iter().enumerate() {
                if let Some(tile) = tile {
                    drawn.push(enlarged((column(index), y), tile, layout.zoom)?);
                }
            }
            y += Self::row_height(row, layout);
        }
        Ok(drawn)
    }
}

/// A tile, each of its pixels a square of `zoom`.
fn enlarged((x, y): (usize, usize), tile: &Raster, zoom: usize) -> Result<Element> {
    let image = el("image").attr("x", x).attr("y", y);
    let image = image
        .attr("width", tile.width() * zoom)
        .attr("height", tile.height() * zoom)
        .attr("style", "image-rendering:pixelated")
        .attr("preserveAspectRatio", "none");
    Ok(image.attr("href", data_uri(&png_of(tile)?)))
}

/// Bar, numbers and name.
const fn scale_height() -> usize {
    BAR.1 + LINE + 2 * GAP
}

impl Scale {
    fn width(&self) -> usize {
        let blank = self
            .blank
            .map_or(0, |what| 3 * GAP + BAR.1 + text_width(what, TEXT));
        BAR.0 + 2 * GAP + text_width(&self.name, TEXT) + blank
    }

    /// The bar with its numbers below; beside it its name, and a box for blank coordinates.
    fn draw(&self, y: usize) -> Vec<Element> {
        let (width, height) = BAR;
        let filled = |x: usize, width: usize, fill: String| {
            let bar = el("rect").attr("x", x).attr("y", y);
            let bar = bar.attr("width", width).attr("height", height);
            bar.attr("fill", fill)
        };
        let bar = filled(MARGIN, width, format!("url(#{GRADIENT})"));
        let below = y + height + TEXT + 2;
        let anchors = ["start", "middle", "end"];
        let ends = [-self.range, 0.0, self.range].into_iter().zip(anchors);
        let numbers = ends.enumerate().map(|(index, (value, anchor))| {
            let place = (MARGIN + index * width / 2, below);
            text(place, &number(value), TEXT, SOFT).attr("text-anchor", anchor)
        });
        let line = y + height;
        let mut x = MARGIN + width + 2 * GAP;
        let mut drawn: Vec<Element> = std::iter::once(bar).chain(numbers).collect();
        drawn.push(text((x, line), &self.name, TEXT, INK));
        if let Some(what) = self.blank {
            x += text_width(&self.name, TEXT) + 2 * GAP;
            drawn.push(filled(x, height, hex(BLANK)));
            drawn.push(text((x + height + GAP, line), what, TEXT, SOFT));
        }
        drawn
    }
}

/// With a sign, and no more digits than a range has.
fn number(value: f32) -> String {
    match value {
        0.0 => "0".to_owned(),
        v if v.abs() >= 10.0 => format!("{v:+.0}"),
        v if v.abs() >= 1.0 => format!("{v:+.1}"),
        v if v.abs() >= 0.1 => format!("{v:+.2}"),
        v => format!("{v:+.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(columns: usize) -> Figure {
        let tile = Raster::from_fn(28, 28, |_, _| INK);
        let heads: Vec<String> = (0..columns).map(|c| format!("<{c}>")).collect();
        let row = Row {
            label: "row".to_owned(),
            tiles: vec![Some(tile); columns],
        };
        Figure {
            title: "title".to_owned(),
            bands: Band::wrapped(&heads, &[row.clone(), row], 12),
            scales: vec![Scale {
                name: "latent".to_owned(),
                range: 3.0,
                blank: Some("not changed"),
            }],
        }
    }

    #[test]
    fn every_tile_and_every_label_is_there_within_the_picture() {
        for columns in [1, 5, 12, 13, 40] {
            let Drawn { svg, size } = figure(columns).draw().unwrap();
            assert!(size.0 <= WIDTH + 12 * GAP, "{columns}: {}", size.0);
            assert_eq!(svg.matches("<image ").count(), 2 * columns);
            for column in 0..columns {
                assert_eq!(svg.matches(&format!(">&lt;{column}&gt;<")).count(), 1);
            }
            for (axis, most) in [(" x=\"", size.0), (" y=\"", size.1)] {
                let places = svg.split(axis).skip(1).map(|rest| {
                    let number = rest.split('"').next().unwrap();
                    number.parse::<usize>().unwrap()
                });
                assert!(places.into_iter().all(|place| place < most), "{columns}");
            }
        }
    }

    #[test]
    fn long_labels_make_a_figure_wider() {
        let mut long = figure(2);
        let narrow = long.draw().unwrap().size.0;
        long.title = "x".repeat(200);
        let wide = long.draw().unwrap().size.0;
        assert_eq!(wide, 2 * MARGIN + text_width(&long.title, TITLE));
        assert!(narrow < wide);
    }

    #[test]
    fn numbers_have_a_sign() {
        let texts = [0.0, -3.0, 0.25, 12.0, -0.05].map(number);
        assert_eq!(texts, ["0", "-3.0", "+0.25", "+12", "-5.00e-2"]);
    }
}
