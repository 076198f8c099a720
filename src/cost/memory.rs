//! Memories: which shapes of which primitives they become. The choice is that of Yosys' `memory_libmap` for UltraScale+,
//! whose costs stand in its files `brams_xc4v.txt` and `lutrams_xcu.txt`.
//! Must not know what is kept.

use super::share::Share;

/// Width, and address bits, in which a block memory can be read.
const BLOCKS: &[(u64, u32)] = &[(1, 14), (2, 13), (4, 12), (9, 11), (18, 10), (36, 9)];
/// The same for blocks of twice the size.
const DOUBLE_BLOCKS: &[(u64, u32)] = &[
    (1, 15),
    (2, 14),
    (4, 13),
    (9, 12),
    (18, 11),
    (36, 10),
    (72, 9),
];
/// What Yosys counts a block memory as, and one of twice the size.
const BLOCK_COST: f64 = 129.0;
const DOUBLE_BLOCK_COST: f64 = 257.0;

/// Bits that eight look-up tables keep side by side, at 32 and at 64 words (`RAM32M16`, `RAM64M8`), and what Yosys
/// counts them as.
const NARROW: u64 = 7;
const WIDE: u64 = 14;
const SLICE_COST: f64 = 16.0;
/// Words of a `RAM64M8`.
const STACK: u64 = 64;

/// Words up to which a bank is made of look-up tables, as `finnp_bank` asks for.
const SHALLOW: u64 = 128;

/// Block memories of a memory, and what Yosys counts these as. Words that lie in several blocks are chosen from.
#[derive(Clone, Copy)]
struct Blocks {
    count: u64,
    cost: f64,
    rows: u64,
}

fn blocks(width: u64, words: u64) -> Blocks {
    let sizes = [
        (BLOCKS, 1, BLOCK_COST),
        (DOUBLE_BLOCKS, 2, DOUBLE_BLOCK_COST),
    ];
    let forms = sizes.iter().flat_map(|(forms, size, cost)| {
        forms.iter().map(move |(bits, at_bits)| {
            let rows = words.div_ceil(1 << at_bits);
            let count = width.div_ceil(*bits) * rows;
            Blocks {
                count: count * size,
                cost: count as f64 * cost,
                rows,
            }
        })
    });
    let first = Blocks {
        count: 0,
        cost: f64::INFINITY,
        rows: 1,
    };
    forms.fold(first, |best, form| match form.cost < best.cost {
        true => form,
        false => best,
    })
}

/// Multiplexer of one bit of so many.
fn choose(count: u64) -> f64 {
    match count {
        0 | 1 => 0.0,
        2 | 4 => 1.0,
        _ => 1.0 + count.div_ceil(4) as f64,
    }
}

/// A memory that is written and read, without the registers around it.
fn tables(width: u64, words: u64) -> Share {
    let (stacks, rest) = (words / STACK, words % STACK);
    let rest_tables = match rest {
        0 => 0,
        1..=32 => 8 * width.div_ceil(WIDE),
        _ => 8 * width.div_ceil(NARROW),
    };
    let all = stacks + u64::from(rest > 0);
    let decode = if all > 1 { all as f64 } else { 0.0 };
    Share {
        lut: width as f64 * choose(all) + decode,
        memory: stacks * 8 * width.div_ceil(NARROW) + rest_tables,
        ..Share::default()
    }
}

/// What Yosys counts look-up tables as that keep so much.
fn tables_cost(width: u64, words: u64) -> f64 {
    let (stacks, rest) = (words / STACK, words % STACK);
    let of = |bits: u64| SLICE_COST * width as f64 / bits as f64;
    let rest_cost = match rest {
        0 => 0.0,
        1..=32 => of(WIDE),
        _ => of(NARROW),
    };
    stacks as f64 * of(NARROW) + rest_cost
}

/// A memory that is read in the next cycle: its register lies in the block, or behind the look-up tables.
fn registered(width: u64, words: u64, shallow: bool) -> Share {
    let blocks = blocks(width, words);
    if shallow || tables_cost(width, words) <= blocks.cost {
        return tables(width, words) + Share::ff(width);
    }
    Share {
        lut: width as f64 * choose(blocks.rows),
        bram18: blocks.count,
        ..Share::default()
    }
}

/// `finnp_bank`.
pub(super) fn bank(width: u64, words: u64) -> Share {
    registered(width, words, words <= SHALLOW)
}

/// The memory of `finnp_fifo` and the register behind it.
pub(super) fn queue(width: u64, words: u64) -> Share {
    match words {
        // A register instead of a memory.
        1 => Share::ff(2 * width),
        _ => registered(width, words, false),
    }
}

/// Different functions of an address among so many random ones: bits that are equal in all words of a memory are kept
/// once, and bits that never change are not kept.
pub(super) fn distinct(count: u64, words: u64) -> u64 {
    if words > 24 {
        return count;
    }
    let functions = f64::from(1_u32 << words);
    let expected = (functions - 2.0) * (1.0 - (1.0 - 1.0 / functions).powf(count as f64));
    (expected.round() as u64).min(count)
}

/// `finnp_rom`: constants, the register of the memory and the one behind it.
pub(super) fn rom(width: u64, words: u64) -> Share {
    let width = distinct(width, words);
    let blocks = blocks(width, words);
    let tables = words.div_ceil(64);
    if (width * words) as f64 / 64.0 > blocks.cost {
        return Share {
            lut: width as f64 * choose(blocks.rows),
            bram18: blocks.count,
            ff: width,
            ..Share::default()
        };
    }
    // Up to four tables are joined by multiplexers that are there anyway.
    let joined = if tables > 4 { 3.0 } else { 0.0 };
    let each = if words > 2 {
        tables as f64 + joined
    } else {
        0.0
    };
    Share {
        lut: width as f64 * each,
        ff: 2 * width,
        ..Share::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Yosys 0.70 makes of `finnp_bank` and `finnp_rom` (random words) for `-family xcup`: look-up tables that are memories, block
    /// memories of 18 kbit, flip-flops.
    #[test]
    fn memories_have_the_shapes_that_yosys_gives_them() {
        let banks: &[(u64, u64, [u64; 3])] = &[
            (1, 2, [8, 0, 1]),
            (8, 32, [8, 0, 8]),
            (8, 64, [16, 0, 8]),
            (8, 65, [24, 0, 8]),
            (8, 100, [32, 0, 8]),
            (8, 129, [40, 0, 8]),
            (8, 256, [64, 0, 8]),
            (8, 300, [80, 0, 8]),
            (8, 512, [0, 1, 0]),
            (16, 512, [0, 1, 0]),
            (4, 1000, [0, 1, 0]),
            (8, 2048, [0, 1, 0]),
            (36, 600, [0, 2, 0]),
            (8, 4096, [0, 2, 0]),
            (32, 2000, [0, 4, 0]),
        ];
        for (width, words, expected) in banks {
            let found = bank(*width, *words);
            let found = [found.memory, found.bram18, found.ff];
            assert_eq!(found, *expected, "a bank of {words} words of {width} bits");
        }
        let roms: &[(u64, u64, [u64; 2])] = &[
            (8, 64, [0, 16]),
            (8, 1024, [0, 16]),
            (256, 64, [0, 512]),
            (1024, 64, [0, 2048]),
            (32, 512, [1, 32]),
            (36, 512, [1, 36]),
            (40, 512, [2, 40]),
            (72, 512, [2, 72]),
            (9, 2048, [1, 9]),
            (4, 4096, [1, 4]),
            (8, 4096, [2, 8]),
            (2, 8192, [1, 2]),
            (1, 16384, [1, 1]),
        ];
        for (width, words, expected) in roms {
            let found = rom(*width, *words);
            assert_eq!(
                [found.bram18, found.ff],
                *expected,
                "a ROM of {words} words of {width} bits"
            );
        }
    }
}
