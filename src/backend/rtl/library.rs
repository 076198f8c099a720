//! The hand-written SystemVerilog library, as it is copied into every build.
//! Must not know layers.

/// One file of the library, and its text.
macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("library/", $name)))
    };
}

/// `(file, text)` of every module.
pub const LIBRARY: &[(&str, &str)] = &[
    file!("finnp_add.sv"),
    file!("finnp_bank.sv"),
    file!("finnp_concat.sv"),
    file!("finnp_control.sv"),
    file!("finnp_convert.sv"),
    file!("finnp_counter.sv"),
    file!("finnp_delay.sv"),
    file!("finnp_dot.sv"),
    file!("finnp_dsp.sv"),
    file!("finnp_duplicate.sv"),
    file!("finnp_edge.sv"),
    file!("finnp_fifo.sv"),
    file!("finnp_gather.sv"),
    file!("finnp_label_select.sv"),
    file!("finnp_lists.sv"),
    file!("finnp_mvau.sv"),
    file!("finnp_mvau_bcr.sv"),
    file!("finnp_packed_dot.sv"),
    file!("finnp_pixels.sv"),
    file!("finnp_places.sv"),
    file!("finnp_pool.sv"),
    file!("finnp_pool_beside.sv"),
    file!("finnp_product.sv"),
    file!("finnp_product_table.sv"),
    file!("finnp_rom.sv"),
    file!("finnp_running.sv"),
    file!("finnp_scaled.sv"),
    file!("finnp_sliding_window.sv"),
    file!("finnp_sums.sv"),
    file!("finnp_tap.sv"),
    file!("finnp_threshold.sv"),
    file!("finnp_thresholds.sv"),
    file!("finnp_tree.sv"),
    file!("finnp_upsample.sv"),
    file!("finnp_value.sv"),
    file!("finnp_vvau.sv"),
    file!("finnp_width_converter.sv"),
    file!("finnp_window.sv"),
];
