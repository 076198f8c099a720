//! `Outside`: what a component shows: streams, clock, reset and registers, as interfaces in the terms of Vivado's
//! catalogue and as ports.
//! Must not know what is inside.

use super::core::{Marks, Side};
use super::xml::{Element, empty, node, text};
use super::{CLOCK, READ, RESET, WRITTEN};
use crate::backend::hls::numbered;
use crate::backend::rtl::{CONTROL, CONTROL_ADDRESS_BITS, CONTROL_SIGNALS};

/// How the ports of a component are called.
pub(super) struct Style {
    pub(super) clock: &'static str,
    reset: &'static str,
    /// Whether signals are in small letters.
    small: bool,
    /// Whether it has registers.
    registers: bool,
}

/// As synthesis of C++ calls them.
pub(super) const OF_CORES: Style = Style {
    clock: CLOCK,
    reset: RESET,
    small: false,
    registers: false,
};

/// As the accelerator in SystemVerilog calls them.
pub(super) const OF_RTL: Style = Style {
    clock: "aclk",
    reset: "aresetn",
    small: true,
    registers: true,
};

/// What a component shows.
pub(super) struct Outside<'a> {
    pub(super) name: &'a str,
    pub(super) title: &'a str,
    pub(super) inputs: &'a [Side],
    pub(super) outputs: &'a [Side],
    pub(super) clock_hz: u64,
    pub(super) style: &'a Style,
}

/// A stream with the name that its ports have, and whether it is read.
struct Stream {
    name: String,
    side: Side,
    is_read: bool,
}

impl Outside<'_> {
    /// All streams, those that are read first.
    fn streams(&self) -> Vec<Stream> {
        let mut streams = Vec::new();
        for (name, sides, is_read) in [(READ, self.inputs, true), (WRITTEN, self.outputs, false)] {
            let names = numbered(name, sides.len()).into_iter();
            streams.extend(names.zip(sides).map(|(name, side)| Stream {
                name,
                side: *side,
                is_read,
            }));
        }
        streams
    }

    /// The port of a signal of a stream.
    fn port_name(&self, stream: &str, signal: &str) -> String {
        match self.style.small {
            true => format!("{stream}_{}", signal.to_lowercase()),
            false => format!("{stream}_{signal}"),
        }
    }

    /// All interfaces.
    pub(super) fn interfaces(&self) -> Vec<Element> {
        let streams = self.streams();
        let mut interfaces: Vec<Element> = streams.iter().map(|each| self.stream(each)).collect();
        if self.style.registers {
            interfaces.push(registers());
        }
        interfaces.extend([self.clock(&streams), self.reset()]);
        interfaces
    }

    fn stream(&self, stream: &Stream) -> Element {
        let (name, side) = (&stream.name, stream.side);
        let role = if stream.is_read { "slave" } else { "master" };
        let maps = signals(side)
            .into_iter()
            .map(|(signal, ..)| (signal.to_owned(), self.port_name(name, signal)));
        let has = |what: bool| u8::from(what).to_string();
        interface(
            name,
            ["interface", "axis"],
            empty(role),
            maps.collect(),
            vec![
                ("TDATA_NUM_BYTES", side.bytes.to_string()),
                ("HAS_TREADY", has(true)),
                ("HAS_TKEEP", has(side.marks == Marks::Bytes)),
                ("HAS_TSTRB", has(side.marks == Marks::Bytes)),
                ("HAS_TLAST", has(side.marks != Marks::None)),
            ],
        )
    }

    fn clock(&self, streams: &[Stream]) -> Element {
        let mut named: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
        if self.style.registers {
            named.push(CONTROL);
        }
        interface(
            self.style.clock,
            ["signal", "clock"],
            empty("slave"),
            vec![("CLK".to_owned(), self.style.clock.to_owned())],
            vec![
                ("ASSOCIATED_BUSIF", named.join(":")),
                ("ASSOCIATED_RESET", self.style.reset.to_owned()),
                ("FREQ_HZ", self.clock_hz.to_string()),
            ],
        )
    }

    fn reset(&self) -> Element {
        interface(
            self.style.reset,
            ["signal", "reset"],
            empty("slave"),
            vec![("RST".to_owned(), self.style.reset.to_owned())],
            vec![("POLARITY", "ACTIVE_LOW".to_owned())],
        )
    }

    /// Where the registers are in the memory of a host, if there are any.
    pub(super) fn memory_maps(&self) -> Option<Element> {
        self.style.registers.then(|| {
            let block = node(
                "addressBlock",
                vec![
                    text("name", "registers"),
                    text("baseAddress", 0),
                    text("range", 1u64 << CONTROL_ADDRESS_BITS),
                    text("width", 32),
                    text("usage", "register"),
                ],
            );
            node(
                "memoryMaps",
                vec![node("memoryMap", vec![text("name", CONTROL), block])],
            )
        })
    }

    /// All ports.
    pub(super) fn ports(&self) -> Vec<Element> {
        let mut ports = vec![
            port(self.style.clock, Direction::In, None),
            port(self.style.reset, Direction::In, None),
        ];
        for Stream {
            name,
            side,
            is_read,
        } in self.streams()
        {
            for (signal, at_slave, bits) in signals(side) {
                let direction = match (at_slave, is_read) {
                    (Direction::In, true) | (Direction::Out, false) => Direction::In,
                    _ => Direction::Out,
                };
                ports.push(port(&self.port_name(&name, signal), direction, bits));
            }
        }
        if self.style.registers {
            ports.extend(CONTROL_SIGNALS.iter().map(|(signal, enters, bits)| {
                let direction = if *enters {
                    Direction::In
                } else {
                    Direction::Out
                };
                let bits = (*bits > 1).then_some(*bits);
                port(&format!("{CONTROL}_{signal}"), direction, bits)
            }));
        }
        ports
    }
}

/// The registers.
fn registers() -> Element {
    let maps = CONTROL_SIGNALS
        .iter()
        .map(|(signal, ..)| (signal.to_uppercase(), format!("{CONTROL}_{signal}")));
    interface(
        CONTROL,
        ["interface", "aximm"],
        node(
            "slave",
            vec![empty("memoryMapRef").with("memoryMapRef", CONTROL)],
        ),
        maps.collect(),
        vec![
            ("PROTOCOL", "AXI4LITE".to_owned()),
            ("DATA_WIDTH", "32".to_owned()),
            ("ADDR_WIDTH", CONTROL_ADDRESS_BITS.to_string()),
        ],
    )
}

/// Signals of a stream: name, direction at a slave, bits (none for a single wire).
fn signals(side: Side) -> Vec<(&'static str, Direction, Option<u64>)> {
    let mut signals = vec![("TDATA", Direction::In, Some(8 * side.bytes))];
    if side.marks == Marks::Bytes {
        signals.extend([
            ("TKEEP", Direction::In, Some(side.bytes)),
            ("TSTRB", Direction::In, Some(side.bytes)),
        ]);
    }
    match side.marks {
        Marks::None => {}
        // A vector of one bit, as synthesis of C++ makes it.
        Marks::Bytes => signals.push(("TLAST", Direction::In, Some(1))),
        Marks::Last => signals.push(("TLAST", Direction::In, None)),
    }
    signals.extend([
        ("TVALID", Direction::In, None),
        ("TREADY", Direction::Out, None),
    ]);
    signals
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

/// A bus interface in the terms of Vivado's catalogue.
fn interface(
    name: &str,
    [library, kind]: [&str; 2],
    role: Element,
    maps: Vec<(String, String)>,
    parameters: Vec<(&'static str, String)>,
) -> Element {
    let maps = maps.into_iter().map(|(logical, physical)| {
        node(
            "portMap",
            vec![
                node("logicalPort", vec![text("name", logical)]),
                node("physicalPort", vec![text("name", physical)]),
            ],
        )
    });
    let parameters = parameters
        .into_iter()
        .map(|(name, value)| node("parameter", vec![text("name", name), text("value", value)]));
    let abstraction = format!("{kind}_rtl");
    node(
        "busInterface",
        vec![
            text("name", name),
            empty("busType").called(["xilinx.com", library, kind, "1.0"]),
            empty("abstractionType").called(["xilinx.com", library, &abstraction, "1.0"]),
            role,
            node("portMaps", maps.collect()),
            node("parameters", parameters.collect()),
        ],
    )
}

fn port(name: &str, direction: Direction, bits: Option<u64>) -> Element {
    let direction = match direction {
        Direction::In => "in",
        Direction::Out => "out",
    };
    let mut wire = vec![text("direction", direction)];
    if let Some(bits) = bits {
        wire.push(node(
            "vector",
            vec![text("left", bits - 1), text("right", 0)],
        ));
    }
    node("port", vec![text("name", name), node("wire", wire)])
}
