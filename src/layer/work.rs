//! How much work a layer is, and in which steps it can be made smaller.
//! Must not know who bounds it, or why.

use super::{Hardware, Layer, Port};

impl Layer {
    /// Products, comparisons with thresholds and elements looked at for one frame, whatever the parallelism;
    /// at least the elements that leave.
    pub fn operations(&self) -> u64 {
        let output = self.hardware().output();
        let each = match self {
            Layer::Mvau(mvau) => mvau.columns,
            Layer::MvauBcr(mvau) => mvau.kept() * mvau.blocks.lanes,
            // Rows keep different numbers of columns: as many as in the middle.
            Layer::MvauRc(mvau) => (mvau.cross.density() * mvau.columns as f64).ceil() as usize,
            Layer::Vvau(vvau) => vvau.sliding.positions(),
            Layer::MaxPool(pool) => pool.sliding.positions(),
            Layer::SumPool(pool) => pool.sliding.positions(),
            Layer::LabelSelect(select) => select.channels,
            Layer::SlidingWindow(_)
            | Layer::Add(_)
            | Layer::Concat(_)
            | Layer::Duplicate(_)
            | Layer::Upsample(_)
            | Layer::WidthConverter(_) => 1,
            Layer::Threshold(_) => 0,
        };
        let levels = self.activation().map_or(0, |activation| activation.levels);
        output.elements() as u64 * (each + levels).max(1) as u64
    }

    /// Pixels that leave for a row of places of its window; `None` for a layer that sees one pixel at once.
    pub fn row(&self) -> Option<usize> {
        match self {
            Layer::SlidingWindow(window) => Some(window.sliding.output()[1] * window.groups),
            Layer::Vvau(vvau) => Some(vvau.sliding.output()[1]),
            Layer::MaxPool(pool) => Some(pool.sliding.output()[1]),
            Layer::SumPool(pool) => Some(pool.sliding.output()[1]),
            Layer::Upsample(upsample) => Some(upsample.size()[1] * upsample.factor[0]),
            Layer::Mvau(_)
            | Layer::MvauBcr(_)
            | Layer::MvauRc(_)
            | Layer::Threshold(_)
            | Layer::Add(_)
            | Layer::Concat(_)
            | Layer::Duplicate(_)
            | Layer::WidthConverter(_)
            | Layer::LabelSelect(_) => None,
        }
    }

    /// Elements of a frame that enter and that leave.
    pub fn elements(&self) -> usize {
        let hardware: &dyn Hardware = self.hardware();
        let read: usize = hardware.inputs().iter().map(Port::elements).sum();
        read + hardware.output().elements()
    }
}
