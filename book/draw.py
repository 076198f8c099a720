"""Draws the figures of the pages on balanced pruning: `python3 draw.py FOLDER` writes one SVG file each.

The files are kept in `src/figures` and stand inside the page, where they take the colours of its theme:
whatever is not a fill of its own is drawn in `currentColor`. Nothing is needed but Python.
"""

import json
import sys
from pathlib import Path

LANES = ["#3a80cc", "#c06a24", "#339152", "#9166c6"]
GREY = "#6b7787"


def number(value):
    return f"{value:.1f}".removesuffix(".0")


class Drawing:
    """Elements of one figure, a line each; a blank line would end the HTML block of the page."""

    def __init__(self, width, height, title):
        self.lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" color="#888" '
            f'font-family="sans-serif" font-size="13" role="img" aria-label="{title}">'
        ]

    def rect(self, x, y, width, height, fill="none", fade=1.0, stroke="currentColor", line=1.0, dash="", radius=0):
        more = f' stroke-dasharray="{dash}"' if dash else ""
        more += f' fill-opacity="{number(fade) if fade in (0, 1) else fade}"' if fade != 1 else ""
        more += f' rx="{radius}"' if radius else ""
        self.lines.append(
            f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
            f'fill="{fill}" stroke="{stroke}" stroke-width="{line}"{more}/>'
        )

    def text(self, x, y, words, anchor="start", fill="currentColor", size=13, bold=False):
        more = f' text-anchor="{anchor}"' if anchor != "start" else ""
        more += f' font-size="{size}"' if size != 13 else ""
        more += ' font-weight="bold"' if bold else ""
        self.lines.append(f'<text x="{number(x)}" y="{number(y)}" fill="{fill}"{more}>{words}</text>')

    def path(self, points, stroke="currentColor", line=1.2, fade=1.0, head=False, dash=""):
        more = f' stroke-opacity="{fade}"' if fade != 1 else ""
        more += f' stroke-dasharray="{dash}"' if dash else ""
        way = " L".join(f"{number(x)} {number(y)}" for x, y in points)
        self.lines.append(f'<path d="M{way}" fill="none" stroke="{stroke}" stroke-width="{line}"{more}/>')
        if head:
            (x0, y0), (x, y) = points[-2:]
            length = ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5
            along, across = ((x - x0) / length, (y - y0) / length), ((y0 - y) / length, (x - x0) / length)
            left, right = (
                (x - 7 * along[0] + side * 3.5 * across[0], y - 7 * along[1] + side * 3.5 * across[1]) for side in (1, -1)
            )
            way = " ".join(f"{number(x)},{number(y)}" for x, y in [(x, y), left, right])
            self.lines.append(f'<polygon points="{way}" fill="{stroke}"/>')

    def brace(self, x, top, bottom, words):
        """A bracket to the left of rows, with words to its left."""
        self.path([(x, top), (x - 6, top), (x - 6, bottom), (x, bottom)])
        first, second = words
        self.text(x - 12, (top + bottom) / 2 - 3, first, "end")
        self.text(x - 12, (top + bottom) / 2 + 13, second, "end", size=12)

    def done(self):
        return "\n".join([*self.lines, "</svg>"]) + "\n"


def unstructured():
    """Weights removed anywhere: who reads what, and who waits."""
    d = Drawing(740, 330, "Unstructured sparsity needs a crossbar and leaves lanes idle")
    d.text(0, 16, "Every multiplier may need every activation", bold=True)
    cell, top = 17, 36
    chosen = [1, 6, 7, 14]
    for at in range(16):
        y = top + at * cell
        used = at in chosen
        d.rect(30, y, 52, cell, LANES[chosen.index(at)] if used else "none", stroke="currentColor")
        d.text(56, y + 13, f"x{at}", "middle", "#fff" if used else "currentColor", 11)
    inputs = [(84, top + at * cell + cell / 2) for at in range(16)]
    outputs = [(296, top + 34 + lane * 68) for lane in range(4)]
    for start in inputs:
        for end in outputs:
            d.path([start, end], fade=0.22, line=0.8)
    for lane, at in enumerate(chosen):
        d.path([inputs[at], outputs[lane]], LANES[lane], 2.4)
    for lane, (x, y) in enumerate(outputs):
        d.rect(x, y - 16, 32, 32, LANES[lane], stroke=LANES[lane], radius=4)
        d.text(x + 16, y + 6, "×", "middle", "#fff", 18)
    d.text(190, 326, "D · SIMD = 16 activations, 4 multipliers: 64 crossings", "middle", size=12)
    x0, wide = 448, 34
    d.text(x0 - 48, 16, "Rows side by side wait for the fullest", bold=True)
    for row, kept in enumerate([7, 2, 5, 3]):
        y = top + 22 + row * 46
        d.text(x0 - 8, y + 20, f"row {row}", "end")
        for step in range(7):
            busy = step < kept
            x = x0 + step * wide
            d.rect(x, y, wide - 4, 30, LANES[row] if busy else "none", stroke=LANES[row] if busy else "currentColor",
                   dash="" if busy else "3 3", radius=3)
            d.text(x + wide / 2 - 2, y + 20, "×" if busy else "idle", "middle", "#fff" if busy else "currentColor",
                   15 if busy else 10)
    y = top + 22 + 4 * 46 + 8
    d.path([(x0, y), (x0 + 7 * wide - 4, y)], head=True)
    d.text(x0 + 3.5 * wide, y + 18, "clock cycles", "middle", size=12)
    d.text(x0 + 3.5 * wide, y + 42, "17 of 28 slots used: 7 cycles where 4.25 would do", "middle", size=12)
    return d.done()


# Entry of its block that row group g keeps in block b of lane s: KEPT[g][s][b].
KEPT = [[[1, 3], [2, 0], [0, 2], [3, 1]], [[2, 1], [1, 3], [3, 0], [0, 2]]]


def grid():
    """Rows, row groups, lanes, blocks, kept entries; as the matrix lies, and sorted by lane."""
    d = Drawing(740, 452, "The grid: row groups, column lanes, blocks and kept entries")
    left, wide, high = 98, 19, 17

    def matrix(top, place):
        for column in range(32):
            lane, entry = column % 4, column // 4
            x = place(column)
            for row in range(8):
                kept = KEPT[row // 4][lane][entry // 4] == entry % 4
                d.rect(x, top + row * high + row // 4 * 5, wide, high, LANES[lane], 1 if kept else 0.14,
                       stroke="currentColor", line=0.4)
        for group in range(2):
            y = top + group * (4 * high + 5)
            d.brace(left - 6, y, y + 4 * high, [f"row group {group}", "Br = 4 rows"])

    d.text(0, 16, "The weight matrix as it is: column j lies in lane j mod 4", bold=True)
    for column in range(32):
        d.text(left + column * wide + wide / 2, 40, str(column % 4), "middle", LANES[column % 4], 11, True)
    d.text(left - 12, 40, "lane", "end", size=12)
    matrix(46, lambda column: left + column * wide)
    d.text(0, 234, "The same weights, columns sorted by lane", bold=True)

    def sorted_by_lane(column):
        lane, entry = column % 4, column // 4
        return left + lane * (8 * wide + 4) + entry * wide

    top = 264
    matrix(top, sorted_by_lane)
    for lane in range(4):
        x = sorted_by_lane(lane)
        d.text(x + 4 * wide, top - 8, f"lane {lane}, D = 8 entries", "middle", LANES[lane], 12, True)
        for group in range(2):
            for block in range(2):
                d.rect(x + block * 4 * wide, top + group * (4 * high + 5), 4 * wide, 4 * high, line=2)
        d.text(x + 4 * wide, top + 8 * high + 24, "1 + 1 kept", "middle", size=12)
    y = top + 8 * high + 46
    d.rect(left, y - 11, 14, 14, "none", line=2)
    d.text(left + 22, y, "block: Br = 4 rows × Bc = 4 entries of a lane")
    d.rect(left + 318, y - 11, 14, 14, GREY, stroke="none")
    d.text(left + 340, y, "kept: c = 1 column of each block")
    return d.done()


def banks():
    """Lane banks with an address of their own, and the multipliers behind them."""
    d = Drawing(740, 462, "Lane banks: each lane reads its own bank at its own index")
    index, bank_x, wide, high, top = [5, 2, 0, 7], 250, 64, 19, 92
    gap = 104
    d.text(bank_x + 1.5 * gap + wide / 2, 16, "input word t of a pixel: SIMD = 4 activations", "middle")
    d.text(0, 74, "index memory", bold=True)
    d.text(0, 92, "row group g, step k", size=12)
    for lane in range(4):
        x = bank_x + lane * gap
        d.rect(x, 26, wide, 22, LANES[lane], 0.25, stroke=LANES[lane])
        d.text(x + wide / 2, 42, f"x[4t+{lane}]", "middle", size=12)
        d.path([(x + wide / 2, 48), (x + wide / 2, top - 2)], LANES[lane], head=True)
        d.text(x + wide / 2 + 5, top - 14, "word t", size=10)
        for word in range(8):
            chosen = word == index[lane]
            y = top + word * high
            d.rect(x, y, wide, high, LANES[lane], 1 if chosen else 0.12, stroke="currentColor", line=0.6)
            d.text(x + wide / 2, y + 14, f"x[{4 * word + lane}]", "middle", "#fff" if chosen else "currentColor", 11)
        d.text(x + wide / 2, top + 8 * high + 16, f"bank {lane}", "middle", LANES[lane], 12, True)
    for lane in range(4):
        y = top + 22 + lane * 34
        d.rect(0, y, 108, 24, LANES[lane], stroke=LANES[lane], radius=3)
        d.text(54, y + 17, f"index[g][{lane}] = {index[lane]}", "middle", "#fff", 12)
        # Each address runs in a track of its own, under the banks that it passes.
        track, x, port = top + 8 * high + 26 + (3 - lane) * 7, bank_x + lane * gap, top + (index[lane] + 0.5) * high
        bend = 128 + (3 - lane) * 18
        d.path([(108, y + 12), (bend, y + 12), (bend, track), (x - 16, track), (x - 16, port), (x - 2, port)],
               LANES[lane], 1.8, head=True)
    rows = top + 8 * high + 74
    d.text(0, rows + 22, "PE = Br = 4 rows share", size=12)
    d.text(0, rows + 38, "the four activations;", size=12)
    d.text(0, rows + 54, "each has its own weights:", size=12)
    d.text(0, rows + 70, "weight[4][4] of step k", size=12)
    for lane in range(4):
        x = bank_x + lane * gap + wide / 2
        d.path([(x, top + 8 * high + 52), (x, rows + 4 * 40 - 24)], LANES[lane], 1.8)
        d.path([(x, top + 8 * high + 20), (x, top + 8 * high + 52)], LANES[lane], 1.8)
    for row in range(4):
        y = rows + row * 40
        d.path([(bank_x + wide / 2, y), (bank_x + 3 * gap + wide / 2 + 44, y)], fade=0.5, head=True)
        for lane in range(4):
            x = bank_x + lane * gap + wide / 2
            d.rect(x - 13, y - 13, 26, 26, LANES[lane], stroke=LANES[lane], radius=13)
            d.text(x, y + 5, "×", "middle", "#fff", 16)
        d.text(bank_x + 3 * gap + wide / 2 + 50, y + 5, f"Σ row {row}", size=12)
    return d.done()


def timeline():
    """What a layer does in 72 cycles: dense, and at three densities."""
    d = Drawing(740, 392, "Pixels in 72 cycles: dense, and with 4, 2 and 1 kept entries per fold")
    left, cycle, end = 128, 8.4, 72
    d.text(0, 16, "NF = 4 row folds, D = 8 words a pixel; each fold keeps n entries of every lane", bold=True)
    for number_of, kept in enumerate([8, 4, 2, 1]):
        top = 40 + number_of * 82
        busy, takes = 4 * kept, max(4 * kept, 8)
        d.text(0, top + 14, "dense, n = 8" if kept == 8 else f"n = {kept}, density 1/{8 // kept}", bold=True, size=12)
        d.text(0, top + 31, f"{takes} cycles a pixel", size=12)
        d.text(0, top + 47, {8: "", 4: "twice as fast", 2: "4 times as fast", 1: "4 times, not 8"}[kept], size=12)
        d.text(left - 6, top + 14, "in", "end", size=11)
        d.text(left - 6, top + 43, "×", "end")
        for pixel in range(end):
            colour = LANES[pixel % 4]
            # A pixel may come in as soon as the pixel two before it is done: there are two halves.
            start, arrives = 8 + pixel * takes, 0 if pixel == 0 else 8 + (pixel - 1) * takes
            if arrives < end:
                d.rect(left + arrives * cycle, top, 8 * cycle, 19, colour, 0.3, stroke=colour)
                d.text(left + (arrives + 4) * cycle, top + 14, f"pixel {pixel}", "middle", size=11)
            if start >= end:
                break
            for fold in range(4):
                x = left + (start + fold * kept) * cycle
                d.rect(x, top + 27, kept * cycle, 22, colour, stroke="currentColor", line=0.8)
                if kept > 1:
                    words = f"fold {fold}" if kept == 8 else str(fold)
                    d.text(x + kept * cycle / 2, top + 42, words, "middle", "#fff", 11)
            if busy < takes:
                d.rect(left + (start + busy) * cycle, top + 27, (takes - busy) * cycle, 22, dash="3 3", line=0.8)
                d.text(left + (start + (busy + takes) / 2) * cycle, top + 42, "idle", "middle", size=10)
    y = 372
    for mark in range(0, end + 1, 8):
        x = left + mark * cycle
        d.path([(x, 34), (x, y - 8)], fade=0.18)
        d.text(x, y + 6, str(mark), "middle", size=11)
    d.text(left - 14, y + 6, "cycle", "end", size=11)
    return d.done()


def refinement():
    """Four lanes of the grid read as four, two and one lane of the hardware."""
    d = Drawing(740, 372, "What is balanced on four lanes is balanced on two and on one")
    left, wide, high = 118, 19, 24
    d.text(0, 16, "One row of the grid: 4 lanes of 8 entries, 2 kept in each", bold=True)
    columns = [(column % 4, KEPT[0][column % 4][column // 16] == column // 4 % 4) for column in range(32)]
    top = 34
    for parts, words in [(4, "SIMD = 4"), (2, "SIMD = 2"), (1, "SIMD = 1")]:
        d.text(0, top + 17, words, bold=True)
        d.text(0, top + 34, f"{8 // parts} steps a fold", size=12)
        each = 4 // parts
        for lane in range(parts):
            # Hardware lanes two to a row, one where they are twice as long.
            y = top + lane // (2 if parts == 4 else 1) * (high + 22)
            x0 = left + (lane % 2 * (8 * wide + 50) if parts == 4 else 0)
            for at, column in enumerate(range(lane, 32, parts)):
                own, kept = columns[column]
                d.rect(x0 + at * wide, y, wide, high, LANES[own], 1 if kept else 0.14, stroke="currentColor", line=0.5)
                d.text(x0 + at * wide + wide / 2, y + 16, str(column), "middle", "#fff" if kept else "currentColor", 10)
            words = f"lane {lane}: {2 * each} kept"
            if parts == 1:
                d.text(x0, y + high + 15, words, size=12)
            else:
                d.text(x0, y + high + 15, words + ("" if parts == 4 else f" (grid lanes {lane} and {lane + 2})"), size=12)
        top += (2 if parts > 1 else 1) * (high + 22) + 28
    d.text(0, 364, "Every lane of the hardware keeps equally many, so no lane waits for another at any SIMD that divides 4.", size=12)
    return d.done()


def speed():
    """Cycles against density of one layer in three units, as they were counted, beside what would be ideal."""
    rows = json.loads((Path(__file__).parent / "src/mvau.json").read_text())["speed"]
    drawn = {"rows": 64, "columns": 256, "pe": 8, "simd": 8}
    rows = [row for row in rows if all(row[key] == value for key, value in drawn.items())]
    dense, words = rows[0]["dense_cycles"], drawn["columns"] // drawn["simd"]
    d = Drawing(740, 420, "Cycles from pixel to pixel against the share of weights that are kept")
    d.text(0, 16, "A layer of 64 × 256 weights of 4 bits, PE = 8, SIMD = 8, counted in Verilator", bold=True)
    left, right, top, bottom = 62, 716, 40, 364

    def x(density):
        return left + density * (right - left)

    def y(cycles):
        return bottom - cycles / 288 * (bottom - top)

    for cycles in range(0, 257, 32):
        d.path([(left, y(cycles)), (right, y(cycles))], fade=0.15, line=1)
        d.text(left - 8, y(cycles) + 4, str(cycles), "end", size=12)
    for eighth in range(9):
        d.path([(x(eighth / 8), bottom), (x(eighth / 8), bottom + 5)], line=1)
        d.text(x(eighth / 8), bottom + 20, ["0", "1/8", "1/4", "3/8", "1/2", "5/8", "3/4", "7/8", "1"][eighth], "middle", size=12)
    d.path([(left, top), (left, bottom), (right, bottom)], line=1.2)
    d.text(left, top - 8, "cycles a pixel", "start", size=12)
    d.text((left + right) / 2, bottom + 42, "density: weights that are kept", "middle", size=12)

    # What is ideal, and what no pruning moves.
    d.path([(x(0), y(0)), (x(1), y(dense))], stroke=GREY, line=1.6)
    d.path([(left, y(words)), (right, y(words))], stroke=GREY, line=1.4, dash="6 4")
    d.text(right, y(words) - 7, f"a pixel arrives: {words} words", "end", size=12)

    def circle(at, cycles, fill):
        d.lines.append(
            f'<circle cx="{number(at)}" cy="{number(cycles)}" r="5.5" fill="{fill}" stroke="currentColor" stroke-width="0.8"/>'
        )

    def triangle(at, cycles, fill):
        points = [(0, -9), (8, 6), (-8, 6)]
        way = " ".join(f"{number(at + dx)},{number(cycles + dy)}" for dx, dy in points)
        d.lines.append(f'<polygon points="{way}" fill="none" stroke="{fill}" stroke-width="2"/>')

    def square(at, cycles, fill):
        d.rect(at - 5.5, cycles - 5.5, 11, 11, fill, line=0.8)

    kinds = [
        ("dense", square, LANES[2]),
        ("columns of a block, bcr-col", circle, LANES[0]),
        ("rows and columns of a block, bcr", triangle, LANES[1]),
    ]
    square(x(1), y(dense), LANES[2])
    for row in rows:
        _, mark, colour = kinds[1 if row["form"] == "bcr-col" else 2]
        mark(x(row["density"]), y(row["cycles"]), colour)
    for at, (words, mark, colour) in enumerate(kinds):
        # Between the lines of the grid.
        mark(left + 34, top + 18 + at * 36, colour)
        d.text(left + 50, top + 23 + at * 36, words)
    d.path([(left + 22, top + 126), (left + 44, top + 126)], stroke=GREY, line=1.6)
    d.text(left + 50, top + 131, "ideal: dense cycles × density")
    return d.done()


FIGURES = [unstructured, grid, banks, timeline, refinement, speed]

if __name__ == "__main__":
    for figure in FIGURES:
        (Path(sys.argv[1]) / f"{figure.__name__}.svg").write_text(figure())
