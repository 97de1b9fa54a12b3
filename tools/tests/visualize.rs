//! Pictures: every kind of them, from every kind of model that has them, on one page.

mod support;

use flow_infer::spec::{
    AffineForm, ConditionerSpec, CouplingMask, CouplingSpec, FlowSpec, Half, InputSpec, LevelSpec,
    ScaleMap, Shape, StepSpec,
};
use flow_train_host::data::{Images, idx};
use flow_train_host::model::{Model, Tensor, tensors::tensor_list};
use serde_json::Value;
use support::{Place, Random, SIDE, image_spec, model, vector_spec};

/// A float model, its `.flow`, a model of horizontal masks, and images.
fn place() -> Place {
    let place = Place::new();
    let float = place.file("image.safetensors");
    model(image_spec(), 1).save(&float).unwrap();
    let notes = place.file("notes.safetensors");
    notes_model().save(&notes).unwrap();
    place.images("own.idx3", 20, SIDE, 3, false);
    place.images("other.idx3", 20, SIDE, 4, true);
    place.ok(
        "export image.safetensors --format q8 --calibrate own.idx3 --golden 0 --out image.flow",
    );
    place
}

/// Two couplings of two rows, made by hand: the first writes the upper row into the lower one (y = x + upper), and
/// the second expects the upper row to be what it reads in the lower one.
fn notes_model() -> Model {
    let coupling = |kept| {
        StepSpec::Coupling(CouplingSpec {
            mask: CouplingMask::Horizontal { kept },
            conditioner: ConditionerSpec::Convnet {
                channels: 1,
                layers: 1,
            },
            scale_map: ScaleMap::Exp,
            affine: AffineForm::ShiftThenScale,
        })
    };
    let steps = [Half::First, Half::Second]
        .map(coupling)
        .into_iter()
        .collect();
    let input = InputSpec::Image {
        shape: Shape::new(1, 2, 16),
        logit_margin: 0.05,
    };
    let levels = [LevelSpec { steps }].into_iter().collect();
    let spec = FlowSpec { input, levels };
    let tensors = tensor_list(&spec).into_iter().map(|wanted| {
        let mut values = vec![0.0; wanted.shape.iter().product()];
        let second = wanted.name.contains("steps.1");
        if wanted.name.ends_with("layers.0.weights") {
            // The tap above (row 0 of 3) reads the upper row at the lower one; the tap below the other way round.
            values[if second { 7 } else { 1 }] = 1.0;
        }
        if wanted.name.ends_with("out_conv.weights") {
            // raw_scale 0; the shift adds what was read, or expects it.
            values[1] = if second { -1.0 } else { 1.0 };
        }
        let shape = wanted.shape;
        (wanted.name, Tensor { shape, values })
    });
    Model::new(spec.clone(), tensors.collect()).unwrap()
}

/// Images of 1 x 2 x 16: the upper row strong, the lower one faint, both random.
fn rows(place: &Place, name: &str, seed: u64) {
    let mut random = Random(seed);
    let pixels = (0..40 * 32).map(|i| match i % 32 {
        0..16 => (255.0 * random.uniform()) as u8,
        _ => (118.0 + 20.0 * random.uniform()) as u8,
    });
    let images = Images::new(1, 2, 16, pixels.collect()).unwrap();
    idx::write_images(&place.file(name), &images).unwrap();
}

/// Size of a picture whose tiles all decode whole, and whose labels are text.
fn drawn(file: &[u8]) -> (u32, u32) {
    let svg = std::str::from_utf8(file).unwrap();
    let tiles = svg
        .matches("href=\"data:image/png;base64,iVBORw0KGgo")
        .count();
    assert!(tiles > 0 && tiles == svg.matches("<image ").count());
    assert!(svg.contains("<text ") && svg.ends_with("</svg>\n"));
    let number = |name: &str| {
        let rest = svg.split_once(&format!(" {name}=\"")).unwrap().1;
        rest.split('"').next().unwrap().parse().unwrap()
    };
    (number("width"), number("height"))
}

/// The pictures that a run's table names, each of the size it says, and on the page.
fn checked(place: &Place, out: &str, wanted: &[&str]) {
    let page = String::from_utf8(place.read("pictures/index.html")).unwrap();
    for name in wanted {
        let line = out.lines().find(|line| line.contains(&format!("/{name} ")));
        let line = line.unwrap_or_else(|| panic!("{name} is not in\n{out}"));
        let words: Vec<&str> = line.split_whitespace().collect();
        let size = (words[1].parse().unwrap(), words[3].parse().unwrap());
        assert_eq!(drawn(&place.read(&format!("pictures/{name}"))), size);
        assert!(page.contains(&format!("href=\"{name}\"")), "{name}");
    }
    let named = out.lines().filter(|line| line.contains(".svg ")).count();
    assert_eq!(named, wanted.len(), "{out}");
}

#[test]
fn every_kind_adds_to_one_page() {
    let place = place();
    let sets = "--data own.idx3 --data <i>&=other.idx3";
    let out = place.ok(&format!(
        "visualize latents image.safetensors {sets} --draws 3 --limit 5 --out pictures"
    ));
    checked(&place, &out, &["latents-own.svg", "latents--i--.2.svg"]);
    assert!(out.contains("3 draws, seed 0"), "{out}");
    let out =
        place.ok("visualize couplings image.safetensors --data own.idx3 --skip 4 --out pictures");
    checked(
        &place,
        &out,
        &["couplings-own-4.svg", "couplings-own-5.svg"],
    );
    let out = place.ok(&format!(
        "visualize activations image.safetensors {sets} --out pictures"
    ));
    checked(
        &place,
        &out,
        &["activations-own.svg", "activations--i--.2.svg"],
    );
    let out = place.ok(
        "visualize samples image.safetensors --data own.idx3 --temperatures 0,1 --draws 3 --out pictures",
    );
    checked(&place, &out, &["samples.svg"]);
    let out = place.ok(&format!(
        "visualize heat image.flow {sets} --limit 3 --out heat"
    ));
    assert!(out.contains("nats a pixel in every picture"), "{out}");
    let out = place.ok(&format!(
        "visualize heat image.safetensors {sets} --limit 3 --out pictures"
    ));
    checked(&place, &out, &["heat-own.svg", "heat--i--.2.svg"]);
    let list: Value = serde_json::from_slice(&place.read("pictures/pictures.json")).unwrap();
    let kinds = list["models"][0]["chapters"].as_array().unwrap().iter();
    let kinds: Vec<&str> = kinds.map(|c| c["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["heat", "latents", "couplings", "activations", "samples"]
    );
    let page = String::from_utf8(place.read("pictures/index.html")).unwrap();
    assert!(page.starts_with("<!doctype html>"));
    assert_eq!(
        page.matches("data:image/svg+xml;base64,").count(),
        2 + 2 + 2 + 1 + 2
    );
    assert!(page.contains("&lt;i&gt;&amp;") && !page.contains("<i>&"));
    for outside in ["http://", "https://", "<script", "<link", "@import"] {
        assert!(!page.contains(outside), "nothing from outside: {outside}");
    }
}

#[test]
fn another_model_keeps_the_chapters_of_the_first() {
    let place = place();
    place.ok("visualize latents image.safetensors --data own.idx3 --draws 1 --out pictures");
    let first = place.read("pictures/latents-own.svg");
    place.ok("visualize activations image.flow --data own.idx3 --out pictures");
    let latents = "visualize latents image.flow --data own.idx3 --out pictures";
    place.ok(latents);
    let list = || -> Vec<(String, usize)> {
        let list: Value = serde_json::from_slice(&place.read("pictures/pictures.json")).unwrap();
        let models = list["models"].as_array().unwrap().iter();
        let shown = models.map(|model| {
            let chapters = model["chapters"].as_array().unwrap().len();
            (model["model"].as_str().unwrap().to_owned(), chapters)
        });
        shown.collect()
    };
    let both = [
        ("image.safetensors".to_owned(), 1),
        ("image.flow".to_owned(), 2),
    ];
    assert_eq!(list(), both);
    assert_eq!(place.read("pictures/latents-own.svg"), first);
    let page = String::from_utf8(place.read("pictures/index.html")).unwrap();
    assert!(page.contains("<h1>image.safetensors") && page.contains("<h1>image.flow"));
    assert_eq!(page.matches("data:image/svg+xml;base64,").count(), 3);

    // The second model made anew, in its place, begins anew; the first one's chapters stay.
    place.ok(
        "export image.safetensors --format q8 --calibrate other.idx3 --golden 0 --out image.flow",
    );
    place.ok(latents);
    assert_eq!(
        list(),
        [
            ("image.safetensors".to_owned(), 1),
            ("image.flow".to_owned(), 1)
        ]
    );
}

#[test]
fn a_list_of_one_model_is_still_read() {
    let place = place();
    place.ok("visualize latents image.safetensors --data own.idx3 --draws 1 --out pictures");
    let list: Value = serde_json::from_slice(&place.read("pictures/pictures.json")).unwrap();
    let old = serde_json::to_string(&list["models"][0]).unwrap();
    place.write("pictures/pictures.json", old);
    place.ok("visualize activations image.safetensors --data own.idx3 --out pictures");
    let list: Value = serde_json::from_slice(&place.read("pictures/pictures.json")).unwrap();
    assert_eq!(list["models"][0]["chapters"].as_array().unwrap().len(), 2);
}

#[test]
fn integer_models_are_drawn_too() {
    let place = place();
    let out = place.ok("visualize latents image.flow --data own.idx3 --out pictures");
    checked(&place, &out, &["latents-own.svg"]);
    assert!(out.contains("as the model's file says"), "{out}");
    let out = place.ok("visualize couplings image.flow --data own.idx3 --limit 1 --out pictures");
    checked(&place, &out, &["couplings-own-0.svg"]);
}

#[test]
fn the_same_seed_gives_the_same_pictures() {
    let place = place();
    let of = |kind: &str, seed: u32, out: &str, name: &str| {
        place.ok(&format!(
            "visualize {kind} image.safetensors --data own.idx3 --draws 2 --seed {seed} --out {out}"
        ));
        place.read(&format!("{out}/{name}"))
    };
    for (kind, name) in [("samples", "samples.svg"), ("latents", "latents-own.svg")] {
        let first = of(kind, 1, "a", name);
        assert_eq!(first, of(kind, 1, "b", name));
        assert_ne!(first, of(kind, 2, "c", name));
    }
}

/// The figures of a coupling's line: as it is, exchanged (new half, own half), without the one before.
fn figures(out: &str, coupling: &str) -> Vec<f64> {
    let mut lines = out.lines().map(|line| line.split_whitespace());
    let line = lines.find(|words| words.clone().nth(1) == Some(coupling));
    let words = line.unwrap_or_else(|| panic!("no coupling {coupling} in\n{out}"));
    words.skip(3).filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn notes_between_couplings_are_found() {
    let place = place();
    rows(&place, "rows.idx3", 5);
    let out = place.ok("visualize coadaptation notes.safetensors --data rows.idx3 --out pictures");
    checked(&place, &out, &["coadaptation-rows.svg"]);
    let first = figures(&out, "1");
    assert!(
        first.len() == 1 && first[0].abs() < 0.3,
        "nothing to go by: {out}"
    );
    let [whole, new, own, alone] = figures(&out, "2")[..] else {
        panic!("{out}");
    };
    assert!(whole > 0.9 && new > 0.9, "the note is read: {out}");
    assert!(
        own.abs() < 0.3 && alone.abs() < 0.3,
        "and nothing else: {out}"
    );
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let place = place();
    model(vector_spec(3), 2)
        .save(&place.file("vector.safetensors"))
        .unwrap();
    place.table("own.csv", 9, 3, 4);
    place.images("small.idx3", 5, 6, 1, false);
    let kinds = [
        "heat",
        "latents",
        "couplings",
        "activations",
        "coadaptation",
        "samples",
    ];
    for kind in kinds {
        place.refused(
            &format!("visualize {kind} vector.safetensors --data own.csv --out pictures"),
            &["vector.safetensors", "vectors"],
        );
        place.refused(
            &format!("visualize {kind} image.safetensors --data own.idx3"),
            &["--out"],
        );
        place.refused(
            &format!("visualize {kind} none.safetensors --data own.idx3 --out pictures"),
            &["none.safetensors"],
        );
    }
    for kind in ["heat", "latents", "couplings", "activations", "samples"] {
        place.refused(
            &format!("visualize {kind} image.safetensors --data small.idx3 --out pictures"),
            &["small.idx3", "images of 1x6x6", "images of 1x8x8"],
        );
    }
    let lines: [(&str, &[&str]); 8] = [
        ("latents image.flow --out pictures", &["--data"]),
        (
            "latents image.flow --data own.idx3 --draws 0 --out pictures",
            &["--draws"],
        ),
        (
            "latents image.flow --data a=own.idx3 --data a=other.idx3 --out pictures",
            &["--data a"],
        ),
        (
            "coadaptation image.flow --data own.idx3 --out pictures",
            &["image.flow", "horizontal"],
        ),
        (
            "samples image.flow --out pictures",
            &["image.flow", "float model"],
        ),
        (
            "samples image.safetensors --temperatures hot --out pictures",
            &["hot"],
        ),
        (
            "samples image.safetensors --temperatures -1 --out pictures",
            &["-1"],
        ),
        (
            "portraits image.flow --data own.idx3 --out pictures",
            &["portraits"],
        ),
    ];
    for (line, named) in lines {
        place.refused(&format!("visualize {line}"), named);
    }
    rows(&place, "rows.idx3", 5);
    place.refused(
        "visualize coadaptation notes.safetensors --data rows.idx3 --limit 1 --out pictures",
        &["rows", "two images"],
    );
    std::fs::create_dir(place.file("taken")).unwrap();
    place.write("taken/pictures.json", "{}");
    place.refused(
        "visualize latents image.flow --data own.idx3 --out taken",
        &["pictures.json", "nothing is overwritten"],
    );
}
