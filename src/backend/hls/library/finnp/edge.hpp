// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The accelerator's edges: AXI4-Stream words of whole bytes, TLAST on the last word of a frame.
#ifndef FINNP_EDGE_HPP
#define FINNP_EDGE_HPP

#include "frame.hpp"

#include <ap_axi_sdata.h>

namespace finnp {

/// A frame as it crosses an edge: each word padded with zero bits to whole bytes.
template <class F>
struct Edge {
    using Frame = F;
    static constexpr int DATA = 8 * ceil_div(F::N * F::Element::bits, 8);
    using Word = ap_axiu<DATA, 0, 0, 0>;
    using Stream = hls::stream<Word>;
};

/// Takes one frame in. Words are counted; TLAST is not looked at.
template <class F>
void from_axis(typename Edge<F>::Stream& in, typename F::Stream& out) {
#pragma HLS INLINE
    for (int step = 0; step < F::PIXELS * F::WORDS; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
        const typename Edge<F>::Word word = in.read();
        out.write(typename F::Word(word.data));
    }
}

/// Hands one frame out, its padding elements cleared.
template <class F>
void to_axis(typename F::Stream& in, typename Edge<F>::Stream& out) {
#pragma HLS INLINE
    Index<F::WORDS> index = 0;
    for (int step = 0; step < F::PIXELS * F::WORDS; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
        typename F::Word data = in.read();
        for (int i = F::LAST; i < F::N; ++i) {
#pragma HLS UNROLL
            if (index == F::WORDS - 1) place<typename F::Element>(data, i, typename F::Element::code(0));
        }
        if (index == F::WORDS - 1) index = 0;
        else ++index;
        typename Edge<F>::Word word;
        word.data = data;
        word.keep = -1;
        word.strb = -1;
        word.last = step == F::PIXELS * F::WORDS - 1 ? 1 : 0;
        out.write(word);
    }
}

}  // namespace finnp

#endif
