//! The hand-written C++ library, as it is copied into every build.
//! Must not know layers.

/// `(path, text)` of every file.
pub const LIBRARY: &[(&str, &str)] = &[
    (
        "bundled/ap/ap_int.h",
        include_str!("library/bundled/ap/ap_int.h"),
    ),
    (
        "bundled/stream/ap_axi_sdata.h",
        include_str!("library/bundled/stream/ap_axi_sdata.h"),
    ),
    (
        "bundled/stream/hls_stream.h",
        include_str!("library/bundled/stream/hls_stream.h"),
    ),
    ("finnp/add.hpp", include_str!("library/finnp/add.hpp")),
    ("finnp/concat.hpp", include_str!("library/finnp/concat.hpp")),
    ("finnp/cycle.hpp", include_str!("library/finnp/cycle.hpp")),
    ("finnp/dot.hpp", include_str!("library/finnp/dot.hpp")),
    (
        "finnp/duplicate.hpp",
        include_str!("library/finnp/duplicate.hpp"),
    ),
    ("finnp/edge.hpp", include_str!("library/finnp/edge.hpp")),
    (
        "finnp/element.hpp",
        include_str!("library/finnp/element.hpp"),
    ),
    ("finnp/fifo.hpp", include_str!("library/finnp/fifo.hpp")),
    ("finnp/frame.hpp", include_str!("library/finnp/frame.hpp")),
    (
        "finnp/label_select.hpp",
        include_str!("library/finnp/label_select.hpp"),
    ),
    (
        "finnp/max_pool.hpp",
        include_str!("library/finnp/max_pool.hpp"),
    ),
    ("finnp/mvau.hpp", include_str!("library/finnp/mvau.hpp")),
    (
        "finnp/mvau_bcr.hpp",
        include_str!("library/finnp/mvau_bcr.hpp"),
    ),
    (
        "finnp/mvau_rc.hpp",
        include_str!("library/finnp/mvau_rc.hpp"),
    ),
    ("finnp/pool.hpp", include_str!("library/finnp/pool.hpp")),
    ("finnp/scaled.hpp", include_str!("library/finnp/scaled.hpp")),
    (
        "finnp/simulate.hpp",
        include_str!("library/finnp/simulate.hpp"),
    ),
    (
        "finnp/sliding.hpp",
        include_str!("library/finnp/sliding.hpp"),
    ),
    (
        "finnp/sliding_window.hpp",
        include_str!("library/finnp/sliding_window.hpp"),
    ),
    (
        "finnp/sum_pool.hpp",
        include_str!("library/finnp/sum_pool.hpp"),
    ),
    (
        "finnp/threshold.hpp",
        include_str!("library/finnp/threshold.hpp"),
    ),
    (
        "finnp/upsample.hpp",
        include_str!("library/finnp/upsample.hpp"),
    ),
    ("finnp/vvau.hpp", include_str!("library/finnp/vvau.hpp")),
    (
        "finnp/width_converter.hpp",
        include_str!("library/finnp/width_converter.hpp"),
    ),
];

/// Compiler flags for C simulation with the bundled headers, relative to the folder that holds `library`.
pub fn include_flags() -> Vec<String> {
    let folders = ["library", "library/bundled/ap", "library/bundled/stream"];
    folders.iter().map(|folder| format!("-I{folder}")).collect()
}
