// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Minimal hls::stream for C simulation on machines without Vitis HLS: a queue without bound.
#ifndef FINNP_BUNDLED_HLS_STREAM_H
#define FINNP_BUNDLED_HLS_STREAM_H

#include <cstdio>
#include <cstdlib>

namespace hls {

template <class T, int DEPTH = 0>
class stream;

template <class T>
class stream<T, 0> {
public:
    stream() = default;
    explicit stream(const char* name) : name_(name) {}
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;
    ~stream() { delete[] ring_; }

    bool empty() const { return count_ == 0; }
    bool full() const { return false; }
    unsigned long size() const { return count_; }

    void write(const T& word) {
        if (count_ == capacity_) grow();
        ring_[(first_ + count_) & (capacity_ - 1)] = word;
        ++count_;
    }
    bool write_nb(const T& word) {
        write(word);
        return true;
    }
    T read() {
        if (count_ == 0) {
            std::fprintf(stderr, "read from the empty stream `%s`\n", name_);
            std::exit(2);
        }
        const unsigned long at = first_;
        first_ = (first_ + 1) & (capacity_ - 1);
        --count_;
        return ring_[at];
    }
    void read(T& word) { word = read(); }
    bool read_nb(T& word) {
        if (empty()) return false;
        word = read();
        return true;
    }
    void operator<<(const T& word) { write(word); }
    void operator>>(T& word) { word = read(); }

private:
    void grow() {
        const unsigned long wider = capacity_ ? 2 * capacity_ : 16;
        T* ring = new T[wider];
        for (unsigned long i = 0; i < count_; ++i) ring[i] = ring_[(first_ + i) & (capacity_ - 1)];
        delete[] ring_;
        ring_ = ring;
        capacity_ = wider;
        first_ = 0;
    }

    const char* name_ = "";
    T* ring_ = nullptr;
    unsigned long capacity_ = 0, first_ = 0, count_ = 0;
};

template <class T, int DEPTH>
class stream : public stream<T, 0> {
public:
    using stream<T, 0>::stream;
};

}  // namespace hls

#endif
