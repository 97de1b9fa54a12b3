//! `cargo xtask interface`: what programs of strangers may name of the crates for devices, held
//! against the list that is committed beside each.
//!
//! A tool that compares with a published version finds what breaks programs, but builds for minutes
//! and has nothing to compare with before the first version; a list makes every change visible,
//! where it is made. It is read from rustdoc's pages, so it has exactly what they show.

use crate::{CheckFailed, process, repo};
use anyhow::{Context, Result};
use clap::Args;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Crates that firmware is built of.
const CRATES: [&str; 2] = ["flow-infer", "flow-slots"];
/// The list's name in the crate's folder.
const LIST: &str = "interface.txt";

/// Compare the public interface of the crates for devices with the lists committed beside them.
///
/// Example: cargo xtask interface --write
#[derive(Args)]
pub(crate) struct Interface {
    /// Write the lists instead.
    #[arg(long)]
    write: bool,
}

impl Interface {
    pub(crate) fn check() -> Result<()> {
        Self { write: false }.run()
    }

    pub(crate) fn run(&self) -> Result<()> {
        let mut doc = process::cargo();
        doc.args(["doc", "--quiet", "--no-deps"])
            .current_dir(repo::root());
        for name in CRATES {
            doc.args(["--package", name]);
        }
        process::run(&mut doc)?;
        let pages = repo::target_folder(&repo::root())?.join("doc");
        for name in CRATES {
            let (list, items) = list(&pages.join(name.replace('-', "_")))?;
            println!("{name}: {items} public items");
            let path = repo::root().join(name).join(LIST);
            if self.write {
                fs::write(&path, list).with_context(|| path.display().to_string())?;
                continue;
            }
            let committed =
                fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            if let Some(changes) = changes(&committed, &list) {
                let cure = "`cargo xtask interface --write` makes it so";
                let cause = format!("{name}/{LIST} is not the interface; {cure}:\n{changes}");
                return Err(CheckFailed(cause).into());
            }
        }
        Ok(())
    }
}

/// Lines that only one of two lists has; `None` if they are the same.
fn changes(committed: &str, found: &str) -> Option<String> {
    let [old, new] = [committed, found].map(|list| list.lines().collect::<BTreeSet<_>>());
    let gone = old.difference(&new).map(|line| format!("- {line}"));
    let come = new.difference(&old).map(|line| format!("+ {line}"));
    (committed != found).then(|| gone.chain(come).collect::<Vec<_>>().join("\n"))
}

/// A crate's list, and how many items it has.
fn list(folder: &Path) -> Result<(String, usize)> {
    let read = |page: &str| {
        let path = folder.join(page);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    let all = read("all.html")?;
    let (_, main) = all.split_once("<main>").context("all.html: no list")?;
    let links = main.split("<a href=\"").skip(1);
    let pages: BTreeSet<_> = links.filter_map(|link| link.split_once('"')).collect();
    let pages = pages.into_iter().map(|(page, _)| page);
    let pages: Vec<_> = pages.filter(|page| page.ends_with(".html")).collect();
    let mut list = String::new();
    for page in &pages {
        writeln!(
            list,
            "{}",
            page.trim_end_matches(".html").replace('/', "::")
        )?;
        for line in entries(&read(page)?) {
            writeln!(list, "    {line}")?;
        }
    }
    Ok((list, pages.len()))
}

/// The declaration of an item and what is implemented for it, a line each, from its page; what every
/// type has is left out.
fn entries(page: &str) -> Vec<String> {
    let Some((_, rest)) = page.split_once("class=\"rust item-decl\">") else {
        return Vec::new();
    };
    let (declaration, rest) = rest.split_once("</pre>").unwrap_or((rest, ""));
    let own = [
        "synthetic-implementations",
        "blanket-implementations",
        "implementors",
    ]
    .map(|id| format!("<h2 id=\"{id}\""));
    let end = own.iter().filter_map(|id| rest.find(id)).min();
    let rest = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
    let declaration = text(declaration);
    let declared = declaration.lines().map(|line| line.trim_end().to_owned());
    let mut lines: Vec<String> = declared.filter(|line| !line.is_empty()).collect();
    for section in rest.split("<section ").skip(1) {
        let (head, body) = section.split_once('>').unwrap_or((section, ""));
        let header = body
            .split_once("class=\"code-header\">")
            .map(|(_, header)| header);
        let header = header.and_then(|header| header.split_once("</h").map(|(line, _)| line));
        // Variants stand in the declaration.
        let is_repeated = head.contains("trait-impl") || head.contains("id=\"variant.");
        let Some(header) = header.filter(|_| !is_repeated) else {
            continue;
        };
        let line = text(header)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        if !line.contains("StructuralPartialEq") {
            lines.push(line);
        }
    }
    lines
}

/// What a browser shows of a piece of a page.
fn text(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        let (tag, shown) = part.split_once('>').unwrap_or(("", part));
        match tag {
            // Attributes, and the button that opens a long declaration.
            "/div" => text.push('\n'),
            "/summary" => text.truncate(text.rfind("Show ").unwrap_or(text.len())),
            _ if tag.starts_with("div class=\"where\"") => text.push(' '),
            _ => {}
        }
        text += shown;
    }
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", " "),
        ("&#39;", "'"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text, |text, (escaped, shown)| text.replace(escaped, shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r##"<main><pre class="rust item-decl"><code><div class="code-attribute">#[non_exhaustive]</div>pub enum <span>Choice</span> {
<details><summary class="hideme"><span>Show 1 variant</span></summary>    One(<a href="x">u8</a>),
</details>}</code></pre><section id="method.new" class="method"><h4 class="code-header">pub fn <a class="fn">new</a>(a: &amp;<a>u8</a>) -&gt; Self<div class="where">where
    Self: Sized,</div></h4></section>
<section id="variant.One" class="variant"><h3 class="code-header">One(u8)</h3></section>
<h2 id="trait-implementations"></h2><section id="impl-Clone" class="impl"><h3 class="code-header">impl Clone for Choice</h3></section>
<section id="method.clone" class="method trait-impl"><h4 class="code-header">fn clone(&amp;self)</h4></section>
<h2 id="synthetic-implementations"></h2><section id="impl-Send" class="impl"><h3 class="code-header">impl Send for Choice</h3></section>"##;

    #[test]
    fn an_item_is_its_declaration_and_what_is_implemented_for_it() {
        let wanted = [
            "#[non_exhaustive]",
            "pub enum Choice {",
            "    One(u8),",
            "}",
            "pub fn new(a: &u8) -> Self where Self: Sized,",
            "impl Clone for Choice",
        ];
        assert_eq!(entries(PAGE), wanted);
    }

    #[test]
    fn a_change_is_shown_by_its_lines() {
        assert_eq!(changes("a\nb\n", "a\nb\n"), None);
        let shown = changes("a\nb\n", "a\nc\n");
        assert_eq!(shown.as_deref(), Some("- b\n+ c"));
        // The order counts too.
        assert!(changes("a\nb\n", "b\na\n").is_some());
    }
}
