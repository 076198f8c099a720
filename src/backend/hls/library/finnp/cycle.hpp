// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Counts the iterations of pipelined loops in C simulation. At II = 1 an iteration is a clock cycle.
#ifndef FINNP_CYCLE_HPP
#define FINNP_CYCLE_HPP

#ifndef __SYNTHESIS__

namespace finnp {
inline unsigned long cycles = 0;
}

/// Stands first in every pipelined loop.
#define FINNP_CYCLE() (++finnp::cycles)

#else

#define FINNP_CYCLE() ((void)0)

#endif  // __SYNTHESIS__

#endif
