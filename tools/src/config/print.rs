//! A configuration as TOML, every field with what it means.

use anyhow::Result;
use flow_train_host::train::TrainConfig;
use serde_json::{Map, Value};

/// Settings of the run, in the order in which they are printed.
const RUN: [(&str, &str); 12] = [
    ("seed", "Seed of weights, order and noise."),
    ("epochs", "Passes over the training items."),
    ("batch", "Items of an optimizer step."),
    (
        "micro_batches",
        "Groups that a batch of images is cut into, at least; workers share them.",
    ),
    (
        "validation_fraction",
        "Fraction of the items, the last ones, that is never trained on and chooses the best weights.",
    ),
    (
        "checkpoint_steps",
        "Steps between checkpoints; there is one after every epoch as well.",
    ),
    (
        "negative_threshold_nats",
        "Negative training: the log_prob_nats below which negative items are left alone.",
    ),
    (
        "negative_families",
        "Families of images (documents/calibration.md) that are made of the training images to train against.",
    ),
    (
        "sensor",
        "The sensor that training images pass through, a new one each time; not set: none. unchanged: share of\n\
         # the images that stay as they are; shift: most pixels; blur: largest deviation, pixels; gain: the light\n\
         # is multiplied by 1 - gain to 1 + gain; black_level and noise: most grey levels.",
    ),
    (
        "smoothing",
        "What keeps few vectors from being learned by heart; not set: nothing. steps: values are spread over the step\n\
         # that their column is recorded in; noise: deviation of noise on each coordinate of the first latent.",
    ),
    (
        "ratio",
        "The ratio net, a second opinion beside the flow, learned from images and negatives made of them; not set: none.\n\
         # steps of batch images and as many negatives, learning_rate at most; families (documents/calibration.md) that\n\
         # the negatives are drawn from.",
    ),
    (
        "optimizer",
        "Adam with decoupled weight decay, and a moving average of the weights.",
    ),
];

/// Settings of the optimizer.
const OPTIMIZER: [(&str, &str); 9] = [
    ("learning_rate", "Highest learning rate."),
    (
        "warmup_steps",
        "Steps over which the learning rate rises linearly from zero.",
    ),
    (
        "final_lr_ratio",
        "Last learning rate over the highest; in between it falls as half a cosine.",
    ),
    ("beta1", "Decay of the gradient's mean."),
    ("beta2", "Decay of the gradient's mean square."),
    ("epsilon", "Added to the root of the mean square."),
    (
        "weight_decay",
        "Share of each weight removed per step, times the learning rate.",
    ),
    (
        "clip_norm",
        "Largest norm of the gradient of the loss in nats per dim; longer ones are shortened to it.",
    ),
    (
        "ema_decay",
        "Decay of the exponential moving average of the weights; 0: none.",
    ),
];

const INPUT: &str = "\
# What the flow reads:
#   { image = { shape = { channels, height, width }, logit_margin } }   8-bit images; logit_margin
#     is the distance of p from 0 and 1 in latent = ln p - ln(1 - p)
#   { vector = { dims } }                 vectors of so many measurements, each standardized
#   { whitened = { measured, dims } }     vectors of `measured` numbers, whitened to `dims` of them
";

const LEVELS: &str = "\
# Levels, in the direction data to latent. After each but the last, the second half of the channels
# stays as it is and the first half goes on. Steps of a level:
#   \"squeeze\"             each 2 x 2 block of pixels becomes four channels
#   \"actnorm\"             per channel (x + shift) exp(log_scale)
#   \"invertible_linear\"   per pixel W x over the channels
#   { coupling = { affine, conditioner, mask, scale_map } }   part of the coordinates changed by an
#     affine map that is computed from the kept part
# affine: \"shift_then_scale\" is (x + shift) exp(log_scale), \"scale_then_shift\" x exp(log_scale) + shift.
# mask: which coordinates are kept: { checkerboard = { kept = \"even\" | \"odd\" } },
#   { channel | horizontal | vertical = { kept = \"first\" | \"second\" } },
#   { cycle = { kept = \"top_left\" | \"top_right\" | \"bottom_right\" | \"bottom_left\" } }.
# scale_map: how raw_scale r becomes log_scale: \"tanh_bound\" is bound tanh(r), \"atan_bound\" bound atan(r),
#   \"softsign_bound\" bound r / (1 + |r|), each with a bound for every changed channel; \"exp\" is r itself,
#   { sigmoid = { offset, floor } } ln(sigmoid(r + offset) + floor), { sigmoid_inverse = { offset } }
#   -ln(sigmoid(r + offset)), { softplus = { floor, most } } ln(min(softplus(r) + floor, most)).
# conditioner: the network that reads the kept part:
#   { resnet = { channels, blocks, skip, norm = \"none\" | \"batch\", bottleneck } }   skip: sums of every
#     block; bottleneck: width of a linear one after half of the blocks, 0: none
#   { highway = { channels, layers } }, { convnet = { channels, layers } }, { glow_convnet = { channels } }
#   { autoencoder = { channels = [four numbers], latent } }   latent: width of the bottleneck
#   { mlp = { hidden, layers } }   dense: kept to hidden, `layers` times hidden to hidden, out
";

/// The configuration of this name as TOML.
pub(crate) fn text(name: &str, config: &TrainConfig) -> Result<String> {
    // By way of JSON's text, where an f32 has no more digits than it needs.
    let json: Value = serde_json::from_str(&serde_json::to_string(config)?)?;
    let mut text = format!(
        "# {name}: a training configuration of flowgate, every field with what it means.\n\
         # flowgate train --config FILE --data PATH --out RUN_DIR trains by it.\n"
    );
    text += &fields(&json, &RUN);
    text += "\n[optimizer]\n";
    text += &fields(&json["optimizer"], &OPTIMIZER);
    let spec = &json["spec"];
    text += &format!("\n[spec]\n{INPUT}input = {}\n", inline(&spec["input"]));
    text += &format!("\n{LEVELS}");
    for level in spec["levels"].as_array().into_iter().flatten() {
        text += "[[spec.levels]]\n# The steps, one a line.\nsteps = [\n";
        for step in level["steps"].as_array().into_iter().flatten() {
            text += &format!("    {},\n", inline(step));
        }
        text += "]\n";
    }
    Ok(text)
}

/// Fields that are no tables, each below its comment; one that is not set as a comment of its own.
fn fields(values: &Value, known: &[(&str, &str)]) -> String {
    let one = |(name, what): &(&str, &str)| match values.get(name) {
        // A table of its own.
        Some(Value::Object(_)) if *name == "optimizer" => String::new(),
        Some(value) => format!("\n# {what}\n{name} = {}\n", inline(value)),
        None => format!("\n# {what}\n# {name} =\n"),
    };
    known.iter().map(one).collect()
}

/// A value on one line.
fn inline(value: &Value) -> String {
    let pair = |(key, value): (&String, &Value)| format!("{key} = {}", inline(value));
    match value {
        Value::Object(map) => format!("{{ {} }}", joined(map, pair)),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        // Names of variants and numbers are written alike in both.
        other => other.to_string(),
    }
}

fn joined(map: &Map<String, Value>, pair: impl Fn((&String, &Value)) -> String) -> String {
    map.iter().map(pair).collect::<Vec<_>>().join(", ")
}
