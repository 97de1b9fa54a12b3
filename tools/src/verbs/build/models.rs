//! The models of a build, several at a time.
//!
//! A model of few inputs keeps no second core busy, as its batches are a few groups that wait for each other: cores are
//! given to models first, and what is left over to the threads of each. The bits are the same either way.

use crate::failure::CheckFailed;
use crate::{interrupt, progress};
use anyhow::Result;
use indicatif::{MultiProgress, ProgressBar};
use std::fmt::Display;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

/// What those who train have in common.
pub(super) struct Crew {
    /// Threads of each model.
    pub(super) threads: usize,
    at_once: usize,
    bars: MultiProgress,
    ended: Arc<AtomicBool>,
}

impl Crew {
    /// For so many models, on so many cores.
    pub(super) fn new(models: usize, cores: usize) -> Self {
        let at_once = models.clamp(1, cores.max(1));
        Self {
            threads: (cores / at_once).max(1),
            at_once,
            bars: MultiProgress::new(),
            ended: interrupt::flag(),
        }
    }

    /// Whether all shall stop at their next safe place: the user asks for it, or one has failed.
    pub(super) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// A bar among the others'.
    pub(super) fn bar(&self, len: usize, doing: &str) -> ProgressBar {
        self.bars.add(progress::bar(len, doing.to_owned()))
    }

    /// Works on each job; `done` is told of each as it ends, in the caller's thread. The first error ends all.
    pub(super) fn each<J: Sync, T: Send>(
        &self,
        jobs: &[J],
        work: impl Fn(&J) -> Result<T> + Sync,
        mut done: impl FnMut(&J, T) -> Result<()>,
    ) -> Result<()> {
        let next = AtomicUsize::new(0);
        let (ends, ended) = mpsc::channel();
        let (mut left, mut first_error) = (jobs.len(), None);
        thread::scope(|scope| {
            for _ in 0..self.at_once {
                let (ends, work, next) = (ends.clone(), &work, &next);
                scope.spawn(move || {
                    while !self.is_ended()
                        && let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        let end = work(job).inspect_err(|_| self.end());
                        if ends.send((job, end)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(ends);
            for (job, end) in ended {
                match end.and_then(|made| done(job, made)) {
                    Ok(()) => left -= 1,
                    Err(error) => {
                        self.end();
                        first_error.get_or_insert(error);
                    }
                }
            }
        });
        // From here on, being asked once is enough: what a later stage writes, it writes as a whole.
        self.end();
        match first_error {
            Some(error) => Err(error),
            None if left > 0 => Err(interrupted("training")),
            None => Ok(()),
        }
    }

    fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// What was being made when the user asked for an end.
pub(super) fn interrupted(what: impl Display) -> anyhow::Error {
    CheckFailed(format!("{what}: interrupted; the same command goes on")).into()
}

/// Cores to train on: as many as rayon would take.
pub(super) fn cores() -> usize {
    let named = std::env::var("RAYON_NUM_THREADS").ok();
    let named = named.and_then(|n| n.parse().ok()).filter(|&n| n > 0);
    named.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZeroUsize::get))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn cores_go_to_models_first() {
        let of = |models, cores| {
            let crew = Crew::new(models, cores);
            (crew.at_once, crew.threads)
        };
        assert_eq!(of(6, 2), (2, 1));
        assert_eq!(of(1, 8), (1, 8));
        assert_eq!(of(6, 16), (6, 2));
        assert_eq!(of(0, 0), (1, 1));
    }

    #[test]
    fn every_job_is_done_once() {
        let jobs: Vec<usize> = (0..20).collect();
        let mut done = Vec::new();
        let told = |&job: &usize, made| {
            done.push((job, made));
            Ok(())
        };
        Crew::new(20, 3)
            .each(&jobs, |job| Ok(2 * job), told)
            .unwrap();
        done.sort_unstable();
        let all: Vec<_> = jobs.iter().map(|&job| (job, 2 * job)).collect();
        assert_eq!(done, all);
    }

    #[test]
    fn the_first_error_ends_all() {
        let crew = Crew::new(9, 1);
        let work = |&job: &usize| match job {
            2 => bail!("job {job}"),
            job => Ok(job),
        };
        let mut done = Vec::new();
        let told = |_: &usize, made| {
            done.push(made);
            Ok(())
        };
        let error = crew.each(&[0, 1, 2, 3, 4], work, told);
        assert_eq!(error.unwrap_err().to_string(), "job 2");
        assert!(crew.is_ended());
        assert_eq!(done, [0, 1]);
    }

    #[test]
    fn what_was_not_begun_was_interrupted() {
        let crew = Crew::new(2, 2);
        crew.end();
        let error = crew.each(&[0, 1], |_| Ok(()), |_, ()| Ok(()));
        assert_eq!(
            error.unwrap_err().to_string(),
            "training: interrupted; the same command goes on"
        );
    }
}
