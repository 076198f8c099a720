// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Matrix-vector-threshold unit whose weights are pruned in blocks that keep rows and columns: of each block
// the kept rows and columns are a dense matrix, which is all that is stored and multiplied.
#ifndef FINNP_MVAU_RC_HPP
#define FINNP_MVAU_RC_HPP

#include "dot.hpp"
#include "frame.hpp"
#include "threshold.hpp"

namespace finnp {

/// A sparse matrix of ROWS x COLS times each pixel of COLS elements; PE rows and SIMD columns a cycle.
/// Lane s holds the columns whose remainder by SIMD is s, in a bank of D = COLS / SIMD words; PE p adds up the
/// rows whose remainder by PE is p. The matrix is cut into blocks of BLOCK_ROWS x BLOCK_COLS, each of which keeps
/// ROW_STEPS rows of every PE and COL_STEPS columns of every lane. Row of blocks by row of blocks, and in it block
/// by block, each PE takes the kept columns for its first kept row, then for its second, and so on.
/// Shape S has:
///   In, Weight, Out          element types; Out is Int<ACC> where there are no thresholds
///   ACC                      bits of an accumulator, two's complement
///   ROWS, COLS, PE, SIMD     the matrix and how it is folded; PE divides BLOCK_ROWS, SIMD divides BLOCK_COLS
///   PIXELS                   pixels of a frame
///   BLOCK_ROWS, BLOCK_COLS   a block; they divide ROWS and COLS
///   ROW_STEPS, COL_STEPS     rows of a PE and columns of a lane that a block keeps
///   FORWARD                  1 where a row may be added to in two steps that follow each other, else 0
///   THRESHOLDS, THRESHOLD_BITS, BASE   as in threshold.hpp; THRESHOLDS = 0 where there are none
/// A pixel reads D words and writes NF = ROWS / PE words. The next one arrives while this one is computed, and the
/// sums of a row of blocks leave while those of the next one are added up, so a pixel takes as many cycles as there
/// are steps, words that arrive or words that leave, whichever are most.
template <class S>
struct MvauRc {
    using In = typename S::In;
    using Weight = typename S::Weight;
    using Out = typename S::Out;
    using Source = Frame<In, S::SIMD, S::COLS, S::PIXELS>;
    using Sink = Frame<Out, S::PE, S::ROWS, S::PIXELS>;
    using Input = typename Source::Stream;
    using Output = typename Sink::Stream;
    static constexpr int NF = Sink::WORDS;
    static constexpr int D = Source::WORDS;
    static constexpr int DOWN = S::ROWS / S::BLOCK_ROWS;
    static constexpr int ACROSS = S::COLS / S::BLOCK_COLS;
    /// Words of a bank in a block, and sums of a PE in a row of blocks.
    static constexpr int WORDS = S::BLOCK_COLS / S::SIMD;
    static constexpr int RESULTS = S::BLOCK_ROWS / S::PE;
    /// Steps of a row of blocks.
    static constexpr int STEPS = ACROSS * S::ROW_STEPS * S::COL_STEPS;
    /// While a pixel leaves, the next one is complete, one waits to be computed and one arrives.
    static constexpr int AHEAD = 3;
    static constexpr int LEVELS = S::THRESHOLDS > 0 ? S::THRESHOLDS : 1;
    static_assert(S::ROWS % S::BLOCK_ROWS == 0 && S::COLS % S::BLOCK_COLS == 0, "blocks are full");
    static_assert(S::BLOCK_ROWS % S::PE == 0 && S::BLOCK_COLS % S::SIMD == 0, "lanes are full");
    static_assert(S::FORWARD || ACROSS == 1 || S::COL_STEPS > 1, "sums come back too soon");

    /// weights[k][p][s]: code of the weight that step k of a pixel takes for PE p and lane s.
    using Weights = typename Weight::code[DOWN * STEPS][S::PE][S::SIMD];
    /// index[i * COL_STEPS + b][s]: word of block i that its column step b reads from bank s.
    using Indices = Index<WORDS>[DOWN * ACROSS * S::COL_STEPS][S::SIMD];
    /// row_index[i * ROW_STEPS + a][p]: sum of the row of blocks that row step a of block i is added to in PE p.
    using RowIndices = Index<RESULTS>[DOWN * ACROSS * S::ROW_STEPS][S::PE];
    /// thresholds[f][p]: ascending, of row f * PE + p.
    using Thresholds = ap_int<S::THRESHOLD_BITS>[NF][S::PE][LEVELS];
    /// flip[f][p]: whether that row counts the thresholds that are not reached.
    using Flip = ap_uint<1>[NF][S::PE];
    using Accumulator = ap_int<S::ACC>;

    /// What stays from frame to frame: the next frame may have begun to arrive, and to be computed.
    struct State {
        /// One half is filled while the other is read; the bank's own address decoder is the gather.
        typename In::code banks[2][S::SIMD][D];
        /// The half that is filled.
        ap_uint<1> half = 0;
        /// Its words that have arrived.
        Index<D + 1> filled = 0;
        /// One half is added to while the other leaves.
        Accumulator sums[2][S::PE][RESULTS];
        /// Which sums have begun; all others are 0, whatever is left there from before.
        ap_uint<1> begun[2][S::PE][RESULTS] = {};
        /// The half that is added to, and the half that leaves.
        ap_uint<1> adding = 0, leaving = 0;
        /// Halves whose sums are complete and have not all left.
        ap_uint<2> complete = 0;
        /// Products of the present row so far.
        Accumulator row[S::PE];
        /// What was added last, to which sum: it is not back in its bank in the next step.
        Accumulator last[S::PE];
        Index<RESULTS> last_at[S::PE] = {};
        ap_uint<1> last_half = 0;
        /// Whether a pixel is computed, and how far.
        bool busy = false;
        Index<DOWN * STEPS> step = 0;
        Index<STEPS> block_step = 0;
        Index<DOWN * ACROSS * S::ROW_STEPS> row_line = 0;
        Index<DOWN * ACROSS * S::COL_STEPS> column_line = 0;
        Index<S::ROW_STEPS> row_step = 0;
        Index<S::COL_STEPS> column_step = 0;
        /// The first word of the block in its banks.
        Index<D> first = 0;
        /// The word that leaves next, of its half and of the pixel.
        Index<RESULTS> result = 0;
        Index<NF> fold = 0;
    };

    /// Writes the accumulators themselves.
    static void run(Input& in, Output& out, const Weights& weights, const Indices& index,
                    const RowIndices& row_index, State& state) {
#pragma HLS INLINE
        const Thresholds none = {};
        const Flip never = {};
        accumulate<false>(in, out, weights, index, row_index, none, never, state);
    }

    /// Writes each accumulator through the thresholds of its row.
    static void run(Input& in, Output& out, const Weights& weights, const Indices& index,
                    const RowIndices& row_index, const Thresholds& thresholds, const Flip& flip, State& state) {
#pragma HLS INLINE
        accumulate<true>(in, out, weights, index, row_index, thresholds, flip, state);
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

    /// A word of the half that leaves. Where nothing was added, the sum is 0.
    template <bool STAIRCASE>
    static typename Sink::Word leave(State& state, const Thresholds& thresholds, const Flip& flip) {
#pragma HLS INLINE
        typename Sink::Word word = 0;
        for (int p = 0; p < S::PE; ++p) {
#pragma HLS UNROLL
            const bool fresh = state.last_half == state.leaving && state.last_at[p] == state.result;
            Accumulator sum = fresh ? state.last[p] : state.sums[state.leaving][p][state.result];
            if (state.begun[state.leaving][p][state.result] == 0) sum = 0;
            state.begun[state.leaving][p][state.result] = 0;
            place<Out>(word, p, activated<STAIRCASE, Out, S::BASE>(sum, thresholds[state.fold][p], flip[state.fold][p]));
        }
        return word;
    }

    /// One step: SIMD products for each PE, and in the last one of a row what they add up to.
    static void compute(State& state, const Weights& weights, const Indices& index, const RowIndices& row_index) {
#pragma HLS INLINE
        typename Product::Codes inputs;
#pragma HLS ARRAY_PARTITION variable=inputs complete dim=0
        for (int s = 0; s < S::SIMD; ++s) {
#pragma HLS UNROLL
            const auto word = index[state.column_line + state.column_step][s];
            inputs[s] = state.banks[1 - state.half][s][state.first + word];
        }
        const bool last = state.column_step == S::COL_STEPS - 1;
        for (int p = 0; p < S::PE; ++p) {
#pragma HLS UNROLL
            Accumulator row = state.column_step == 0 ? Accumulator(0) : state.row[p];
            row += Product::of(inputs, weights[state.step][p]);
            state.row[p] = row;
            if (last) {
                const auto at = row_index[state.row_line][p];
                Accumulator sum = state.sums[state.adding][p][at];
                if (S::FORWARD && state.last_half == state.adding && state.last_at[p] == at) sum = state.last[p];
                if (state.begun[state.adding][p][at] == 0) sum = 0;
                sum += row;
                state.sums[state.adding][p][at] = sum;
                state.begun[state.adding][p][at] = 1;
                state.last[p] = sum;
                state.last_at[p] = at;
            }
        }
        if (last) state.last_half = state.adding;
    }

    /// Counters; all are back at their start after the last step of a pixel.
    static void advance(State& state) {
#pragma HLS INLINE
        const bool last_column = state.column_step == S::COL_STEPS - 1;
        const bool last_row = state.row_step == S::ROW_STEPS - 1;
        const bool last_step = state.block_step == STEPS - 1;
        const bool last = state.step == DOWN * STEPS - 1;
        if (last_column) {
            state.column_step = 0;
            state.row_step = last_row ? 0 : int(state.row_step) + 1;
            state.row_line = last ? 0 : int(state.row_line) + 1;
            if (last_row) {
                state.column_line = last ? 0 : int(state.column_line) + S::COL_STEPS;
                state.first = last_step ? 0 : int(state.first) + WORDS;
            }
        } else {
            ++state.column_step;
        }
        if (last_step) {
            state.block_step = 0;
            state.adding = 1 - state.adding;
            ++state.complete;
        } else {
            ++state.block_step;
        }
        if (last) {
            state.step = 0;
            state.busy = false;
        } else {
            ++state.step;
        }
    }

    template <bool STAIRCASE>
    static void accumulate(Input& in, Output& out, const Weights& weights, const Indices& index,
                           const RowIndices& row_index, [[maybe_unused]] const Thresholds& thresholds,
                           [[maybe_unused]] const Flip& flip, State& state) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=state.banks complete dim=1
#pragma HLS ARRAY_PARTITION variable=state.banks complete dim=2
#pragma HLS BIND_STORAGE variable=state.banks type=ram_1wnr impl=lutram
#pragma HLS ARRAY_PARTITION variable=state.sums complete dim=1
#pragma HLS ARRAY_PARTITION variable=state.sums complete dim=2
#pragma HLS BIND_STORAGE variable=state.sums type=ram_2p impl=lutram
#pragma HLS ARRAY_PARTITION variable=state.begun complete dim=0
#pragma HLS ARRAY_PARTITION variable=state.row complete dim=1
#pragma HLS ARRAY_PARTITION variable=state.last complete dim=1
#pragma HLS ARRAY_PARTITION variable=state.last_at complete dim=1
        for (int pixel = 0; pixel < S::PIXELS;) {
#pragma HLS PIPELINE II=1 style=flp
#pragma HLS LOOP_TRIPCOUNT min=1
// What was added in the step before is taken from `last`, so nothing is read that was written less than two steps ago.
#pragma HLS DEPENDENCE variable=state.sums type=inter direction=RAW distance=2 true
            FINNP_CYCLE();
            if (!state.busy && state.filled == D) {
                state.busy = true;
                state.half = 1 - state.half;
                state.filled = 0;
            }
            const ap_uint<2> complete = state.complete;
            if (state.filled < D) {
                typename Source::Word word;
                // Only an idle unit may wait for input: a busy one takes what is there.
                if (!state.busy && complete == 0) fill(state, in.read());
                else if (in.read_nb(word)) fill(state, word);
            }
            if (complete != 0) {
                out.write(leave<STAIRCASE>(state, thresholds, flip));
                if (state.result == RESULTS - 1) {
                    state.result = 0;
                    state.leaving = 1 - state.leaving;
                    --state.complete;
                } else {
                    ++state.result;
                }
                if (state.fold == NF - 1) {
                    state.fold = 0;
                    ++pixel;
                } else {
                    ++state.fold;
                }
            }
            // A row of blocks begins when there is a half for it.
            if (state.busy && (state.block_step != 0 || complete != 2)) {
                compute(state, weights, index, row_index);
                advance(state);
            }
        }
    }
};

}  // namespace finnp

#endif
