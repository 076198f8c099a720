//! Kinds of FINN's layers, and what each is in finnp.
//! Must not know attributes.

use super::left::Why;
use crate::layer::Layer;

/// A layer of FINN as its name tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named<'a> {
    /// All of it, such as `MVAU_hls_3`.
    pub(super) whole: &'a str,
    /// FINN's operator, such as `MVAU_hls`: FINN counts each of them from 0.
    pub(super) operator: &'a str,
    /// Its number.
    pub(super) number: usize,
    /// The operator without what tells how it is written, such as `MVAU`.
    pub(super) base: &'a str,
}

impl<'a> Named<'a> {
    /// A name that ends in a number.
    pub(super) fn of(whole: &'a str) -> Option<Self> {
        let (operator, number) = whole.rsplit_once('_')?;
        let number = number.parse().ok()?;
        let mut base = operator;
        for end in ["_hls", "_rtl", "_Batch"] {
            base = base.strip_suffix(end).unwrap_or(base);
        }
        Some(Named {
            whole,
            operator,
            number,
            base,
        })
    }
}

/// What a layer of FINN is in finnp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Matrix product.
    Mvau,
    /// Depthwise convolution.
    Vvau,
    /// What feeds a convolution, a depthwise one and some pools.
    Window,
    /// Activation alone.
    Threshold,
    /// Largest element of windows that do not overlap.
    MaxPool,
    /// Other windows: the largest element or the sum.
    Pool,
    /// Sum of the whole picture.
    SumPool,
    /// Index of the largest channel.
    Label,
    /// Sum of two streams.
    Add,
    /// Streams side by side.
    Concat,
    /// One stream for several readers.
    Duplicate,
    /// Every pixel several times.
    Upsample,
}

/// FINN's operators of today and of earlier versions that are layers of finnp.
const KINDS: &[(&str, Kind)] = &[
    ("MVAU", Kind::Mvau),
    ("MatrixVectorActivation", Kind::Mvau),
    ("StreamingFCLayer", Kind::Mvau),
    ("VVAU", Kind::Vvau),
    ("VectorVectorActivation", Kind::Vvau),
    ("Vector_Vector_Activate", Kind::Vvau),
    ("ConvolutionInputGenerator", Kind::Window),
    ("ConvolutionInputGenerator1D", Kind::Window),
    ("Thresholding", Kind::Threshold),
    ("Thresholding_Binary_Search", Kind::Threshold),
    ("StreamingMaxPool", Kind::MaxPool),
    ("Pool", Kind::Pool),
    ("GlobalAccPool", Kind::SumPool),
    ("LabelSelect", Kind::Label),
    ("AddStreams", Kind::Add),
    ("StreamingEltwise", Kind::Add),
    ("StreamingConcat", Kind::Concat),
    ("DuplicateStreams", Kind::Duplicate),
    ("UpsampleNearestNeighbour", Kind::Upsample),
];

/// The others that are known, and why nothing is said of them in a manifest.
const OTHERS: &[(&str, Why, &str)] = &[
    (
        "StreamingFIFO",
        Why::Decided,
        "the depths of FIFOs are part of finnp's folding",
    ),
    (
        "StreamingDataWidthConverter",
        Why::Decided,
        "converters stand wherever two words differ",
    ),
    ("FMPadding", Why::Decided, "padding is part of the window"),
    (
        "FMPadding_Pixel",
        Why::Decided,
        "pixels are moved apart in front of a transposed convolution as fast as it reads them",
    ),
    (
        "DownSampler",
        Why::Decided,
        "strides are part of the window",
    ),
    (
        "Downsampler",
        Why::Decided,
        "strides are part of the window",
    ),
    (
        "ChannelwiseOp",
        Why::Decided,
        "factors and offsets become thresholds, or are left to the host",
    ),
    (
        "ElementwiseMul",
        Why::Decided,
        "factors and offsets become thresholds, or are left to the host",
    ),
    ("StreamingSplit", Why::NotYet, "splits are not supported"),
    (
        "ElementwiseAdd",
        Why::NotYet,
        "it may add an offset or two streams, which the name does not tell",
    ),
    ("Lookup", Why::NoEquivalent, "there are no embeddings"),
    ("IODMA", Why::NotYet, "there are no shells of boards"),
    (
        "TLastMarker",
        Why::Decided,
        "the end of a frame is marked always",
    ),
    (
        "StreamingDataflowPartition",
        Why::NoEquivalent,
        "there are no partitions",
    ),
];

impl Kind {
    /// The kind of a layer.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn of(base: &str) -> Result<Self, (Why, &'static str)> {
        if let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == base) {
            return Ok(*kind);
        }
        let other = OTHERS.iter().find(|(name, _, _)| *name == base);
        Err(other.map_or(
            (Why::Unknown, "finnp has no such layer"),
            |(_, why, words)| (*why, words),
        ))
    }

    /// What it is called in sentences, when there are several.
    pub(super) fn words(self) -> &'static str {
        match self {
            Kind::Mvau => "matrix products",
            Kind::Vvau => "depthwise convolutions",
            Kind::Window => "windows",
            Kind::Threshold => "layers of thresholds alone",
            Kind::MaxPool => "max-pools",
            Kind::Pool => "other pools",
            Kind::SumPool => "sum-pools",
            Kind::Label => "label selections",
            Kind::Add => "sums of streams",
            Kind::Concat => "concatenations",
            Kind::Duplicate => "copies of streams",
            Kind::Upsample => "upsamplings",
        }
    }

    /// Why nothing is taken over where a file numbers `theirs` of them and the network has `ours`.
    pub(super) fn differs(self, theirs: usize, ours: usize) -> String {
        let words = self.words();
        match (self, ours) {
            (Kind::Label, 0) => {
                format!("the network has no {words}: `[output] labels = true` adds one")
            }
            (Kind::Threshold, 0) => {
                format!("the network has no {words}: they are part of the layers in front")
            }
            (_, 0) => format!("the network has no {words}"),
            _ => format!(
                "the network has {ours} {words}, the file counts up to {theirs}: nobody can tell which is which"
            ),
        }
    }

    /// Whether a layer of finnp counts as one of this kind. FINN has a window of its own in front of a depthwise
    /// convolution and of a `Pool`, which in finnp are one layer: `pools` tells whether there are any.
    pub(super) fn counts(self, layer: &Layer, pools: bool) -> bool {
        let kind = layer.hardware().kind();
        match self {
            Kind::Mvau => matches!(kind, "mvau" | "mvau_bcr" | "mvau_rc"),
            Kind::Vvau => kind == "vvau",
            Kind::Window => {
                matches!(kind, "sliding_window" | "vvau") || pools && Kind::Pool.counts(layer, true)
            }
            Kind::Threshold => kind == "threshold",
            Kind::MaxPool => {
                matches!(layer, Layer::MaxPool(pool) if pool.sliding.window.is_disjoint())
            }
            Kind::Pool => match layer {
                Layer::MaxPool(pool) => !pool.sliding.window.is_disjoint(),
                _ => kind == "sum_pool",
            },
            Kind::SumPool => kind == "sum_pool",
            Kind::Label => kind == "label_select",
            Kind::Add => kind == "add",
            Kind::Concat => kind == "concat",
            Kind::Duplicate => kind == "duplicate",
            // With a fill it moves pixels apart for a transposed convolution.
            Kind::Upsample => matches!(layer, Layer::Upsample(layer) if layer.fill.is_none()),
        }
    }
}
