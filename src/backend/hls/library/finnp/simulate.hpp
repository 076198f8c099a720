// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// C simulation of one layer or of the whole network: arrays in, arrays out. Never synthesised.
//
// Arrays are .npy files, C order, <i4 or <i8, [frames, pixels, channels] (an input may have any
// shape [frames, ...] of that many elements). What is written is <i4 where the element's values
// fit, else <i8. Memories are text: signed decimal integers, each followed by a comma.
// Any failure prints one line and exits with code 2.
#ifndef FINNP_SIMULATE_HPP
#define FINNP_SIMULATE_HPP

#ifndef __SYNTHESIS__

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#include "edge.hpp"

namespace finnp {

/// Prints one line on stderr and exits with code 2.
[[noreturn]] inline void fail(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::vfprintf(stderr, format, arguments);
    va_end(arguments);
    std::fputc('\n', stderr);
    std::exit(2);
}

/// What a running simulation knows: where memories are, where inner streams are written to
/// (nowhere if null) and how many frames there are.
struct Simulation {
    const char* memories = ".";
    const char* taps = nullptr;
    long frames = 0;
};
inline Simulation simulation;

/// `folder/name`, or `name` alone without a folder; at most 4095 characters.
struct Path {
    char text[4096];
    Path(const char* folder, const char* name, const char* suffix = "") {
        const int length = std::snprintf(text, sizeof text, "%s/%s%s", folder, name, suffix);
        if (length < 0 || length >= int(sizeof text)) fail("the path of `%s` is too long", name);
    }
};

/// Reads a .npy array in order.
class NpyReader {
public:
    explicit NpyReader(const char* path) : path_(path), file_(std::fopen(path, "rb")) {
        if (!file_) fail("cannot open `%s`", path);
        unsigned char start[12];
        if (std::fread(start, 1, 10, file_) != 10 || std::memcmp(start, "\x93NUMPY", 6) != 0) {
            fail("`%s` is not an .npy file", path);
        }
        unsigned long length = start[8] + 256u * start[9];
        if (start[6] > 1) {
            if (std::fread(start + 10, 1, 2, file_) != 2) fail("`%s` ends in its header", path);
            length += 65536ul * start[10] + 16777216ul * start[11];
        }
        if (length > 65536) fail("the header of `%s` is too long", path);
        char* header = new char[length + 1];
        if (std::fread(header, 1, length, file_) != length) fail("`%s` ends in its header", path);
        header[length] = 0;
        parse(header);
        delete[] header;
    }
    NpyReader(const NpyReader&) = delete;
    NpyReader& operator=(const NpyReader&) = delete;
    ~NpyReader() { std::fclose(file_); }

    /// The first dimension, and the product of the others.
    long frames = 0, elements = 1;

    long long next() {
        if (wide_) {
            long long value;
            if (std::fread(&value, 8, 1, file_) != 1) fail("`%s` is shorter than its shape says", path_);
            return value;
        }
        int value;
        if (std::fread(&value, 4, 1, file_) != 1) fail("`%s` is shorter than its shape says", path_);
        return value;
    }

private:
    void parse(const char* header) {
        wide_ = std::strstr(header, "'<i8'") != nullptr;
        if (!wide_ && !std::strstr(header, "'<i4'")) fail("`%s` does not hold <i4 or <i8", path_);
        if (!std::strstr(header, "'fortran_order': False")) fail("`%s` is not in C order", path_);
        const char* at = std::strstr(header, "'shape': (");
        if (!at) fail("`%s` has no shape", path_);
        at += 10;
        int rank = 0;
        while (*at && *at != ')') {
            char* end;
            const long size = std::strtol(at, &end, 10);
            if (end == at) fail("the shape of `%s` is not readable", path_);
            if (rank++ == 0) frames = size;
            else elements *= size;
            at = end;
            while (*at == ',' || *at == ' ') ++at;
        }
        if (rank == 0) fail("`%s` holds a single number", path_);
    }

    const char* path_;
    std::FILE* file_;
    bool wide_ = false;
};

/// Writes a .npy array [frames, pixels, channels] in order.
class NpyWriter {
public:
    NpyWriter(const char* path, bool wide, long frames, int pixels, int channels)
        : file_(std::fopen(path, "wb")), wide_(wide) {
        if (!file_) fail("cannot write `%s`", path);
        char header[119];
        std::memset(header, ' ', sizeof header);
        const int length = std::snprintf(
            header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (%ld, %d, %d), }",
            wide ? "<i8" : "<i4", frames, pixels, channels);
        header[length] = ' ';
        header[117] = '\n';
        std::fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, file_);
        std::fwrite(header, 1, 118, file_);
    }
    NpyWriter(const NpyWriter&) = delete;
    NpyWriter& operator=(const NpyWriter&) = delete;
    ~NpyWriter() {
        if (std::ferror(file_) | std::fclose(file_)) fail("an output could not be written");
    }

    void next(long long value) {
        const int narrow = int(value);
        if (wide_) std::fwrite(&value, 8, 1, file_);
        else std::fwrite(&narrow, 4, 1, file_);
    }

private:
    std::FILE* file_;
    bool wide_;
};

/// The innermost element of an array type, and how many of them it has.
template <class T>
struct Leaf {
    using type = T;
    static constexpr long count = 1;
};
template <class T, decltype(sizeof(0)) N>
struct Leaf<T[N]> {
    using type = typename Leaf<T>::type;
    static constexpr long count = N * Leaf<T>::count;
};

/// Whether a memory word holds the number: a code may also be written as its two's complement.
template <int W>
bool holds(const ap_uint<W>& word, long long number) {
    const long long stored = word.to_int64();
    return stored == number || (number < 0 && number >= -(1ll << (W - 1)) && stored == number + (1ll << W));
}
template <int W>
bool holds(const ap_int<W>& word, long long number) {
    return word.to_int64() == number;
}

/// Reads a memory from `folder/name`; it lives until the program ends.
template <class Array>
const Array& memory(const char* folder, const char* name) {
    const Path path(folder, name);
    std::FILE* file = std::fopen(path.text, "rb");
    if (!file) fail("cannot open `%s`", path.text);
    struct Holder {
        Array array;
    };
    Holder* holder = new Holder;
    auto* words = reinterpret_cast<typename Leaf<Array>::type*>(holder);
    long read = 0;
    for (int c = std::getc(file); c != EOF; c = std::getc(file)) {
        if (c == ' ' || c == '\n' || c == '\r') continue;
        const bool negative = c == '-';
        if (negative) c = std::getc(file);
        if (c < '0' || c > '9') fail("`%s`: number %ld is not readable", path.text, read);
        long long number = 0;
        for (; c >= '0' && c <= '9'; c = std::getc(file)) number = number * 10 + (c - '0');
        if (negative) number = -number;
        if (c != ',') fail("`%s`: no comma after number %ld", path.text, read);
        if (read < Leaf<Array>::count) {
            words[read] = number;
            if (!holds(words[read], number)) fail("`%s`: number %ld does not fit its word", path.text, read);
        }
        ++read;
    }
    std::fclose(file);
    if (read != Leaf<Array>::count) fail("`%s` has %ld numbers, not %ld", path.text, read, Leaf<Array>::count);
    return holder->array;
}

/// Reads a layer's memory, `name` relative to the simulation's folder.
template <class Array>
const Array& memory(const char* name) {
    return memory<Array>(simulation.memories, name);
}

/// Whether an element's values need more than 32 bits, two's complement.
template <class Element>
constexpr bool is_wide = Element::value_bits + (Element::is_signed ? 0 : 1) > 32;

/// Word `index` of the next pixel of an array. Layers are given ones as padding, which shows any
/// dependence on it.
template <class F>
typename F::Word next_word(NpyReader& input, int index, bool ones) {
    typename F::Word word = ones ? -1 : 0;
    const int used = index == F::WORDS - 1 ? F::LAST : F::N;
    for (int i = 0; i < used; ++i) {
        const long long number = input.next();
        const typename F::Element::value value = number;
        const typename F::Element::code code = F::Element::encode(value);
        if (F::Element::decode(code).to_int64() != number) fail("the input %lld is not of the input's type", number);
        place<typename F::Element>(word, i, code);
    }
    return word;
}

/// Writes the elements of word `index` of a pixel, without its padding.
template <class F>
void record(NpyWriter& output, const typename F::Word& word, int index) {
    const int used = index == F::WORDS - 1 ? F::LAST : F::N;
    for (int i = 0; i < used; ++i) {
        output.next(F::Element::decode(element_of<typename F::Element>(word, i)).to_int64());
    }
}

template <class F>
void check_shape(const NpyReader& input, const char* path) {
    if (input.elements != long(F::PIXELS) * F::CHANNELS) {
        fail("`%s` has %ld elements a frame, not %d x %d", path, input.elements, F::PIXELS, F::CHANNELS);
    }
}

/// Cycles of the frames that a layer computed: of the first, and of each that followed it without a gap.
struct Pace {
    unsigned long first = 0, others = 0;
    long frames = 0;

    void note(unsigned long cycles) {
        if (frames == 0) first = cycles;
        if (frames == 1) others = cycles;
        if (frames > 1 && cycles != others) fail("frame %ld took %lu cycles, others %lu", frames, cycles, others);
        ++frames;
    }

    /// `[first, others]`, without the second where there was one frame.
    void write(const char* path) const {
        FILE* file = std::fopen(path, "w");
        if (!file) fail("cannot write `%s`", path);
        if (frames > 1) std::fprintf(file, "[%lu, %lu]\n", first, others);
        else std::fprintf(file, "[%lu]\n", first);
        if (std::fclose(file) != 0) fail("cannot write `%s`", path);
    }
};

/// Frames whose words a layer may take before the present one is done, at most: the next one, or as many as
/// the layer says.
template <class Unit, class = void>
constexpr int frames_ahead = 1;
template <class Unit>
constexpr int frames_ahead<Unit, std::void_t<decltype(Unit::AHEAD)>> = Unit::AHEAD;

/// The frames that a layer reads: its `Sources`, or its `Source` alone.
template <class Unit, class = void>
struct Read {
    using type = Frames<typename Unit::Source>;
};
template <class Unit>
struct Read<Unit, std::void_t<typename Unit::Sources>> {
    using type = typename Unit::Sources;
};

/// How many streams carry what a layer writes.
template <class Unit, class = void>
constexpr int copies = 1;
template <class Unit>
constexpr int copies<Unit, std::void_t<decltype(Unit::COPIES)>> = Unit::COPIES;

/// A stream that is fed from an array.
template <class F>
struct Feed {
    NpyReader array;
    typename F::Stream stream{"input"};
    static constexpr int WORDS = F::PIXELS * F::WORDS;

    explicit Feed(const char* path) : array(path) { check_shape<F>(array, path); }

    void frame() {
        for (int i = 0; i < WORDS; ++i) stream.write(next_word<F>(array, i % F::WORDS, true));
    }
    void check_rest(long frame, long frames) {
        const unsigned long rest = static_cast<unsigned long>(frames) * WORDS;
        if (stream.size() > rest) fail("frame %ld: input words were left over", frame);
    }
};

/// A stream that a layer writes.
template <class Unit>
struct Written {
    typename Unit::Output stream{"output"};
};

/// Takes a frame from all streams that carry it, which must be equal, and writes it once.
template <class Unit, int COPIES>
void take_frame(Written<Unit> (&out)[COPIES], NpyWriter& output, long frame) {
    using Sink = typename Unit::Sink;
    for (int i = 0; i < Sink::PIXELS * Sink::WORDS; ++i) {
        if (out[0].stream.empty()) fail("frame %ld: output word %d is missing", frame, i);
        const typename Sink::Word word = out[0].stream.read();
        record<Sink>(output, word, i % Sink::WORDS);
        for (int copy = 1; copy < COPIES; ++copy) {
            if (out[copy].stream.empty()) fail("frame %ld: word %d of output %d is missing", frame, i, copy);
            if (!(out[copy].stream.read() == word)) fail("frame %ld: word %d of output %d is another", frame, i, copy);
        }
    }
    for (auto& written : out) {
        if (!written.stream.empty()) fail("frame %ld: output words were left over", frame);
    }
}

/// Feeds a layer from the arrays `paths[0]`, `paths[1]`, ... and writes to the one behind them.
template <class Unit, class Layer, class... F, int... I, int... O>
Pace run_frames(char** paths, const Layer& layer, Frames<F...>, std::integer_sequence<int, I...>,
                std::integer_sequence<int, O...>) {
    using Sink = typename Unit::Sink;
    std::tuple<Feed<F>...> feeds(paths[I]...);
    const long frames = std::get<0>(feeds).array.frames;
    const auto same = [&](long others, const char* path) {
        if (others != frames) fail("`%s` has %ld frames, not %ld", path, others, frames);
    };
    (same(std::get<I>(feeds).array.frames, paths[I]), ...);
    NpyWriter output(paths[sizeof...(F)], is_wide<typename Sink::Element>, frames, Sink::PIXELS, Sink::CHANNELS);
    Written<Unit> out[sizeof...(O)];
    long fed = 0;
    Pace pace;
    for (long frame = 0; frame < frames; ++frame) {
        // Layers that take words early never find that there are none.
        for (; fed < frames && fed <= frame + frames_ahead<Unit>; ++fed) (std::get<I>(feeds).frame(), ...);
        const unsigned long before = cycles;
        layer(std::get<I>(feeds).stream..., out[O].stream...);
        pace.note(cycles - before);
        (std::get<I>(feeds).check_rest(frame, fed - frame - 1), ...);
        take_frame(out, output, frame);
    }
    return pace;
}

inline void check_usage(int argc, char** argv, int inputs) {
    if (argc == inputs + 3 || argc == inputs + 4) return;
    fail("usage: %s MEMORIES INPUT.npy%s OUTPUT.npy [CYCLES.json]", argv[0], inputs > 1 ? "..." : "");
}

/// Simulates one layer: `PROGRAM MEMORIES INPUT.npy... OUTPUT.npy [CYCLES.json]`, an array for each stream that it
/// reads. `layer` is a function of all streams, those that it reads first. Where several streams carry what it writes
/// they must be equal.
template <class Unit, class Layer>
int simulate_streams(int argc, char** argv, const Layer& layer) {
    using Sources = typename Read<Unit>::type;
    constexpr int INPUTS = Sources::COUNT;
    check_usage(argc, argv, INPUTS);
    const Pace pace = run_frames<Unit>(argv + 2, layer, Sources{}, std::make_integer_sequence<int, INPUTS>{},
                                       std::make_integer_sequence<int, copies<Unit>>{});
    if (argc == INPUTS + 4) pace.write(argv[INPUTS + 3]);
    return 0;
}

/// The same for a layer with memories. `names` are their files in the folder MEMORIES, in the order of the layer's
/// arguments.
template <class Unit, class In, class Out, class... Memories, class... Names>
int simulate(int argc, char** argv, void (*layer)(In&, Out&, const Memories&...), Names... names) {
    static_assert(sizeof...(Memories) == sizeof...(Names), "one file per memory");
    const auto run = [&](const Memories&... memories) {
        return simulate_streams<Unit>(argc, argv, [&](In& in, Out& out) { layer(in, out, memories...); });
    };
    check_usage(argc, argv, 1);
    return run(memory<Memories>(argv[1], names)...);
}

/// Simulates a network between its edges: `PROGRAM MEMORIES INPUT.npy OUTPUT.npy [TAPS]`.
/// MEMORIES is the folder that layers' memories are relative to; with TAPS every inner stream is
/// written to `TAPS/<name>.npy`.
template <class InputEdge, class OutputEdge>
int simulate_network(int argc, char** argv,
                     void (*top)(typename InputEdge::Stream&, typename OutputEdge::Stream&)) {
    using Source = typename InputEdge::Frame;
    using Sink = typename OutputEdge::Frame;
    if (argc != 4 && argc != 5) fail("usage: %s MEMORIES INPUT.npy OUTPUT.npy [TAPS]", argv[0]);
    NpyReader input(argv[2]);
    check_shape<Source>(input, argv[2]);
    simulation = {argv[1], argc == 5 ? argv[4] : nullptr, input.frames};
    NpyWriter output(argv[3], is_wide<typename Sink::Element>, input.frames, Sink::PIXELS, Sink::CHANNELS);
    typename InputEdge::Stream in("input");
    typename OutputEdge::Stream out("output");
    for (long frame = 0; frame < input.frames; ++frame) {
        for (int i = 0; i < Source::PIXELS * Source::WORDS; ++i) {
            typename InputEdge::Word word;
            word.data = next_word<Source>(input, i % Source::WORDS, false);
            word.keep = -1;
            word.strb = -1;
            word.last = i == Source::PIXELS * Source::WORDS - 1 ? 1 : 0;
            in.write(word);
        }
        top(in, out);
        if (!in.empty()) fail("frame %ld: input words were left over", frame);
        for (int i = 0; i < Sink::PIXELS * Sink::WORDS; ++i) {
            if (out.empty()) fail("frame %ld: output word %d is missing", frame, i);
            const typename OutputEdge::Word word = out.read();
            const bool last = i == Sink::PIXELS * Sink::WORDS - 1;
            if ((word.last == 1) != last) fail("frame %ld: TLAST is wrong on output word %d", frame, i);
            record<Sink>(output, typename Sink::Word(word.data), i % Sink::WORDS);
        }
        if (!out.empty()) fail("frame %ld: output words were left over", frame);
    }
    return 0;
}

/// The files that taps have open; closing them ends with the program.
struct OpenTap {
    const char* name;
    NpyWriter writer;
    OpenTap* next;
};
struct OpenTaps {
    OpenTap* first = nullptr;
    ~OpenTaps() {
        while (first) {
            OpenTap* next = first->next;
            delete first;
            first = next;
        }
    }
};
inline OpenTaps open_taps;

/// Writes one frame of an inner stream to its file and leaves the stream as it was. It also
/// checks that the frame has the right number of words.
template <class F>
void tap(typename F::Stream& stream, const char* name) {
    OpenTap* open = open_taps.first;
    while (simulation.taps && open && std::strcmp(open->name, name) != 0) open = open->next;
    if (simulation.taps && !open) {
        const Path path(simulation.taps, name, ".npy");
        open = open_taps.first = new OpenTap{
            name,
            {path.text, is_wide<typename F::Element>, simulation.frames, F::PIXELS, F::CHANNELS},
            open_taps.first};
    }
    const int words = F::PIXELS * F::WORDS;
    for (int i = 0; i < words; ++i) {
        if (stream.empty()) fail("stream `%s`: word %d is missing", name, i);
        const typename F::Word word = stream.read();
        if (open) record<F>(open->writer, word, i % F::WORDS);
        stream.write(word);
    }
    if (stream.size() != static_cast<unsigned long>(words)) fail("stream `%s`: words were left over", name);
}

}  // namespace finnp

/// In a top function: records an inner stream in C simulation, is nothing in synthesis.
#define FINNP_TAP(FRAME, STREAM, NAME) finnp::tap<FRAME>(STREAM, NAME)

#else

#define FINNP_TAP(FRAME, STREAM, NAME)

#endif  // __SYNTHESIS__

#endif
