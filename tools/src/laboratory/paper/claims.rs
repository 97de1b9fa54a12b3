//! The claims, each with what is measured for it and whether that agrees.

use super::measure::Measured;
use super::records::{self, RecordTable};
use crate::evaluation::{Column, Set};
use anyhow::Result;
use flow_infer::score::ScoreKind;
use flow_train_host::metrics::Separation;
use std::path::PathBuf;

/// A likelihood is misled below, and tells sets apart above.
const CHANCE: f64 = 0.5;
/// What counts as telling sets apart.
const TELLS: f64 = 0.95;

/// Whether what was measured agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Confirmed,
    NotConfirmed,
    /// A picture, for the reader to judge.
    Shown,
    NotMeasured,
}

impl Verdict {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::NotConfirmed => "not confirmed",
            Self::Shown => "shown",
            Self::NotMeasured => "not measured",
        }
    }

    fn of(agrees: bool) -> Self {
        match agrees {
            true => Self::Confirmed,
            false => Self::NotConfirmed,
        }
    }
}

/// What a claim is measured by.
pub(super) enum Evidence<'m> {
    /// A flow, what it is, and how its likelihood tells foreign data from its own.
    Likelihoods(Vec<(String, &'m Separation, f64)>),
    /// A histogram of a score.
    Histogram(String, &'m Column, &'m [Set]),
    /// A picture with its caption.
    Picture(String, PathBuf),
    /// A table of a record.
    Record(RecordTable),
}

/// A claim of the paper.
pub(super) struct Claim<'m> {
    pub(super) title: &'static str,
    /// Where the paper has it.
    pub(super) place: &'static str,
    /// What it says, in our words.
    pub(super) says: &'static str,
    pub(super) verdict: Verdict,
    /// What we find.
    pub(super) finds: String,
    pub(super) evidence: Vec<Evidence<'m>>,
}

/// Every claim, in the order of the paper.
pub(super) fn all(measured: &Measured) -> Result<Vec<Claim<'_>>> {
    Ok(vec![
        failure(measured)?,
        other_way(measured)?,
        glow(measured)?,
        latents(measured)?,
        couplings(measured)?,
        coadaptation(measured)?,
        masks(measured)?,
        bottlenecks(measured)?,
        embeddings(measured)?,
        negative(measured)?,
        tables(measured)?,
        batch_norm(),
        complexity(measured)?,
    ])
}

/// A row of a table of likelihoods: what the flow is, its AUROC, its median bits per dim.
fn row<'m>(measured: &'m Measured, run: &str, what: &str) -> Result<(String, &'m Separation, f64)> {
    let separation = measured.separation(run, ScoreKind::Likelihood.name())?;
    let bits = measured.run(run)?.benign.bits_per_dim_median;
    Ok((format!("{run}: {what}"), separation, bits))
}

fn auroc(measured: &Measured, run: &str) -> Result<f64> {
    Ok(measured
        .separation(run, ScoreKind::Likelihood.name())?
        .auroc)
}

fn histogram<'m>(measured: &'m Measured, run: &str, caption: &str) -> Result<Evidence<'m>> {
    let column = measured.column(run, ScoreKind::Likelihood.name())?;
    let foreign = &measured.run(run)?.foreign;
    Ok(Evidence::Histogram(caption.to_owned(), column, foreign))
}

fn picture<'m>(measured: &Measured, name: &str, caption: &str) -> Result<Evidence<'m>> {
    let path = measured.picture(name)?.to_owned();
    Ok(Evidence::Picture(caption.to_owned(), path))
}

fn failure(m: &Measured) -> Result<Claim<'_>> {
    let area = auroc(m, "realnvp")?;
    Ok(Claim {
        title: "A flow gives foreign data more likelihood than its own",
        place: "section 1, figure 1",
        says: "RealNVP trained on one set of images finds images of a simpler set likelier.",
        verdict: Verdict::of(area < CHANCE),
        finds: format!(
            "Trained on clothes, the likelihood has an AUROC of {area:.3} against digits: a digit \
             is likelier than a garment."
        ),
        evidence: vec![
            Evidence::Likelihoods(vec![row(m, "realnvp", "clothes in, digits out")?]),
            histogram(m, "realnvp", "log-likelihood, trained on clothes")?,
            Evidence::Record(records::table(&m.records, "fashion-tiny.md", "before")?),
        ],
    })
}

fn other_way(m: &Measured) -> Result<Claim<'_>> {
    let (plain, narrow) = (auroc(m, "realnvp-digits")?, auroc(m, "bottleneck-digits")?);
    Ok(Claim {
        title: "The other way round it works",
        place: "section 1 and the appendix's tables",
        says: "Trained on the simpler set, the likelihood tells the richer one apart.",
        verdict: Verdict::of(plain > TELLS),
        finds: format!(
            "Trained on digits, AUROC against clothes: RealNVP {plain:.4}, with bottlenecks \
             {narrow:.4}."
        ),
        evidence: vec![
            Evidence::Likelihoods(vec![
                row(m, "realnvp-digits", "digits in, clothes out")?,
                row(m, "bottleneck-digits", "digits in, clothes out")?,
            ]),
            histogram(m, "realnvp-digits", "log-likelihood, trained on digits")?,
        ],
    })
}

fn glow(m: &Measured) -> Result<Claim<'_>> {
    let area = auroc(m, "glow")?;
    Ok(Claim {
        title: "Glow fails as RealNVP does",
        place: "sections 1 and 4",
        says: "The failure is one of coupling layers, not of a particular flow.",
        verdict: Verdict::of(area < CHANCE),
        finds: format!("Glow, clothes in, digits out: an AUROC of {area:.3}."),
        evidence: vec![
            Evidence::Likelihoods(vec![row(m, "glow", "clothes in, digits out")?]),
            histogram(m, "glow", "log-likelihood of Glow, trained on clothes")?,
        ],
    })
}

fn latents(m: &Measured) -> Result<Claim<'_>> {
    Ok(Claim {
        title: "Latents keep the outline of the image",
        place: "section 5",
        says: "A latent, averaged over dequantization draws, shows the edges of its image, of own \
               and of foreign data alike.",
        verdict: Verdict::Shown,
        finds: "One draw and the mean of forty, of garments and of digits that the flow has never \
                seen."
            .to_owned(),
        evidence: vec![
            picture(m, "latents-clothes", "garments and their latents")?,
            picture(m, "latents-digits", "digits and their latents")?,
            picture(m, "activations-digits", "digits on their way to the latent")?,
        ],
    })
}

fn couplings(m: &Measured) -> Result<Claim<'_>> {
    Ok(Claim {
        title: "Couplings foretell pixels from their neighbours",
        place: "section 6.1",
        says: "A conditioner predicts masked pixels from those around them, as well for foreign \
               images as for own ones.",
        verdict: Verdict::Shown,
        finds:
            "log_scale and shift of every coupling: the shifts trace the digit as sharply as the \
                garment."
                .to_owned(),
        evidence: vec![
            picture(
                m,
                "couplings-clothes",
                "what every coupling says of a garment",
            )?,
            picture(m, "couplings-digits", "and of a digit")?,
        ],
    })
}

fn coadaptation(m: &Measured) -> Result<Claim<'_>> {
    let record = records::table(&m.records, "coadaptation.md", "expects what is there")?;
    let area = auroc(m, "half")?;
    Ok(Claim {
        title: "Couplings tell each other what they cannot see",
        place: "section 6.2",
        says: "With masks of halves, a coupling writes what the next one must foretell into the \
               half that it changes; so even digits are foretold by a flow of clothes.",
        verdict: coadapts(&record),
        finds: format!(
            "The third coupling never reads the lower half and yet expects the one of this image; \
             without the coupling before it that knowledge is gone (the record). Likelihood of \
             half masks: an AUROC of {area:.3} against digits."
        ),
        evidence: vec![
            Evidence::Record(record),
            picture(
                m,
                "coadaptation-digits",
                "what couplings of half masks expect of digits",
            )?,
        ],
    })
}

/// Whether the last coupling's expectation of digits depends on the coupling before it.
fn coadapts(record: &RecordTable) -> Verdict {
    let row = record
        .rows
        .iter()
        .rfind(|row| row.first().is_some_and(|set| set == "digits"));
    let figure = |row: &Vec<String>, column: usize| row.get(column)?.parse::<f64>().ok();
    let pair = row.and_then(|row| Some((figure(row, 3)?, figure(row, 6)?)));
    match pair {
        Some((with, without)) => Verdict::of(with > 2.0 * without),
        None => Verdict::NotMeasured,
    }
}

fn masks(m: &Measured) -> Result<Claim<'_>> {
    let areas = [auroc(m, "realnvp")?, auroc(m, "cycle")?];
    Ok(Claim {
        title: "Cycle masks help",
        place: "section 7.1",
        says: "Couplings that rewrite one quadrant from the one before it cannot pass notes for \
               three steps, and tell foreign data better.",
        verdict: Verdict::of(areas[1] > areas[0]),
        finds: format!(
            "AUROC of the likelihood against digits: checkerboards and channels {:.3}, cycle masks \
             {:.3}.",
            areas[0], areas[1]
        ),
        evidence: vec![Evidence::Likelihoods(vec![
            row(m, "realnvp", "checkerboards and channels")?,
            row(m, "half", "upper and lower halves")?,
            row(m, "cycle", "quadrants in a cycle")?,
        ])],
    })
}

fn bottlenecks(m: &Measured) -> Result<Claim<'_>> {
    let plain = auroc(m, "realnvp")?;
    let narrow = auroc(m, "bottleneck-10")?;
    let rows = [3, 10, 30, 100].map(|latent| {
        let run = format!("bottleneck-{latent}");
        row(
            m,
            &run,
            &format!("conditioners compress to {latent} numbers"),
        )
    });
    let mut rows = rows.into_iter().collect::<Result<Vec<_>>>()?;
    rows.push(row(m, "realnvp", "residual conditioners")?);
    Ok(Claim {
        title: "Conditioners with a bottleneck help",
        place: "section 7.2",
        says: "A conditioner that must compress what it reads cannot copy neighbours, has to learn \
               the data, and tells foreign data better; samples and likelihood are worse for it.",
        verdict: Verdict::of(narrow > plain),
        finds: format!(
            "AUROC of the likelihood: {plain:.3} of residual conditioners, {narrow:.3} with ten \
             numbers in the middle; bits per dim are higher, as the paper says."
        ),
        evidence: vec![
            Evidence::Likelihoods(rows),
            histogram(
                m,
                "bottleneck-10",
                "log-likelihood with bottlenecks of ten numbers",
            )?,
            Evidence::Record(records::table(
                &m.records,
                "fashion-bottleneck.md",
                "fashion-tiny",
            )?),
        ],
    })
}

fn embeddings(m: &Measured) -> Result<Claim<'_>> {
    Ok(Claim {
        title: "A flow on a network's features tells semantics",
        place: "section 8",
        says: "Trained on the features of a network, the same kind of flow tells foreign images by \
               its plain likelihood.",
        verdict: Verdict::Confirmed,
        finds: "EfficientNet-Lite0 where the paper has B4: the likelihood that was worse than \
                chance on pixels is far above it on features. On those of two blocks in the middle \
                it beats a Gaussian and a mixture on every set; on the head's a Gaussian does as \
                well, which the paper does not say."
            .to_owned(),
        evidence: vec![Evidence::Record(records::table(
            &m.records,
            "embedding.md",
            "AUROC",
        )?)],
    })
}

fn negative(m: &Measured) -> Result<Claim<'_>> {
    let areas = [auroc(m, "realnvp")?, auroc(m, "negative")?];
    Ok(Claim {
        title: "A flow could tell them apart, if it were told to",
        place: "appendix B",
        says: "Trained to find one set likely and another unlikely, a flow separates them: what is \
               missing is not capacity.",
        verdict: Verdict::of(areas[1] > TELLS),
        finds: format!(
            "AUROC of the likelihood against digits: {:.3} without, {:.3} with digits as negatives, \
             those that are evaluated among them.",
            areas[0], areas[1]
        ),
        evidence: vec![
            Evidence::Likelihoods(vec![
                row(m, "realnvp", "clothes alone")?,
                row(m, "negative", "digits as negatives")?,
            ]),
            histogram(m, "negative", "log-likelihood after negative training")?,
        ],
    })
}

fn tables(m: &Measured) -> Result<Claim<'_>> {
    Ok(Claim {
        title: "Tables fail too",
        place: "appendix K",
        says: "On tables of measurements (HEPMASS, MiniBooNE), likelihoods of the other class \
               overlap with the learned one's.",
        verdict: Verdict::Confirmed,
        finds: "Other tables, for the paper's come in no package: in one of six directions (hadron \
                showers) the likelihood is worse than chance, as is every density; in the others it \
                works."
            .to_owned(),
        evidence: vec![Evidence::Record(records::table(&m.records, "tabular.md", "flow, float")?)],
    })
}

fn batch_norm<'m>() -> Claim<'m> {
    Claim {
        title: "Batch norm in training mode changes likelihoods",
        place: "appendix",
        says: "Latents and likelihoods differ between statistics of the batch and running ones.",
        verdict: Verdict::NotMeasured,
        finds: "Flows that are trained here have no batch norm; checkpoints that have can be \
                imported, and their statistics estimated anew (convert --update-batch-norm)."
            .to_owned(),
        evidence: Vec::new(),
    }
}

fn complexity(m: &Measured) -> Result<Claim<'_>> {
    let score = ScoreKind::Complexity.name();
    let areas = ["realnvp", "bottleneck-10"].map(|run| m.separation(run, score));
    let [plain, narrow] = areas;
    let (plain, narrow) = (plain?.auroc, narrow?.auroc);
    Ok(Claim {
        title: "What the paper does not have: the length of a code",
        place: "beyond the paper",
        says: "Likelihood and complexity complete each other (Serra et al. 2020).",
        verdict: Verdict::of(plain > TELLS && narrow > TELLS),
        finds: format!(
            "log-likelihood plus the length of a lossless code, against digits: an AUROC of \
             {plain:.4} with the same RealNVP, {narrow:.4} with bottlenecks."
        ),
        evidence: vec![
            picture(
                m,
                "heat-digits",
                "where digits are odd to the flow with bottlenecks",
            )?,
            Evidence::Record(records::table(
                &m.records,
                "fashion-bottleneck.md",
                "combined",
            )?),
        ],
    })
}
