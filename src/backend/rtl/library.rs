//! The hand-written SystemVerilog library, as it is copied into every build.
//! Must not know layers.

/// `(file, text)` of every module.
pub const LIBRARY: &[(&str, &str)] = &[
    ("finnp_add.sv", include_str!("library/finnp_add.sv")),
    ("finnp_bank.sv", include_str!("library/finnp_bank.sv")),
    ("finnp_banks.sv", include_str!("library/finnp_banks.sv")),
    ("finnp_concat.sv", include_str!("library/finnp_concat.sv")),
    ("finnp_control.sv", include_str!("library/finnp_control.sv")),
    ("finnp_convert.sv", include_str!("library/finnp_convert.sv")),
    ("finnp_counter.sv", include_str!("library/finnp_counter.sv")),
    ("finnp_delay.sv", include_str!("library/finnp_delay.sv")),
    ("finnp_dot.sv", include_str!("library/finnp_dot.sv")),
    ("finnp_dsp.sv", include_str!("library/finnp_dsp.sv")),
    (
        "finnp_duplicate.sv",
        include_str!("library/finnp_duplicate.sv"),
    ),
    ("finnp_edge.sv", include_str!("library/finnp_edge.sv")),
    ("finnp_fifo.sv", include_str!("library/finnp_fifo.sv")),
    ("finnp_finish.sv", include_str!("library/finnp_finish.sv")),
    ("finnp_gather.sv", include_str!("library/finnp_gather.sv")),
    (
        "finnp_label_select.sv",
        include_str!("library/finnp_label_select.sv"),
    ),
    ("finnp_lists.sv", include_str!("library/finnp_lists.sv")),
    ("finnp_mvau.sv", include_str!("library/finnp_mvau.sv")),
    (
        "finnp_mvau_bcr.sv",
        include_str!("library/finnp_mvau_bcr.sv"),
    ),
    ("finnp_mvau_rc.sv", include_str!("library/finnp_mvau_rc.sv")),
    (
        "finnp_packed_dot.sv",
        include_str!("library/finnp_packed_dot.sv"),
    ),
    ("finnp_pixels.sv", include_str!("library/finnp_pixels.sv")),
    ("finnp_places.sv", include_str!("library/finnp_places.sv")),
    ("finnp_pool.sv", include_str!("library/finnp_pool.sv")),
    (
        "finnp_pool_beside.sv",
        include_str!("library/finnp_pool_beside.sv"),
    ),
    ("finnp_product.sv", include_str!("library/finnp_product.sv")),
    (
        "finnp_product_table.sv",
        include_str!("library/finnp_product_table.sv"),
    ),
    ("finnp_rom.sv", include_str!("library/finnp_rom.sv")),
    (
        "finnp_row_sums.sv",
        include_str!("library/finnp_row_sums.sv"),
    ),
    ("finnp_running.sv", include_str!("library/finnp_running.sv")),
    ("finnp_scaled.sv", include_str!("library/finnp_scaled.sv")),
    (
        "finnp_sliding_window.sv",
        include_str!("library/finnp_sliding_window.sv"),
    ),
    ("finnp_sums.sv", include_str!("library/finnp_sums.sv")),
    ("finnp_tap.sv", include_str!("library/finnp_tap.sv")),
    (
        "finnp_threshold.sv",
        include_str!("library/finnp_threshold.sv"),
    ),
    (
        "finnp_thresholds.sv",
        include_str!("library/finnp_thresholds.sv"),
    ),
    ("finnp_tree.sv", include_str!("library/finnp_tree.sv")),
    (
        "finnp_upsample.sv",
        include_str!("library/finnp_upsample.sv"),
    ),
    ("finnp_value.sv", include_str!("library/finnp_value.sv")),
    ("finnp_vvau.sv", include_str!("library/finnp_vvau.sv")),
    (
        "finnp_width_converter.sv",
        include_str!("library/finnp_width_converter.sv"),
    ),
    ("finnp_window.sv", include_str!("library/finnp_window.sv")),
];
