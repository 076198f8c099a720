// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Sum of products of one cycle, as all matrix-vector units have it.
#ifndef FINNP_DOT_HPP
#define FINNP_DOT_HPP

#include "element.hpp"

namespace finnp {

/// SIMD products of In by Weight, added into at most ACC bits, two's complement.
template <class In, class Weight, int SIMD, int ACC>
struct Dot {
    using Codes = typename In::code[SIMD];
    using Lane = typename Weight::code[SIMD];
    static constexpr int wide = product_bits<In, Weight> + index_bits(SIMD);
    using Sum = ap_int<(wide < ACC ? wide : ACC)>;
#ifdef __SYNTHESIS__
    using Running = Sum;
#else
    /// Simulation wraps once, at the end: the same bits, sooner.
    using Running = long long;
    static_assert(wide <= 63, "sums fit 63 bits");
#endif

    /// Bipolar by bipolar is XNOR and a count of ones.
    static Sum of(const Codes& inputs, const Lane& weights) {
#pragma HLS INLINE
        if constexpr (is_bipolar<In> && is_bipolar<Weight>) {
            ap_uint<index_bits(SIMD + 1)> agree = 0;
            for (int s = 0; s < SIMD; ++s) {
#pragma HLS UNROLL
                agree += inputs[s] == weights[s] ? 1 : 0;
            }
            return Sum(2 * int(agree) - SIMD);
        } else {
            Running sum = 0;
            for (int s = 0; s < SIMD; ++s) {
#pragma HLS UNROLL
                sum += product<In, Weight>(inputs[s], weights[s]);
            }
            return Sum(sum);
        }
    }
};

}  // namespace finnp

#endif
