//! Reading, looking and splitting.

use super::folds;
use super::look::{self, Findings};
use super::parts::{Parts, Plan};
use super::split::{Part, Split};
use super::state::{self, Key, State};
use super::together::{Choice, Together};
use super::{Args, shape};
use crate::inputs::{self, Limit, Named};
use crate::number::grouped;
use crate::output::Output;
use crate::reading::Reading;
use crate::table::Table;
use crate::{place, provenance};
use anyhow::{Context, Result, bail};
use flow_infer::front_end::Reduction;
use flow_infer::spec::Shape;
use flow_train_host::calibrate::{self, Blocks};
use flow_train_host::data::recordings::RecordingOptions;
use flow_train_host::data::survey;
use flow_train_host::data::{self, Dataset, ImageSize, ReadOptions};
use flow_train_host::files::one_line;
use flow_train_host::front_end::FrontEnd;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

impl Args {
    /// Reads own data, says what it found, and writes the parts as arrays of inputs; whether there was anything to do.
    pub(super) fn prepare(&self, state: &mut State, out: &mut Output) -> Result<bool> {
        let key = Key::of(&[
            &format!("{:?} {} {}", self.reading, self.seed, self.alpha),
            &format!("{:?} {:?} {:?}", self.blocks, self.folds, self.preset),
            &state::listing(&self.data)?,
        ]);
        if state.is_done("data", &key) && self.parts_exist() {
            return Ok(false);
        }
        let sizes = match self.reading.asks_for_windows() {
            true => None,
            false => self.sizes()?,
        };
        let reduction = self.chosen_reduction(sizes.as_deref());
        if let Some(shape) = reduction.map(|r| r.output) {
            check_size(shape)?;
        }
        let own = self.load(&self.data, reduction.map(FrontEnd::Frames).as_ref())?;
        let place = || one_line(&self.data).to_string();
        let found = Findings::of(&own);
        found.refuse().with_context(place)?;
        let items = own.data.len();
        let folds = |in_blocks| folds::wanted(self.folds, items, in_blocks);
        let crossed = folds(true).is_some();
        let together = Together::of(self.blocks.as_ref(), &self.data, &own, crossed)?;
        let folds = folds(together.blocks.is_some());
        let plan = Plan::new(items, self.alpha_ppm(), folds).with_context(place)?;
        let parts = match &together.blocks {
            Some(blocks) => Parts::of_blocks(plan, blocks, self.seed).with_context(place)?,
            None => Parts::of_inputs(plan, &found.same, self.seed),
        };
        let split = self.split(&own, &parts, &together, reduction);
        let mut table = Table::facts();
        table.fact("data", inputs::describe(&own.data));
        if let Some(sizes) = &sizes {
            table.fact("pictures", look::sizes(sizes));
        }
        if let Some(reduction) = reduction.filter(|_| self.reading.reduction().is_none()) {
            table.fact("averaged to", chosen(&reduction));
        }
        found.facts(&mut table);
        self.split_facts(&split, &together, &mut table);
        table.print(out)?;
        out.flush()?;
        found.warn(&self.data);
        self.write(&own.data, &parts, &split)?;
        state.done("data", &key)?;
        Ok(true)
    }

    fn parts_exist(&self) -> bool {
        let split = Split::read(&self.split_file());
        split.is_ok_and(|split| split.names().iter().all(|name| self.part(name).exists()))
    }

    pub(super) fn split_file(&self) -> PathBuf {
        self.out.join("data").join("split.json")
    }

    /// Foreign data as arrays of the same inputs.
    pub(super) fn foreign(&self, state: &mut State) -> Result<bool> {
        let front_end = Split::read(&self.split_file())?.front_end();
        let mut worked = false;
        for (name, path) in &self.ood {
            let stage = format!("foreign {name}");
            let key = Key::of(&[
                &format!("{:?} {front_end:?}", self.reading),
                &state::listing(path)?,
            ]);
            if state.is_done(&stage, &key) && self.part(&format!("ood-{name}")).exists() {
                continue;
            }
            let set = self.load(path, front_end.as_ref())?;
            let own = self.read_part("test", front_end.as_ref())?;
            if set.data.shape() != own.shape() {
                bail!(
                    "--ood {name}: holds {}, and --data {}",
                    inputs::kind(&set.data),
                    inputs::kind(&own)
                );
            }
            set.data
                .to_npy()?
                .write(&self.part(&format!("ood-{name}")))?;
            let names = Part::of(&set, &(0..set.data.len()).collect::<Vec<_>>(), &[]);
            names.write(&self.foreign_names(name))?;
            state.done(&stage, &key)?;
            worked = true;
        }
        Ok(worked)
    }

    pub(super) fn foreign_names(&self, name: &str) -> PathBuf {
        self.out.join("data").join(format!("ood-{name}.json"))
    }

    /// Sizes of the pictures, where the data are such.
    fn sizes(&self) -> Result<Option<Vec<ImageSize>>> {
        // An array of an archive is named behind it; that is no picture.
        match self.data.exists() {
            true => Ok(survey::sizes(&self.data)?),
            false => Ok(None),
        }
    }

    fn chosen_reduction(&self, sizes: Option<&[ImageSize]>) -> Option<Reduction> {
        let said = self.reading.reduction();
        said.or_else(|| shape::chosen(sizes?, self.named_family()))
    }

    /// A part, as it was written.
    pub(super) fn read_part(&self, name: &str, front_end: Option<&FrontEnd>) -> Result<Dataset> {
        let recordings = front_end.and_then(FrontEnd::windows).cloned();
        let options = ReadOptions {
            recordings: recordings.map(RecordingOptions::of_model),
            ..ReadOptions::default()
        };
        Ok(data::read(&self.part(name), &options)?.dataset)
    }

    /// Data as inputs: in windows of its own, or as those before it.
    fn load(&self, path: &Path, front_end: Option<&FrontEnd>) -> Result<Named> {
        let column = self.blocks.as_ref().and_then(Choice::column);
        let reading: Reading = match front_end.and_then(FrontEnd::windows) {
            Some(_) => self.reading.keeping_windows(front_end),
            None => self.reading.or_front_end(front_end).without_faulty(),
        };
        let reading = reading.with_block_column(column);
        let read = inputs::read(path, &reading, Limit::default())?;
        let set = Named {
            data: read.dataset,
            items: read.items,
            blocks: read.blocks,
        };
        let [c, h, w] = set.data.shape();
        let values = c.saturating_mul(h).saturating_mul(w);
        if values > usize::from(u16::MAX) {
            bail!(
                "{}: holds {}, larger than any model's input: --size says what to average them to",
                one_line(path),
                inputs::kind(&set.data)
            );
        }
        Ok(set)
    }

    fn split(
        &self,
        own: &Named,
        parts: &Parts,
        together: &Together,
        reduction: Option<Reduction>,
    ) -> Split {
        let label = |blocks: &Blocks| {
            let names = (0..own.data.len()).map(|input| blocks.name_of(input).to_owned());
            names.collect()
        };
        let labels: Vec<String> = together.blocks.as_ref().map_or_else(Vec::new, label);
        let part = |indices: &[usize]| Part::of(own, indices, &labels);
        Split {
            reduction,
            windows: own.data.windows().map(|w| w.spec().as_ref().clone()),
            data: provenance::describe(&self.data, &own.data),
            in_order: together.blocks.as_ref().is_some_and(Blocks::in_order),
            train: part(&parts.train),
            folds: parts.folds.clone(),
            calibrate: part(&parts.calibrate),
            test: part(&parts.test),
        }
    }

    fn split_facts(&self, split: &Split, together: &Together, table: &mut Table) {
        let validating = split.train.validating();
        let training = split.train.inputs.len() - validating;
        let folds = split.fold_count();
        let calibrating = match folds {
            0 => split.calibrate.inputs.len(),
            _ => split.train.inputs.len(),
        };
        table.fact("split", together.why.clone());
        table.fact(
            "to train",
            format!("{training}, and {validating} to validate"),
        );
        let both = calibrate::Split::new(calibrating, self.alpha_ppm());
        if folds > 0 {
            let text = format!(
                "{folds}, each held out of a model of the others: what trains calibrates, too"
            );
            table.fact("folds", text);
        }
        let how = match (&together.blocks, both) {
            (None, Ok(both)) => format!(
                "{calibrating}: {} for the tables of tests, {} for the threshold",
                both.tables.len(),
                both.threshold.len()
            ),
            (None, Err(_)) => format!("{calibrating}, all for the threshold"),
            (Some(_), _) => {
                let blocks = match folds {
                    0 => &split.calibrate.blocks,
                    _ => &split.train.blocks,
                };
                let blocks: BTreeSet<&String> = blocks.iter().collect();
                format!(
                    "{calibrating}, {} blocks: tables and threshold from different {}",
                    blocks.len(),
                    match folds {
                        0 => "ones in turn",
                        _ => "inputs of each",
                    }
                )
            }
        };
        table.fact("to calibrate", how);
        table.fact("to test", split.test.inputs.len().to_string());
    }

    fn write(&self, own: &Dataset, parts: &Parts, split: &Split) -> Result<()> {
        let folder = self.out.join("data");
        place::directory(&folder)?;
        std::fs::create_dir_all(&folder).with_context(|| one_line(&folder).to_string())?;
        let of_name = |name: &str| match name {
            "train" => &parts.train,
            "calibrate" => &parts.calibrate,
            _ => &parts.test,
        };
        for name in split.names() {
            let indices = of_name(name);
            own.pick(indices).to_npy()?.write(&self.part(name))?;
        }
        split.write(&self.split_file())
    }
}

/// Refuses inputs that no model reads, before pictures are read for nothing.
fn check_size(shape: Shape) -> Result<()> {
    let values = [shape.channels, shape.height, shape.width].map(u64::from);
    let values: u64 = values.iter().product();
    if values > u64::from(u16::MAX) {
        bail!(
            "--size {}x{}: {} values an input, and a model reads {} at most",
            shape.width,
            shape.height,
            grouped(values),
            grouped(u16::MAX.into())
        );
    }
    Ok(())
}

fn chosen(reduction: &Reduction) -> String {
    let shape = reduction.output;
    format!(
        "{}x{} grey (--size and --colour say otherwise)",
        shape.width, shape.height
    )
}
