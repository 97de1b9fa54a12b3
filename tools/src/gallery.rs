//! The page of pictures: every kind of picture that was made of a model, in one directory and on
//! one page.
//!
//! The kinds are made one at a time, so the directory keeps a list (`pictures.json`) from which the
//! page is written anew. Another model in the same place has chapters of its own on the same page, and
//! its pictures another beginning of their names; the same model trained anew, under the same name,
//! replaces its own. The page holds the pictures themselves: it can be mailed alone.

use crate::html::{Element, el};
use crate::model::Loaded;
use crate::picture::file::svg_uri;
use crate::picture::{Drawn, Figure};
use crate::report::parts::{document, section};
use crate::{date, provenance};
use anyhow::{Context, Result, bail};
use flow_train_host::data::fetch::sha256_hex;
use flow_train_host::files::{one_line, write_atomically};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const LIST: &str = "pictures.json";
const PAGE: &str = "index.html";

/// The kinds in the order of the page.
const ORDER: [&str; 6] = [
    "heat",
    "latents",
    "couplings",
    "activations",
    "coadaptation",
    "samples",
];

/// All pictures of a directory, model by model.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Gallery {
    models: Vec<Shown>,
}

/// All pictures of a model.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Shown {
    model: String,
    sha256: String,
    /// Hash of the place where the model lies: another model there replaces it.
    #[serde(default)]
    place: String,
    /// What the names of its pictures begin with.
    #[serde(default)]
    prefix: String,
    chapters: Vec<Chapter>,
}

/// A directory's list, as it is and as it was while a page had one model.
#[derive(Deserialize)]
#[serde(untagged)]
enum Listed {
    Many(Gallery),
    One(Shown),
}

/// Pictures of one kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Chapter {
    kind: String,
    title: String,
    note: String,
    made: String,
    /// Name and value.
    facts: Vec<(String, String)>,
    pictures: Vec<Picture>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Picture {
    file: String,
    caption: String,
    width: usize,
    height: usize,
}

/// A chapter before it is written.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// One of the kinds: the name of its subcommand.
    pub(crate) kind: &'static str,
    /// Headline.
    pub(crate) title: &'static str,
    /// What there is to see.
    pub(crate) note: String,
    /// Name and value.
    pub(crate) facts: Vec<(String, String)>,
    /// Name of the file without its ending, caption, picture.
    pub(crate) figures: Vec<(String, String, Figure)>,
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Written {
    /// Path and picture size.
    pub(crate) pictures: Vec<(PathBuf, (usize, usize))>,
    /// Path of the page.
    pub(crate) page: PathBuf,
}

/// Writes a chapter's pictures, and the page with all chapters of the model.
pub(crate) fn write(directory: &Path, model: &Loaded, draft: Draft) -> Result<Written> {
    let mut gallery = Gallery::open(directory)?;
    let shown = gallery.of(model);
    let drawn = draft.figures.into_iter().map(|(name, caption, figure)| {
        let drawn = figure.draw()?;
        Ok((format!("{}{name}.svg", shown.prefix), caption, drawn))
    });
    let drawn: Vec<(String, String, Drawn)> = drawn.collect::<Result<_>>()?;
    std::fs::create_dir_all(directory).with_context(|| one_line(directory).to_string())?;
    let mut written = Vec::new();
    let mut pictures = Vec::new();
    for (file, caption, Drawn { svg, size }) in drawn {
        let path = directory.join(&file);
        write_atomically(&path, |w| w.write_all(svg.as_bytes()))?;
        written.push((path, size));
        let (width, height) = size;
        pictures.push(Picture {
            file,
            caption,
            width,
            height,
        });
    }
    shown.put(Chapter {
        kind: draft.kind.to_owned(),
        title: draft.title.to_owned(),
        note: draft.note,
        made: made(),
        facts: draft.facts,
        pictures,
    });
    let page = gallery.write(directory)?;
    Ok(Written {
        pictures: written,
        page,
    })
}

/// Day and program.
fn made() -> String {
    match provenance::commit() {
        "" => format!("{}, {}", date::today(), provenance::tool()),
        commit => format!("{}, {}, commit {commit}", date::today(), provenance::tool()),
    }
}

impl Gallery {
    /// What the directory holds.
    fn open(directory: &Path) -> Result<Self> {
        let path = directory.join(LIST);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&path);
        let text = text.with_context(|| format!("{}: cannot be read", one_line(&path)))?;
        match serde_json::from_str(&text) {
            Ok(Listed::Many(gallery)) => Ok(gallery),
            Ok(Listed::One(shown)) => Ok(Self {
                models: vec![shown],
            }),
            Err(_) => bail!(
                "{}: not a list of pictures; nothing is overwritten",
                one_line(&path)
            ),
        }
    }

    /// The pictures of a model: none yet, if it is new here or was trained anew.
    fn of(&mut self, model: &Loaded) -> &mut Shown {
        let sha256 = sha256_hex(model.bytes());
        let place = model.path().canonicalize();
        let place = place.unwrap_or_else(|_| model.path().to_owned());
        let place = sha256_hex(place.as_os_str().as_encoded_bytes());
        let found = self.models.iter().position(|shown| {
            shown.sha256 == sha256 || (!shown.place.is_empty() && shown.place == place)
        });
        let index = found.unwrap_or(self.models.len());
        if found.is_none() {
            let prefix = match self.models.is_empty() {
                true => String::new(),
                false => format!("{}-", &sha256[..8]),
            };
            self.models.push(Shown {
                prefix,
                ..Shown::default()
            });
        }
        let shown = &mut self.models[index];
        if shown.sha256 != sha256 {
            shown.chapters.clear();
        }
        shown.model = model.name();
        shown.sha256 = sha256;
        shown.place = place;
        shown
    }

    fn write(&self, directory: &Path) -> Result<PathBuf> {
        let json = serde_json::to_string_pretty(self)?;
        write_atomically(&directory.join(LIST), |w| writeln!(w, "{json}"))?;
        let path = directory.join(PAGE);
        let page = self.page(directory)?;
        write_atomically(&path, |w| writeln!(w, "<!doctype html>\n{page}"))?;
        Ok(path)
    }

    fn page(&self, directory: &Path) -> Result<Element> {
        let mut main = el("main");
        for shown in &self.models {
            let chapters = shown.chapters.iter().map(|c| c.element(directory));
            main = main
                .child(headline(&shown.model))
                .children(chapters.collect::<Result<Vec<_>>>()?)
                .child(shown.footer());
        }
        let names: Vec<&str> = self.models.iter().map(|shown| &*shown.model).collect();
        Ok(document(&format!("{}: pictures", names.join(", ")), main))
    }
}

impl Shown {
    fn put(&mut self, chapter: Chapter) {
        self.chapters.retain(|c| c.kind != chapter.kind);
        self.chapters.push(chapter);
        let place = |c: &Chapter| ORDER.iter().position(|kind| *kind == c.kind);
        self.chapters.sort_by_key(place);
    }

    fn footer(&self) -> Element {
        let made = self.chapters.iter().map(|c| {
            let line = format!("{}: {}", c.kind, c.made);
            el("p").text(line)
        });
        let place = "Every picture lies beside this page as an SVG of its own.";
        el("footer")
            .children(made)
            .child(el("p").text(format!("model sha256 {}", self.sha256)))
            .child(el("p").text(place))
    }
}

fn headline(model: &str) -> Element {
    let lead = "What the flow makes of images, coordinate by coordinate: it never moves one, so everything here lies \
                where its pixel lies.";
    el("header")
        .child(el("p").class("brand").text("flowgate pictures"))
        .child(el("h1").text(model))
        .child(el("p").class("lead").text(lead))
}

impl Chapter {
    fn element(&self, directory: &Path) -> Result<Element> {
        let figures = self.pictures.iter().map(|p| p.element(directory));
        let facts = self.facts.iter().map(|(name, value)| {
            let row = el("tr").child(el("th").attr("scope", "row").text(name));
            row.child(el("td").text(value))
        });
        let facts = el("tbody").children(facts);
        Ok(section(&self.title, &self.note)
            .child(el("table").class("facts").child(facts))
            .children(figures.collect::<Result<Vec<_>>>()?))
    }
}

impl Picture {
    fn element(&self, directory: &Path) -> Result<Element> {
        let path = directory.join(&self.file);
        let svg = std::fs::read(&path).with_context(|| one_line(&path).to_string())?;
        let caption = el("figcaption")
            .child(el("b").text(&self.caption))
            .text(" ")
            .child(el("a").attr("href", &self.file).text(&self.file));
        let image = el("img")
            .attr("src", svg_uri(&svg))
            .attr("alt", &self.caption)
            .attr("width", self.width)
            .attr("height", self.height)
            .attr("style", "max-width:100%;height:auto");
        Ok(el("figure")
            .class("chart figure")
            .child(caption)
            .child(image))
    }
}
