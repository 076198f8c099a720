//! The processor at hand, where what is computed depends on it.
//! Must not know what is computed.

/// What decides how tract's kernels round on this machine.
pub(super) fn instruction_set() -> String {
    #[cfg(target_arch = "x86_64")]
    let extensions = [
        ("avx2", std::is_x86_feature_detected!("avx2")),
        ("fma", std::is_x86_feature_detected!("fma")),
        ("avx512f", std::is_x86_feature_detected!("avx512f")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let extensions: [(&str, bool); 0] = [];
    let present = extensions
        .iter()
        .filter(|(_, present)| *present)
        .map(|(name, _)| *name);
    std::iter::once(std::env::consts::ARCH)
        .chain(present)
        .collect::<Vec<_>>()
        .join(" ")
}
