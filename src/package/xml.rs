//! XML as a tree, so that elements are built inside out and written once.
//! Must not know what the elements mean.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::error::{Error, Result};

/// Name space of IEEE 1685-2009.
const SPIRIT: &str = "http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009";

/// An element of that name space with its attributes, and either text or children.
#[derive(Clone)]
pub(super) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    text: Option<String>,
    children: Vec<Element>,
}

/// An element with children.
pub(super) fn node(name: &'static str, children: Vec<Element>) -> Element {
    Element {
        name,
        attributes: Vec::new(),
        text: None,
        children,
    }
}

/// An element with text.
pub(super) fn text(name: &'static str, text: impl ToString) -> Element {
    Element {
        text: Some(text.to_string()),
        ..node(name, Vec::new())
    }
}

/// An element without contents.
pub(super) fn empty(name: &'static str) -> Element {
    node(name, Vec::new())
}

impl Element {
    /// With one more attribute.
    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    /// With the four attributes that name anything in IP-XACT.
    pub(super) fn called(self, [vendor, library, name, version]: [&str; 4]) -> Self {
        self.with("vendor", vendor)
            .with("library", library)
            .with("name", name)
            .with("version", version)
    }

    /// The whole document, of which this is the root.
    ///
    /// # Errors
    /// A bug if it cannot be written.
    pub(super) fn document(&self) -> Result<String> {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        let written = writer
            .write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))
            .and_then(|()| self.write(&mut writer, true));
        let broken = |cause: String| Error::bug(format!("XML cannot be written: {cause}"));
        written.map_err(|cause| broken(cause.to_string()))?;
        let text = String::from_utf8(writer.into_inner());
        Ok(text.map_err(|cause| broken(cause.to_string()))? + "\n")
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>, root: bool) -> io::Result<()> {
        let mut element = writer.create_element(format!("spirit:{}", self.name));
        if root {
            element = element.with_attribute(("xmlns:spirit", SPIRIT));
        }
        for (name, value) in &self.attributes {
            let name = format!("spirit:{name}");
            element = element.with_attribute((name.as_str(), value.as_str()));
        }
        match &self.text {
            Some(text) => element.write_text_content(BytesText::new(text))?,
            None if self.children.is_empty() => element.write_empty()?,
            None => element.write_inner_content(|writer| {
                self.children
                    .iter()
                    .try_for_each(|child| child.write(writer, false))
            })?,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_are_escaped() {
        let element = node("a", vec![text("b", "1 < 2 & \"3\""), empty("c")]).with("d", "<\"&");
        let written = element.document().expect("it can be written");
        assert_eq!(
            written,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<spirit:a xmlns:spirit=\"{SPIRIT}\" \
                 spirit:d=\"&lt;&quot;&amp;\">\n  <spirit:b>1 &lt; 2 &amp; &quot;3&quot;</spirit:b>\n  \
                 <spirit:c/>\n</spirit:a>\n"
            )
        );
    }
}
