//! Float models as `.safetensors` files: f32 tensors, and the spec as JSON in the metadata.

use super::ratio::Ratio;
use super::{Model, ModelError, Tensor};
use crate::files::{WriteError, one_line, write_atomically};
use flow_infer::spec::{FlowSpec, InputSpec};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

/// The metadata entry that holds the spec.
pub const SPEC_KEY: &str = "flowgate.spec";
/// The metadata entry that holds where the model comes from and what was assumed of it: a JSON list of lines.
pub const HISTORY_KEY: &str = "flowgate.history";
/// The metadata entry that holds the front end, where there is one.
pub const FRONT_END_KEY: &str = "flowgate.front_end";
/// In front of the names of a ratio net's tensors.
const RATIO_PREFIX: &str = "ratio.";
/// The model's name in a run directory.
pub const MODEL_FILE: &str = "model.safetensors";
/// The model's name in the directory of a flow that is trained elsewhere, beside its first weights.
pub const TRAINED_FILE: &str = "trained.safetensors";

/// The model in a directory: the trained one where a flow was trained elsewhere.
pub fn model_in(directory: &Path) -> PathBuf {
    let trained = directory.join(TRAINED_FILE);
    match trained.exists() {
        true => trained,
        false => directory.join(MODEL_FILE),
    }
}

/// Why a model file cannot be read or written.
#[derive(Debug)]
pub struct StoreError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub problem: StoreProblem,
}

/// What is wrong with a model file.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreProblem {
    /// It cannot be read.
    Read(std::io::Error),
    /// It cannot be written.
    Write(WriteError),
    /// It is not a safetensors file, or a damaged one.
    Format(String),
    /// It has no spec in its metadata.
    NoSpec,
    /// Its spec cannot be read.
    Spec(String),
    /// Its front end cannot be read.
    FrontEnd(String),
    /// Its spec is another than the one that was given.
    OtherSpec,
    /// A tensor is not of 32-bit floats.
    Type(String),
    /// Spec and tensors do not fit together.
    Model(ModelError),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = one_line(&self.path);
        match &self.problem {
            StoreProblem::Read(e) => write!(f, "{path}: cannot be read: {e}"),
            StoreProblem::Write(e) => write!(f, "{e}"),
            StoreProblem::Format(e) => write!(f, "{path}: not a whole safetensors file: {e}"),
            StoreProblem::NoSpec => {
                write!(
                    f,
                    "{path}: tensors without the model's spec (no {SPEC_KEY} in the metadata); `flowgate convert` makes \
                     a model of another library's tensors"
                )
            }
            StoreProblem::Spec(e) => write!(f, "{path}: its spec cannot be read: {e}"),
            StoreProblem::FrontEnd(e) => write!(f, "{path}: its front end cannot be read: {e}"),
            StoreProblem::OtherSpec => {
                write!(
                    f,
                    "{path}: its own spec is another than the one that was given"
                )
            }
            StoreProblem::Type(name) => {
                write!(f, "{path}: tensor {name} is not of 32-bit floats")
            }
            StoreProblem::Model(e) => write!(f, "{path}: {e}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<safetensors::SafeTensorError> for StoreProblem {
    fn from(error: safetensors::SafeTensorError) -> Self {
        Self::Format(error.to_string())
    }
}

impl Model {
    /// Reads a model: a `.safetensors` file, or a run directory that holds one.
    ///
    /// # Errors
    /// [`StoreError`]: unreadable, damaged or foreign files; a spec and tensors that do not fit; NaN or infinity.
    pub fn load(path: &Path) -> Result<Self, StoreError> {
        Self::load_with(path, None)
    }

    /// As [`load`](Self::load), for a file whose metadata may lack the spec: tensors under our names that something
    /// else has written.
    ///
    /// # Errors
    /// Those of [`load`](Self::load), and [`StoreProblem::OtherSpec`].
    pub fn load_with(path: &Path, given: Option<&FlowSpec>) -> Result<Self, StoreError> {
        let path = match path.is_dir() {
            true => model_in(path),
            false => path.to_owned(),
        };
        let read = std::fs::read(&path).map_err(StoreProblem::Read);
        let model = read.and_then(|bytes| parse(&bytes, given));
        model.map_err(|problem| StoreError { path, problem })
    }

    /// Writes the model, whole or not at all.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), StoreError> {
        write(path, self.to_bytes())
    }

    fn to_bytes(&self) -> Result<Vec<u8>, StoreProblem> {
        let json = serde_json::to_string(self.spec());
        let json = json.map_err(|e| StoreProblem::Spec(e.to_string()))?;
        let mut metadata = HashMap::from([(SPEC_KEY.to_owned(), json)]);
        if !self.history().is_empty() {
            let lines = serde_json::to_string(self.history());
            let lines = lines.map_err(|e| StoreProblem::Spec(e.to_string()))?;
            metadata.insert(HISTORY_KEY.to_owned(), lines);
        }
        if let Some(front_end) = self.front_end() {
            let json = serde_json::to_string(front_end);
            let json = json.map_err(|e| StoreProblem::FrontEnd(e.to_string()))?;
            metadata.insert(FRONT_END_KEY.to_owned(), json);
        }
        let ratio = self.ratio().map(|ratio| ratio.tensors().iter());
        let named =
            |(name, tensor): (&String, &Tensor)| (format!("{RATIO_PREFIX}{name}"), tensor.clone());
        let mut tensors = self.tensors().clone();
        tensors.extend(ratio.into_iter().flatten().map(named));
        serialize(&tensors, Some(metadata))
    }
}

/// Writes tensors that are no model, whole or not at all.
///
/// # Errors
/// [`StoreError`] when the file cannot be written.
pub fn write_tensors(path: &Path, tensors: &BTreeMap<String, Tensor>) -> Result<(), StoreError> {
    write(path, serialize(tensors, None))
}

/// Reads all tensors of a file, whatever they are.
///
/// # Errors
/// [`StoreError`]: an unreadable or damaged file, tensors of other numbers.
pub fn read_tensors(path: &Path) -> Result<BTreeMap<String, Tensor>, StoreError> {
    let read = std::fs::read(path).map_err(StoreProblem::Read);
    let tensors = read.and_then(|bytes| tensors_of(&SafeTensors::deserialize(&bytes)?));
    tensors.map_err(|problem| StoreError {
        path: path.to_owned(),
        problem,
    })
}

fn write(path: &Path, bytes: Result<Vec<u8>, StoreProblem>) -> Result<(), StoreError> {
    let written = bytes.and_then(|bytes| {
        write_atomically(path, |w| w.write_all(&bytes)).map_err(StoreProblem::Write)
    });
    written.map_err(|problem| StoreError {
        path: path.to_owned(),
        problem,
    })
}

fn serialize(
    tensors: &BTreeMap<String, Tensor>,
    metadata: Option<HashMap<String, String>>,
) -> Result<Vec<u8>, StoreProblem> {
    let bytes: Vec<_> = tensors
        .iter()
        .map(|(n, t)| (n, &t.shape, f32_bytes(&t.values)))
        .collect();
    let mut views = Vec::new();
    for (name, shape, bytes) in &bytes {
        views.push((*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes)?));
    }
    Ok(safetensors::serialize(views, metadata)?)
}

fn tensors_of(file: &SafeTensors<'_>) -> Result<BTreeMap<String, Tensor>, StoreProblem> {
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(StoreProblem::Type(name.to_owned()));
        }
        let tensor = Tensor {
            shape: view.shape().to_vec(),
            values: f32_values(view.data()),
        };
        tensors.insert(name.to_owned(), tensor);
    }
    Ok(tensors)
}

fn parse(bytes: &[u8], given: Option<&FlowSpec>) -> Result<Model, StoreProblem> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let file = SafeTensors::deserialize(bytes)?;
    let json = header.metadata().as_ref().and_then(|m| m.get(SPEC_KEY));
    let own = json.map(|json| serde_json::from_str::<FlowSpec>(json));
    let own = own
        .transpose()
        .map_err(|e| StoreProblem::Spec(e.to_string()))?;
    let spec = match (own, given) {
        (Some(own), Some(given)) if own != *given => return Err(StoreProblem::OtherSpec),
        (own, given) => own.or_else(|| given.cloned()),
    };
    let spec = spec.ok_or(StoreProblem::NoSpec)?;
    let metadata = header.metadata().as_ref();
    let lines = metadata.and_then(|m| m.get(HISTORY_KEY));
    // Lines for people, on which nothing depends.
    let history = lines.and_then(|lines| serde_json::from_str(lines).ok());
    let json = metadata.and_then(|m| m.get(FRONT_END_KEY));
    let front_end = json.map(|json| serde_json::from_str(json)).transpose();
    let front_end = front_end.map_err(|e| StoreProblem::FrontEnd(e.to_string()))?;
    let mut tensors = tensors_of(&file)?;
    let ratio = take_ratio(&spec, &mut tensors).map_err(StoreProblem::Model)?;
    let model = Model::new(spec, tensors).map_err(StoreProblem::Model)?;
    Ok(model
        .with_history(history.unwrap_or_default())
        .with_front_end(front_end)
        .with_ratio(ratio))
}

/// Takes a ratio net's tensors out of all of a model's, where there are any.
fn take_ratio(
    spec: &FlowSpec,
    tensors: &mut BTreeMap<String, Tensor>,
) -> Result<Option<Ratio>, ModelError> {
    let InputSpec::Image { shape, .. } = spec.input else {
        return Ok(None);
    };
    let names: Vec<String> = tensors.keys().cloned().collect();
    let mut own = BTreeMap::new();
    for name in names {
        let short = name.strip_prefix(RATIO_PREFIX);
        let tensor = short.and_then(|_| tensors.remove(&name));
        own.extend(short.map(str::to_owned).zip(tensor));
    }
    match own.is_empty() {
        true => Ok(None),
        false => Ratio::new(shape, own).map(Some),
    }
}

/// Little-endian bytes of floats.
pub(crate) fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Floats from little-endian bytes.
pub(crate) fn f32_values(bytes: &[u8]) -> Vec<f32> {
    let (chunks, _) = bytes.as_chunks::<4>();
    chunks.iter().map(|&b| f32::from_le_bytes(b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tensors::tensor_list;

    fn model() -> Model {
        let spec = crate::presets::preset("vector-small", 3).unwrap().spec;
        let tensor = |shape: Vec<usize>| Tensor {
            values: (0..shape.iter().product())
                .map(|i| i as f32 * 0.1)
                .collect(),
            shape,
        };
        let list = tensor_list(&spec).into_iter();
        let tensors = list.map(|t| (t.name, tensor(t.shape))).collect();
        Model::new(spec, tensors).unwrap()
    }

    fn problem_of(bytes: &[u8]) -> StoreProblem {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.safetensors");
        std::fs::write(&path, bytes).unwrap();
        let error = Model::load(&path).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(path.to_str().unwrap()) && !text.contains('\n'));
        error.problem
    }

    #[test]
    fn a_model_survives_its_file_and_is_found_in_a_run_directory() {
        let directory = tempfile::tempdir().unwrap();
        model().save(&directory.path().join(MODEL_FILE)).unwrap();
        assert_eq!(Model::load(directory.path()).unwrap(), model());
    }

    #[test]
    fn every_truncation_is_an_error() {
        let whole = model().to_bytes().unwrap();
        assert_eq!(parse(&whole, None).unwrap(), model());
        for len in (0..whole.len()).step_by(101).chain([7, whole.len() - 1]) {
            let cut = parse(&whole[..len], None);
            assert!(matches!(cut, Err(StoreProblem::Format(_))));
        }
    }

    #[test]
    fn foreign_files_say_what_they_lack() {
        let bytes = 1.0f32.to_le_bytes();
        let view = TensorView::new(Dtype::F32, vec![1], &bytes).unwrap();
        let file = |metadata| safetensors::serialize([("a", view.clone())], metadata).unwrap();
        assert!(matches!(problem_of(&file(None)), StoreProblem::NoSpec));
        let with = |json: &str| Some(HashMap::from([(SPEC_KEY.to_owned(), json.to_owned())]));
        assert!(matches!(
            problem_of(&file(with("{}"))),
            StoreProblem::Spec(_)
        ));
        let spec = serde_json::to_string(model().spec()).unwrap();
        let missing = problem_of(&file(with(&spec)));
        assert!(matches!(
            missing,
            StoreProblem::Model(ModelError::Tensors(_))
        ));
        assert!(matches!(problem_of(b""), StoreProblem::Format(_)));
        assert!(matches!(
            problem_of(b"\x1f\x8b\x08"),
            StoreProblem::Format(_)
        ));
    }

    #[test]
    fn a_spec_from_elsewhere_serves_where_there_is_none() {
        let whole = model();
        let tensors = whole.tensors().iter();
        let bytes: Vec<_> = tensors
            .map(|(name, t)| (name, &t.shape, f32_bytes(&t.values)))
            .collect();
        let views = bytes
            .iter()
            .map(|(n, s, b)| (n, TensorView::new(Dtype::F32, s.to_vec(), b).unwrap()));
        let bare = safetensors::serialize(views, None).unwrap();
        assert_eq!(parse(&bare, Some(whole.spec())).unwrap(), whole);
        assert!(matches!(parse(&bare, None), Err(StoreProblem::NoSpec)));
        let other = crate::presets::preset("vector-small", 4).unwrap().spec;
        let problem = parse(&bare, Some(&other)).unwrap_err();
        assert!(matches!(
            problem,
            StoreProblem::Model(ModelError::Tensors(_))
        ));
        let problem = parse(&whole.to_bytes().unwrap(), Some(&other)).unwrap_err();
        assert!(matches!(problem, StoreProblem::OtherSpec));
    }

    #[test]
    fn another_type_and_nan_are_refused() {
        let good = model();
        let write = |dtype, f: &dyn Fn(&str, &[f32]) -> Vec<u8>| {
            let tensors = good.tensors().iter();
            let bytes: Vec<_> = tensors
                .map(|(n, t)| (n, t.shape.clone(), f(n, &t.values)))
                .collect();
            let views = bytes
                .iter()
                .map(|(n, s, b)| (n, TensorView::new(dtype, s.clone(), b).unwrap()));
            let spec = serde_json::to_string(good.spec()).unwrap();
            let metadata = HashMap::from([(SPEC_KEY.to_owned(), spec)]);
            safetensors::serialize(views, Some(metadata)).unwrap()
        };
        let half = write(Dtype::F16, &|_, values| vec![0; 2 * values.len()]);
        assert!(matches!(problem_of(&half), StoreProblem::Type(_)));
        let nan = write(Dtype::F32, &|name, values| {
            let mut values = values.to_vec();
            if name == "input.mean" {
                values[1] = f32::NAN;
            }
            f32_bytes(&values)
        });
        let problem = problem_of(&nan);
        let StoreProblem::Model(ModelError::NotFinite(name)) = problem else {
            panic!("{problem:?}")
        };
        assert_eq!(name, "input.mean");
    }
}
