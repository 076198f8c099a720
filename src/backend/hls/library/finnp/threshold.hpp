// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Thresholds: the staircase that turns an accumulator into an element, and the layer that does
// only this.
#ifndef FINNP_THRESHOLD_HPP
#define FINNP_THRESHOLD_HPP

#include "frame.hpp"

namespace finnp {

/// BASE + STEP * count, where count is the number of thresholds that `value` reaches, or with
/// `flip` the number that it does not reach. STEP is 2 for a bipolar output, else 1.
template <class Out, int BASE, class Value, int T, int N>
typename Out::code staircase(const Value& value, const ap_int<T> (&thresholds)[N], ap_uint<1> flip) {
#pragma HLS INLINE
    constexpr int STEP = is_bipolar<Out> ? 2 : 1;
    ap_uint<index_bits(N + 1)> count = 0;
    for (int k = 0; k < N; ++k) {
#pragma HLS UNROLL
        count += value >= thresholds[k] ? 1 : 0;
    }
    const int steps = flip == 1 ? N - int(count) : int(count);
    return Out::encode(typename Out::value(BASE + STEP * steps));
}

/// What leaves a unit: the accumulator through its staircase, or as it is.
template <bool STAIRCASE, class Out, int BASE, class Value, int T, int N>
typename Out::code activated(const Value& value, [[maybe_unused]] const ap_int<T> (&thresholds)[N],
                             [[maybe_unused]] ap_uint<1> flip) {
#pragma HLS INLINE
    if constexpr (STAIRCASE) return staircase<Out, BASE>(value, thresholds, flip);
    else return Out::encode(value);
}

/// A threshold layer. Shape S has:
///   In, Out                  element types
///   CHANNELS, PE, PIXELS     channels of a pixel, channels of a word, pixels of a frame
///   THRESHOLDS               thresholds of a channel, at least 1
///   THRESHOLD_BITS           bits of a threshold, two's complement
///   BASE                     output value below all thresholds
/// One word per cycle.
template <class S>
struct Threshold {
    using Source = Frame<typename S::In, S::PE, S::CHANNELS, S::PIXELS>;
    using Sink = Frame<typename S::Out, S::PE, S::CHANNELS, S::PIXELS>;
    using Input = typename Source::Stream;
    using Output = typename Sink::Stream;
    static constexpr int NF = Source::WORDS;
    /// thresholds[f][p]: ascending, of channel f * PE + p.
    using Thresholds = ap_int<S::THRESHOLD_BITS>[NF][S::PE][S::THRESHOLDS];
    /// flip[f][p]: whether that channel counts the thresholds that are not reached.
    using Flip = ap_uint<1>[NF][S::PE];

    static void run(Input& in, Output& out, const Thresholds& thresholds, const Flip& flip) {
#pragma HLS INLINE
        Index<NF> fold = 0;
        for (int step = 0; step < S::PIXELS * NF; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
            FINNP_CYCLE();
            const typename Source::Word word = in.read();
            typename Sink::Word result = 0;
            for (int p = 0; p < S::PE; ++p) {
#pragma HLS UNROLL
                const typename S::In::value value = S::In::decode(element_of<typename S::In>(word, p));
                place<typename S::Out>(
                    result, p, staircase<typename S::Out, S::BASE>(value, thresholds[fold][p], flip[fold][p]));
            }
            out.write(result);
            if (fold == NF - 1) fold = 0;
            else ++fold;
        }
    }
};

}  // namespace finnp

#endif
