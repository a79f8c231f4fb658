//! Values of a row group, column by column, and what is written of each face beside the model's answers.

use std::sync::Arc;

use ::parquet::basic::{ConvertedType, LogicalType, Repetition, Type as PhysicalType};
use ::parquet::data_type::{ByteArray, ByteArrayType, DataType, FloatType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::writer::SerializedColumnWriter;
use ::parquet::schema::types::Type;
use anyhow::Result;

use crate::format::csv::{CROP, EMBEDDING, EMBEDDING_ROW};
use crate::format::{AnsweredFace, EmbeddingColumn, Extras};

/// Values of a column that are given, and of each row whether one is.
pub struct Column<T: DataType> {
    values: Vec<T::T>,
    given: Vec<i16>,
}

// Derived, it would ask for a default of the type's mark.
impl<T: DataType> Default for Column<T> {
    fn default() -> Self {
        Self { values: Vec::new(), given: Vec::new() }
    }
}

impl<T: DataType> Column<T> {
    pub fn push(&mut self, value: Option<T::T>) {
        self.given.push(i16::from(value.is_some()));
        self.values.extend(value);
    }

    pub fn clear(&mut self) {
        self.values.clear();
        self.given.clear();
    }
}

/// A column of any type.
pub trait Written {
    fn write(&self, writer: &mut SerializedColumnWriter<'_>) -> Result<()>;
}

impl<T: DataType> Written for Column<T> {
    fn write(&self, writer: &mut SerializedColumnWriter<'_>) -> Result<()> {
        // A column that no row lacks is written without them.
        writer.typed::<T>().write_batch(&self.values, Some(&self.given), None)?;
        Ok(())
    }
}

/// A column of lists of numbers.
#[derive(Default)]
struct Lists {
    values: Vec<f32>,
    /// Of each value, or row without a list, how much of it is given: 2 a value, 1 an empty list, 0 no list.
    given: Vec<i16>,
    /// Whether it goes on with the list of the value before.
    repeated: Vec<i16>,
}

impl Lists {
    fn push(&mut self, list: Option<&[f32]>) {
        match list {
            None | Some([]) => {
                self.given.push(i16::from(list.is_some()));
                self.repeated.push(0);
            }
            Some(list) => {
                self.given.extend(list.iter().map(|_| 2));
                self.repeated.extend((0..list.len()).map(|at| i16::from(at > 0)));
                self.values.extend(list);
            }
        }
    }
}

impl Written for Lists {
    fn write(&self, writer: &mut SerializedColumnWriter<'_>) -> Result<()> {
        writer.typed::<FloatType>().write_batch(&self.values, Some(&self.given), Some(&self.repeated))?;
        Ok(())
    }
}

/// The columns of a face's crop and embedding, where they were asked for.
#[derive(Default)]
pub struct ExtraColumns {
    extras: Extras,
    crop: Column<ByteArrayType>,
    embedding_row: Column<Int64Type>,
    embedding: Lists,
}

impl ExtraColumns {
    pub fn new(extras: Extras) -> Self {
        Self { extras, ..Self::default() }
    }

    /// Adds those of a face, or of a row without one.
    pub fn add(&mut self, face: Option<AnsweredFace<'_>>) {
        self.crop.push(face.and_then(|face| face.crop).map(ByteArray::from));
        self.embedding_row.push(face.and_then(|face| face.embedding_row).map(u64::cast_signed));
        self.embedding.push(face.and_then(|face| face.face.embedding.as_deref()));
    }

    pub fn columns(&self) -> Vec<&dyn Written> {
        let mut columns: Vec<&dyn Written> = Vec::new();
        if self.extras.crop {
            columns.push(&self.crop);
        }
        match self.extras.embedding {
            Some(EmbeddingColumn::Row) => columns.push(&self.embedding_row),
            Some(EmbeddingColumn::Vector) => columns.push(&self.embedding),
            None => {}
        }
        columns
    }

    pub fn clear(&mut self) {
        *self = Self::new(self.extras);
    }
}

/// What the schema says of an extra column.
pub fn extra_field(name: &str) -> Result<Type, ParquetError> {
    let optional = |physical, logical| {
        let field = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        field.with_logical_type(Some(logical)).build()
    };
    match name {
        CROP => optional(PhysicalType::BYTE_ARRAY, LogicalType::String),
        EMBEDDING_ROW => optional(PhysicalType::INT64, LogicalType::integer(64, false)),
        _ => {
            debug_assert_eq!(name, EMBEDDING);
            // The three levels that the format asks of a list.
            let value = Type::primitive_type_builder("element", PhysicalType::FLOAT);
            let value = value.with_repetition(Repetition::REQUIRED).build()?;
            let list = Type::group_type_builder("list").with_repetition(Repetition::REPEATED);
            let list = list.with_fields(vec![Arc::new(value)]).build()?;
            let outer = Type::group_type_builder(name).with_repetition(Repetition::OPTIONAL);
            outer
                .with_logical_type(Some(LogicalType::List))
                .with_converted_type(ConvertedType::LIST)
                .with_fields(vec![Arc::new(list)])
                .build()
        }
    }
}
