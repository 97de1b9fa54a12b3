//! The `flowgate` command: from data and models to a file that a board runs, and to figures that
//! say what it does.
//!
//! One verb, one file in `verbs`. What verbs share is here: [`mod@line`] and [`table`] are how
//! results look (and public, so that the repository's own commands print a board's results the same
//! way), `model` and `inputs` are how files come in, `report` is the page that `eval` writes,
//! `scripts` are Python programs, `picture` and `gallery` are the figures of `visualize` and their
//! page.

#![forbid(unsafe_code)]

mod axis;
mod blocks;
mod camera;
pub mod cli;
mod config;
pub mod cost;
pub mod date;
mod draws;
mod drift;
mod evaluation;
mod failure;
mod frames;
mod gallery;
mod html;
mod inputs;
mod instructions;
mod interrupt;
mod json;
mod kind;
mod laboratory;
pub mod line;
mod model;
mod number;
pub mod output;
mod picture;
mod place;
mod progress;
mod provenance;
mod python;
mod random;
mod ratio;
mod reading;
mod report;
mod scripts;
mod sensor;
mod signature;
pub mod table;
mod traces;
mod verbs;
mod windows;
