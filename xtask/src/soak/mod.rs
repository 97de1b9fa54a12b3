//! `cargo xtask soak`: days of a made camera with all its faults in front of a real `flowgate watch`.

mod feeder;
mod scene;
mod tally;

use crate::watched::{self, Watched, get};
use crate::{CheckFailed, machine, process, repo};
use anyhow::{Context, Result, anyhow};
use clap::Args;
use feeder::{Fed, Feeder};
use flow_train_host::data::{self, Dataset};
use flowgate::date;
use flowgate::output::Output;
use flowgate::table::Table;
use scene::SIDE;
use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tally::Tally;

/// By how many KiB memory may grow from the second tenth of a run to the last.
const MOST_GROWTH: u64 = 1024;
/// From one look at the metrics to the next.
const LOOK: Duration = Duration::from_millis(500);
/// Looks at the memory in one run.
const LOOKS: u64 = 200;
/// How often the process is started again after its camera was unplugged, and for how many frames.
const RESTARTS: u64 = 3;
const AFTER_RESTART: u64 = 300;

/// Show a made camera to `flowgate watch`: day, night, rain, people, and faults; and watch the watch.
///
/// Example: cargo xtask soak --frames 1000000 --seed 1 --record
#[derive(Args)]
pub(crate) struct Soak {
    /// Frames, and what comes in their place.
    #[arg(long, default_value_t = 20_000)]
    frames: u64,
    /// Seed of scenes and faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Garments that the camera sees: images of 28 x 28; by default the committed sample.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The gate; by default the committed one.
    #[arg(long)]
    model: Option<PathBuf>,
    /// Run the build that tests use.
    #[arg(long, conflicts_with = "record")]
    dev: bool,
    /// Write what was found to records/soak.md.
    #[arg(long)]
    record: bool,
}

/// A run that is over.
struct Life {
    tally: Tally,
    fed: Fed,
    /// The last line that was said.
    summary: String,
    /// What was not as it should be.
    wrong: Option<String>,
}

impl Soak {
    /// A short one.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(crate) fn check() -> Result<()> {
        let soak = Self {
            frames: 5000,
            seed: 1,
            data: None,
            model: None,
            dev: true,
            record: false,
        };
        soak.run()
    }

    /// Runs it, and refuses growth, a panic, and frames that are neither decided nor counted.
    ///
    /// # Errors
    /// The program does not build, or something was refused.
    pub(crate) fn run(&self) -> Result<()> {
        println!("seed {}", self.seed);
        let program = watched::build(self.dev)?;
        let model = self.model.clone().unwrap_or_else(repo::device_model);
        let [garments, _] = repo::samples();
        let garments = load(self.data.as_ref().unwrap_or(&garments))?;
        let began = Instant::now();
        let mut life = live(&program, &model, &garments, self.seed, self.frames)?;
        let seconds = began.elapsed().as_secs_f64();
        for restart in 1..=RESTARTS {
            let seed = self.seed.wrapping_add(restart);
            let next = live(&program, &model, &garments, seed, AFTER_RESTART)?;
            life.wrong = life.wrong.or(next.wrong);
        }
        let growth = life.tally.growth();
        if growth > MOST_GROWTH {
            let text = format!("memory grew by {growth} KiB, more than {MOST_GROWTH}");
            life.wrong.get_or_insert(text);
        }
        let rate = life.fed.lines as f64 / seconds;
        let sentence = format!(
            "{} lines in {seconds:.0} s ({rate:.0} a second), {} silences; {}; started again {RESTARTS} times; memory grew \
             by {growth} KiB.",
            life.fed.lines, life.fed.silences, life.summary
        );
        let tables = [life.tally.over_time(), life.tally.by_sight()];
        println!("{sentence}\n");
        for table in &tables {
            table.print(&mut Output::stdout())?;
            println!();
        }
        match life.wrong {
            Some(wrong) => Err(CheckFailed(wrong).into()),
            None if self.record => self.write(&model, &sentence, &tables, garments.len()),
            None => Ok(()),
        }
    }

    fn write(
        &self,
        model: &Path,
        sentence: &str,
        tables: &[Table; 2],
        garments: usize,
    ) -> Result<()> {
        let digest = data::fetch::sha256_hex(&fs::read(model)?);
        let name = model.file_name().unwrap_or_default().to_string_lossy();
        let path = repo::root().join("records/soak.md");
        let [over_time, by_sight] = tables.each_ref().map(Table::markdown);
        let text = format!(
            "# Soak\n\nWritten by `cargo xtask soak --frames {} --seed {} --record` on {}: {}, {} cores, {}; {name}, \
             SHA-256 {:.12}; {garments} garments. The whole process with its page, one viewer and somebody who reads the metrics; frames of 56 x 56 \
             as fast as they are taken, so that latency is that of a full queue.\n\n{sentence}\n\n{over_time}\n{by_sight}\n\
             A day is 2,400 frames: by day garments as the gate knows them, then rain, people, night. An alarm is a false one \
             where only the day was to be seen for more than {} frames. A frozen camera shows what there was when it \
             froze, and a gate says the same of it.\n",
            self.frames,
            self.seed,
            date::today(),
            machine::processor(),
            machine::cores(),
            process::version("rustc")?,
            digest,
            tally::LOOKS_BACK,
        );
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        println!("written: {}", path.display());
        Ok(())
    }
}

/// One process from its start to the moment when its camera is unplugged.
fn live(
    program: &Path,
    model: &Path,
    garments: &[Vec<u8>],
    seed: u64,
    frames: u64,
) -> Result<Life> {
    let name = model.to_string_lossy();
    let (watched, input, output) = Watched::start(program, &[&name])?;
    let (coming, sights) = mpsc::channel();
    let mut tally = Tally::new(frames);
    let every = (frames / LOOKS).max(1);
    let (counted, fed) = thread::scope(|scope| {
        let feeder = Feeder::new(garments, seed, BufWriter::new(input), coming);
        let feeding = scope.spawn(move || feeder.run(frames));
        // A process without a page has said why, and ends.
        watched
            .address()
            .iter()
            .for_each(|address| look_at(address));
        let counted = count(&mut tally, BufReader::new(output), &sights, |tally| {
            if tally.lines().is_multiple_of(every) {
                // A process that has ended just now has no memory.
                watched
                    .memory()
                    .into_iter()
                    .for_each(|kib| tally.memory(kib));
            }
        });
        drop(sights);
        (counted, feeding.join())
    });
    let (status, said) = watched.end()?;
    let summary = said.last().cloned().unwrap_or_default();
    let panic = said.iter().find(|line| line.contains("panicked")).cloned();
    let fed = fed.map_err(|_| anyhow!("the made camera is gone"))?;
    let fed = fed.with_context(|| summary.clone())?;
    counted?;
    let wanted = format!("in {} places something else came", fed.faults);
    let wrong = match panic {
        Some(panic) => Some(panic),
        None if status.code() != Some(2) || !summary.contains(&wanted) => Some(format!(
            "{status}, not exit code 2 and \"{wanted}\": {summary}"
        )),
        None if tally.lines() != fed.lines => {
            Some(format!("{} lines of {}", tally.lines(), fed.lines))
        }
        None => None,
    };
    let is_sentence = |line: &&String| line.contains(" frames, ");
    let summary = said.iter().rev().find(is_sentence).cloned();
    Ok(Life {
        tally,
        fed,
        summary: summary.unwrap_or_default(),
        wrong,
    })
}

/// Counts lines to their end.
fn count(
    tally: &mut Tally,
    lines: impl BufRead,
    sights: &mpsc::Receiver<scene::Sight>,
    mut look: impl FnMut(&mut Tally),
) -> Result<()> {
    for line in lines.lines() {
        let line = line?;
        let sight = sights
            .recv()
            .with_context(|| format!("a line too many: {line}"))?;
        tally.push(sight, &line)?;
        look(tally);
    }
    Ok(())
}

fn load(path: &Path) -> Result<Vec<Vec<u8>>> {
    let loaded = data::load(path)?;
    let sides = loaded.shape();
    match loaded {
        Dataset::Images(images) if sides == [1, SIDE, SIDE] => {
            Ok(images.iter().map(<[u8]>::to_vec).collect())
        }
        _ => Err(anyhow!("{}: no images of {SIDE} x {SIDE}", path.display())),
    }
}

/// A viewer who reads events, and one who asks for the metrics again and again, until the page is gone.
fn look_at(address: &str) {
    let (viewer, scraper) = (address.to_owned(), address.to_owned());
    thread::spawn(move || {
        let mut stream = get(&viewer, "/events")?;
        std::io::copy(&mut stream, &mut std::io::sink())
    });
    thread::spawn(move || -> std::io::Result<()> {
        loop {
            get(&scraper, "/metrics")?.read_to_end(&mut Vec::new())?;
            thread::sleep(LOOK);
        }
    });
}
