//! From the bytes of an ONNX or QONNX file to a `Network`, and back.
//!
//! The file is checked first, then tract tells the shapes and the constants of shape computations, then
//! each operator is read by its entry in one table. Must not know the disk.
//!
//! Layer names come from what survives in the file: the node's name, else the weight parameter's, else
//! the output's; a counter never enters, so that an edit elsewhere does not rename a layer.

mod attribute;
mod batch_norm;
mod blocked;
mod bounds;
mod check;
mod constant;
mod custom;
mod export;
mod external;
mod graph;
mod growth;
mod gzip;
mod idle;
mod linear;
mod lower;
mod name;
mod needed;
mod operator;
mod oracle;
mod pair;
mod quantiser;
mod resample;
mod single;
mod sliding;
mod spelling;
mod survey;
mod window;

pub use blocked::Blocked;
pub use custom::onnx_with_qonnx;
pub use export::export;
pub use external::{locations, whole};
pub use graph::{import, lowered};
pub use operator::names as operators;
pub use oracle::{batch_one, named_apart, parse};
pub use survey::{Survey, survey};
