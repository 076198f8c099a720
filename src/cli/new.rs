//! `finnp new`: a folder with a manifest to fill in.
//! Must not know what the keys mean beyond their table.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::answer::Answer;
use super::call::Call;
use crate::error::{Error, Result};
use crate::manifest::FILE_NAME;

/// Make a folder with a commented `accel.toml`
#[derive(clap::Args)]
pub(super) struct New {
    /// Name of the project and of its folder: letters, digits, `-` and `_`
    name: String,
}

impl New {
    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if self.name.is_empty() || !self.name.chars().all(plain) {
            return Err(
                Error::user(format!("`{}` is no name of a project", self.name))
                    .help("a name has letters, digits, `-` and `_`; `-C DIR` tells where its folder is made"),
            );
        }
        let folder = match call.options.dir.as_path() {
            here if here == Path::new(".") => Path::new(&self.name).to_owned(),
            there => there.join(&self.name),
        };
        let shown = folder.display();
        fs::create_dir(&folder).map_err(|cause| match cause.kind() {
            ErrorKind::AlreadyExists => Error::user(format!("`{shown}` is there already"))
                .help("choose another name: finnp overwrites nothing"),
            ErrorKind::NotFound => {
                let dir = call.options.dir.display();
                Error::user(format!("there is no folder `{dir}`")).help("make it first")
            }
            _ => Error::io("create", &folder, &cause),
        })?;
        let path = folder.join(FILE_NAME);
        let text = TEMPLATE.replace("NAME", &self.name);
        fs::File::create_new(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|cause| Error::io("write", &path, &cause))?;
        let manifest = path.display();
        let note = format!(
            "made {manifest}\nnext: put the network there as `model.onnx`, read the comments in `{FILE_NAME}`,\n\
             then `finnp check -C {shown}` and `finnp build -C {shown}`\n"
        );
        Ok(Answer::note(note).with("path", manifest.to_string()))
    }
}

/// The manifest of a new project: what is needed stands there, what may be needed is commented out.
const TEMPLATE: &str = r#"# finnp builds this folder's network into an FPGA accelerator: `finnp build` in this folder.

[project]
name = "NAME"

[model]
path = "model.onnx"         # an ONNX or QONNX file; of a float network see [quantize]

# Needed where the network starts with real numbers: how they become the whole numbers that the
# hardware receives. Real value = scale * (whole number - zero_point).
# [input]
# type = "uint8"
# scale = 0.00392156862745098 # 1/255: pixels from 0 to 1
# layout = "NHWC"           # order of the axes of the arrays that you give to finnp; NCHW if absent

[target]
board = "alveo-u280"        # `finnp boards` lists them
# clock_mhz = 200           # the board's default if absent
# fps = 100000              # frames per second with the least hardware, or "max" (meant if absent)

# How a float network becomes one of few bits; it needs samples, see the book on [calibration].
# [quantize]
# weights = 8               # bits
# activations = 8

# Weights that are removed cost nothing: no memory, no product, no cycle.
# [prune]
# pattern = "bcr-col"       # balanced blocks, or "channel"
# density = 0.5             # what is kept

# What the generated hardware is checked with: samples as array `x`, and perhaps their classes as `y`.
# [verify]
# inputs = "test.npz"

# Every layer takes care of itself. To decide for one by hand, name it as `finnp show` prints it:
# [[layer]]
# match = "fc1"
# pe = 8                    # rows of the weight matrix at once
# simd = 16                 # columns at once
"#;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::TEMPLATE;
    use crate::manifest;

    /// The template with the comment signs in front of keys and sections taken away.
    fn uncommented() -> String {
        let code = |line: &str| line.starts_with('[') || line.split(' ').nth(1) == Some("=");
        let lines = TEMPLATE.lines().map(|line| match line.strip_prefix("# ") {
            Some(rest) if code(rest) => rest,
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_template_is_a_manifest_with_and_without_its_comments() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["model.onnx", "test.npz"] {
            std::fs::write(dir.path().join(file), b"").unwrap();
        }
        for text in [TEMPLATE.to_owned(), uncommented()] {
            let read = manifest::parse(&text, "accel.toml", dir.path(), &[]);
            read.unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        }
    }
}
