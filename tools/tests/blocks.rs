//! Calibration that knows users, sites and time, at the command line.

mod support;

use serde_json::Value;
use support::{Place, Random, model, texts, vector_spec};

/// A model of three measurements, and a table of eight users who differ, forty lines each.
fn place() -> Place {
    let place = Place::new();
    model(vector_spec(3), 2)
        .save(&place.file("m.safetensors"))
        .unwrap();
    place.write("users.csv", users(0..8));
    place.write("others.csv", users(20..21));
    place.table("own.csv", 120, 3, 4);
    place.ok("export m.safetensors --format q8 --calibrate own.csv --out m.flow");
    place
}

fn users(users: std::ops::Range<u64>) -> String {
    let mut text = "a,b,c,user\n".to_owned();
    for user in users {
        let mut random = Random(user);
        let offset = 0.3 * user as f32;
        for _ in 0..40 {
            let mut value = || offset + random.uniform();
            let (a, b, c) = (value(), value(), value());
            text += &format!("{a},{b},{c},user {user}\n");
        }
    }
    text
}

fn warnings(place: &Place, line: &str) -> (Value, Vec<String>) {
    let output = place.flowgate(line.split_whitespace());
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{line}\n{err}");
    let json = serde_json::from_str(&out).unwrap();
    (json, err.lines().map(str::to_owned).collect())
}

#[test]
fn users_of_a_column_are_blocks() {
    let place = place();
    let line = "calibrate m.flow --data users.csv --alpha 0.05 --out g.flow --json";
    let (plain, said) = warnings(&place, &format!("{line} --columns a,b,c"));
    assert!(
        said.iter().any(|w| w.contains("neighbours are alike")),
        "{said:?}"
    );
    let (blocks, said) = warnings(&place, &format!("{line} --blocks user"));
    assert_eq!(said, Vec::<String>::new());
    assert_eq!(
        blocks["promise"],
        "in each new block, but for 1 in 9 (8 were seen)"
    );
    assert_eq!(blocks["samples"], 320);
    assert_eq!(blocks["blocks"][7]["name"], "user 7");
    assert_eq!(blocks["blocks"][7]["inputs"], 40);
    assert!(blocks["threshold_raw"].as_i64() < plain["threshold_raw"].as_i64());
    // The last user is beyond all others, and a threshold of the others says so.
    let rejected = |user: usize| blocks["blocks"][user]["rejected"].as_f64().unwrap();
    let worst = rejected(0).max(rejected(7));
    assert!(worst > 0.3, "{blocks}");
    let history = place.ok("inspect g.flow");
    assert!(
        history.contains("in each new block, but for 1 in 9"),
        "{history}"
    );
}

#[test]
fn stretches_of_a_recording_leave_room_for_stranger_ones() {
    let place = place();
    let line = "calibrate m.flow --data users.csv --alpha 0.05 --out g.flow --json --columns a,b,c --blocks 8";
    let (next, _) = warnings(&place, line);
    assert_eq!(
        next["promise"],
        "in each stretch to come, but for 1 in 20, if they differ as the 8 that were seen do"
    );
    place.ok("verify g.flow");
    let (each, _) = warnings(&place, &format!("{line} --promise each-block"));
    assert_eq!(
        each["promise"],
        "in each new block, but for 1 in 9 (8 were seen)"
    );
    assert!(next["threshold_raw"].as_i64() < each["threshold_raw"].as_i64());
    // No calibration score lies below the threshold, so it is the first of them that is above.
    assert_eq!(next["rank"], 1);
}

#[test]
fn recent_data_are_looked_at_before_anything_is_promised() {
    let place = place();
    let line = "calibrate m.flow --data users.csv --columns a,b,c --alpha 0.05 --blocks 8 \
                --recent others.csv --out g.flow --json";
    let (_, said) = warnings(&place, line);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("of 40 most recent inputs are rejected"),
        "{said:?}"
    );
}

#[test]
fn blocks_may_be_held_out_of_like_models() {
    let place = place();
    place.table("one.csv", 40, 3, 5);
    place.table("two.csv", 40, 3, 6);
    let line = "calibrate m.flow --held-out m.flow=one.csv --held-out m.flow=two.csv --alpha 0.1 --out g.flow --json";
    let (found, _) = warnings(&place, line);
    assert_eq!(found["blocks"][1]["name"], "two.csv");
    assert_eq!(found["samples"], 80);
    place.ok("verify g.flow");
}

#[test]
fn blocks_that_are_none() {
    let place = place();
    let refused = |rest: &str, named: &[&str]| {
        let line = format!("calibrate m.flow --data users.csv --alpha 0.05 --out g.flow {rest}");
        place.refused(&line, named);
    };
    refused("--columns a,b,c --blocks 1", &["two blocks at least"]);
    refused(
        "--columns a,b,c --blocks 999",
        &["320 inputs", "999 blocks"],
    );
    refused("--blocks nobody", &["nobody"]);
    refused("--columns a,b,c --blocks folders", &["no folder"]);
    refused(
        "--blocks user --promise new-blocks",
        &["8 blocks are too few", "19"],
    );
    refused("--columns a,b,c --promise each-block", &["--blocks"]);
}
