//! Line plots in logarithms to base 2, side by side, as an SVG file.

use std::fmt::Write;

/// A point of a line; both coordinates are positive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A line and what it is of.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) points: Vec<Point>,
}

/// One plot and what its axes are.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    pub(super) x: &'static str,
    pub(super) y: &'static str,
    pub(super) series: Vec<Series>,
}

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = WIDTH - 16.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = HEIGHT - 44.0;
const COLOURS: [&str; 3] = ["#2563eb", "#b45309", "#047857"];

/// The panels side by side.
pub(super) fn svg(panels: &[Panel]) -> String {
    let width = WIDTH * panels.len() as f64;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{width}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    for (index, panel) in panels.iter().enumerate() {
        text += &format!("<g transform=\"translate({} 0)\">\n", WIDTH * index as f64);
        text += &draw(panel);
        text += "</g>\n";
    }
    text + "</svg>\n"
}

/// Powers of two around all values of an axis, and where they lie.
struct LogAxis {
    lowest: i32,
    highest: i32,
    from: f64,
    to: f64,
}

impl LogAxis {
    fn around(values: impl Iterator<Item = f64>, (from, to): (f64, f64)) -> Self {
        let (least, most) = values.fold((f64::MAX, f64::MIN_POSITIVE), |(least, most), value| {
            (value.min(least), value.max(most))
        });
        let lowest = least.log2().floor() as i32;
        Self {
            lowest,
            highest: (most.log2().ceil() as i32).max(lowest + 1),
            from,
            to,
        }
    }

    fn at(&self, value: f64) -> f64 {
        let share = (value.log2() - f64::from(self.lowest)) / f64::from(self.highest - self.lowest);
        self.from + share * (self.to - self.from)
    }

    fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        (self.lowest..=self.highest).map(|power| {
            let value = f64::from(power).exp2();
            (self.at(value), value.to_string())
        })
    }
}

fn draw(panel: &Panel) -> String {
    let points = || panel.series.iter().flat_map(|series| &series.points);
    let x = LogAxis::around(points().map(|point| point.x), (LEFT, RIGHT));
    let y = LogAxis::around(points().map(|point| point.y), (BOTTOM, TOP));
    let mut text = String::new();
    for (at, tick) in x.ticks() {
        text += &rule(&format!("M{at:.1} {TOP}V{BOTTOM}"));
        text += &label(at, BOTTOM + 16.0, "middle", &tick);
    }
    for (at, tick) in y.ticks() {
        text += &rule(&format!("M{LEFT} {at:.1}H{RIGHT}"));
        text += &label(LEFT - 6.0, at + 4.0, "end", &tick);
    }
    text += &label((LEFT + RIGHT) / 2.0, HEIGHT - 8.0, "middle", panel.x);
    text += &label(LEFT - 44.0, TOP - 22.0, "start", panel.y);
    for (index, (series, colour)) in panel.series.iter().zip(COLOURS).enumerate() {
        text += &line(series, colour, &x, &y);
        let place = RIGHT - 80.0 * (panel.series.len() - 1 - index) as f64;
        let name = format!("<tspan fill=\"{colour}\">{}</tspan>", series.name);
        text += &label(place, TOP - 22.0, "end", &name);
    }
    text
}

fn line(series: &Series, colour: &str, x: &LogAxis, y: &LogAxis) -> String {
    let mut path = String::new();
    let mut dots = String::new();
    for (index, point) in series.points.iter().enumerate() {
        let (x, y) = (x.at(point.x), y.at(point.y));
        let verb = if index == 0 { 'M' } else { 'L' };
        // Writing to a string cannot fail.
        let _ = write!(path, "{verb}{x:.1} {y:.1}");
        let _ = writeln!(
            dots,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>"
        );
    }
    format!("<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n{dots}")
}

fn rule(path: &str) -> String {
    format!("<path d=\"{path}\" stroke=\"#e2e8f0\"/>\n")
}

fn label(x: f64, y: f64, anchor: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubling_is_the_same_distance_anywhere() {
        let axis = LogAxis::around([3.0, 40.0].into_iter(), (100.0, 200.0));
        assert_eq!((axis.lowest, axis.highest), (1, 6));
        assert_eq!((axis.at(2.0), axis.at(64.0)), (100.0, 200.0));
        assert!((axis.at(8.0) - axis.at(4.0) - (axis.at(32.0) - axis.at(16.0))).abs() < 1e-9);
    }

    #[test]
    fn every_point_has_a_dot() {
        let points = [1.0, 2.0, 4.0].map(|x| Point { x, y: x * x });
        let series = Series {
            name: "a",
            points: points.to_vec(),
        };
        let panel = Panel {
            x: "x",
            y: "y",
            series: vec![series.clone(), series],
        };
        let svg = svg(&[panel]);
        assert_eq!(svg.matches("<circle").count(), 6);
        assert!(svg.contains("M60.0 276.0L") && !svg.contains("NaN"));
    }
}
