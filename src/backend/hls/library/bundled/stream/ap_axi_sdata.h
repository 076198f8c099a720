// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Minimal AXI4-Stream word for C simulation on machines without Vitis HLS.
#ifndef FINNP_BUNDLED_AP_AXI_SDATA_H
#define FINNP_BUNDLED_AP_AXI_SDATA_H

#include <ap_int.h>

template <int DATA, int USER, int ID, int DEST>
struct ap_axiu {
    static_assert(USER == 0 && ID == 0 && DEST == 0, "only the data, keep, strb and last signals exist here");
    ap_uint<DATA> data;
    ap_uint<(DATA + 7) / 8> keep;
    ap_uint<(DATA + 7) / 8> strb;
    ap_uint<1> last;
};

#endif
