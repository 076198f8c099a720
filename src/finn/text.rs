//! `Taken`: what was taken over, as the tables of a manifest, and what was not, as comments.
//! Must not know where it comes from.

use super::build_config::Settings;
use super::folding::{Entry, Folding};
use super::left::{Left, Why, leave};

/// All that became of a configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taken {
    /// Of a build.
    pub settings: Settings,
    /// Of layers.
    pub folding: Folding,
}

/// Longest line of a comment.
const WIDTH: usize = 100;

impl Taken {
    /// Puts both together.
    pub fn new(mut settings: Settings, folding: Folding) -> Self {
        if settings.fps.is_some() && !folding.entries.is_empty() {
            settings.fps = None;
            let words = "FINN lets the folding file override it; in a manifest both would hold";
            leave(
                &mut settings.left,
                (Why::NoEquivalent, words),
                &["target_fps"],
                None,
            );
        }
        Taken { settings, folding }
    }

    /// What was not taken over, in the order in which it is told.
    pub fn left(&self) -> Vec<&Left> {
        let all = || self.settings.left.iter().chain(&self.folding.left);
        let ordered = Why::ALL.into_iter();
        ordered
            .flat_map(|why| all().filter(move |left| left.why == why))
            .collect()
    }

    /// The tables of a manifest, below a comment that names `source`. `project` tells whether there is a
    /// manifest already, which they are to be added to.
    pub fn manifest(&self, source: &str, project: bool) -> String {
        let mut text = format!("# What finnp takes over from {source}.\n");
        if !project {
            text += "\n# What a manifest needs besides:\n# [project]\n# name = \"network\"\n# [model]\n# path = \"model.onnx\"\n";
        }
        text += &self.target(project);
        for entry in &self.folding.entries {
            text += &layer(entry);
        }
        let left = self.list();
        if !left.is_empty() {
            text += "\n# What finnp does not take over:\n";
            let lines = left
                .lines()
                .map(|line| format!("# {line}").trim_end().to_owned() + "\n");
            text.extend(lines);
        }
        text
    }

    fn target(&self, project: bool) -> String {
        let Settings {
            board,
            clock_mhz,
            fps,
            ..
        } = &self.settings;
        if board.is_none() && clock_mhz.is_none() && fps.is_none() {
            return match project {
                true => String::new(),
                false => "# [target]\n# board = \"alveo-u280\"\n".to_owned(),
            };
        }
        let board = match board {
            Some(board) => format!("board = {}\n", quoted(&board.name)),
            None => "# board = \"alveo-u280\"\n".to_owned(),
        };
        let number = |key: &str, value: &Option<f64>| {
            value.map_or_else(String::new, |value| format!("{key} = {value}\n"))
        };
        let (clock, fps) = (number("clock_mhz", clock_mhz), number("fps", fps));
        format!("\n[target]\n{board}{clock}{fps}")
    }

    /// What was not taken over, one reason a paragraph, each line of at most 98 characters where names allow.
    pub fn list(&self) -> String {
        let mut text = String::new();
        let mut why = None;
        for left in self.left() {
            if why != Some(left.why) {
                text += &format!("{}:\n", left.why.words());
                why = Some(left.why);
            }
            let keys = left.keys.join(", ");
            let of = match (keys.is_empty(), left.layers.is_empty()) {
                (_, true) => keys,
                (true, false) => left.layers.join(", "),
                (false, false) => format!("{keys} of {}", left.layers.join(", ")),
            };
            text += &wrapped(&format!("{of}: {}", left.words));
        }
        text
    }
}

/// A paragraph behind two spaces, with more of them from its second line on.
fn wrapped(words: &str) -> String {
    let mut text = String::new();
    let mut line = " ".to_owned();
    for word in words.split(' ') {
        if line.trim().len() + line.len() - line.trim_start().len() + word.len() + 3 > WIDTH {
            text += &format!("{line}\n");
            line = "     ".to_owned();
        }
        line += " ";
        line += word;
    }
    text + &line + "\n"
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The entry of a layer; without a name that finnp knows it is a comment.
fn layer(entry: &Entry) -> String {
    let values = [("pe", entry.pe), ("simd", entry.simd)];
    let values = values
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)));
    let values: String = values
        .map(|(key, value)| format!("{key} = {value}\n"))
        .collect();
    match &entry.layer {
        Some(name) => format!(
            "\n# {}\n[[layer]]\nmatch = {}\n{values}",
            entry.finn,
            quoted(name)
        ),
        None => {
            let table = format!("[[layer]]\nmatch = {}\n{values}", quoted(&entry.finn));
            let lines = table.lines().map(|line| format!("# {line}\n"));
            "\n".to_owned() + &lines.collect::<String>()
        }
    }
}
