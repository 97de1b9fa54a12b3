//! Elements of HTML and SVG, escaped by construction.
//!
//! File names and set names come from strangers' command lines and files, so text enters a page
//! only as text: there is no way to add markup but [`Element`].

use std::fmt::{self, Display};

/// An element with its attributes and children.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    tag: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Node>,
}

#[derive(Clone, Debug)]
enum Node {
    Element(Element),
    Text(String),
    /// A style sheet or a script, which are part of the program.
    Own(&'static str),
}

/// An element without attributes and children.
pub(crate) fn el(tag: &'static str) -> Element {
    Element {
        tag,
        attributes: Vec::new(),
        children: Vec::new(),
    }
}

impl Element {
    pub(crate) fn attr(mut self, name: &'static str, value: impl Display) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    pub(crate) fn class(self, name: impl Display) -> Self {
        self.attr("class", name)
    }

    pub(crate) fn text(mut self, text: impl Display) -> Self {
        self.children.push(Node::Text(text.to_string()));
        self
    }

    pub(crate) fn child(mut self, child: Element) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    pub(crate) fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        let children = children.into_iter().map(Node::Element);
        self.children.extend(children);
        self
    }

    /// A style sheet's or a script's text: the program's own, never anything that was read.
    pub(crate) fn own(mut self, text: &'static str) -> Self {
        self.children.push(Node::Own(text));
        self
    }

    /// The children that are elements, each with its label: what a narrow screen shows beside it.
    pub(crate) fn labelled(mut self, labels: &[(&'static str, &str)]) -> Self {
        let children = self.children.iter_mut().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) | Node::Own(_) => None,
        });
        for (child, (label, _)) in children.zip(labels) {
            child.attributes.push(("data-label", (*label).to_owned()));
        }
        self
    }
}

impl Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.tag)?;
        for (name, value) in &self.attributes {
            write!(f, " {name}=\"{}\"", Escaped(value))?;
        }
        f.write_str(">")?;
        if matches!(self.tag, "meta" | "img" | "br" | "link") {
            return Ok(());
        }
        for child in &self.children {
            match child {
                Node::Element(element) => element.fmt(f)?,
                Node::Text(text) => Escaped(text).fmt(f)?,
                Node::Own(text) => f.write_str(text)?,
            }
        }
        write!(f, "</{}>", self.tag)
    }
}

/// Text as it may stand in content and in quoted attributes.
struct Escaped<'t>(&'t str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Not allowed in HTML at all, and a file name may hold them.
                c if c.is_control() && c != '\n' => f.write_str("\u{fffd}")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_nest() {
        let list = el("p")
            .class("a b")
            .text("x")
            .child(el("b").text("y"))
            .child(el("br"));
        assert_eq!(list.to_string(), "<p class=\"a b\">x<b>y</b><br></p>");
    }

    #[test]
    fn nothing_escapes() {
        let evil = "\"><script>alert('&')</script>\u{1}";
        let text = el("p").attr("title", evil).text(evil).to_string();
        let escaped = "&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;\u{fffd}";
        assert_eq!(text, format!("<p title=\"{escaped}\">{escaped}</p>"));
    }
}
