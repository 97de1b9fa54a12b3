//! `flowgate bench train` without another side: that it trains, not how fast.

mod support;

use support::Place;

#[test]
fn steps_lower_the_loss_and_every_round_is_told() {
    let place = Place::new();
    let args = "bench train --case bottleneck --rounds 2 --threads 2 --json";
    let output = place.flowgate(args.split(' '));
    assert!(output.status.success(), "{output:?}");
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&line["case"], &line["side"]),
        (&"bottleneck".into(), &"flowgate".into())
    );
    let losses: Vec<f64> = serde_json::from_value(line["first_loss_nats"].clone()).unwrap();
    assert!(
        losses.is_sorted_by(|before, after| before > after),
        "{losses:?}"
    );
    for rounds in ["step_ms", "eval_ms"] {
        let ms: Vec<f64> = serde_json::from_value(line[rounds].clone()).unwrap();
        assert!(ms.len() == 2 && ms.iter().all(|&ms| ms > 0.0));
    }
    assert!(
        place.listing().is_empty(),
        "a benchmark leaves nothing behind"
    );
}

#[test]
fn a_directory_without_a_case_is_bad_input() {
    let place = Place::new();
    let output = place.flowgate(["bench", "train", "--serve", "."]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("config.json") && error.lines().count() == 1,
        "{error}"
    );
}

const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../firmware/models/fashion-bottleneck.flow"
);

#[test]
fn every_kernel_gives_the_same_bits_and_every_round_is_told() {
    let place = Place::new();
    let options = ["--rounds", "2", "--images", "8", "--json"];
    let output = place.flowgate(["bench", "host", MODEL].into_iter().chain(options));
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut threads = Vec::new();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["model"], "fashion-bottleneck");
        for rounds in ["one_image_ms", "image_in_batch_ms"] {
            let ms: Vec<f64> = serde_json::from_value(line[rounds].clone()).unwrap();
            assert!(ms.len() == 2 && ms.iter().all(|&ms| ms > 0.0));
        }
        let side = line["side"].as_str().unwrap().to_owned();
        threads.push((side, line["threads"].as_u64().unwrap()));
    }
    for numbers in ["flowgate", "flowgate f32"] {
        let of_side = threads.iter().filter(|(side, _)| side == numbers);
        let threads: Vec<u64> = of_side.map(|&(_, threads)| threads).collect();
        assert_eq!(threads[0], 1);
        assert!(threads.is_sorted_by(|one, all| one < all), "{threads:?}");
    }
}

#[test]
fn what_is_no_quantized_model_of_images_is_not_timed() {
    let place = Place::new();
    let output = place.flowgate(["bench", "host", "no-such.flow"]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("no-such.flow"), "{error}");
}
