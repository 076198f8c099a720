// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Matrix-vector-threshold unit whose weights are pruned in the balanced form: kept weights only.
#ifndef FINNP_MVAU_BCR_HPP
#define FINNP_MVAU_BCR_HPP

#include "dot.hpp"
#include "frame.hpp"
#include "threshold.hpp"

namespace finnp {

/// A sparse matrix of ROWS x COLS times each pixel of COLS elements; PE rows and SIMD columns a cycle.
/// Lane s holds the columns whose remainder by SIMD is s, in a bank of D = COLS / SIMD words. Every BLOCK
/// words of a bank keep BLOCK_STEPS, the same for all lanes; BLOCK_ROWS rows share what they keep.
/// Shape S has:
///   In, Weight, Out          element types; Out is Int<ACC> where there are no thresholds
///   ACC                      bits of an accumulator, two's complement
///   ROWS, COLS, PE, SIMD     the matrix and how it is folded; SIMD divides COLS
///   PIXELS                   pixels of a frame
///   BLOCK_ROWS               a divisor or a multiple of PE
///   BLOCK, BLOCK_STEPS       words of a bank in a block, and how many of them are kept
///   THRESHOLDS, THRESHOLD_BITS, BASE   as in threshold.hpp; THRESHOLDS = 0 where there are none
/// A pixel reads D words and writes NF words. The next one arrives while this one is computed, so a pixel
/// takes NF * STEPS or D cycles, whichever are more.
template <class S>
struct MvauBcr {
    using In = typename S::In;
    using Weight = typename S::Weight;
    using Out = typename S::Out;
    using Source = Frame<In, S::SIMD, S::COLS, S::PIXELS>;
    using Sink = Frame<Out, S::PE, S::ROWS, S::PIXELS>;
    using Input = typename Source::Stream;
    using Output = typename Sink::Stream;
    static constexpr int NF = Sink::WORDS;
    static constexpr int D = Source::WORDS;
    static constexpr int STEPS = D / S::BLOCK * S::BLOCK_STEPS;
    /// Lists of kept words that are read at once, and row folds that read the same ones.
    static constexpr int GROUPS = S::PE > S::BLOCK_ROWS ? S::PE / S::BLOCK_ROWS : 1;
    static constexpr int SHARING = S::BLOCK_ROWS > S::PE ? S::BLOCK_ROWS / S::PE : 1;
    static constexpr int LISTS = ceil_div(NF, SHARING);
    static constexpr int LEVELS = S::THRESHOLDS > 0 ? S::THRESHOLDS : 1;
    static_assert(S::COLS % S::SIMD == 0 && D % S::BLOCK == 0, "lanes and blocks are full");
    static_assert(S::PE % S::BLOCK_ROWS == 0 || S::BLOCK_ROWS % S::PE == 0, "row groups are whole");

    /// weights[f * STEPS + k][p][s]: code of the weight that step k of row f * PE + p takes on lane s.
    using Weights = typename Weight::code[NF * STEPS][S::PE][S::SIMD];
    /// index[l * STEPS + k][g][s]: word of the present block that step k reads from bank s.
    using Indices = Index<S::BLOCK>[LISTS * STEPS][GROUPS][S::SIMD];
    /// thresholds[f][p]: ascending, of row f * PE + p.
    using Thresholds = ap_int<S::THRESHOLD_BITS>[NF][S::PE][LEVELS];
    /// flip[f][p]: whether that row counts the thresholds that are not reached.
    using Flip = ap_uint<1>[NF][S::PE];
    using Accumulator = ap_int<S::ACC>;

    /// What stays from frame to frame: the next pixel may have begun to arrive.
    struct State {
        /// One half is filled while the other is read; the bank's own address decoder is the gather.
        typename In::code banks[2][S::SIMD][D];
        /// The half that is filled.
        ap_uint<1> half = 0;
        /// Its words that have arrived.
        Index<D + 1> filled = 0;
    };

    /// Writes the accumulators themselves.
    static void run(Input& in, Output& out, const Weights& weights, const Indices& index, State& state) {
#pragma HLS INLINE
        const Thresholds none = {};
        const Flip never = {};
        accumulate<false>(in, out, weights, index, none, never, state);
    }

    /// Writes each accumulator through the thresholds of its row.
    static void run(Input& in, Output& out, const Weights& weights, const Indices& index,
                    const Thresholds& thresholds, const Flip& flip, State& state) {
#pragma HLS INLINE
        accumulate<true>(in, out, weights, index, thresholds, flip, state);
    }

private:
    using Product = Dot<In, Weight, S::SIMD, S::ACC>;

    static void fill(State& state, const typename Source::Word& word) {
#pragma HLS INLINE
        for (int s = 0; s < S::SIMD; ++s) {
#pragma HLS UNROLL
            state.banks[state.half][s][state.filled] = element_of<In>(word, s);
        }
        ++state.filled;
    }

    template <bool STAIRCASE>
    static void accumulate(Input& in, Output& out, const Weights& weights, const Indices& index,
                           [[maybe_unused]] const Thresholds& thresholds, [[maybe_unused]] const Flip& flip,
                           State& state) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=state.banks complete dim=1
#pragma HLS ARRAY_PARTITION variable=state.banks complete dim=2
#pragma HLS BIND_STORAGE variable=state.banks type=ram_1wnr impl=lutram
        Accumulator sums[S::PE];
#pragma HLS ARRAY_PARTITION variable=sums complete dim=1
        bool busy = false;
        Index<NF> fold = 0;
        Index<SHARING> share = 0;
        Index<STEPS> step = 0;
        Index<S::BLOCK_STEPS> block_step = 0;
        Index<D> block = 0;
        Index<LISTS * STEPS> list = 0;
        Index<NF * STEPS> pixel_step = 0;
        for (int pixel = 0; pixel < S::PIXELS;) {
#pragma HLS PIPELINE II=1 style=flp
#pragma HLS LOOP_TRIPCOUNT min=1
            FINNP_CYCLE();
            if (!busy && state.filled == D) {
                busy = true;
                state.half = 1 - state.half;
                state.filled = 0;
            }
            if (state.filled < D) {
                typename Source::Word word;
                // Only an idle unit may wait for input: a busy one takes what is there.
                if (!busy) fill(state, in.read());
                else if (in.read_nb(word)) fill(state, word);
            }
            if (busy) {
                typename Product::Codes inputs[GROUPS];
#pragma HLS ARRAY_PARTITION variable=inputs complete dim=0
                for (int g = 0; g < GROUPS; ++g) {
#pragma HLS UNROLL
                    for (int s = 0; s < S::SIMD; ++s) {
#pragma HLS UNROLL
                        inputs[g][s] = state.banks[1 - state.half][s][block + index[list + step][g][s]];
                    }
                }
                typename Sink::Word result = 0;
                for (int p = 0; p < S::PE; ++p) {
#pragma HLS UNROLL
                    Accumulator sum = step == 0 ? Accumulator(0) : sums[p];
                    sum += Product::of(inputs[p / S::BLOCK_ROWS % GROUPS], weights[pixel_step][p]);
                    sums[p] = sum;
                    if (step == STEPS - 1) {
                        place<Out>(result, p, activated<STAIRCASE, Out, S::BASE>(sum, thresholds[fold][p], flip[fold][p]));
                    }
                }
                if (step == STEPS - 1) out.write(result);

                // Counters; all are back at their start after the last step of a pixel.
                if (block_step == S::BLOCK_STEPS - 1) {
                    block_step = 0;
                    if (step == STEPS - 1) block = 0;
                    else block += S::BLOCK;
                } else {
                    ++block_step;
                }
                if (pixel_step == NF * STEPS - 1) {
                    pixel_step = 0;
                    busy = false;
                    ++pixel;
                } else {
                    ++pixel_step;
                }
                if (step == STEPS - 1) {
                    step = 0;
                    if (fold == NF - 1) {
                        fold = 0;
                        share = 0;
                        list = 0;
                    } else {
                        ++fold;
                        if (share == SHARING - 1) {
                            share = 0;
                            list += STEPS;
                        } else {
                            ++share;
                        }
                    }
                } else {
                    ++step;
                }
            }
        }
    }
};

}  // namespace finnp

#endif
