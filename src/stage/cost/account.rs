//! Account: figures of layers and their sum, each beside how far it is off.
//! Must not know where synthesis ran.

use serde::{Deserialize, Serialize};

use super::depths;
use crate::backend::Language;
use crate::backend::hls::Ends;
use crate::board::Board;
use crate::cost::{COLUMNS, Column, Figures, Spread, calibration, edges, figures, off};
use crate::dataflow::Dataflow;
use crate::error::Result;
use crate::stage::language::Languages;

/// `cost/cost.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Name of the board.
    pub board: String,
    /// All that is in SystemVerilog, figure by figure.
    pub total: Vec<Entry>,
    /// Layers in SystemVerilog, in order.
    pub layers: Vec<LayerCost>,
    /// Names of the layers in C++, of which nothing is known before HLS has run: they are in no sum.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpp: Vec<String>,
    /// Registers and the streams' ends, by the model: no layer is charged with them. Absent where layers are C++, as
    /// there are none then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edges: Option<Figures>,
}

/// One figure of the whole network, as far as it is in SystemVerilog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// `lut`, `ff`, `bram18`, `uram` or `dsp`.
    pub figure: String,
    /// What is reckoned with: layers as they were synthesised, else by the model.
    pub used: u64,
    /// What the board has.
    pub budget: u64,
    /// The first in percent of the second.
    pub percent: f64,
    /// How well it is known.
    pub basis: Basis,
}

/// How well a figure is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Basis {
    /// By the model alone; and how far that was off for shapes that it was not fitted to, unless none had any of it.
    Model {
        /// In percent.
        off: Option<Spread>,
    },
    /// By synthesis, all layers of it.
    Synthesis {
        /// What the model says instead.
        model: u64,
        /// How far that is off, in percent, unless there is none of it.
        off_percent: Option<f64>,
    },
}

/// What a layer takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerCost {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// By the model.
    pub model: Figures,
    /// By synthesis, where it ran: look-up tables are an upper bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synthesis: Option<Figures>,
}

impl LayerCost {
    /// What is reckoned with.
    pub fn used(&self) -> Figures {
        self.synthesis.unwrap_or(self.model)
    }

    /// How far a figure of the model is off, in percent; `None` where nothing was measured.
    pub fn off(&self, of: impl Fn(&Figures) -> u64) -> Option<f64> {
        off(of(&self.model), of(self.synthesis.as_ref()?))
    }
}

impl Account {
    /// An entry by the name of its figure.
    pub fn entry(&self, figure: &str) -> Option<&Entry> {
        self.total.iter().find(|entry| entry.figure == figure)
    }
}

/// The account of a network on a board; `measured` has what synthesis made of each layer, where it ran.
///
/// # Errors
/// As [`Ends::of`].
pub(super) fn account(
    dataflow: &Dataflow,
    languages: &Languages,
    measured: &[Option<Figures>],
    board: &Board,
) -> Result<Account> {
    let nodes: Vec<_> = dataflow.nodes.iter().zip(measured).collect();
    let layers: Vec<LayerCost> = languages
        .rtl(&nodes)
        .map(|(node, measured)| LayerCost {
            name: node.name.clone(),
            kind: node.layer.hardware().kind().to_owned(),
            model: figures(&node.layer, &depths(dataflow, node)),
            synthesis: **measured,
        })
        .collect();
    let cpp = dataflow.nodes.iter().zip(languages.each());
    let cpp = cpp.filter(|(_, language)| **language == Language::Cpp);
    let cpp = cpp.map(|(node, _)| node.name.clone()).collect();
    let Ends { input, output } = Ends::of(dataflow)?;
    let all_rtl = languages.all_rtl();
    let edges = all_rtl.then(|| edges(dataflow.streams.len(), input, output));
    let entry = |column| entry(column, &layers, edges.unwrap_or_default(), board);
    Ok(Account {
        board: board.name.clone(),
        total: COLUMNS.iter().map(entry).collect(),
        edges,
        cpp,
        layers,
    })
}

fn entry(column: &Column, layers: &[LayerCost], edges: Figures, board: &Board) -> Entry {
    let of = column.of;
    let sum = |figures: &dyn Fn(&LayerCost) -> Figures| of(&layers.iter().map(figures).sum());
    let used = sum(&LayerCost::used) + of(&edges);
    let model = sum(&|layer| layer.model);
    let synthesised = layers.iter().all(|layer| layer.synthesis.is_some());
    let basis = match synthesised {
        true => Basis::Synthesis {
            model: model + of(&edges),
            off_percent: off(model, sum(&LayerCost::used)),
        },
        false => Basis::Model {
            off: calibration().spread(of),
        },
    };
    let budget = (column.budget)(&board.total());
    let percent = match budget {
        0 if used == 0 => 0.0,
        0 => f64::MAX,
        _ => 100.0 * used as f64 / budget as f64,
    };
    Entry {
        figure: column.name.to_owned(),
        used,
        budget,
        percent,
        basis,
    }
}
