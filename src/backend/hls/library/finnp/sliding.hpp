// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// A window that slides over a picture: a ring of rows that fills while the window reads it.
#ifndef FINNP_SLIDING_HPP
#define FINNP_SLIDING_HPP

#include "frame.hpp"

namespace finnp {

constexpr int common_divisor(int a, int b) { return b == 0 ? a : common_divisor(b, a % b); }

/// `value` in the range low .. high.
constexpr int between(int low, int value, int high) { return value < low ? low : value > high ? high : value; }

/// Signed numbers from -n to n.
template <int n>
using Signed = ap_int<index_bits(n + 1) + 1>;

/// The picture arrives row by row in words of PE elements, which may be parts of a pixel or several pixels.
/// Shape S has:
///   ROWS, COLUMNS, CHANNELS                the picture
///   KERNEL_ROWS, KERNEL_COLUMNS            what the window looks at
///   STRIDE_ROWS, STRIDE_COLUMNS            from place to place
///   DILATION_ROWS, DILATION_COLUMNS        from one position of the kernel to the next
///   TOP, LEFT                              padding above and to the left
///   PLACE_ROWS, PLACE_COLUMNS              places of the window
/// A step looks at LANES positions of the kernel and at CHUNK channels of each. Steps go through places, then
/// groups of GROUP channels, then positions, then the chunks of a group.
///
/// In a cycle one word is read where there is room, and one step is made where all that its place looks at has
/// arrived. There is room for as many rows as the window spans and as many more as it moves on; of the rows that
/// are looked at for the last time, what the window has passed is free.
template <class In, class S, int PE, int GROUP, int CHUNK, int LANES>
struct Sliding {
    using Word = ap_uint<PE * In::bits>;
    using Chunk = ap_uint<CHUNK * In::bits>;
    static constexpr int POSITIONS = S::KERNEL_ROWS * S::KERNEL_COLUMNS;
    static constexpr int STEPS = ceil_div(POSITIONS, LANES);
    static constexpr int GROUPS = S::CHANNELS / GROUP;
    static constexpr int PARTS = GROUP / CHUNK;
    static constexpr int SPAN_ROWS = (S::KERNEL_ROWS - 1) * S::DILATION_ROWS + 1;
    static constexpr int SPAN_COLUMNS = (S::KERNEL_COLUMNS - 1) * S::DILATION_COLUMNS + 1;
    /// Rows that are kept.
    static constexpr int RING = SPAN_ROWS + S::STRIDE_ROWS;
    static constexpr int ROW_WORDS = S::COLUMNS * S::CHANNELS / PE;
    /// Frames that are begun to be read at most before the present one is done.
    static constexpr int AHEAD = ceil_div(RING, S::ROWS) + 1;
    static_assert(S::COLUMNS * S::CHANNELS % PE == 0, "a row is whole words");
    static_assert(S::CHANNELS % GROUP == 0 && GROUP % CHUNK == 0, "chunks and groups are whole");

    // A unit is the largest piece that words and chunks both consist of.
    static constexpr int UNIT = common_divisor(PE, CHUNK);
    static constexpr int UNITS = PE / UNIT;
    using Unit = ap_uint<UNIT * In::bits>;

    // The furthest that a row or a column may lie outside of the picture, or inside.
    static constexpr int FAR_ROWS = S::ROWS + S::TOP + S::PLACE_ROWS * S::STRIDE_ROWS + SPAN_ROWS;
    static constexpr int FAR_COLUMNS = S::COLUMNS + S::LEFT + S::PLACE_COLUMNS * S::STRIDE_COLUMNS + SPAN_COLUMNS;

    /// Where a unit lies in a row: its word, and its place in the word.
    struct At {
        Signed<ceil_div(FAR_COLUMNS * S::CHANNELS, PE) + 2> word = 0;
        Index<2 * UNITS> unit = 0;

        /// Moved on by so many words and units, fewer than a word has.
        At plus(int words, int units) const {
#pragma HLS INLINE
            At moved;
            moved.word = word + words;
            moved.unit = unit + units;
            if (UNITS > 1 && moved.unit >= UNITS) {
                moved.unit -= UNITS;
                moved.word += 1;
            }
            return moved;
        }
        At plus(const At& other) const {
#pragma HLS INLINE
            return plus(int(other.word), int(other.unit));
        }
    };

    /// Where the positions of each step lie in the kernel.
    struct Kernel {
        short row[STEPS][LANES] = {}, column[STEPS][LANES] = {};
        int word[STEPS][LANES] = {};
        short unit[STEPS][LANES] = {};
        bool exists[STEPS][LANES] = {};
        constexpr Kernel() {
            for (int position = 0; position < POSITIONS; ++position) {
                const int step = position / LANES, lane = position % LANES;
                const int right = position % S::KERNEL_COLUMNS * S::DILATION_COLUMNS;
                row[step][lane] = short(position / S::KERNEL_COLUMNS * S::DILATION_ROWS);
                column[step][lane] = short(right);
                word[step][lane] = right * (S::CHANNELS / UNIT) / UNITS;
                unit[step][lane] = short(right * (S::CHANNELS / UNIT) % UNITS);
                exists[step][lane] = true;
            }
        }
    };
    static constexpr Kernel KERNEL{};

    /// What stays from frame to frame: the next ones may have begun to arrive.
    struct State {
        /// Rows take turns. Each is a memory of its own, which all lanes of one row of the kernel read.
        Unit ring[RING][ROW_WORDS][UNITS];
        /// Where the next word goes.
        Index<RING> slot = 0;
        Index<ROW_WORDS + 1> word = 0;
        /// Rows that are complete, counted from the first that the present row of places looks at. Below 0 where
        /// rows are skipped that have not arrived.
        Signed<RING + S::ROWS + S::STRIDE_ROWS> held = 0;
        /// Where row 0 of the present picture is.
        Index<RING> origin = 0;
    };

    /// The counters of one frame.
    struct Walk {
        Index<S::PLACE_ROWS> place_row = 0;
        Index<S::PLACE_COLUMNS> place_column = 0;
        Index<GROUPS> group = 0;
        Index<STEPS> step = 0;
        Index<PARTS> part = 0;
        /// First row and column of the window in the picture, below 0 in the padding; where they are kept.
        Signed<FAR_ROWS> top = -S::TOP;
        Signed<FAR_COLUMNS> left = -S::LEFT;
        Index<RING> slot = 0;
        At at;
        /// From the first channel to the present group, and to the present chunk.
        At group_at, part_at;
        /// Rows that the present row of places looks at, and how many of them no later one does.
        Index<RING + 1> needed = 0;
        Index<S::ROWS + 1> released = 0;
        /// Words of the last of these rows that the present place looks at; those of the first that it has passed.
        Index<ROW_WORDS + 1> needed_words = 0, passed_words = 0;
        bool finished = false;

        explicit Walk(const State& state) {
#pragma HLS INLINE
            constexpr int above = (RING - S::TOP % RING) % RING;
            slot = wrapped(int(state.origin) + above);
            begin_row();
            begin_columns();
        }

        /// Whether all steps are made and the whole picture has arrived.
        bool done(const State& state) const {
#pragma HLS INLINE
            return finished && state.held >= 0;
        }

        /// Whether what the present place looks at has arrived.
        bool ready(const State& state) const {
#pragma HLS INLINE
            const bool begun = state.held + 1 == int(needed) && needed > 0 && state.word >= needed_words;
            return !finished && (state.held >= int(needed) || begun);
        }

        /// Whether a word may be read.
        bool room(const State& state) const {
#pragma HLS INLINE
            return state.held < RING || (state.held == RING && released > 0 && state.word < passed_words);
        }

        /// Whether a lane of this step has a position at all.
        bool exists(int lane) const {
#pragma HLS INLINE
            return POSITIONS % LANES == 0 || KERNEL.exists[step][lane];
        }

        /// Whether the position of a lane lies inside the picture.
        bool inside(int lane) const {
#pragma HLS INLINE
            const int row = int(top) + KERNEL.row[step][lane], column = int(left) + KERNEL.column[step][lane];
            return row >= 0 && row < S::ROWS && column >= 0 && column < S::COLUMNS;
        }

        /// The chunk at the position of a lane; of any content outside of the picture.
        Chunk chunk(const State& state, int lane) const {
#pragma HLS INLINE
            const Index<RING> row = wrapped(int(slot) + KERNEL.row[step][lane]);
            const At first = at.plus(KERNEL.word[step][lane], KERNEL.unit[step][lane]).plus(part_at);
            Chunk found = 0;
            for (int u = 0; u < CHUNK / UNIT; ++u) {
#pragma HLS UNROLL
                const At place = first.plus(u / UNITS, u % UNITS);
                const bool exists = place.word >= 0 && place.word < ROW_WORDS;
                const Index<ROW_WORDS> word = exists ? int(place.word) : 0;
                found((u + 1) * UNIT * In::bits - 1, u * UNIT * In::bits) = state.ring[row][word][place.unit];
            }
            return found;
        }

        /// Whether this is the last step of a place and a group.
        bool last() const {
#pragma HLS INLINE
            return step == STEPS - 1 && part == PARTS - 1;
        }

        /// After a step: the next one. After the last of a row of places, rows are given back.
        void next(State& state) {
#pragma HLS INLINE
            constexpr int chunk = CHUNK / UNIT, whole = GROUP / UNIT;
            if (part < PARTS - 1) {
                ++part;
                part_at = part_at.plus(chunk / UNITS, chunk % UNITS);
                return;
            }
            part = 0;
            part_at = group_at;
            if (step < STEPS - 1) {
                ++step;
                return;
            }
            step = 0;
            if (group < GROUPS - 1) {
                ++group;
                group_at = group_at.plus(whole / UNITS, whole % UNITS);
                part_at = group_at;
                return;
            }
            group = 0;
            group_at = part_at = At();
            if (place_column < S::PLACE_COLUMNS - 1) {
                constexpr int right = S::STRIDE_COLUMNS * (S::CHANNELS / UNIT);
                ++place_column;
                left += S::STRIDE_COLUMNS;
                at = at.plus(right / UNITS, right % UNITS);
                begin_place();
                return;
            }
            place_column = 0;
            state.held -= int(released);
            if (place_row < S::PLACE_ROWS - 1) {
                ++place_row;
                top += S::STRIDE_ROWS;
                slot = wrapped(int(slot) + S::STRIDE_ROWS);
                begin_row();
                begin_columns();
                return;
            }
            finished = true;
            state.origin = wrapped(int(state.origin) + S::ROWS % RING);
        }

    private:
        static Index<RING> wrapped(int row) {
#pragma HLS INLINE
            return row >= RING ? row - RING : row;
        }

        void begin_row() {
#pragma HLS INLINE
            const int first = between(0, int(top), S::ROWS);
            const int next = place_row == S::PLACE_ROWS - 1 ? S::ROWS : between(0, int(top) + S::STRIDE_ROWS, S::ROWS);
            needed = between(0, int(top) + SPAN_ROWS, S::ROWS) - first;
            released = next - first;
        }

        void begin_columns() {
#pragma HLS INLINE
            // Units to the left of the picture, rounded up to whole words.
            constexpr int outside = S::LEFT * (S::CHANNELS / UNIT), words = ceil_div(outside, UNITS);
            left = -S::LEFT;
            at.word = -words;
            at.unit = words * UNITS - outside;
            begin_place();
        }

        void begin_place() {
#pragma HLS INLINE
            constexpr int right = SPAN_COLUMNS * (S::CHANNELS / UNIT);
            const At end = at.plus(right / UNITS, right % UNITS);
            needed_words = between(0, int(end.word) + (end.unit > 0 ? 1 : 0), ROW_WORDS);
            passed_words = between(0, int(at.word), ROW_WORDS);
        }
    };

    /// Takes one word in.
    static void fill(State& state, const Word& word) {
#pragma HLS INLINE
        for (int u = 0; u < UNITS; ++u) {
#pragma HLS UNROLL
            state.ring[state.slot][state.word][u] = word((u + 1) * UNIT * In::bits - 1, u * UNIT * In::bits);
        }
        if (state.word < ROW_WORDS - 1) {
            ++state.word;
            return;
        }
        state.word = 0;
        ++state.held;
        if (state.slot == RING - 1) state.slot = 0;
        else ++state.slot;
    }

    /// Reads a word where there is room. Only a window that waits for it may be held up by an empty stream.
    static void read(hls::stream<Word>& in, State& state, bool room, bool ready) {
#pragma HLS INLINE
        if (!room) return;
        Word word;
        if (!ready) fill(state, in.read());
        else if (in.read_nb(word)) fill(state, word);
    }
};

}  // namespace finnp

#endif
