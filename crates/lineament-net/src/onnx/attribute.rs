//! What is said of inputs, outputs and operators.

/// What an input or output is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// Single precision.
    Float,
    /// Bytes.
    Uint8,
    /// Whole numbers, as loops count.
    Int64,
    /// Yes or no.
    Bool,
}

/// One size of an input or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dim {
    /// Always this.
    Fixed(usize),
    /// The caller's choice, under a name; the same name means the same size.
    Free(&'static str),
}

/// What an operator is told beside its inputs (an "attribute" in ONNX's words).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Setting<'a> {
    /// A whole number.
    Int(i64),
    /// Several.
    Ints(&'a [i64]),
    /// A number.
    Float(f32),
    /// A word.
    Text(&'a str),
}
