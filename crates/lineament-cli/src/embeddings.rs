//! `predict --embeddings=FILE`: the embeddings of all faces as one array in a file of its own.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lineament::FaceRecord;
use serde_json::json;

use crate::format::{EmbeddingColumn, Header};
use crate::interrupt::Pending;
use crate::outputs::{ForceArguments, Kind, Output};

/// Bytes of an `.npy` file before its values: its header has this length for any number of rows.
const NPY_HEADER: usize = 128;

/// Where embeddings go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Embeddings {
    /// Into the table of faces.
    Column,
    /// Into a file of this kind.
    File(PathBuf, Kind),
}

impl Embeddings {
    /// What was typed, checked: `--embeddings` alone is for tables, and a file's name says what it is.
    pub fn check(
        typed: Option<Option<PathBuf>>,
        table: bool,
        force: ForceArguments,
        inputs: &[&Path],
    ) -> Result<Option<Self>> {
        const WAYS: &str =
            "write Parquet, or give a file: --embeddings=faces.npy or --embeddings=faces.safetensors";
        match typed {
            None => Ok(None),
            Some(None) if table => Ok(Some(Self::Column)),
            Some(None) => bail!("this format has no place for embeddings; {WAYS}"),
            Some(Some(path)) => {
                let kind = match Kind::named(&path) {
                    Some(Kind::Npy) => Kind::Npy,
                    // A model's ending, too.
                    Some(Kind::Model)
                        if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("safetensors")) =>
                    {
                        Kind::Tensors
                    }
                    _ => bail!("{} does not say how embeddings are to be written; {WAYS}", path.display()),
                };
                Output { path: &path, kind, fixed: true, force }.check(inputs.iter().copied())?;
                Ok(Some(Self::File(path, kind)))
            }
        }
    }

    /// How a face's row leads to its embedding.
    pub fn column(&self) -> EmbeddingColumn {
        match self {
            Self::Column => EmbeddingColumn::Vector,
            Self::File(..) => EmbeddingColumn::Row,
        }
    }

    /// Begins the file, where there is one.
    pub fn open(&self, header: &Header) -> Result<Option<EmbeddingFile>> {
        let Self::File(path, kind) = self else { return Ok(None) };
        EmbeddingFile::create(path, *kind, header).map(Some)
    }
}

/// A file of embeddings under way: rows of single floats, a face each.
pub struct EmbeddingFile {
    file: std::io::BufWriter<Pending>,
    path: PathBuf,
    kind: Kind,
    /// What the header says of the model, and its length in bytes.
    model: [String; 2],
    start: usize,
    length: usize,
    rows: u64,
}

impl EmbeddingFile {
    fn create(path: &Path, kind: Kind, header: &Header) -> Result<Self> {
        let model = [header.model_label.clone(), header.model_hash.clone()];
        let start = match kind {
            Kind::Npy => NPY_HEADER,
            // The longest it can become, in whole words of eight bytes.
            _ => 8 + tensors_header(&model, u64::MAX, header.embedding_length).len().next_multiple_of(8),
        };
        let pending =
            Pending::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
        let mut file = Self {
            file: std::io::BufWriter::new(pending),
            path: path.to_owned(),
            kind,
            model,
            start,
            length: header.embedding_length,
            rows: 0,
        };
        let blank = vec![b' '; start];
        file.put(&blank)?;
        Ok(file)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).with_context(|| format!("{} cannot be written", self.path.display()))
    }

    /// Adds the embeddings of an image's faces; the row of the first.
    pub fn add(&mut self, faces: &[FaceRecord]) -> Result<u64> {
        let first = self.rows;
        for face in faces {
            let embedding = face.embedding.as_deref().unwrap_or_default();
            if embedding.len() != self.length {
                bail!("an embedding has {} numbers, and {} are expected", embedding.len(), self.length);
            }
            let bytes: Vec<u8> = embedding.iter().flat_map(|value| value.to_le_bytes()).collect();
            self.put(&bytes)?;
            self.rows += 1;
        }
        Ok(first)
    }

    /// Writes the header, now that the number of rows is known, and gives the file its name.
    pub fn finish(mut self) -> Result<()> {
        let header = match self.kind {
            Kind::Npy => npy_header(self.rows, self.length),
            _ => {
                let text = tensors_header(&self.model, self.rows, self.length);
                let length = self.start - 8;
                let mut header = (length as u64).to_le_bytes().to_vec();
                header.extend(format!("{text:<length$}").bytes());
                header
            }
        };
        let cannot = || format!("{} cannot be written", self.path.display());
        self.file.seek(SeekFrom::Start(0)).with_context(cannot)?;
        self.file.write_all(&header).with_context(cannot)?;
        let pending = self.file.into_inner().map_err(std::io::IntoInnerError::into_error);
        pending
            .and_then(Pending::commit)
            .with_context(|| format!("{} cannot be written", self.path.display()))
    }
}

/// The header of NumPy's format, version 1.0.
fn npy_header(rows: u64, length: usize) -> Vec<u8> {
    let dictionary = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {length}), }}");
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    let room = NPY_HEADER - header.len() - 2;
    header.extend((room as u16).to_le_bytes());
    header.extend(format!("{dictionary:<width$}\n", width = room - 1).bytes());
    header
}

/// The header of a safetensors file with one tensor, and what its rows are.
fn tensors_header([label, hash]: &[String; 2], rows: u64, length: usize) -> String {
    let bytes = rows.saturating_mul(length as u64).saturating_mul(4);
    json!({
        "__metadata__": {
            "lineament.model": label,
            "lineament.model.sha256": hash,
            "lineament.embedding.length": length.to_string(),
        },
        "embeddings": { "dtype": "F32", "shape": [rows, length], "data_offsets": [0, bytes] },
    })
    .to_string()
}
