//! Protocol buffers: the fields of a message, one after another.

use crate::error::OnnxError;

/// What stands in a field.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Field<'a> {
    Number(u64),
    Four([u8; 4]),
    Eight([u8; 8]),
    Bytes(&'a [u8]),
}

/// A message, read from its front.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a>(pub(crate) &'a [u8]);

impl<'a> Message<'a> {
    /// The next field and its number; nothing at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Field<'a>)>, OnnxError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let field = match key & 7 {
            0 => Field::Number(self.varint()?),
            1 => Field::Eight(self.array()?),
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                Field::Bytes(self.take(length)?)
            }
            5 => Field::Four(self.array()?),
            kind => return Err(OnnxError::damaged(format!("there is no kind {kind} of field"))),
        };
        Ok(Some((key >> 3, field)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], OnnxError> {
        let cut = || OnnxError::damaged(format!("{length} bytes are announced, {} are left", self.0.len()));
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(cut)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], OnnxError> {
        self.take(N)?.try_into().map_err(|_| OnnxError::damaged("a number is cut"))
    }

    fn varint(&mut self) -> Result<u64, OnnxError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(OnnxError::damaged("a number has more than 64 bits"))
    }
}

impl<'a> Field<'a> {
    pub(crate) fn bytes(self) -> Result<&'a [u8], OnnxError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            other => Err(OnnxError::damaged(format!("{other:?} stands where bytes are expected"))),
        }
    }

    pub(crate) fn text(self) -> Result<String, OnnxError> {
        let text = std::str::from_utf8(self.bytes()?);
        text.map(str::to_owned).map_err(|_| OnnxError::damaged("a name is no text"))
    }

    pub(crate) fn number(self) -> Result<i64, OnnxError> {
        match self {
            // Negative numbers are kept in two's complement.
            Self::Number(number) => Ok(number.cast_signed()),
            other => Err(OnnxError::damaged(format!("{other:?} stands where a number is expected"))),
        }
    }

    /// Numbers, packed or alone.
    pub(crate) fn numbers(self, into: &mut Vec<i64>) -> Result<(), OnnxError> {
        let Self::Bytes(bytes) = self else {
            into.push(self.number()?);
            return Ok(());
        };
        let mut packed = Message(bytes);
        while !packed.0.is_empty() {
            into.push(packed.varint()?.cast_signed());
        }
        Ok(())
    }

    /// Single-precision numbers, packed or alone.
    pub(crate) fn floats(self, into: &mut Vec<f32>) -> Result<(), OnnxError> {
        match self {
            Self::Four(bytes) => into.push(f32::from_le_bytes(bytes)),
            Self::Bytes(bytes) if bytes.len().is_multiple_of(4) => {
                into.extend(bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
            }
            _ => return Err(OnnxError::damaged("a list of numbers is cut")),
        }
        Ok(())
    }
}
