//! Our side: a process that scores when told to.

use super::super::protocol::{Ask, Greeting, Turn, answer, peak_kib};
use super::case::{COMPARED, FLOAT, IMAGES, TIMED};
use crate::model::Loaded;
use crate::output::Output;
use anyhow::{Result, anyhow, bail};
use flow_infer::artifact::Artifact;
use flow_infer::engine::{
    Arithmetic, F32, Fixed, Noise, Rendezvous, RowSplit, evaluate, evaluate_half,
};
use flow_infer::spec::Half;
use flow_infer::spec::units::nats_from_raw;
use flow_train_host::data::{self, Dataset};
use flow_train_host::evaluate::{HeapScratch, log_prob_all};
use std::hint::{self, black_box};
use std::io::BufRead;
use std::path::Path;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

/// Serves commands until standard input ends; rayon's own variable says how many threads.
pub(super) fn serve(directory: &Path, float: bool, threads: usize, out: &mut Output) -> Result<()> {
    let images = data::load(&directory.join(IMAGES))?;
    let (timed, compared) = if float {
        (FLOAT, FLOAT)
    } else {
        (TIMED, COMPARED)
    };
    let timed = Loaded::open_flow(&directory.join(timed))?;
    let timed = timed.artifact()?;
    let library = String::new();
    answer(out, &Greeting { library, threads })?;
    for line in std::io::stdin().lock().lines() {
        let mut turn = match Ask::parse(&line?)? {
            Ask::Score(count) => losses(&directory.join(compared), &images.take(0..count))?,
            Ask::One(count) if float => single_images::<F32>(&timed, &images, count)?,
            Ask::One(count) if threads > 1 => by_two(&timed, &images, count)?,
            Ask::One(count) => single_images::<Fixed>(&timed, &images, count)?,
            Ask::Many(count) => batches(&timed, &images, count)?,
            other => bail!("`{other}` is nothing to tell an engine"),
        };
        turn.peak_kib = peak_kib().unwrap_or(0);
        answer(out, &turn)?;
    }
    Ok(())
}

fn losses(model: &Path, images: &Dataset) -> Result<Turn> {
    let model = Loaded::open_flow(model)?;
    let found = log_prob_all(&model.artifact()?, images).map_err(|(_, error)| error)?;
    let losses = found.iter().map(|e| -nats_from_raw(e.log_prob_raw));
    Ok(Turn {
        loss_nats: losses.collect(),
        ..Turn::default()
    })
}

/// One image after another on this thread, each timed.
fn single_images<A: Arithmetic>(
    artifact: &Artifact<'_>,
    images: &Dataset,
    count: usize,
) -> Result<Turn> {
    let mut scratch = HeapScratch::<A>::new(artifact);
    let mut turn = Turn::default();
    for index in 0..count {
        let input = images.input_bytes(index % images.len());
        let start = Instant::now();
        let found = evaluate(artifact, &input, Noise::Planned, scratch.borrow(), &mut ());
        black_box(found?);
        turn.ms.push(1e3 * start.elapsed().as_secs_f64());
    }
    Ok(turn)
}

/// Single images on two threads, each of which computes half of every image.
fn by_two(artifact: &Artifact<'_>, images: &Dataset, count: usize) -> Result<Turn> {
    let split = RowSplit::of(artifact);
    let rooms = [(); 2].map(|()| {
        let words = (0..Rendezvous::room_len(artifact.dims())).map(|_| AtomicI32::new(0));
        words.collect::<Vec<_>>()
    });
    let rendezvous = Rendezvous::new(rooms.each_ref().map(Vec::as_slice));
    let half = |half, index: usize, scratch: &mut HeapScratch<Fixed>| {
        let input = images.input_bytes(index % images.len());
        let (noise, memory) = (Noise::Planned, scratch.borrow());
        evaluate_half(artifact, &input, noise, memory, (half, &split), &rendezvous)
    };
    // The other thread waits for each image as it would for a camera's.
    let arrived = AtomicUsize::new(0);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut scratch = HeapScratch::new(artifact);
            (0..count).try_for_each(|index| {
                while arrived.load(Ordering::Acquire) <= index {
                    hint::spin_loop();
                }
                half(Half::Second, index, &mut scratch).map(|_| ())
            })
        });
        let mut scratch = HeapScratch::new(artifact);
        let mut turn = Turn::default();
        for index in 0..count {
            let start = Instant::now();
            arrived.store(index + 1, Ordering::Release);
            black_box(half(Half::First, index, &mut scratch)?);
            turn.ms.push(1e3 * start.elapsed().as_secs_f64());
        }
        other
            .join()
            .map_err(|_| anyhow!("the other thread stopped"))??;
        Ok(turn)
    })
}

fn batches(artifact: &Artifact<'_>, images: &Dataset, count: usize) -> Result<Turn> {
    let mut turn = Turn::default();
    for _ in 0..count {
        let start = Instant::now();
        black_box(log_prob_all(artifact, images).map_err(|(_, error)| error)?);
        turn.ms.push(1e3 * start.elapsed().as_secs_f64());
    }
    Ok(turn)
}
