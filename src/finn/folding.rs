//! A folding configuration of FINN as `[[layer]]` entries of a manifest.
//! Must not know how entries are written.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::attribute;
use super::kind::{Kind, Named};
use super::left::{Left, Why, leave};
use crate::dataflow::{Dataflow, Node};
use crate::fold::misfit;
use crate::layer::Layer;

/// What of a folding has an equivalent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folding {
    /// Layers in the order of the file.
    pub entries: Vec<Entry>,
    /// Everything else.
    pub left: Vec<Left>,
    /// What the user should look at; lower-case fragments.
    pub warnings: Vec<String>,
}

/// PE and SIMD of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// FINN's name of the layer.
    pub finn: String,
    /// finnp's name of it, where the network is known.
    pub layer: Option<String>,
    /// Rows or channels per cycle.
    pub pe: Option<usize>,
    /// Columns per cycle.
    pub simd: Option<usize>,
}

/// What is wanted of a layer: by parameter of the manifest the value, and FINN's name of what it comes from.
type Wanted = BTreeMap<&'static str, (usize, &'static str)>;

/// Reads attributes by layer. `dataflow` is the network that is to be folded; without it entries have FINN's
/// names only, and nobody knows what fits.
pub fn folding(layers: &[(String, Value)], dataflow: Option<&Dataflow>) -> Folding {
    let mut folding = Folding::default();
    let empty = Map::new();
    let defaults = layers.iter().find(|(name, _)| name == "Defaults");
    let defaults = defaults.and_then(|(_, value)| value.as_object());
    let defaults = defaults.unwrap_or(&empty);
    let named: Vec<Named<'_>> = layers
        .iter()
        .filter_map(|(name, _)| Named::of(name))
        .collect();
    let places = dataflow.map(|dataflow| places(&named, dataflow, &mut folding.warnings));
    for (name, value) in layers.iter().filter(|(name, _)| name != "Defaults") {
        let own = value.as_object().unwrap_or(&empty);
        let keys: Vec<&str> = own.keys().map(String::as_str).collect();
        let known = Named::of(name).ok_or((Why::Unknown, "finnp has no such layer"));
        let (named, kind) =
            match known.and_then(|named| Kind::of(named.base).map(|kind| (named, kind))) {
                Ok(known) => known,
                Err(why) => {
                    leave(&mut folding.left, why, &keys, Some(name));
                    continue;
                }
            };
        for (key, value) in own.iter().filter(|(key, _)| !FOLDS.contains(&key.as_str())) {
            leave(
                &mut folding.left,
                attribute::reason(key, value),
                &[key],
                Some(name),
            );
        }
        let all = with_defaults(own, defaults, named.operator);
        let place = match places.as_ref().map(|places| &places[name.as_str()]) {
            Some(Err(why)) => {
                let keys: Vec<&str> = keys.into_iter().filter(|key| FOLDS.contains(key)).collect();
                if !keys.is_empty() {
                    leave(&mut folding.left, (Why::DoesNotFit, why), &keys, Some(name));
                }
                continue;
            }
            Some(Ok(node)) => Some(*node),
            None => None,
        };
        folding.layer(&named, kind, &all, place);
    }
    folding.defaults(defaults, &named);
    folding
}

/// Attributes that tell the folding.
const FOLDS: [&str; 3] = ["PE", "SIMD", "parallel_window"];

/// The attributes of a layer, those that defaults give to its operator included: `{key: [value, operators]}`.
fn with_defaults<'a>(
    own: &'a Map<String, Value>,
    defaults: &'a Map<String, Value>,
    operator: &str,
) -> BTreeMap<&'a str, &'a Value> {
    let given = defaults.iter().filter_map(|(key, value)| {
        let value = value.as_array()?;
        let meant = match value.get(1)? {
            Value::Array(operators) => operators.iter().any(|one| one == operator),
            all => all == "all",
        };
        meant.then_some((key.as_str(), value.first()?))
    });
    let own = own.iter().map(|(key, value)| (key.as_str(), value));
    given.chain(own).collect()
}

/// For each layer of the file that is one of finnp's kinds, the layer of the network, or why nobody can tell.
type Places<'a> = BTreeMap<&'a str, Result<&'a Node, String>>;

fn places<'a>(
    named: &[Named<'a>],
    dataflow: &'a Dataflow,
    warnings: &mut Vec<String>,
) -> Places<'a> {
    let pools = named.iter().any(|named| named.base == "Pool");
    let mut places = Places::new();
    let mut kinds: Vec<Kind> = Vec::new();
    for kind in named.iter().filter_map(|named| Kind::of(named.base).ok()) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    for kind in kinds {
        let theirs = named
            .iter()
            .filter(|named| Kind::of(named.base) == Ok(kind));
        let theirs: Vec<&Named<'a>> = theirs.collect();
        let ours = dataflow
            .nodes
            .iter()
            .filter(|node| kind.counts(&node.layer, pools));
        let ours: Vec<&Node> = ours.collect();
        let numbers = numbers(&theirs);
        let most = numbers.as_ref().map_or(theirs.len(), |numbers| {
            numbers
                .iter()
                .max()
                .map_or(0, |most| most.saturating_add(1))
        });
        let products = matches!(kind, Kind::Mvau | Kind::Vvau);
        let fits = most == ours.len() || products && most < ours.len();
        if fits && most < ours.len() {
            warnings.push(format!(
                "the file numbers {most} {}, the network has {}: check that they are the same ones",
                kind.words(),
                ours.len()
            ));
        }
        for (at, layer) in theirs.into_iter().enumerate() {
            let place = match &numbers {
                Some(numbers) if fits => Ok(ours[numbers[at]]),
                Some(_) => Err(kind.differs(most, ours.len())),
                None => Err(format!(
                    "FINN counts {} in HLS and in RTL apart, and the file leaves some out: nobody can tell which they are",
                    kind.words()
                )),
            };
            places.insert(layer.whole, place);
        }
    }
    places
}

/// The number that each layer of a kind has among all of its kind. FINN counts operators apart; where there are
/// several, the order of the file tells, as long as none is missing.
fn numbers(layers: &[&Named<'_>]) -> Option<Vec<usize>> {
    let one = layers
        .windows(2)
        .all(|pair| pair[0].operator == pair[1].operator);
    if one {
        return Some(layers.iter().map(|layer| layer.number).collect());
    }
    let mut next: BTreeMap<&str, usize> = BTreeMap::new();
    for layer in layers {
        let next = next.entry(layer.operator).or_default();
        if layer.number != *next {
            return None;
        }
        *next += 1;
    }
    Some((0..layers.len()).collect())
}

/// What the attributes ask of a layer. FINN's window reads and writes words of `SIMD` elements, or writes all positions
/// of them at once.
///
/// # Errors
/// FINN's name of an attribute that is no number.
fn wanted(
    kind: Kind,
    all: &BTreeMap<&str, &Value>,
    layer: Option<&Layer>,
) -> Result<Wanted, &'static str> {
    let number = |key: &'static str| match all.get(key).map(|value| value.as_u64()) {
        None => Ok(None),
        Some(Some(number)) if number > 0 => Ok(usize::try_from(number).ok()),
        Some(_) => Err(key),
    };
    let (pe, simd) = (number("PE")?, number("SIMD")?);
    let mut wanted = Wanted::new();
    // What FINN calls SIMD here are the elements of a word, and nothing is summed.
    if matches!(kind, Kind::Concat | Kind::Upsample) {
        wanted.extend(simd.map(|simd| ("pe", (simd, "SIMD"))));
        return Ok(wanted);
    }
    if kind != Kind::Window {
        wanted.extend(pe.map(|pe| ("pe", (pe, "PE"))));
        wanted.extend(simd.map(|simd| ("simd", (simd, "SIMD"))));
        return Ok(wanted);
    }
    let parallel = all.get("parallel_window").and_then(|value| value.as_u64());
    let positions = match (parallel, layer) {
        (Some(1..), Some(Layer::SlidingWindow(window))) => window.sliding.positions(),
        // How many there are is not known.
        (Some(1..), _) => return Err("parallel_window"),
        _ => 1,
    };
    if let Some(simd) = simd {
        wanted.insert("pe", (simd, "SIMD"));
        wanted.insert("simd", (simd.saturating_mul(positions), "SIMD"));
    }
    Ok(wanted)
}

impl Folding {
    /// Takes over what fits the layer.
    fn layer(
        &mut self,
        named: &Named<'_>,
        kind: Kind,
        all: &BTreeMap<&str, &Value>,
        place: Option<&Node>,
    ) {
        let name = Some(named.whole);
        let folds: Vec<&str> = FOLDS
            .into_iter()
            .filter(|key| all.contains_key(key))
            .collect();
        let inner = place
            .filter(|node| kind == Kind::Window && !matches!(node.layer, Layer::SlidingWindow(_)));
        if let Some(node) = inner {
            let words = format!("the window is part of `{}`", node.name);
            return leave(&mut self.left, (Why::Decided, &words), &folds, name);
        }
        let wanted = match wanted(kind, all, place.map(|node| &node.layer)) {
            Ok(wanted) => wanted,
            Err("parallel_window") => {
                let words = "how many positions the window has is known in a project only";
                return leave(&mut self.left, (Why::DoesNotFit, words), &folds, name);
            }
            Err(key) => {
                let words = format!("{} is no whole number above 0", all[key]);
                return leave(&mut self.left, (Why::DoesNotFit, &words), &[key], name);
            }
        };
        let mut entry = Entry {
            finn: named.whole.to_owned(),
            layer: place.map(|node| node.name.clone()),
            pe: None,
            simd: None,
        };
        for (key, (value, theirs)) in wanted {
            if let Some(node) = place
                && let Some(misfit) = misfit(&node.layer, key, value)
            {
                let words = format!("layer `{}` {}", node.name, misfit.why);
                leave(&mut self.left, (Why::DoesNotFit, &words), &[theirs], name);
                continue;
            }
            match key {
                "pe" => entry.pe = Some(value),
                _ => entry.simd = Some(value),
            }
        }
        if entry.pe.is_some() || entry.simd.is_some() {
            self.entries.push(entry);
        }
    }

    /// Tells what became of defaults.
    fn defaults(&mut self, defaults: &Map<String, Value>, named: &[Named<'_>]) {
        let name = Some("Defaults");
        for (key, value) in defaults {
            let given = value.as_array().and_then(|value| value.first());
            match given {
                None => {
                    let words = "a default is `[value, operators]`";
                    leave(&mut self.left, (Why::Unknown, words), &[key], name);
                }
                Some(_) if FOLDS.contains(&key.as_str()) && !named.is_empty() => {
                    let words =
                        "it was given to the layers that the file names; finnp folds the others";
                    leave(&mut self.left, (Why::Decided, words), &[key], name);
                }
                Some(value) => leave(&mut self.left, attribute::reason(key, value), &[key], name),
            }
        }
    }
}
