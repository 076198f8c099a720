// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// A window that slides over a picture: a ring of rows that fills while the window reads it.
//
// The picture arrives row by row in words of PE elements, which are parts of a pixel, or several pixels. A step looks
// at LANES positions of the kernel and at CHUNK channels of each. Steps go through places, then groups of GROUP
// channels, then positions, then the chunks of a group; frames follow each other without a gap.
//
// In a cycle one word is taken where there is room, and one step is made where all that its place looks at has
// arrived. There is room for as many rows as the window spans and as many more as it moves on; of a row that is looked
// at for the last time, what the window has passed is free.
//
// What a step looks at is there three cycles later: after the addresses, the memory, and the choice of the chunk and
// of the padding there is a register each. Words are written as late as memories are read, so that accesses have the
// order of the steps.
`default_nettype none

module finnp_window #(
    /// The picture.
    parameter int unsigned ROWS = 3,
    parameter int unsigned COLUMNS = 3,
    parameter int unsigned CHANNELS = 1,
    /// What the window looks at, how far from place to place, and from one position to the next.
    parameter int unsigned KERNEL_ROWS = 3,
    parameter int unsigned KERNEL_COLUMNS = 3,
    parameter int unsigned STRIDE_ROWS = 1,
    parameter int unsigned STRIDE_COLUMNS = 1,
    parameter int unsigned DILATION_ROWS = 1,
    parameter int unsigned DILATION_COLUMNS = 1,
    /// Padding above and to the left.
    parameter int unsigned TOP = 0,
    parameter int unsigned LEFT = 0,
    parameter int unsigned PLACE_ROWS = 1,
    parameter int unsigned PLACE_COLUMNS = 1,
    parameter int unsigned PE = 1,
    parameter int unsigned GROUP = 1,
    parameter int unsigned CHUNK = 1,
    parameter int unsigned LANES = 1,
    parameter int unsigned IN_BITS = 8,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned IN_KIND = 0,
    /// A type that holds the input's, and the two constants below.
    parameter int unsigned OUT_BITS = 8,
    parameter int unsigned OUT_KIND = 0,
    /// What is seen in the padding, and at positions that the kernel does not have.
    parameter longint PAD = 0,
    parameter longint ABSENT = 0,
    /// Whether each step makes a word, or only the last one of a group.
    parameter bit EVERY = 1'b0
) (
    input  wire                            clk,
    input  wire                            rst,
    input  wire                            in_valid,
    output wire                            in_ready,
    input  wire [PE*IN_BITS-1:0]           in_data,
    /// Whether there is room for a word that is made.
    input  wire                            room,
    /// A step is made: is it the first of its group, and does it make a word?
    output wire                            step,
    output wire                            begins,
    output wire                            makes,
    /// Lane by lane, what it looks at, three cycles later.
    output wire [LANES*CHUNK*OUT_BITS-1:0] elements
);
    function automatic int unsigned common_divisor(int unsigned a, int unsigned b);
        int unsigned rest;
        common_divisor = a;
        while (b != 0) begin
            rest = common_divisor % b;
            common_divisor = b;
            b = rest;
        end
    endfunction

    function automatic int unsigned larger(int unsigned a, int unsigned b);
        larger = a > b ? a : b;
    endfunction

    /// Bits of a counter of so many values.
    function automatic int unsigned index_bits(int unsigned values);
        index_bits = values > 1 ? unsigned'($clog2(values)) : 1;
    endfunction

    // Steps.
    localparam int unsigned POSITIONS = KERNEL_ROWS * KERNEL_COLUMNS;
    localparam int unsigned STEPS = (POSITIONS + LANES - 1) / LANES;
    localparam int unsigned GROUPS = CHANNELS / GROUP;
    localparam int unsigned PARTS = GROUP / CHUNK;
    localparam int unsigned SPAN_ROWS = (KERNEL_ROWS - 1) * DILATION_ROWS + 1;
    localparam int unsigned SPAN_COLUMNS = (KERNEL_COLUMNS - 1) * DILATION_COLUMNS + 1;

    // The memory: lines of which words and chunks are parts, and which are parts of a pixel or several pixels.
    localparam int unsigned TOGETHER = PE > CHANNELS ? PE / CHANNELS : 1;
    localparam int unsigned LINE = PE / common_divisor(PE, CHUNK) * CHUNK;
    localparam int unsigned BANKS = LINE / PE;
    localparam int unsigned LINES = COLUMNS * CHANNELS / LINE;
    localparam int unsigned RING = SPAN_ROWS + STRIDE_ROWS;
    // Lines of a pixel where it has whole ones; chunks of a line that belong to one pixel.
    localparam int unsigned PIXEL_LINES = TOGETHER > 1 ? 1 : CHANNELS / LINE;
    localparam int unsigned PIECES = LINE / CHUNK / TOGETHER;

    localparam int unsigned BANK_BITS = index_bits(BANKS);
    localparam int unsigned AT_BITS = index_bits(RING * LINES);
    localparam int unsigned SLOT_BITS = index_bits(RING);
    localparam int unsigned PART_BITS = index_bits(PARTS);
    localparam int unsigned STEP_BITS = index_bits(STEPS);
    localparam int unsigned GROUP_BITS = index_bits(GROUPS);
    localparam int unsigned PIECE_BITS = index_bits(PIECES);
    localparam int unsigned REST_BITS = index_bits(TOGETHER);

    // Rows and columns are signed, and below 0 in the padding; so are lines, counted from the beginning of a row.
    localparam int unsigned FAR_ROWS =
        larger(larger(ROWS, STRIDE_ROWS), larger(TOP, (PLACE_ROWS - 1) * STRIDE_ROWS)) + RING;
    localparam int unsigned FAR_COLUMNS =
        larger(COLUMNS, larger(LEFT, (PLACE_COLUMNS - 1) * STRIDE_COLUMNS) + SPAN_COLUMNS);
    localparam int unsigned ROW_BITS = unsigned'($clog2(FAR_ROWS + 1)) + 1;
    localparam int unsigned COLUMN_BITS = unsigned'($clog2(FAR_COLUMNS + 1)) + 1;
    localparam int unsigned LINE_BITS = unsigned'($clog2((FAR_COLUMNS / TOGETHER + 2) * PIXEL_LINES + 1)) + 1;

    typedef logic signed [ROW_BITS-1:0] row_t;
    typedef logic signed [COLUMN_BITS-1:0] column_t;
    typedef logic signed [LINE_BITS-1:0] line_t;
    typedef logic [REST_BITS-1:0] rest_t;

    /// The line of a column, rounded down.
    function automatic int line_of(int column);
        if (TOGETHER == 1) line_of = column * int'(PIXEL_LINES);
        else if (column >= 0) line_of = column / int'(TOGETHER);
        else line_of = -((int'(TOGETHER) - 1 - column) / int'(TOGETHER));
    endfunction

    /// Pixels of that line before the column.
    function automatic int unsigned rest_of(int column);
        rest_of = TOGETHER == 1 ? 0 : unsigned'(column - line_of(column) * int'(TOGETHER));
    endfunction

    // ---- What arrives: where the next word goes, and how many rows of the picture are complete. These may be rows of
    // the next picture, and are below 0 where rows are left that nobody looks at.
    logic [BANK_BITS-1:0] bank;
    line_t fill_line;
    logic [AT_BITS-1:0] fill_at;
    row_t rows;

    wire take = in_valid && in_ready;
    wire last_bank = bank == BANK_BITS'(BANKS - 1);
    wire fills = take && last_bank && fill_line == line_t'(LINES - 1);

    logic write;
    logic [BANKS-1:0] write_bank;
    logic [AT_BITS-1:0] write_at;
    logic [PE*IN_BITS-1:0] write_data;
    always_ff @(posedge clk) begin
        if (take) begin
            bank <= last_bank ? '0 : bank + 1'b1;
            if (last_bank) begin
                fill_line <= fills ? line_t'(0) : fill_line + line_t'(1);
                fill_at <= fill_at == AT_BITS'(RING * LINES - 1) ? '0 : fill_at + 1'b1;
            end
        end
        write <= take;
        if (rst) begin
            bank <= '0;
            fill_line <= '0;
            fill_at <= '0;
            write <= 1'b0;
        end
    end
    always_ff @(posedge clk) begin
        for (int unsigned b = 0; b < BANKS; b++) write_bank[b] <= bank == BANK_BITS'(b);
        write_at <= fill_at;
        write_data <= in_data;
    end

    // ---- The present step.
    wire [PART_BITS-1:0] part;
    wire [STEP_BITS-1:0] index;
    wire [GROUP_BITS-1:0] group;
    wire last_part, last_index, last_group;
    wire next_index = step && last_part;
    wire next_group = next_index && last_index;
    finnp_counter #(.COUNT(PARTS)) part_counter (.clk, .rst, .step, .at(part), .last(last_part));
    finnp_counter #(.COUNT(STEPS)) index_counter (.clk, .rst, .step(next_index), .at(index), .last(last_index));
    finnp_counter #(.COUNT(GROUPS)) group_counter (.clk, .rst, .step(next_group), .at(group), .last(last_group));
    wire unused = &{1'b0, part, group};

    // The first row and column of the window.
    row_t top;
    column_t left;
    wire last_row = top == row_t'(int'((PLACE_ROWS - 1) * STRIDE_ROWS) - int'(TOP));
    wire last_column = left == column_t'(int'((PLACE_COLUMNS - 1) * STRIDE_COLUMNS) - int'(LEFT));

    wire next_place = next_group && last_group;
    wire next_row = next_place && last_column;
    wire next_frame = next_row && last_row;

    // ---- Rows: those that must be complete before the last one that the present places look at, whether these look
    // at any row of the picture at all, how many may be complete before there is no room, and whether later places no
    // longer look at the first.
    localparam int FIRST_TOP = -int'(TOP);
    localparam bit ONE_ROW = PLACE_ROWS == 1;

    function automatic int clamped(int low, int value, int high);
        clamped = value < low ? low : value > high ? high : value;
    endfunction

    function automatic bit looks_at(int row);
        looks_at = row + int'(SPAN_ROWS) > 0 && row < int'(ROWS);
    endfunction

    function automatic bit frees_at(int row, bit last);
        frees_at = row < int'(ROWS) && (last || row + int'(STRIDE_ROWS) > 0);
    endfunction

    row_t nearly, limit;
    logic looks, frees;
    localparam row_t ONE = row_t'(1);
    localparam row_t BELOW = row_t'(ROWS);
    localparam row_t MOVE = row_t'(STRIDE_ROWS);
    localparam row_t SPAN = row_t'(SPAN_ROWS);
    localparam row_t KEPT = row_t'(RING);
    // The next row of places is the last one.
    wire second_last = top == row_t'((int'(PLACE_ROWS) - 2) * int'(STRIDE_ROWS) - int'(TOP));
    wire row_t next_top = top + MOVE;

    always_ff @(posedge clk) begin
        if (next_row) begin
            top <= next_top;
            nearly <= top >= BELOW - SPAN - MOVE ? BELOW - ONE : top <= -SPAN - MOVE ? -ONE : top + (SPAN + MOVE - ONE);
            limit <= top >= BELOW - MOVE ? BELOW + KEPT : top <= -MOVE ? KEPT : top + (KEPT + MOVE);
            looks <= top > -SPAN - MOVE && top < BELOW - MOVE;
            frees <= top < BELOW - MOVE && (second_last || top > -MOVE - MOVE);
        end
        if (next_frame || rst) begin
            top <= row_t'(FIRST_TOP);
            nearly <= row_t'(clamped(0, FIRST_TOP + int'(SPAN_ROWS), int'(ROWS)) - 1);
            limit <= row_t'(clamped(0, FIRST_TOP, int'(ROWS)) + int'(RING));
            looks <= looks_at(FIRST_TOP);
            frees <= frees_at(FIRST_TOP, ONE_ROW);
        end
    end

    always_ff @(posedge clk) begin
        rows <= rows + row_t'(fills) - (next_frame ? BELOW : row_t'(0));
        if (rst) rows <= '0;
    end

    // ---- Columns: where the window begins and ends, as a column, and as a line and pixels of it, the end rounded up.
    localparam int FIRST_LEFT = -int'(LEFT);
    localparam int FIRST_END = FIRST_LEFT + int'(SPAN_COLUMNS) + int'(TOGETHER) - 1;
    localparam line_t MOVE_LINES = line_t'(line_of(int'(STRIDE_COLUMNS)));
    localparam int unsigned MOVE_REST = rest_of(int'(STRIDE_COLUMNS));

    line_t left_line, end_line;
    rest_t left_rest, end_rest;
    wire left_wraps = TOGETHER > 1 && left_rest >= rest_t'(TOGETHER - MOVE_REST) && MOVE_REST > 0;
    wire end_wraps = TOGETHER > 1 && end_rest >= rest_t'(TOGETHER - MOVE_REST) && MOVE_REST > 0;
    wire line_t next_left_line =
        last_column ? line_t'(line_of(FIRST_LEFT)) : left_line + MOVE_LINES + line_t'({1'b0, left_wraps});

    always_ff @(posedge clk) begin
        if (next_place) begin
            left <= left + column_t'(STRIDE_COLUMNS);
            left_rest <= left_wraps ? left_rest - rest_t'(TOGETHER - MOVE_REST) : left_rest + rest_t'(MOVE_REST);
            end_line <= end_line + MOVE_LINES + line_t'({1'b0, end_wraps});
            end_rest <= end_wraps ? end_rest - rest_t'(TOGETHER - MOVE_REST) : end_rest + rest_t'(MOVE_REST);
            left_line <= next_left_line;
        end
        if (next_row || rst) begin
            left <= column_t'(FIRST_LEFT);
            left_rest <= rest_t'(rest_of(FIRST_LEFT));
            end_line <= line_t'(line_of(FIRST_END));
            end_rest <= rest_t'(rest_of(FIRST_END));
        end
        if (rst) left_line <= line_t'(line_of(FIRST_LEFT));
    end

    // ---- Where the first position's chunk of the step lies: its line, and its place among the pieces of a pixel.
    line_t at_line, group_line;
    logic [PIECE_BITS-1:0] at_piece, group_piece;
    wire last_piece = at_piece == PIECE_BITS'(PIECES - 1);
    wire [PIECE_BITS-1:0] next_piece = last_piece ? '0 : at_piece + 1'b1;
    wire line_t next_line = TOGETHER == 1 && last_piece ? at_line + line_t'(1) : at_line;

    always_ff @(posedge clk) begin
        if (step) begin
            at_line <= next_line;
            at_piece <= next_piece;
        end
        if (next_index && !last_index) begin
            at_line <= group_line;
            at_piece <= group_piece;
        end
        if (next_group) begin
            group_line <= next_line;
            group_piece <= next_piece;
        end
        if (next_place) begin
            at_line <= next_left_line;
            group_line <= next_left_line;
        end
        if (next_place || rst) begin
            at_piece <= '0;
            group_piece <= '0;
        end
        if (rst) begin
            at_line <= line_t'(line_of(FIRST_LEFT));
            group_line <= line_t'(line_of(FIRST_LEFT));
        end
    end

    // ---- What steps and words wait for.
    wire arrived = rows > nearly || (looks && rows == nearly && fill_line >= end_line);
    assign in_ready = rows < limit || (frees && rows == limit && fill_line < left_line);
    assign makes = EVERY || (last_part && last_index);
    assign begins = index == 0;
    assign step = arrived && (room || !makes);

    // ---- The ring slot of the first row of the window; frames follow each other around the ring.
    localparam int unsigned FRAME_MOVE =
        (ROWS + PLACE_ROWS * RING * STRIDE_ROWS - (PLACE_ROWS - 1) * STRIDE_ROWS) % RING;
    logic [SLOT_BITS-1:0] slot;

    function automatic logic [SLOT_BITS-1:0] moved(logic [SLOT_BITS-1:0] from, logic [SLOT_BITS:0] by);
        logic [SLOT_BITS:0] sum;
        sum = {1'b0, from} + by;
        moved = SLOT_BITS'(sum >= (SLOT_BITS + 1)'(RING) ? sum - (SLOT_BITS + 1)'(RING) : sum);
    endfunction

    always_ff @(posedge clk) begin
        if (next_row) slot <= moved(slot, last_row ? (SLOT_BITS + 1)'(FRAME_MOVE) : (SLOT_BITS + 1)'(STRIDE_ROWS));
        if (rst) slot <= SLOT_BITS'((RING - TOP % RING) % RING);
    end

    // The first line of each slot.
    typedef logic [RING-1:0][AT_BITS-1:0] slots_t;
    function automatic slots_t slot_lines();
        for (int unsigned i = 0; i < RING; i++) slot_lines[i] = AT_BITS'(i * LINES);
    endfunction
    localparam slots_t SLOT_LINES = slot_lines();

    // ---- Lanes: each has a copy of the memory.
    typedef logic [STEPS-1:0][31:0] table_t;

    /// For each step the row of the kernel that a lane looks at, counted in rows of the picture.
    function automatic table_t lane_rows(int unsigned lane);
        for (int unsigned s = 0; s < STEPS; s++) lane_rows[s] = (s * LANES + lane) / KERNEL_COLUMNS * DILATION_ROWS;
    endfunction

    function automatic table_t lane_columns(int unsigned lane);
        for (int unsigned s = 0; s < STEPS; s++) begin
            lane_columns[s] = (s * LANES + lane) % KERNEL_COLUMNS * DILATION_COLUMNS;
        end
    endfunction

    function automatic table_t lane_lines(int unsigned lane);
        for (int unsigned s = 0; s < STEPS; s++) begin
            lane_lines[s] = unsigned'(line_of(int'((s * LANES + lane) % KERNEL_COLUMNS * DILATION_COLUMNS)));
        end
    endfunction

    function automatic table_t lane_rests(int unsigned lane);
        for (int unsigned s = 0; s < STEPS; s++) begin
            lane_rests[s] = rest_of(int'((s * LANES + lane) % KERNEL_COLUMNS * DILATION_COLUMNS));
        end
    endfunction

    // Whether a place may lie outside at all.
    localparam bit ABOVE = TOP > 0;
    localparam bit UNDER = (PLACE_ROWS - 1) * STRIDE_ROWS + SPAN_ROWS > ROWS + TOP;
    localparam bit BEFORE = LEFT > 0;
    localparam bit BEHIND = (PLACE_COLUMNS - 1) * STRIDE_COLUMNS + SPAN_COLUMNS > COLUMNS + LEFT;
    localparam bit MISSING = POSITIONS % LANES != 0;
    localparam logic [OUT_BITS-1:0] PAD_CODE = OUT_KIND == 2 ? OUT_BITS'(PAD > 0) : OUT_BITS'(unsigned'(PAD));
    localparam logic [OUT_BITS-1:0] ABSENT_CODE =
        OUT_KIND == 2 ? OUT_BITS'(ABSENT > 0) : OUT_BITS'(unsigned'(ABSENT));

    for (genvar l = 0; l < LANES; l++) begin : g_lane
        localparam table_t LANE_ROWS = lane_rows(l);
        localparam table_t LANE_COLUMNS = lane_columns(l);
        localparam table_t LANE_LINES = lane_lines(l);
        localparam table_t LANE_RESTS = lane_rests(l);
        // The last step lacks positions in the last lanes.
        localparam bit LACKS = MISSING && (STEPS - 1) * LANES + l >= POSITIONS;

        wire [SLOT_BITS-1:0] lane_slot = moved(slot, (SLOT_BITS + 1)'(LANE_ROWS[index]));
        wire [REST_BITS:0] rest_sum = {1'b0, left_rest} + (REST_BITS + 1)'(LANE_RESTS[index]);
        wire rest_wraps = TOGETHER > 1 && rest_sum >= (REST_BITS + 1)'(TOGETHER);
        wire line_t lane_line = at_line + line_t'(LANE_LINES[index]) + line_t'({1'b0, rest_wraps});
        wire row_t lane_row = top + row_t'(LANE_ROWS[index]);
        wire column_t lane_column = left + column_t'(LANE_COLUMNS[index]);
        wire in_picture = !(ABOVE && lane_row < 0) && !(UNDER && lane_row >= BELOW)
            && !(BEFORE && lane_column < 0) && !(BEHIND && lane_column >= column_t'(COLUMNS));

        wire unused_lane = &{1'b0, lane_line};

        // The address; then the memory is read.
        logic [AT_BITS-1:0] at;
        logic [PIECE_BITS-1:0] piece, read_piece;
        rest_t rest, read_rest;
        logic seen, read_seen, absent, read_absent;
        always_ff @(posedge clk) begin
            at <= SLOT_LINES[lane_slot] + unsigned'(AT_BITS'(lane_line));
            piece <= at_piece;
            rest <= rest_t'(rest_wraps ? rest_sum - (REST_BITS + 1)'(TOGETHER) : rest_sum);
            seen <= in_picture;
            absent <= LACKS && last_index;
            read_piece <= piece;
            read_rest <= rest;
            read_seen <= seen;
            read_absent <= absent;
        end

        wire [BANKS*PE*IN_BITS-1:0] words;
        for (genvar b = 0; b < BANKS; b++) begin : g_bank
            finnp_bank #(.WIDTH(PE * IN_BITS), .WORDS(RING * LINES)) storage (
                .clk, .write(write && write_bank[b]), .write_at, .write_data, .read_at(at),
                .read_data(words[b*PE*IN_BITS+:PE*IN_BITS])
            );
        end

        // The chunk, or what stands for it.
        wire [TOGETHER-1:0][PIECES-1:0][CHUNK*IN_BITS-1:0] pieces;
        for (genvar t = 0; t < TOGETHER; t++) begin : g_pixel
            for (genvar i = 0; i < PIECES; i++) begin : g_piece
                assign pieces[t][i] = words[(t*PIECES+i)*CHUNK*IN_BITS+:CHUNK*IN_BITS];
            end
        end
        wire [CHUNK*IN_BITS-1:0] chosen = pieces[read_rest][read_piece];
        wire [CHUNK*OUT_BITS-1:0] codes;
        for (genvar c = 0; c < CHUNK; c++) begin : g_element
            finnp_convert #(
                .IN_BITS(IN_BITS), .IN_KIND(IN_KIND), .OUT_BITS(OUT_BITS), .OUT_KIND(OUT_KIND)
            ) convert (.in(chosen[c*IN_BITS+:IN_BITS]), .out(codes[c*OUT_BITS+:OUT_BITS]));
        end
        logic [CHUNK*OUT_BITS-1:0] chunk;
        always_ff @(posedge clk) begin
            chunk <= read_seen ? codes : {CHUNK{PAD_CODE}};
            if (read_absent) chunk <= {CHUNK{ABSENT_CODE}};
        end
        assign elements[l*CHUNK*OUT_BITS+:CHUNK*OUT_BITS] = chunk;
    end
endmodule

`default_nettype wire
