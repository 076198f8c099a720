// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Dense matrix-vector-threshold unit.
#ifndef FINNP_MVAU_HPP
#define FINNP_MVAU_HPP

#include "dot.hpp"
#include "frame.hpp"
#include "threshold.hpp"

namespace finnp {

/// A matrix W of ROWS x COLS times each pixel of COLS elements; PE rows and SIMD columns a cycle.
/// Shape S has:
///   In, Weight, Out          element types; Out is Int<ACC> where there are no thresholds
///   ACC                      bits of an accumulator, two's complement
///   ROWS, COLS, PE, SIMD     the matrix and how it is folded; neither needs to divide
///   PIXELS                   pixels of a frame
///   GROUPS                   matrices that take turns, pixel by pixel; PIXELS is a multiple of them
///   INITIAL                  start of every accumulator; with bipolar inputs and weights every
///                            padded column adds +1, so it is COLS - D * SIMD there, else 0
///   THRESHOLDS, THRESHOLD_BITS, BASE   as in threshold.hpp; THRESHOLDS = 0 where there are none
/// Columns are padded with weight code 0; the unit itself clears the input's padding.
/// A pixel reads D words, writes NF words and takes NF * D cycles.
template <class S>
struct Mvau {
    using In = typename S::In;
    using Weight = typename S::Weight;
    using Out = typename S::Out;
    using Source = Frame<In, S::SIMD, S::COLS, S::PIXELS>;
    using Sink = Frame<Out, S::PE, S::ROWS, S::PIXELS>;
    using Input = typename Source::Stream;
    using Output = typename Sink::Stream;
    static constexpr int NF = Sink::WORDS;
    static constexpr int D = Source::WORDS;
    static constexpr int LEVELS = S::THRESHOLDS > 0 ? S::THRESHOLDS : 1;
    /// weights[(g * NF + f) * D + d][p][s]: code of matrix g, row f * PE + p, column d * SIMD + s.
    using Weights = typename Weight::code[S::GROUPS * NF * D][S::PE][S::SIMD];
    /// thresholds[g * NF + f][p]: ascending, of matrix g, row f * PE + p.
    using Thresholds = ap_int<S::THRESHOLD_BITS>[S::GROUPS * NF][S::PE][LEVELS];
    /// flip[g * NF + f][p]: whether that row counts the thresholds that are not reached.
    using Flip = ap_uint<1>[S::GROUPS * NF][S::PE];
    using Accumulator = ap_int<S::ACC>;

    /// Writes the accumulators themselves.
    static void run(Input& in, Output& out, const Weights& weights) {
#pragma HLS INLINE
        const Thresholds none = {};
        const Flip never = {};
        accumulate<false>(in, out, weights, none, never);
    }

    /// Writes each accumulator through the thresholds of its row.
    static void run(Input& in, Output& out, const Weights& weights, const Thresholds& thresholds,
                    const Flip& flip) {
#pragma HLS INLINE
        accumulate<true>(in, out, weights, thresholds, flip);
    }

private:
    using Product = Dot<In, Weight, S::SIMD, S::ACC>;

    template <bool STAIRCASE>
    static void accumulate(Input& in, Output& out, const Weights& weights,
                           [[maybe_unused]] const Thresholds& thresholds, [[maybe_unused]] const Flip& flip) {
#pragma HLS INLINE
        typename Source::Word window[D];
        Accumulator sums[S::PE];
#pragma HLS ARRAY_PARTITION variable=sums complete dim=1
        Index<NF> fold = 0;
        Index<D> depth = 0;
        // Folds and steps of all matrices.
        Index<S::GROUPS * NF> group_fold = 0;
        Index<S::GROUPS * NF * D> group_step = 0;
        for (int step = 0; step < S::PIXELS * NF * D; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
            FINNP_CYCLE();
            typename Source::Word word;
            if (fold == 0) {
                word = in.read();
                window[depth] = word;
            } else {
                word = window[depth];
            }
            typename Product::Codes inputs;
#pragma HLS ARRAY_PARTITION variable=inputs complete dim=1
            for (int s = 0; s < S::SIMD; ++s) {
#pragma HLS UNROLL
                const bool padding = s >= Source::LAST && depth == D - 1;
                inputs[s] = padding ? typename In::code(0) : element_of<In>(word, s);
            }
            typename Sink::Word result = 0;
            for (int p = 0; p < S::PE; ++p) {
#pragma HLS UNROLL
                Accumulator sum = depth == 0 ? Accumulator(S::INITIAL) : sums[p];
                sum += Product::of(inputs, weights[group_step][p]);
                sums[p] = sum;
                if (depth == D - 1) {
                    place<Out>(result, p,
                               activated<STAIRCASE, Out, S::BASE>(sum, thresholds[group_fold][p], flip[group_fold][p]));
                }
            }
            if (depth == D - 1) out.write(result);

            // Every counter is back at its start after the last step, so frames follow without a gap.
            if (depth == D - 1) {
                depth = 0;
                if (fold == NF - 1) fold = 0;
                else ++fold;
                if (group_fold == S::GROUPS * NF - 1) group_fold = 0;
                else ++group_fold;
            } else {
                ++depth;
            }
            if (group_step == S::GROUPS * NF * D - 1) group_step = 0;
            else ++group_step;
        }
    }
};

}  // namespace finnp

#endif
