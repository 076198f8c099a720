// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Pools: what a window sees of each channel, made into one element.
#ifndef FINNP_POOL_HPP
#define FINNP_POOL_HPP

#include "sliding.hpp"

namespace finnp {

/// A pool of the kind K over the picture of shape S, which has what `Sliding` has, and:
///   In                       type of an element
///   PE                       channels a cycle; divide the channels
///   SIMD                     positions of the kernel a cycle; 1 where windows lie side by side
/// Kind K has:
///   Value, Out               type of a result on the way, and of an element of the output
///   value(code)              what an element counts as
///   start()                  what nothing counts as
///   padding()                what padding counts as
///   both(a, b)               the result of two results
///   encode(value)            the element of a result
template <class S, class K>
struct Pool {
    using In = typename S::In;
    using Out = typename K::Out;
    using Value = typename K::Value;
    using Window = Sliding<In, S, S::PE, S::PE, S::PE, S::SIMD>;
    using Source = Frame<In, S::PE, S::CHANNELS, S::ROWS * S::COLUMNS>;
    using Sink = Frame<Out, S::PE, S::CHANNELS, S::PLACE_ROWS * S::PLACE_COLUMNS>;
    using Input = typename Source::Stream;
    using Output = typename Sink::Stream;
    using State = typename Window::State;
    static constexpr int AHEAD = Window::AHEAD;
    static constexpr int NF = Sink::WORDS;

    /// Windows that lie side by side: results grow as the picture arrives, one word a cycle.
    static void side_by_side(Input& in, Output& out) {
#pragma HLS INLINE
        // A result is read back NF cycles after it was stored, that of a whole row NF * COLUMNS cycles after. Only
        // memory that is read back late enough can be told to have no dependence; the others are registers.
        Value line[NF][S::PE], rows[S::PLACE_COLUMNS * NF][S::PE];
        Meeting meeting;
        if constexpr (NF >= LATE) {
#pragma HLS ARRAY_PARTITION variable=line complete dim=2
#pragma HLS ARRAY_PARTITION variable=rows complete dim=2
            for (int step = 0; step < S::ROWS * S::COLUMNS * NF; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
#pragma HLS DEPENDENCE variable=line type=inter dependent=false
#pragma HLS DEPENDENCE variable=rows type=inter dependent=false
                FINNP_CYCLE();
                meeting.take(in.read(), out, line, rows);
            }
        } else if constexpr (NF * S::COLUMNS >= LATE) {
#pragma HLS ARRAY_PARTITION variable=line complete dim=0
#pragma HLS ARRAY_PARTITION variable=rows complete dim=2
            for (int step = 0; step < S::ROWS * S::COLUMNS * NF; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
#pragma HLS DEPENDENCE variable=rows type=inter dependent=false
                FINNP_CYCLE();
                meeting.take(in.read(), out, line, rows);
            }
        } else {
#pragma HLS ARRAY_PARTITION variable=line complete dim=0
#pragma HLS ARRAY_PARTITION variable=rows complete dim=0
            for (int step = 0; step < S::ROWS * S::COLUMNS * NF; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
                FINNP_CYCLE();
                meeting.take(in.read(), out, line, rows);
            }
        }
    }

    /// Any other windows: as a depthwise convolution sees them.
    static void overlapping(Input& in, Output& out, State& state) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=state.ring complete dim=1
#pragma HLS ARRAY_PARTITION variable=state.ring complete dim=3
#pragma HLS BIND_STORAGE variable=state.ring type=ram_1wnr
        Value results[S::PE];
#pragma HLS ARRAY_PARTITION variable=results complete dim=1
        typename Window::Walk walk(state);
        while (!walk.done(state)) {
#pragma HLS PIPELINE II=1 style=flp
#pragma HLS LOOP_TRIPCOUNT min=1
            FINNP_CYCLE();
            const bool ready = walk.ready(state), room = walk.room(state);
            if (ready) {
                typename Window::Chunk chunks[S::SIMD];
                bool inside[S::SIMD];
#pragma HLS ARRAY_PARTITION variable=chunks complete dim=1
#pragma HLS ARRAY_PARTITION variable=inside complete dim=1
                for (int s = 0; s < S::SIMD; ++s) {
#pragma HLS UNROLL
                    chunks[s] = walk.chunk(state, s);
                    inside[s] = walk.inside(s);
                }
                typename Sink::Word result = 0;
                for (int p = 0; p < S::PE; ++p) {
#pragma HLS UNROLL
                    Value best = walk.step == 0 ? K::start() : results[p];
                    for (int s = 0; s < S::SIMD; ++s) {
#pragma HLS UNROLL
                        if (!walk.exists(s)) continue;
                        if (inside[s]) best = K::both(best, K::value(element_of<In>(chunks[s], p)));
                        else best = K::both(best, K::padding());
                    }
                    results[p] = best;
                    place<Out>(result, p, K::encode(best));
                }
                if (walk.last()) out.write(result);
            }
            Window::read(in, state, room, ready);
            if (ready) walk.next(state);
        }
    }

private:
    /// Cycles after which what was stored can surely be read.
    static constexpr int LATE = 16;

    /// Walks over one axis of the picture and knows which of the kernel's positions it meets.
    template <int KERNEL, int STRIDE, int DILATION, int PLACES>
    struct Tap {
        /// From the first row or column of the place; to the next position of the kernel; positions met.
        Index<STRIDE> at = 0;
        Index<DILATION> until = 0;
        Index<KERNEL + 1> met = 0;
        Index<PLACES + 1> place = 0;

        bool seen() const {
#pragma HLS INLINE
            return place < PLACES && met < KERNEL && until == 0;
        }
        bool first() const {
#pragma HLS INLINE
            return met == 0;
        }
        bool last() const {
#pragma HLS INLINE
            return met == KERNEL - 1;
        }
        void restart() {
#pragma HLS INLINE
            at = until = met = place = 0;
        }
        /// True where the next place begins.
        bool next() {
#pragma HLS INLINE
            if (at == STRIDE - 1) {
                at = until = met = 0;
                if (place < PLACES) ++place;
                return true;
            }
            ++at;
            if (until == 0) {
                until = DILATION - 1;
                if (met < KERNEL) ++met;
            } else {
                --until;
            }
            return false;
        }
    };

    /// Where the picture that arrives meets windows that lie side by side.
    struct Meeting {
        Tap<S::KERNEL_ROWS, S::STRIDE_ROWS, S::DILATION_ROWS, S::PLACE_ROWS> row;
        Tap<S::KERNEL_COLUMNS, S::STRIDE_COLUMNS, S::DILATION_COLUMNS, S::PLACE_COLUMNS> column;
        Index<S::ROWS> picture_row = 0;
        Index<S::COLUMNS> picture_column = 0;
        Index<NF> fold = 0;
        /// Where the results of the present place begin.
        Index<S::PLACE_COLUMNS * NF + 1> first = 0;

        /// Takes a word in: `line` holds results of the present row of the kernel, `rows` of those above it.
        void take(const typename Source::Word& word, Output& out, Value (&line)[NF][S::PE],
                  Value (&rows)[S::PLACE_COLUMNS * NF][S::PE]) {
#pragma HLS INLINE
            if (row.seen() && column.seen()) {
                typename Sink::Word result = 0;
                for (int p = 0; p < S::PE; ++p) {
#pragma HLS UNROLL
                    Value value = K::value(element_of<In>(word, p));
                    if (!column.first()) value = K::both(line[fold][p], value);
                    line[fold][p] = value;
                    if (column.last()) {
                        if (!row.first()) value = K::both(rows[first + fold][p], value);
                        rows[first + fold][p] = value;
                        place<Out>(result, p, K::encode(value));
                    }
                }
                if (column.last() && row.last()) out.write(result);
            }
            next();
        }

    private:
        /// All counters are back at their start after the last word of a frame.
        void next() {
#pragma HLS INLINE
            if (fold < NF - 1) {
                ++fold;
                return;
            }
            fold = 0;
            if (picture_column < S::COLUMNS - 1) {
                ++picture_column;
                if (column.next() && first < S::PLACE_COLUMNS * NF) first += NF;
                return;
            }
            picture_column = 0;
            first = 0;
            column.restart();
            if (picture_row < S::ROWS - 1) {
                ++picture_row;
                row.next();
            } else {
                picture_row = 0;
                row.restart();
            }
        }
    };
};

}  // namespace finnp

#endif
