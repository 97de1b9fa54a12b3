//! `flowgate data parts`: drawn pictures of parts, whole and broken, in many sizes and lights.

mod kinds;
mod scene;

use crate::output::Output;
use crate::random::Random;
use crate::table::Table;
use crate::{number, place, progress};
use anyhow::{Context, Result, bail};
use flow_train_host::files::{one_line, write_atomically};
use kinds::Kind;
use png::{BitDepth, ColorType, Compression, Encoder};
use scene::Exposure;
use std::path::{Path, PathBuf};

/// Longer sides of the pictures that are drawn, in pixels.
const SIDES: std::ops::RangeInclusive<u16> = 16..=4096;

#[derive(clap::Args)]
pub(super) struct Args {
    /// What is drawn
    #[arg(long, value_enum, default_value_t = Kind::Gear)]
    kind: Kind,
    /// Directory for DIR/good and DIR/broken, which are made
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Pictures of whole parts
    #[arg(long, value_name = "N", default_value_t = 600)]
    count: usize,
    /// Pictures of broken parts
    #[arg(long, value_name = "N", default_value_t = 200)]
    broken: usize,
    /// Shortest and longest of the pictures' longer sides, in pixels
    #[arg(long, num_args = 2, value_names = ["LEAST", "MOST"], default_values_t = [80, 200],
        value_parser = clap::value_parser!(u16).range(i64::from(*SIDES.start())..=i64::from(*SIDES.end())))]
    sides: Vec<u16>,
    /// Seed of the pictures
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
}

impl Args {
    pub(super) fn run(&self, out: &mut Output) -> Result<()> {
        let sides = self.sides()?;
        place::directory(&self.out)?;
        let folders = [("good", self.count, false), ("broken", self.broken, true)];
        let folders = folders.map(|(name, count, broken)| (self.out.join(name), count, broken));
        if let Some((taken, ..)) = folders.iter().find(|(folder, ..)| folder.exists()) {
            bail!(
                "{}: is there; --out names another directory",
                one_line(taken)
            );
        }
        let mut table = Table::new(["folder", "pictures"]);
        let bar = progress::bar(self.count + self.broken, "drawing");
        for (folder, count, broken) in folders {
            std::fs::create_dir_all(&folder).with_context(|| one_line(&folder).to_string())?;
            for index in 0..count {
                // Every picture has a generator of its own: more of them are the same ones, and some.
                let mut random = Random(self.seed);
                let state = random.bits() ^ (2 * index as u64 + u64::from(broken));
                self.draw(
                    &mut Random(Random(state).bits()),
                    broken,
                    sides,
                    &folder.join(format!("{index}.png")),
                )?;
                bar.inc(1);
            }
            let pictures = number::grouped(count as u64);
            table.row([one_line(&folder).to_string(), pictures]);
        }
        bar.finish_and_clear();
        Ok(table.print(out)?)
    }

    fn sides(&self) -> Result<[f64; 2]> {
        match self.sides[..] {
            [least, most] if least <= most => Ok([least, most].map(f64::from)),
            _ => bail!("--sides: the first is the shorter one"),
        }
    }

    fn draw(
        &self,
        random: &mut Random,
        broken: bool,
        [least, most]: [f64; 2],
        path: &Path,
    ) -> Result<()> {
        let scene = self.kind.scene(random, broken);
        let exposure = Exposure::drawn(random);
        let longer = random.between(least, most);
        let shorter = longer * self.kind.aspect() * random.between(0.97, 1.03);
        let (width, height) = (longer.round() as u32, shorter.round() as u32);
        let pixels = exposure.picture(&scene, width, height, random);
        write_png(path, width, height, &pixels)
    }
}

fn write_png(path: &Path, width: u32, height: u32, pixels: &[u8]) -> Result<()> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(write_atomically(path, |w| w.write_all(&file))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn broken_parts_differ_from_whole_ones_where_they_are_broken() {
        for kind in Kind::value_variants() {
            for seed in 0..20 {
                let whole = kind.scene(&mut Random(seed), false);
                let broken = kind.scene(&mut Random(seed), true);
                let mut different = 0;
                for y in 0..64 {
                    for x in 0..64 {
                        let at = [f64::from(x) / 64.0, f64::from(y) / 64.0 * kind.aspect()];
                        different += usize::from(whole.colour(at, 64.0) != broken.colour(at, 64.0));
                    }
                }
                // Some of the part, never most of it.
                println!("{kind:?}, seed {seed}: {different}");
                assert!(
                    (8..1500).contains(&different),
                    "{kind:?} {seed}: {different}"
                );
            }
        }
    }
}
