//! What people should know of a photo that was read.

/// A remark on a file that was read, though not in the ordinary way; [`Photo::notes`](super::Photo::notes).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// All pixels are there, and what should follow them is not.
    EndMissing {
        /// Name of the format.
        format: &'static str,
    },
    /// A TIFF holds several images, and not the first one is the largest.
    LargestPage {
        /// Which was read, from 1; beyond the last one for an image below a page.
        page: usize,
        /// How many pages there are.
        of: usize,
    },
    /// A raw file was read as the preview that the camera put into it.
    Preview {
        /// Pixels of the preview.
        width: u32,
        /// Pixels of the preview.
        height: u32,
    },
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::EndMissing { format } => {
                write!(f, "the {format} has no end marker; its pixels are complete")
            }
            Self::LargestPage { page, of } if page > of => {
                write!(f, "the largest image of the TIFF, which is below its {of} pages, was read")
            }
            Self::Preview { width, height } => {
                write!(f, "raw file: the camera's preview of {width} x {height} pixels was read")
            }
            Self::LargestPage { page, of } => write!(f, "page {page} of {of}, the largest, was read"),
        }
    }
}
