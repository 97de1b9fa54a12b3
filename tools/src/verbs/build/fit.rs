//! The widest member of a family that a budget allows.

use crate::cost::Cost;
use crate::number::{bytes, grouped};
use crate::table::Table;
use anyhow::{Context, Result, bail};
use flow_infer::artifact::Artifact;
use flow_infer::front_end::Reduction;
use flow_infer::spec::Shape;
use flow_train_host::data::Dataset;
use flow_train_host::export::{self, ExportError};
use flow_train_host::families::{Family, WIDTHS};
use flow_train_host::train::{self, TrainConfig};

/// Inputs that a model which is only measured is quantized with.
const MEASURED_ON: usize = 24;

/// What a decision may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    pub(super) flash: u64,
    pub(super) ram: u64,
    pub(super) multiplies: u64,
}

/// A configuration and what it takes, before anything is trained.
pub(super) struct Fitted {
    pub(super) config: TrainConfig,
    pub(super) width: u16,
    cost: Cost,
    /// Scratch, input, and the sums of the front end.
    ram: u64,
}

impl Fitted {
    /// The widest of a family.
    pub(super) fn largest(
        family: Family,
        shape: Shape,
        budget: Budget,
        reduction: Option<&Reduction>,
        data: &Dataset,
    ) -> Result<Self> {
        let multiple = family.multiple();
        let whole = |side: u16| side.is_multiple_of(multiple);
        if family.reads_images() && !(whole(shape.height) && whole(shape.width)) {
            bail!(
                "preset {} reads images whose sides are multiples of {multiple}, not of {}x{}: \
                 --size says what to average them to",
                family.name(),
                shape.width,
                shape.height
            );
        }
        let sample = data.take(0..MEASURED_ON);
        let mut largest: Option<Self> = None;
        for width in WIDTHS {
            let next = Self::measured(family, shape, width, reduction, &sample)?;
            match (next.fits(budget), &largest) {
                (true, _) => largest = Some(next),
                (false, Some(_)) => break,
                (false, None) => return Err(next.too_large(family, shape, budget)),
            }
        }
        largest.context("no width fits")
    }

    /// What a width takes: its file is made, of first weights.
    fn measured(
        family: Family,
        shape: Shape,
        width: u16,
        reduction: Option<&Reduction>,
        sample: &Dataset,
    ) -> Result<Self> {
        let config = family.config(shape, width);
        let model = train::initial_model(&config, sample)?;
        let file = export::quantized(&model, sample, &|| {})?;
        let file = file.to_bytes()?;
        let artifact = Artifact::load(&file).map_err(ExportError::Rejected)?;
        let cost = Cost::of(&artifact);
        let sums = reduction.map_or(0, |r| 8 * r.accumulators() as u64);
        let ram = cost.scratch_bytes + artifact.input().byte_len() as u64 + sums;
        Ok(Self {
            config,
            width,
            cost,
            ram,
        })
    }

    fn fits(&self, budget: Budget) -> bool {
        self.cost.flash_bytes <= budget.flash
            && self.ram <= budget.ram
            && self.cost.macs <= budget.multiplies
    }

    /// By how much it does not fit, and what would.
    fn too_large(&self, family: Family, shape: Shape, budget: Budget) -> anyhow::Error {
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
        let all = [
            over("flash", self.cost.flash_bytes, budget.flash, &bytes),
            over("ram", self.ram, budget.ram, &bytes),
            over("multiplies", self.cost.macs, budget.multiplies, &grouped),
        ];
        let all: Vec<String> = all.into_iter().flatten().collect();
        let larger = format!(
            "--flash {} --ram {} --multiplies {} would do",
            self.cost.flash_bytes, self.ram, self.cost.macs
        );
        anyhow::anyhow!(
            "no {} of {shape} fits: at its smallest ({} channels) it takes {}; {larger}{}",
            family.name(),
            self.width,
            all.join(", "),
            self.smaller(family, shape, budget)
        )
    }

    /// The size of pictures that would about fit: what a decision takes grows with their area.
    fn smaller(&self, family: Family, shape: Shape, budget: Budget) -> String {
        if !family.reads_images() {
            return String::new();
        }
        let ratio = |found: u64, most: u64| most as f64 / found.max(1) as f64;
        let area = ratio(self.ram, budget.ram).min(ratio(self.cost.macs, budget.multiplies));
        let side = |n: u16| {
            let side = (f64::from(n) * area.min(1.0).sqrt()) as u16;
            side - side % family.multiple()
        };
        match (side(shape.width), side(shape.height)) {
            (w, h) if w >= 8 && h >= 8 && w < shape.width => format!(", or --size {w}x{h}"),
            _ => String::new(),
        }
    }

    pub(super) fn facts(&self, family: Family, budget: Budget, table: &mut Table) {
        let of = |found: String, most: String| format!("{found} of {most}");
        let text = format!("{}, {} channels wide", family.name(), self.width);
        table.fact("architecture", text);
        let flash = of(bytes(self.cost.flash_bytes), bytes(budget.flash));
        table.fact("flash", flash);
        table.fact("RAM", of(bytes(self.ram), bytes(budget.ram)));
        let multiplies = of(grouped(self.cost.macs), grouped(budget.multiplies));
        table.fact("multiplies", multiplies);
    }
}
