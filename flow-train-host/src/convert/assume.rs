//! What no tensor tells: each library's choices, what is assumed of them, and what was told instead.
//!
//! Nothing is assumed in silence. A converter asks here for every fact that its tensors do not hold; whatever it asked
//! for becomes a line of the report and of the model's history, as does what was told.

use super::ConvertError;
use super::text::one_line;
use std::collections::BTreeMap;

/// A fact that leaves no tensor.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// Its name, as it is told by `--assume KEY=VALUE`.
    pub key: &'static str,
    /// Other names that it is known by.
    pub aliases: &'static [&'static str],
    /// What it is, in a few words.
    pub what: &'static str,
    /// What it may be.
    pub values: Values,
}

/// What a choice may be.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// One of several names; the first is the library's own default.
    Words(&'static [Word]),
    /// One of several names, none of which may be assumed.
    Told(&'static [Word]),
    /// A number: the library's default, and the range that makes sense.
    Number {
        /// The library's own default.
        default: f64,
        /// Least value.
        least: f64,
        /// Greatest value.
        most: f64,
    },
    /// How many there are; what the tensors show, unless it is told.
    Count,
    /// Any text, such as a prefix of keys.
    Text,
}

/// A name of a choice.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// The library's own name, in lower case.
    pub name: &'static str,
    /// What it is, where flowgate cannot express it.
    pub lacking: Option<&'static str>,
}

/// A choice that is expressed.
pub(super) const fn can(name: &'static str) -> Word {
    let lacking = None;
    Word { name, lacking }
}

/// A choice that is refused once it is told.
pub(super) const fn cannot(name: &'static str, lacking: &'static str) -> Word {
    let lacking = Some(lacking);
    Word { name, lacking }
}

/// The prefix of the keys that are the flow's.
pub(super) const PREFIX: Choice = Choice {
    key: "prefix",
    aliases: &[],
    what: "what the flow's keys start with, where others are beside them",
    values: Values::Text,
};

/// The slope of the conditioners' leaky ReLUs; PyTorch's own where nothing is said.
pub(super) const NEGATIVE_SLOPE: Choice = Choice {
    key: "negative_slope",
    aliases: &[],
    what: "the slope of a leaky_relu",
    values: Values::Number {
        default: 0.01,
        least: -10.0,
        most: 10.0,
    },
};

/// Asked for and told choices of one conversion.
#[derive(Clone, Debug)]
pub struct Assumptions {
    choices: &'static [Choice],
    told: BTreeMap<&'static str, String>,
    used: BTreeMap<&'static str, String>,
}

impl Assumptions {
    /// What was told of a library's choices.
    ///
    /// # Errors
    /// [`ConvertError::Assumption`] for a key that there is not, or a value that it cannot have.
    pub fn new(
        library: &str,
        choices: &'static [Choice],
        told: &[(String, String)],
    ) -> Result<Self, ConvertError> {
        let mut own = BTreeMap::new();
        for (key, value) in told {
            let choice = choices.iter().find(|choice| choice.is_called(key));
            let choice = choice.ok_or_else(|| unknown(library, choices, key))?;
            let value = match choice.values {
                Values::Words(_) | Values::Told(_) => value.to_ascii_lowercase().replace('-', "_"),
                _ => value.clone(),
            };
            choice.check(&value)?;
            if own.insert(choice.key, value).is_some() {
                return Err(wrong(format!("{key} is told twice")));
            }
        }
        let used = BTreeMap::new();
        let told = own;
        Ok(Self {
            choices,
            told,
            used,
        })
    }

    /// The word that was told, or the library's default.
    ///
    /// # Errors
    /// [`ConvertError::Unsupported`] for one that cannot be expressed, [`ConvertError::Ambiguous`] where nothing may be
    /// assumed.
    pub(super) fn word(&mut self, key: &'static str) -> Result<&'static str, ConvertError> {
        let Some(choice) = self.choice(key) else {
            return Err(wrong(format!("{key} is no choice here")));
        };
        let (words, may) = match choice.values {
            Values::Words(words) => (words, true),
            Values::Told(words) => (words, false),
            _ => (&[][..], false),
        };
        let told = self.told.get(key);
        let told = told.and_then(|value| words.iter().find(|word| word.name == value));
        let Some(word) = told.or_else(|| words.first().filter(|_| may)) else {
            return Err(ConvertError::Ambiguous(choice.asks()));
        };
        if let Some(lacking) = word.lacking {
            let name = word.name;
            return Err(ConvertError::Unsupported(format!(
                "{key} = {name}: {lacking}"
            )));
        }
        self.used.insert(choice.key, word.name.to_owned());
        Ok(word.name)
    }

    /// The number that was told, or the library's default.
    pub(super) fn number(&mut self, key: &'static str) -> f64 {
        let told = self.told.get(key).and_then(|text| text.parse().ok());
        let Some(Values::Number { default, .. }) = self.choice(key).map(|choice| choice.values)
        else {
            return told.unwrap_or(0.0);
        };
        let value = told.unwrap_or(default);
        self.used.insert(key, value.to_string());
        value
    }

    /// How many were told.
    pub(super) fn count(&mut self, key: &'static str) -> Option<usize> {
        self.told.get(key)?.parse().ok()
    }

    /// Notes how many there are taken to be.
    pub(super) fn counted(&mut self, key: &'static str, count: usize) {
        self.used.insert(key, count.to_string());
    }

    /// The text that was told.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.told.get(key).map(String::as_str)
    }

    fn choice(&self, key: &str) -> Option<&'static Choice> {
        self.choices.iter().find(|choice| choice.key == key)
    }

    /// What was assumed and what was told, for the report.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for choice in self.choices {
            let key = choice.key;
            match (self.used.get(key), self.told.get(key)) {
                (Some(count), None) if matches!(choice.values, Values::Count) => {
                    lines.push(format!(
                        "assumed: {key} = {count}, no tensor tells whether one without tensors is behind the last; \
                         --assume {}",
                        choice.usage()
                    ));
                }
                (Some(value), None) => lines.push(format!(
                    "assumed: {key} = {value}, no tensor tells it; --assume {}",
                    choice.usage()
                )),
                (Some(value), Some(_)) => lines.push(format!("told: {key} = {value}")),
                (None, Some(value)) if !matches!(choice.values, Values::Text) => {
                    let value = one_line(value);
                    lines.push(format!(
                        "told, without bearing on this checkpoint: {key} = {value}"
                    ));
                }
                _ => {}
            }
        }
        lines
    }

    /// What was assumed and told, for the model's history.
    pub(super) fn history(&self) -> Vec<String> {
        let known = self.choices.iter().filter_map(|choice| {
            let value = self.used.get(choice.key)?;
            let how = match self.told.contains_key(choice.key) {
                true => "told",
                false => "assumed",
            };
            Some(format!("{how}: {} = {value}", choice.key))
        });
        known.collect()
    }
}

impl Choice {
    fn is_called(&self, key: &str) -> bool {
        self.key == key || self.aliases.contains(&key)
    }

    /// As it may be told.
    pub fn usage(&self) -> String {
        let key = self.key;
        match self.values {
            Values::Words(words) | Values::Told(words) => format!("{key}={}", names(words)),
            Values::Number { .. } => format!("{key}=NUMBER"),
            Values::Count => format!("{key}=COUNT"),
            Values::Text => format!("{key}=TEXT"),
        }
    }

    /// That it must be told.
    pub(super) fn asks(&self) -> String {
        let (what, usage) = (self.what, self.usage());
        format!("no tensor tells {what}: --assume {usage}")
    }

    fn check(&self, value: &str) -> Result<(), ConvertError> {
        let key = self.key;
        let shown = one_line(value);
        match self.values {
            Values::Words(words) | Values::Told(words) => {
                if words.iter().all(|word| word.name != value) {
                    return Err(wrong(format!("{key} is {}, not {shown}", names(words))));
                }
            }
            Values::Number { least, most, .. } => {
                let number = value.parse::<f64>().ok();
                if !number.is_some_and(|number| (least..=most).contains(&number)) {
                    let why = format!("{key} is a number from {least} to {most}, not {shown}");
                    return Err(wrong(why));
                }
            }
            Values::Count => {
                if value.parse::<u16>().is_err() {
                    return Err(wrong(format!("{key} is a count, not {shown}")));
                }
            }
            Values::Text => {}
        }
        Ok(())
    }
}

fn names(words: &[Word]) -> String {
    let names: Vec<&str> = words.iter().map(|word| word.name).collect();
    names.join("|")
}

fn unknown(library: &str, choices: &[Choice], key: &str) -> ConvertError {
    let key = one_line(key);
    let known: Vec<String> = choices.iter().map(Choice::usage).collect();
    let known = known.join(", ");
    wrong(format!(
        "{key} is nothing that is assumed of {library}; there are: {known}"
    ))
}

fn wrong(why: String) -> ConvertError {
    ConvertError::Assumption(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHOICES: &[Choice] = &[
        Choice {
            key: "map",
            aliases: &["scale"],
            what: "the scale map",
            values: Values::Words(&[can("exp"), cannot("cube", "flowgate has no cube")]),
        },
        Choice {
            key: "slope",
            aliases: &[],
            what: "the slope",
            values: Values::Number {
                default: 0.5,
                least: 0.0,
                most: 1.0,
            },
        },
        Choice {
            key: "layer",
            aliases: &[],
            what: "the layer",
            values: Values::Told(&[can("none")]),
        },
    ];

    fn told(pairs: &[(&str, &str)]) -> Result<Assumptions, ConvertError> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Assumptions::new("a library", CHOICES, &pairs)
    }

    #[test]
    fn whatever_is_asked_for_is_said() {
        let mut silent = told(&[]).unwrap();
        assert_eq!(silent.word("map").unwrap(), "exp");
        assert_eq!(silent.number("slope"), 0.5);
        let lines = silent.lines();
        assert_eq!(
            lines[0],
            "assumed: map = exp, no tensor tells it; --assume map=exp|cube"
        );
        assert_eq!(lines.len(), 2);
        let mut spoken = told(&[("slope", "0.25"), ("layer", "none")]).unwrap();
        assert_eq!(spoken.number("slope"), 0.25);
        assert_eq!(spoken.history(), ["told: slope = 0.25"]);
        assert!(spoken.lines()[1].contains("without bearing"));
        assert_eq!(
            told(&[("scale", "EXP")]).unwrap().word("map").unwrap(),
            "exp"
        );
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let line = |pairs: &[(&str, &str)]| told(pairs).unwrap_err().to_string();
        assert!(line(&[("mop", "exp")]).contains("map=exp|cube, slope=NUMBER"));
        assert!(line(&[("map", "square")]).contains("exp|cube, not square"));
        assert!(line(&[("slope", "2")]).contains("from 0 to 1, not 2"));
        assert!(line(&[("slope", "nan")]).contains("not nan"));
        assert!(line(&[("map", "exp"), ("map", "exp")]).contains("twice"));
        let cube = told(&[("map", "cube")]).unwrap().word("map").unwrap_err();
        assert_eq!(cube.to_string(), "map = cube: flowgate has no cube");
        let untold = told(&[]).unwrap().word("layer").unwrap_err().to_string();
        assert!(untold.contains("no tensor tells the layer: --assume layer=none"));
    }
}
