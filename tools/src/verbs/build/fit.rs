//! The widest member of a family that a budget allows.

use super::budget::{Budget, Time};
use crate::cost::Cost;
use crate::number::{bytes, grouped};
use crate::table::Table;
use anyhow::{Context, Result, bail};
use flow_infer::artifact::Artifact;
use flow_infer::spec::Shape;
use flow_train_host::data::Dataset;
use flow_train_host::export::{self, ExportError};
use flow_train_host::families::{Family, WIDTHS};
use flow_train_host::front_end::FrontEnd;
use flow_train_host::train::{self, TrainConfig};

/// Inputs that a model which is only measured takes its first weights from, and its ranges.
const MEASURED_ON: usize = 12;
const RANGES_OF: usize = 2;
/// Golden vectors of an export, and what lies beside each input.
const GOLDEN: u64 = 4;
const GOLDEN_BYTES: u64 = 32;
/// What calibration and provenance add to a file, at most about.
const ADDED_BYTES: u64 = 5120;
/// Width of what few vectors can teach, at most: wider flows were no likelier for others of 130 to 2,000
/// (records/tables.md).
const FEW_WIDTH: u16 = 16;

/// A configuration and what it takes, before anything is trained.
pub(super) struct Fitted {
    pub(super) config: TrainConfig,
    pub(super) width: u16,
    cost: Cost,
    /// The file with everything that it will hold.
    flash: u64,
    /// Scratch, input, and the sums of the front end.
    ram: u64,
}

/// What is fitted into a budget.
pub(super) struct Wanted<'w> {
    pub(super) family: Family,
    pub(super) shape: Shape,
    pub(super) budget: &'w Budget,
    pub(super) time: Option<Time>,
    pub(super) front_end: Option<FrontEnd>,
    /// Few vectors.
    pub(super) few: bool,
}

impl Wanted<'_> {
    /// The widest of a family.
    pub(super) fn largest(&self, data: &Dataset) -> Result<Fitted> {
        let Self { family, shape, .. } = self;
        if family.reads_images() && !family.reads(shape.height, shape.width) {
            bail!(
                "preset {} reads {}, not {}x{}: --size says what to average them to",
                family.name(),
                family.wants(),
                shape.width,
                shape.height
            );
        }
        let sample = data.take(0..MEASURED_ON);
        let mut largest: Option<Fitted> = None;
        for width in WIDTHS
            .into_iter()
            .filter(|&width| !self.few || width <= FEW_WIDTH)
        {
            let next = self.measured(width, &sample)?;
            match (self.fits(&next), &largest) {
                (true, _) => largest = Some(next),
                (false, Some(_)) => break,
                (false, None) => return Err(self.too_large(&next)),
            }
        }
        largest.context("no width fits")
    }

    /// What a width takes: its file is made, of first weights.
    fn measured(&self, width: u16, sample: &Dataset) -> Result<Fitted> {
        let mut config = self.family.config(self.shape, width);
        if self.few {
            config = config.for_few_vectors();
        }
        config.front_end.clone_from(&self.front_end);
        let model = train::initial_model(&config, sample)?;
        let file = export::planned(&model, &sample.take(0..RANGES_OF))?;
        let file = file.to_bytes()?;
        let artifact = Artifact::load(&file).map_err(ExportError::Rejected)?;
        let cost = Cost::of(&artifact);
        let input = artifact.input_len() as u64;
        let sums = self
            .front_end
            .as_ref()
            .and_then(FrontEnd::reduction)
            .map_or(0, |r| 8 * r.accumulators() as u64);
        Ok(Fitted {
            flash: cost.flash_bytes + GOLDEN * (input + GOLDEN_BYTES) + ADDED_BYTES,
            ram: cost.scratch_bytes + input + sums,
            config,
            width,
            cost,
        })
    }

    fn fits(&self, fitted: &Fitted) -> bool {
        let in_time = |time: &Time| time.of(&fitted.cost.instructions) <= time.milliseconds;
        fitted.flash <= self.budget.flash
            && fitted.ram <= self.budget.ram
            && self
                .budget
                .multiplies()
                .is_none_or(|most| fitted.cost.macs <= most)
            && self.time.as_ref().is_none_or(in_time)
    }

    /// By how much it does not fit, and what would.
    fn too_large(&self, fitted: &Fitted) -> anyhow::Error {
        let over = |what: &str, found: u64, most: u64, unit: &dyn Fn(u64) -> String| {
            (found > most).then(|| {
                format!(
                    "{what} {} of {}, {} too much",
                    unit(found),
                    unit(most),
                    unit(found - most)
                )
            })
        };
        let (flash, ram, macs) = (fitted.flash, fitted.ram, fitted.cost.macs);
        let most_macs = self.budget.multiplies().unwrap_or(u64::MAX);
        let late = self.time.as_ref().and_then(|time| {
            let (found, most) = (time.of(&fitted.cost.instructions), time.milliseconds);
            (found > most)
                .then(|| format!("time {found:.1} of {most} ms, {:.1} too much", found - most))
        });
        let all = [
            over("flash", flash, self.budget.flash, &bytes),
            over("ram", ram, self.budget.ram, &bytes),
            over("multiplies", macs, most_macs, &grouped),
            late,
        ];
        let all: Vec<String> = all.into_iter().flatten().collect();
        let enough = [
            (flash > self.budget.flash).then(|| format!("--flash {flash}")),
            (ram > self.budget.ram).then(|| format!("--ram {ram}")),
            (macs > most_macs).then(|| format!("--multiplies {macs}")),
            self.time.as_ref().and_then(|time| {
                let found = time.of(&fitted.cost.instructions).ceil();
                let core = format!("{}@{}", time.board, time.megahertz);
                (found > time.milliseconds).then(|| format!("--ms {found} {core}"))
            }),
        ];
        let enough: Vec<String> = enough.into_iter().flatten().collect();
        anyhow::anyhow!(
            "no {} of {} fits: at its smallest ({} channels) it takes {}; {} would do{}",
            self.family.name(),
            self.shape,
            fitted.width,
            all.join(", "),
            enough.join(" "),
            self.smaller(fitted)
        )
    }

    /// The size of pictures that would about fit: what a decision takes grows with their area.
    fn smaller(&self, fitted: &Fitted) -> String {
        if !self.family.reads_images() {
            return String::new();
        }
        let ratio = |found: u64, most: u64| most as f64 / found.max(1) as f64;
        let time = self.time.as_ref().map_or(1.0, |time| {
            time.milliseconds / time.of(&fitted.cost.instructions).max(1e-9)
        });
        let most_macs = self.budget.multiplies().unwrap_or(u64::MAX);
        let area = ratio(fitted.ram, self.budget.ram)
            .min(ratio(fitted.cost.macs, most_macs))
            .min(time);
        // Weights of dense conditioners grow with the area, those of windows do not.
        let area = match self.family {
            Family::Dense => area.min(ratio(fitted.flash, self.budget.flash)),
            _ => area,
        };
        let side = |n: u16| (f64::from(n) * area.min(1.0).sqrt()) as u16;
        match self
            .family
            .rounded(side(self.shape.height), side(self.shape.width))
        {
            (h, w) if w >= 8 && h >= 8 && w < self.shape.width => format!(", or --size {w}x{h}"),
            _ => String::new(),
        }
    }

    pub(super) fn facts(&self, fitted: &Fitted, table: &mut Table) {
        let of = |found: String, most: String| format!("{found} of {most}");
        let text = format!("{}, {} channels wide", self.family.name(), fitted.width);
        let text = match self.few {
            true => format!(
                "{text}, for few: a Gaussian, and what beats it on the inputs that validate"
            ),
            false => text,
        };
        table.fact("architecture", text);
        let flash = of(bytes(fitted.flash), bytes(self.budget.flash));
        table.fact("flash", flash);
        let scratch = bytes(fitted.cost.scratch_bytes);
        let ram = of(bytes(fitted.ram), bytes(self.budget.ram));
        table.fact("RAM", format!("{ram}, {scratch} of it scratch"));
        let macs = grouped(fitted.cost.macs);
        let multiplies = match self.budget.multiplies() {
            Some(most) => of(macs, grouped(most)),
            None => macs,
        };
        table.fact("multiplies", multiplies);
        if let Some(time) = &self.time {
            let found = time.of(&fitted.cost.instructions);
            let core = format!("{} at {} MHz", time.board, time.megahertz);
            table.fact(
                "time",
                format!("{found:.1} of {} ms on {core}", time.milliseconds),
            );
        }
    }

    /// What a decision is expected to take on every counted core.
    pub(super) fn cores(fitted: &Fitted) -> Table {
        let mut table = Table::new(["core", "instructions (estimate)", "ms", "at, as in"]);
        for estimate in &fitted.cost.instructions {
            table.row([
                estimate.core.to_owned(),
                grouped(estimate.instructions),
                format!("{:.1}", estimate.milliseconds),
                format!("{} MHz, {}", estimate.clock_mhz, estimate.example),
            ]);
        }
        table
    }
}
