//! Protocol buffers as they stand in a file: only the writing, and only what `.onnx` files need.
//!
//! Source: <https://protobuf.dev/programming-guides/encoding/>. A message is a row of fields, each a tag (the field's number
//! and how it is written) and a value. Lists are written as the field over and over, which every reader takes.

/// An integer of seven bits a byte, lowest first.
const VARINT: u32 = 0;
/// A length and so many bytes.
const LENGTH: u32 = 2;
/// Four bytes, lowest first.
const FIXED32: u32 = 5;

/// A message under construction; field numbers are those of its kind ([`super::proto`]).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message(Vec<u8>);

impl Message {
    /// An empty message.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds an `int32`, `int64` or enumeration.
    pub(super) fn int(mut self, field: u32, value: i64) -> Self {
        self.tag(field, VARINT);
        // Negative numbers are written as 64 bits of two's complement.
        self.varint(u64::from_le_bytes(value.to_le_bytes()));
        self
    }

    /// Adds a `float`.
    pub(super) fn float(mut self, field: u32, value: f32) -> Self {
        self.tag(field, FIXED32);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Adds `bytes`.
    pub(super) fn bytes(mut self, field: u32, value: &[u8]) -> Self {
        self.tag(field, LENGTH);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    /// Adds a `string`.
    pub(super) fn text(self, field: u32, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    /// Adds a message inside this one.
    pub(super) fn message(self, field: u32, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    /// Adds a list, each value by `add`.
    pub(super) fn each<T>(self, values: impl IntoIterator<Item = T>, add: impl Fn(Self, T) -> Self) -> Self {
        values.into_iter().fold(self, add)
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The message as it stands in a file.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn tag(&mut self, field: u32, wire: u32) {
        self.varint(u64::from(field << 3 | wire));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 150 and "testing" are the examples of the encoding's own documentation.
    #[test]
    fn fields_are_written_as_documented() {
        assert_eq!(Message::new().int(1, 150).into_bytes(), [0x08, 0x96, 0x01]);
        let text = Message::new().text(2, "testing");
        assert_eq!(text.into_bytes(), [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]);
        let inner = Message::new().message(3, &Message::new().int(1, 150));
        assert_eq!(inner.into_bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(Message::new().float(2, 1.0).into_bytes(), [0x15, 0x00, 0x00, 0x80, 0x3f]);
    }

    #[test]
    fn numbers_of_every_length_are_written() {
        assert_eq!(Message::new().int(1, 0).into_bytes(), [0x08, 0x00]);
        assert_eq!(Message::new().int(1, 127).into_bytes(), [0x08, 0x7f]);
        assert_eq!(Message::new().int(1, 128).into_bytes(), [0x08, 0x80, 0x01]);
        let minus_one = Message::new().int(1, -1).into_bytes();
        assert_eq!(minus_one, [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
        // Field 20 as a varint: 20 << 3 = 160, two bytes.
        assert_eq!(Message::new().int(20, 7).into_bytes(), [0xa0, 0x01, 0x07]);
    }

    #[test]
    fn a_long_value_has_a_long_length() {
        let bytes = Message::new().bytes(9, &[7; 300]).into_bytes();
        assert_eq!(bytes[..4], [0x4a, 0xac, 0x02, 7]);
        assert_eq!(bytes.len(), 303);
    }

    #[test]
    fn a_list_is_its_field_over_and_over() {
        let list = Message::new().each([2, 3], |message, value| message.int(8, value));
        assert_eq!(list.into_bytes(), [0x40, 0x02, 0x40, 0x03]);
    }
}
