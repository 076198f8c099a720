// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// A stream between two layers, with the depth of its FIFO.
#ifndef FINNP_FIFO_HPP
#define FINNP_FIFO_HPP

#include "element.hpp"

#include <hls_stream.h>

namespace finnp {

/// A FIFO that holds DEPTH words. It passes as the `hls::stream<Word>&` of either neighbour.
template <class Word, int DEPTH>
using fifo = hls::stream<Word, DEPTH>;

}  // namespace finnp

#endif
