// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Upsample: a picture with more pixels, each repeated, or moved apart with a constant between them.
#ifndef FINNP_UPSAMPLE_HPP
#define FINNP_UPSAMPLE_HPP

#include "frame.hpp"

namespace finnp {

/// Shape S has:
///   In, Out                       element types; Out holds what In holds, and FILL
///   ROWS, COLUMNS, CHANNELS       the picture that arrives
///   ROW_FACTOR, COLUMN_FACTOR     rows and columns for each that arrives
///   FILLED, FILL                  1 where a pixel is followed by the constant FILL, 0 where it is repeated
///   PE                            channels of a word; divide the channels
/// One word leaves per cycle. Where pixels are repeated the picture grows to factors times its size; a pixel is kept
/// for the columns to its right, and a row for the rows below it. With FILLED there is nothing behind the last row
/// and column, and nothing is kept.
template <class S>
struct Upsample {
    using In = typename S::In;
    using Out = typename S::Out;
    static constexpr int OUT_ROWS = S::FILLED ? (S::ROWS - 1) * S::ROW_FACTOR + 1 : S::ROWS * S::ROW_FACTOR;
    static constexpr int OUT_COLUMNS =
        S::FILLED ? (S::COLUMNS - 1) * S::COLUMN_FACTOR + 1 : S::COLUMNS * S::COLUMN_FACTOR;
    using Source = Frame<In, S::PE, S::CHANNELS, S::ROWS * S::COLUMNS>;
    using Sink = Frame<Out, S::PE, S::CHANNELS, OUT_ROWS * OUT_COLUMNS>;
    using Input = typename Source::Stream;
    using Output = typename Sink::Stream;
    using Word = typename Source::Word;
    static constexpr int NF = Source::WORDS;
    static constexpr int STEPS = OUT_ROWS * OUT_COLUMNS * NF;
    static_assert(S::CHANNELS % S::PE == 0, "words are full");

    static void run(Input& in, Output& out) {
#pragma HLS INLINE
        // A word of the pixel is read back NF cycles after it was kept, one of the row after a row of the output. Only
        // memory that is read back late enough can be told to have no dependence; the others are registers.
        Word pixel[NF], row[KEPT];
        Walk walk;
        if constexpr (S::FILLED) {
            for (int step = 0; step < STEPS; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
                FINNP_CYCLE();
                walk.apart(in, out);
            }
        } else if constexpr (NF >= LATE) {
            for (int step = 0; step < STEPS; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
#pragma HLS DEPENDENCE variable=pixel type=inter dependent=false
#pragma HLS DEPENDENCE variable=row type=inter dependent=false
                FINNP_CYCLE();
                walk.repeat(in, out, pixel, row);
            }
        } else if constexpr (NF * OUT_COLUMNS >= LATE) {
#pragma HLS ARRAY_PARTITION variable=pixel complete dim=1
            for (int step = 0; step < STEPS; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
#pragma HLS DEPENDENCE variable=row type=inter dependent=false
                FINNP_CYCLE();
                walk.repeat(in, out, pixel, row);
            }
        } else {
#pragma HLS ARRAY_PARTITION variable=pixel complete dim=1
#pragma HLS ARRAY_PARTITION variable=row complete dim=1
            for (int step = 0; step < STEPS; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
                FINNP_CYCLE();
                walk.repeat(in, out, pixel, row);
            }
        }
    }

private:
    /// Cycles after which what was stored can surely be read.
    static constexpr int LATE = 16;
    /// Words of a row that are kept.
    static constexpr int KEPT = S::ROW_FACTOR > 1 && !S::FILLED ? S::COLUMNS * NF : 1;

    /// Where the word that leaves lies: in its pixel, and to the right of and below the pixel that arrived.
    struct Walk {
        Index<NF> fold = 0;
        Index<S::COLUMN_FACTOR> right = 0;
        Index<S::COLUMNS> column = 0;
        Index<S::ROW_FACTOR> down = 0;
        Index<S::ROWS> line = 0;
        /// Where the present pixel begins in a row.
        Index<S::COLUMNS * NF> first = 0;

        /// One word of a picture whose pixels are repeated.
        void repeat(Input& in, Output& out, Word (&pixel)[NF], Word (&row)[KEPT]) {
#pragma HLS INLINE
            Word word;
            if (right > 0) {
                word = pixel[fold];
            } else if (S::ROW_FACTOR > 1 && down > 0) {
                word = row[KEPT > 1 ? int(first) + int(fold) : 0];
            } else {
                word = in.read();
                if (S::ROW_FACTOR > 1) row[KEPT > 1 ? int(first) + int(fold) : 0] = word;
            }
            if (right == 0) pixel[fold] = word;
            typename Sink::Word result = 0;
            for (int p = 0; p < S::PE; ++p) {
#pragma HLS UNROLL
                place<Out>(result, p, widened(element_of<In>(word, p)));
            }
            out.write(result);
            next();
        }

        /// One word of a picture whose pixels are moved apart.
        void apart(Input& in, Output& out) {
#pragma HLS INLINE
            const bool arrives = right == 0 && down == 0;
            Word word = 0;
            if (arrives) word = in.read();
            typename Sink::Word result = 0;
            for (int p = 0; p < S::PE; ++p) {
#pragma HLS UNROLL
                place<Out>(result, p, arrives ? widened(element_of<In>(word, p)) : filling());
            }
            out.write(result);
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
            const bool last_column = column == S::COLUMNS - 1;
            if (right < S::COLUMN_FACTOR - 1 && !(S::FILLED && last_column)) {
                ++right;
                return;
            }
            right = 0;
            if (!last_column) {
                ++column;
                first += NF;
                return;
            }
            column = 0;
            first = 0;
            const bool last_line = line == S::ROWS - 1;
            if (down < S::ROW_FACTOR - 1 && !(S::FILLED && last_line)) {
                ++down;
                return;
            }
            down = 0;
            if (last_line) line = 0;
            else ++line;
        }
    };

    static typename Out::code filling() {
#pragma HLS INLINE
        return Out::encode(typename Out::value(S::FILL));
    }

    /// The same value in the output's type.
    static typename Out::code widened(typename In::code code) {
#pragma HLS INLINE
        if constexpr (same_type<In, Out>) return code;
        else return Out::encode(typename Out::value(In::decode(code)));
    }
};

}  // namespace finnp

#endif
