//! Figures: tiles in rows and columns with their labels, and the colour scales below.
//!
//! Twice as large as they are shown, so that they stay sharp on screens of high density and legible
//! in print.

use super::colour::{BLANK, INK, PAPER, SOFT, diverging};
use super::font::LINE;
use super::raster::{Raster, text_width};

/// Width that a figure should have, in pixels.
const WIDTH: usize = 2000;
/// Tiles are not shown larger than this.
const TILE: usize = 240;
/// Around everything, and between bands.
const MARGIN: usize = 28;
/// Between tiles.
const GAP: usize = 12;
/// Size of a dot of the labels.
const TEXT: usize = 2;
/// Size of a dot of the title.
const TITLE: usize = 3;
/// Size of a colour scale.
const BAR: (usize, usize) = (420, 22);

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

impl Figure {
    /// Draws it.
    pub(crate) fn draw(&self) -> Raster {
        let layout = self.layout();
        let title = TITLE * LINE + GAP;
        let bands = self.bands.iter().map(|b| b.height(&layout) + MARGIN);
        let height = MARGIN + title + bands.sum::<usize>() + self.scales_height();
        let mut figure = Raster::new(self.width(&layout), height, PAPER);
        figure.write((MARGIN, MARGIN), &self.title, TITLE, INK);
        let mut y = MARGIN + title;
        for band in &self.bands {
            band.draw(&mut figure, y, &layout);
            y += band.height(&layout) + MARGIN;
        }
        for scale in &self.scales {
            scale.draw(&mut figure, y);
            y += scale_height();
        }
        figure
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

    fn scales_height(&self) -> usize {
        match self.scales.len() {
            0 => 0,
            count => count * scale_height() + MARGIN - GAP,
        }
    }
}

impl Band {
    fn head_height(&self) -> usize {
        let lines = self.heads.iter().map(|head| head.lines().count()).max();
        lines.unwrap_or(0) * TEXT * LINE + GAP / 2
    }

    fn row_height(row: &Row, layout: &Layout) -> usize {
        let tiles = row.tiles.iter().flatten().map(Raster::height);
        let tile = tiles.max().unwrap_or(0) * layout.zoom;
        tile.max(row.label.lines().count() * TEXT * LINE) + GAP
    }

    fn height(&self, layout: &Layout) -> usize {
        let rows = self.rows.iter().map(|row| Self::row_height(row, layout));
        self.head_height() + rows.sum::<usize>()
    }

    fn draw(&self, figure: &mut Raster, mut y: usize, layout: &Layout) {
        let column = |index: usize| MARGIN + layout.label + index * layout.pitch;
        for (index, head) in self.heads.iter().enumerate() {
            write_lines(figure, (column(index), y), head);
        }
        y += self.head_height();
        for row in &self.rows {
            write_lines(figure, (MARGIN, y), &row.label);
            for (index, tile) in row.tiles.iter().enumerate() {
                if let Some(tile) = tile {
                    figure.stamp((column(index), y), tile, layout.zoom);
                }
            }
            y += Self::row_height(row, layout);
        }
    }
}

fn write_lines(figure: &mut Raster, (x, y): (usize, usize), text: &str) {
    for (index, line) in text.lines().enumerate() {
        figure.write((x, y + index * TEXT * LINE), line, TEXT, SOFT);
    }
}

/// Bar, numbers and name.
const fn scale_height() -> usize {
    BAR.1 + 2 * TEXT * LINE + GAP
}

impl Scale {
    fn width(&self) -> usize {
        let blank = self
            .blank
            .map_or(0, |what| 2 * GAP + BAR.1 + text_width(what, TEXT));
        BAR.0 + 2 * GAP + text_width(&self.name, TEXT) + blank
    }

    /// The bar with its numbers below; beside it its name, and a box for blank coordinates.
    fn draw(&self, figure: &mut Raster, y: usize) {
        let (width, height) = BAR;
        for x in 0..width {
            let value = 2.0 * x as f32 / (width - 1) as f32 - 1.0;
            figure.fill((MARGIN + x, y), (1, height), diverging(value));
        }
        let texts = [-self.range, 0.0, self.range].map(number);
        let below = y + height + TEXT * 2;
        let widths = texts.each_ref().map(|text| text_width(text, TEXT));
        let places = [0, (width - widths[1]) / 2, width - widths[2]];
        for (text, x) in texts.iter().zip(places) {
            figure.write((MARGIN + x, below), text, TEXT, SOFT);
        }
        let line = y + (height - 7 * TEXT) / 2;
        let mut x = MARGIN + width + 2 * GAP;
        figure.write((x, line), &self.name, TEXT, INK);
        if let Some(what) = self.blank {
            x += text_width(&self.name, TEXT) + GAP;
            figure.fill((x, y), (height, height), BLANK);
            figure.write((x + height + GAP, line), what, TEXT, SOFT);
        }
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
        let tile = Raster::new(28, 28, INK);
        let heads: Vec<String> = (0..columns).map(|c| c.to_string()).collect();
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

    /// Pixels of the colour of the test's tiles in large squares, not of letters.
    fn tile_pixels(figure: &Raster) -> usize {
        let bytes = figure.bytes();
        let dark = bytes.chunks_exact(3).filter(|p| **p == INK);
        dark.count()
    }

    #[test]
    fn every_tile_is_there_whole() {
        for columns in [1, 5, 12, 13, 40] {
            let figure = figure(columns);
            let zoom = figure.layout().zoom;
            let drawn = figure.draw();
            assert!(
                drawn.width() <= WIDTH + 12 * GAP,
                "{columns}: {}",
                drawn.width()
            );
            let tiles = 2 * columns * (28 * zoom) * (28 * zoom);
            let letters = tile_pixels(&drawn) - tiles;
            assert!((1..4000).contains(&letters), "{columns}: {letters}");
        }
    }

    #[test]
    fn long_labels_make_a_figure_wider() {
        let mut long = figure(2);
        let narrow = long.draw().width();
        long.title = "x".repeat(200);
        assert_eq!(long.draw().width(), 2 * MARGIN + 200 * 6 * TITLE);
        assert!(narrow < 200 * 6 * TITLE);
    }

    #[test]
    fn numbers_have_a_sign() {
        let texts = [0.0, -3.0, 0.25, 12.0, -0.05].map(number);
        assert_eq!(texts, ["0", "-3.0", "+0.25", "+12", "-5.00e-2"]);
    }
}
