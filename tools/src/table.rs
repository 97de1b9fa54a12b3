//! Plain text tables for the end of a command.

use crate::output::Output;
use std::io::{self, Write};

/// What a cell says beyond its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// A heading.
    Head,
    /// All is well.
    Good,
    /// Something is not.
    Bad,
    /// Less important.
    Faint,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Head => "\x1b[1m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[31m",
            Self::Faint => "\x1b[2m",
        }
    }
}

/// A cell of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell with a tone.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        let text = text.into();
        Self { text, tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// Rows of cells under a heading: the first columns to the left, the others to the right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    rows: Vec<Vec<Cell>>,
    has_head: bool,
    /// Columns to the left.
    left: usize,
}

impl Table {
    /// A table with a head row.
    pub fn new<'h>(head: impl IntoIterator<Item = &'h str>) -> Self {
        let head = head.into_iter().map(|cell| Cell::new(cell, Tone::Head));
        Self {
            rows: vec![head.collect()],
            has_head: true,
            left: 1,
        }
    }

    /// A list of names and what they are: no head, everything to the left.
    pub fn facts() -> Self {
        Self {
            rows: Vec::new(),
            has_head: false,
            left: usize::MAX,
        }
    }

    /// The first columns to the left, where they hold words rather than numbers.
    pub fn left(mut self, columns: usize) -> Self {
        self.left = columns;
        self
    }

    /// Adds a row.
    pub fn row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Adds a name and what it is.
    pub fn fact(&mut self, name: &str, value: impl Into<String>) {
        self.rows
            .push(vec![Cell::new(name, Tone::Faint), value.into().into()]);
    }

    /// Prints it.
    ///
    /// # Errors
    /// Those of the output.
    pub fn print(&self, out: &mut Output) -> io::Result<()> {
        let colour = out.colour;
        out.write_all(self.render(colour).as_bytes())
    }

    /// The rows as text.
    pub fn render(&self, colour: bool) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate();
            let cells: Vec<String> = cells
                .map(|(column, (cell, &width))| {
                    let room = width.saturating_sub(cell.text.chars().count());
                    let is_last = column + 1 == row.len();
                    let painted = paint(cell, colour);
                    match (column < self.left, is_last) {
                        (true, true) => painted,
                        (true, false) => painted + &" ".repeat(room),
                        (false, _) => " ".repeat(room) + &painted,
                    }
                })
                .collect();
            text += cells.join("  ").trim_end();
            text += "\n";
            if index == 0 && self.has_head {
                text += &rule(&widths);
            }
        }
        text
    }

    /// The rows as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let cells: Vec<&str> = row.iter().map(|cell| cell.text.as_str()).collect();
            text += &format!("| {} |\n", cells.join(" | "));
            if index == 0 {
                let align = |column| {
                    if column < self.left { "---|" } else { "--:|" }
                };
                text += &format!("|{}\n", (0..row.len()).map(align).collect::<String>());
            }
        }
        text
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|c| c.text.chars().count()).max().unwrap_or(0)
        };
        (0..columns).map(width).collect()
    }
}

fn paint(cell: &Cell, colour: bool) -> String {
    match cell.tone.code() {
        "" => cell.text.clone(),
        code if colour => format!("{code}{}\x1b[0m", cell.text),
        _ => cell.text.clone(),
    }
}

fn rule(widths: &[usize]) -> String {
    let len = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
    "─".repeat(len) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["set", "images"]);
        table.row(["fashion", "10"]);
        table.row(["a", "12345"]);
        let expected = "set      images\n───────────────\nfashion      10\na         12345\n";
        assert_eq!(table.render(false), expected);
    }

    #[test]
    fn colours_do_not_count_as_width() {
        let mut table = Table::new(["a", "b"]);
        table.row([Cell::new("x", Tone::Good), Cell::new("y", Tone::Plain)]);
        let plain: String = table
            .render(true)
            .replace("\x1b[1m", "")
            .replace("\x1b[32m", "");
        assert_eq!(plain.replace("\x1b[0m", ""), table.render(false));
        assert!(table.render(true).contains("\x1b[32mx\x1b[0m"));
    }

    #[test]
    fn markdown_aligns_numbers_to_the_right() {
        let mut table = Table::new(["a", "b"]);
        table.row(["x", "1"]);
        assert_eq!(table.markdown(), "| a | b |\n|---|--:|\n| x | 1 |\n");
    }
}
