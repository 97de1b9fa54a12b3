//! `--sensor`: the sensor that training images pass through.

use flow_train_host::train::{Sensor, TrainConfig};

/// What the flag says: a sensor or none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Choice(pub(crate) Option<Sensor>);

/// Reads the flag's value.
pub(crate) fn choice(text: &str) -> Result<Choice, String> {
    match text {
        "off" => Ok(Choice(None)),
        "default" => Ok(Choice(Some(Sensor::default()))),
        parts => parts.parse().map(|sensor| Choice(Some(sensor))),
    }
}

/// What the provenance says of it, behind what was trained.
pub(crate) fn described(config: &TrainConfig) -> String {
    let of = |sensor: Sensor| format!(", through a sensor ({sensor})");
    config.sensor.map_or(String::new(), of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_off_the_default_or_parts() {
        assert_eq!(choice("off"), Ok(Choice(None)));
        assert_eq!(choice("default"), Ok(Choice(Some(Sensor::default()))));
        let parts = choice("noise=3,black-level=8").unwrap().0.unwrap();
        assert_eq!(
            (parts.noise, parts.black_level, parts.blur),
            (3.0, 8.0, 0.0)
        );
        let why = choice("on").unwrap_err();
        assert!(why.contains("black-level"), "{why}");
    }
}
