//! Training configurations as files: TOML, whose comments the user keeps, or JSON, as a run
//! directory has it.

mod print;

pub(crate) use print::text;

use anyhow::{Context, Result, anyhow};
use flow_train_host::files::one_line;
use flow_train_host::train::{RENAMED_SETTINGS, TrainConfig};
use std::path::Path;

/// Reads a configuration; an object in braces is JSON.
pub(crate) fn read(file: &Path) -> Result<TrainConfig> {
    let place = || one_line(file).to_string();
    let text =
        std::fs::read_to_string(file).with_context(|| format!("{}: cannot be read", place()))?;
    let config = parse(&text);
    let config = config.map_err(|why| anyhow!("{}: no training configuration: {why}", place()))?;
    for (old, new) in old_names(&text) {
        eprintln!("note: {}: `{old}` is called `{new}` now", place());
    }
    Ok(config)
}

/// Settings that a text calls by a name which they no longer have, and the present names.
fn old_names(text: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let names = RENAMED_SETTINGS.into_iter();
    names.filter(move |(old, _)| text.split(|c| !is_name(c)).any(|word| word == *old))
}

fn parse(text: &str) -> Result<TrainConfig, String> {
    match text.trim_start().starts_with('{') {
        true => serde_json::from_str(text).map_err(|e| e.to_string()),
        false => toml::from_str(text).map_err(|e| said(&e, text)),
    }
}

/// What is wrong with a TOML file, and in which line.
fn said(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let Some(before) = before else {
        return error.message().to_owned();
    };
    let number = before.matches('\n').count();
    let line = text.lines().nth(number).unwrap_or_default().trim();
    format!("line {}, {line}: {}", number + 1, error.message())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_train_host::presets::{NAMES, preset};

    #[test]
    fn what_is_printed_is_read_again() {
        for (name, _) in NAMES {
            let config = preset(name, 10).unwrap();
            let text = text(name, &config).unwrap();
            assert_eq!(parse(&text).unwrap(), config, "{name}");
        }
        let mut config = preset("vector-small", 10).unwrap();
        config.negative_threshold_nats = Some(-20.5);
        config.optimizer.epsilon = 1e-8;
        assert_eq!(parse(&text("own", &config).unwrap()).unwrap(), config);
    }

    #[test]
    fn every_field_has_a_comment() {
        for (name, _) in NAMES {
            let text = text(name, &preset(name, 10).unwrap()).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            for (above, line) in lines.iter().zip(&lines[1..]) {
                let is_field = line.contains(" = ") && !line.starts_with(['#', ' ']);
                assert!(!is_field || above.starts_with("# "), "{name}: {line}");
            }
            let legend: String = lines
                .iter()
                .filter(|l| l.starts_with('#'))
                .copied()
                .collect();
            for line in lines
                .iter()
                .filter(|line| line.contains('{') && !line.starts_with('#'))
            {
                for (index, _) in line.match_indices(" = ") {
                    let key = line[..index].rsplit(' ').next().unwrap();
                    let known = key == "input" || legend.contains(key);
                    assert!(known, "{name}: {key} is explained nowhere");
                }
            }
        }
    }

    #[test]
    fn old_names_are_read_and_noted() {
        let config = preset("vector-small", 4).unwrap();
        let mut text = text("vector-small", &config).unwrap();
        assert_eq!(old_names(&text).count(), 0);
        for (old, new) in RENAMED_SETTINGS {
            assert!(text.contains(&format!("\n{new} = ")), "{new}");
            text = text.replace(new, old);
        }
        assert_eq!(parse(&text).unwrap(), config);
        assert_eq!(old_names(&text).collect::<Vec<_>>(), RENAMED_SETTINGS);
    }

    #[test]
    fn mistakes_have_a_line() {
        let text = text("vector-small", &preset("vector-small", 4).unwrap()).unwrap();
        let wrong = text.replace("epochs = 50", "epoch = 50");
        let line = wrong.lines().position(|l| l == "epoch = 50").unwrap() + 1;
        let why = parse(&wrong).unwrap_err();
        assert!(why.contains(&format!("line {line}, ")), "{why}");
        assert!(why.contains("epoch"), "{why}");
        assert!(parse("a config, surely").is_err());
    }
}
