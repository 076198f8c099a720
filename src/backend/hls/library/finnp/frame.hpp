// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// How one frame travels over a stream.
#ifndef FINNP_FRAME_HPP
#define FINNP_FRAME_HPP

#include "cycle.hpp"
#include "element.hpp"

#include <hls_stream.h>

namespace finnp {

/// A frame of PIXELS pixels of CHANNELS elements each, N elements a word, element 0 in the lowest
/// bits. A pixel starts a new word; what is left of its last word is padding of any content.
template <class ELEMENT, int ELEMENTS, int CHANNELS_, int PIXELS_>
struct Frame {
    using Element = ELEMENT;
    static constexpr int N = ELEMENTS;
    static constexpr int CHANNELS = CHANNELS_;
    static constexpr int PIXELS = PIXELS_;
    /// Words of one pixel.
    static constexpr int WORDS = ceil_div(CHANNELS, N);
    /// Elements of a pixel's last word that are not padding.
    static constexpr int LAST = CHANNELS - (WORDS - 1) * N;
    static_assert(N * Element::bits <= 4096, "a word has at most 4096 bits");
    using Word = ap_uint<N * Element::bits>;
    using Stream = hls::stream<Word>;
};

template <int I, class First, class... Rest>
struct Chosen : Chosen<I - 1, Rest...> {};
template <class First, class... Rest>
struct Chosen<0, First, Rest...> {
    using type = First;
};

/// The frames of several streams that are read together.
template <class... F>
struct Frames {
    static constexpr int COUNT = sizeof...(F);
    template <int I>
    using At = typename Chosen<I, F...>::type;
};

/// Element i of a word.
template <class Element, class Word>
typename Element::code element_of(const Word& word, int i) {
#pragma HLS INLINE
    return word((i + 1) * Element::bits - 1, i * Element::bits);
}

/// Replaces element i of a word.
template <class Element, class Word>
void place(Word& word, int i, typename Element::code code) {
#pragma HLS INLINE
    word((i + 1) * Element::bits - 1, i * Element::bits) = code;
}

}  // namespace finnp

#endif
