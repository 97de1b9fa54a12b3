//! The claims of the paper, at a size that shows no more than that the page is whole.

mod support;

use std::path::Path;
use support::Place;

fn repository(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    path.display().to_string()
}

#[test]
fn the_page_has_every_claim_and_is_made_once() {
    let place = Place::new();
    std::fs::create_dir(place.file("data")).unwrap();
    for (sample, file) in [
        ("fashion-mnist", "train-images-idx3-ubyte.gz"),
        ("fashion-mnist", "t10k-images-idx3-ubyte.gz"),
        ("mnist", "mnist-images-idx3-ubyte.gz"),
    ] {
        let sample = repository(&format!("tests/data/{sample}-sample-images.idx3.gz"));
        std::fs::copy(sample, place.file("data").join(file)).unwrap();
    }
    let line = format!(
        "paper --data data --records {} --out paper --images 64 --epochs 1 --evaluated 32",
        repository("records")
    );
    let first = place.ok(&line);
    let page = String::from_utf8(place.read("paper/index.html")).unwrap();
    for outside in ["http://", "https://", "<script ", "<link", "@import"] {
        assert!(!page.contains(outside), "nothing from outside: {outside}");
    }
    for record in [
        "fashion-tiny.md",
        "coadaptation.md",
        "embedding.md",
        "tabular.md",
    ] {
        assert!(
            page.contains(&format!("From records/{record}:")),
            "{record}"
        );
    }
    assert_eq!(page.matches("href=\"#claim-").count(), 13);
    assert_eq!(page.matches("id=\"claim-").count(), 13);
    assert_eq!(page.matches("data:image/svg+xml;base64,").count(), 7);
    assert!(page.contains("class=\"interval\"") && page.contains("bottleneck-100"));
    let written = |name: &str| {
        let file = std::fs::metadata(place.file(&format!("paper/runs/{name}/log.csv")));
        file.unwrap().modified().unwrap()
    };
    let before = ["realnvp", "glow", "bottleneck-digits"].map(written);
    assert_eq!(place.ok(&line), first, "the same verdicts");
    assert_eq!(
        ["realnvp", "glow", "bottleneck-digits"].map(written),
        before
    );
}
