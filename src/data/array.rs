//! `Array`: numbers of any npy type, integers apart from reals because they mean different things at an input.
//! Must not know files.

/// Dense array, last axis fastest. The number of elements equals the product of the shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// The elements.
    pub values: Values,
}

/// Elements of an [`Array`].
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// From any integer type or bool: values on a grid.
    Integer(Vec<i64>),
    /// From any float type, exactly: real numbers.
    Real(Vec<f64>),
}

impl Array {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Integer(values) => values.len(),
            Values::Real(values) => values.len(),
        }
    }

    /// Whether there is no element at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The index of the element at row-major `position`, for messages: `2, 0, 17`.
    pub fn index(&self, position: usize) -> String {
        let mut rest = position;
        let mut index: Vec<String> = Vec::new();
        for &length in self.shape.iter().rev() {
            index.push((rest % length.max(1)).to_string());
            rest /= length.max(1);
        }
        index.reverse();
        index.join(", ")
    }
}
