//! A picture of memory over time: the scratch of every coupling beside what whole planes would take.

use super::memory::{moments, rings};
use flow_infer::artifact::Artifact;
use flow_infer::plan::Coupling;
use flow_train_host::export::rings::layer_by_layer;
use std::fmt::Write;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = WIDTH - 12.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = HEIGHT - 34.0;
/// Lines across, at round sizes.
const LINES: f64 = 5.0;

/// One coupling on the axis of time.
struct Span {
    step: usize,
    live_bytes: Vec<u64>,
    ring_bytes: u64,
    plane_bytes: u64,
}

/// The picture, as an SVG file. `latent_bytes` lie below everything, `element_bytes` is the size of an activation.
pub(super) fn svg(artifact: &Artifact<'_>, latent_bytes: u64, element_bytes: u64) -> String {
    let spans = spans(artifact, element_bytes);
    let moments: usize = spans.iter().map(|span| span.live_bytes.len()).sum();
    let most = spans
        .iter()
        .map(|span| span.plane_bytes.max(span.ring_bytes));
    let most = (latent_bytes + most.max().unwrap_or(0)).max(1);
    let scale = Scale {
        per_moment: (RIGHT - LEFT) / moments.max(1) as f64,
        per_byte: (BOTTOM - TOP) / most as f64,
    };
    let mut text = head();
    lines(&mut text, &scale, most);
    let mut start = 0;
    for span in &spans {
        draw(&mut text, &scale, span, start, latent_bytes);
        start += span.live_bytes.len();
    }
    let latents = rectangle(LEFT, scale.y(latent_bytes), RIGHT, BOTTOM, "#94a3b8");
    text + &latents + "</svg>\n"
}

fn spans(artifact: &Artifact<'_>, element_bytes: u64) -> Vec<Span> {
    let span = |(step, coupling): (usize, Coupling)| Span {
        step,
        live_bytes: moments(&coupling)
            .iter()
            .map(|moment| moment.live as u64 * element_bytes)
            .collect(),
        ring_bytes: rings(&coupling) as u64 * element_bytes,
        plane_bytes: layer_by_layer(&coupling) as u64 * element_bytes,
    };
    let couplings = artifact
        .steps()
        .enumerate()
        .filter_map(|(index, step)| Some((index, step.ok()?.into_network()?)));
    couplings.map(span).collect()
}

struct Scale {
    per_moment: f64,
    per_byte: f64,
}

impl Scale {
    fn x(&self, moment: usize) -> f64 {
        LEFT + moment as f64 * self.per_moment
    }

    fn y(&self, bytes: u64) -> f64 {
        BOTTOM - bytes as f64 * self.per_byte
    }
}

fn head() -> String {
    let legend = [
        ("#94a3b8", "latents"),
        ("#2563eb", "rows still read"),
        ("#bfdbfe", "rings"),
        ("#f3e8d8", "whole planes, layer by layer"),
    ];
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    let mut x = LEFT;
    for (colour, name) in legend {
        text += &rectangle(x, 12.0, x + 12.0, 24.0, colour);
        text += &label(x + 18.0, 22.0, "start", name);
        x += 40.0 + 7.0 * name.len() as f64;
    }
    text
}

/// Lines across at round numbers of bytes, and what the axes are.
fn lines(text: &mut String, scale: &Scale, most: u64) {
    let step = (most as f64 / LINES / 1024.0).max(1.0).log2().ceil().exp2() as u64 * 1024;
    for bytes in (0..=most).step_by(step as usize) {
        let y = scale.y(bytes);
        let kibibytes = format!("{} KiB", bytes / 1024);
        *text += &label(LEFT - 6.0, y + 4.0, "end", &kibibytes);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "<path d=\"M{LEFT:.1} {y:.1}H{RIGHT:.1}\" stroke=\"#e2e8f0\"/>"
        );
    }
    let middle = (LEFT + RIGHT) / 2.0;
    *text += &label(
        middle,
        HEIGHT - 6.0,
        "middle",
        "rows in the order in which they are computed, step by step",
    );
}

fn draw(text: &mut String, scale: &Scale, span: &Span, start: usize, latent_bytes: u64) {
    let (left, right) = (scale.x(start), scale.x(start + span.live_bytes.len()));
    let base = scale.y(latent_bytes);
    let top = |bytes: u64| scale.y(latent_bytes + bytes);
    *text += &rectangle(left, top(span.plane_bytes), right, base, "#f3e8d8");
    *text += &rectangle(left, top(span.ring_bytes), right, base, "#bfdbfe");
    let mut path = format!("M{left:.1} {base:.1}");
    for (index, &bytes) in span.live_bytes.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(path, "V{:.1}H{:.1}", top(bytes), scale.x(start + index + 1));
    }
    let _ = writeln!(text, "<path d=\"{path}V{base:.1}Z\" fill=\"#2563eb\"/>");
    let name = span.step.to_string();
    *text += &label((left + right) / 2.0, BOTTOM + 15.0, "middle", &name);
}

fn rectangle(left: f64, top: f64, right: f64, bottom: f64, colour: &str) -> String {
    let (width, height) = (right - left, bottom - top);
    format!(
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\"/>\n"
    )
}

fn label(x: f64, y: f64, anchor: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_infer::plan::Step;

    #[test]
    fn every_coupling_is_drawn_within_the_axes() {
        let model = include_bytes!("../../../../firmware/models/fashion-tiny.flow");
        let artifact = Artifact::load(model).unwrap();
        let svg = svg(&artifact, 3136, 2);
        let couplings = artifact.steps().map(Result::unwrap);
        let couplings = couplings.filter(|step| matches!(step, Step::Coupling(_)));
        assert_eq!(
            svg.matches("fill=\"#2563eb\"/>").count(),
            1 + couplings.count()
        );
        assert!(svg.ends_with("</svg>\n"));
        let tops = svg.split(" y=\"").skip(1).map(|rest| {
            let number = rest.split('"').next().unwrap();
            number.parse::<f64>().unwrap()
        });
        assert!(tops.into_iter().all(|y| (0.0..=HEIGHT).contains(&y)));
        assert!(!svg.contains("NaN") && !svg.contains("=\"-"));
    }
}
