//! Memory for packed weights: many matrices in few large pieces, which the system may map by large pages.
//!
//! The weights of a net fill thousands of small pages, each of which is read once in a forward pass. In a virtual machine it takes longer to find a page than
//! to multiply with what is on it.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

use crossbeam_utils::atomic::AtomicCell;

use super::aligned::LINE;

/// A large page of most processors, in bytes.
const PAGE: usize = 2 << 20;
/// A piece, in bytes: what no weights need is not touched, and so takes no memory but for the rest of a page.
const PIECE: usize = 4 * PAGE;

/// Numbers that are written once and then read, for as long as anybody holds them. They begin at a multiple of 64 bytes.
#[derive(Clone)]
pub(crate) struct WeightMemory {
    piece: Arc<Piece>,
    first: usize,
    len: usize,
}

impl WeightMemory {
    /// `len` numbers: zeros, which `fill` gets to write over.
    pub(crate) fn new(len: usize, fill: impl FnOnce(&mut [f32])) -> Self {
        let (piece, first) = take(len.next_multiple_of(LINE).max(LINE));
        // SAFETY: `take` gives this part of the piece, which lies within it, to nobody else; zeros are numbers.
        let values = unsafe {
            let start = piece.start.as_ptr().add(first);
            start.write_bytes(0, len);
            std::slice::from_raw_parts_mut(start, len)
        };
        fill(values);
        Self { piece, first, len }
    }
}

impl Deref for WeightMemory {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: the part lies within the piece, was written by `new`, and is not written again.
        unsafe { std::slice::from_raw_parts(self.piece.start.as_ptr().add(self.first), self.len) }
    }
}

impl PartialEq for WeightMemory {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for WeightMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A piece of memory of so many numbers, freed when nobody holds any part of it.
struct Piece {
    start: NonNull<f32>,
    len: usize,
}

// SAFETY: parts are written by whoever takes them, before anybody else has them, and only read from then on.
unsafe impl Send for Piece {}
// SAFETY: as above.
unsafe impl Sync for Piece {}

impl Piece {
    /// Of at least `len` numbers.
    fn new(len: usize) -> Self {
        let len = (len * size_of::<f32>()).max(PIECE).next_multiple_of(PAGE) / size_of::<f32>();
        let layout = Self::layout(len);
        // SAFETY: the size is not zero.
        let Some(start) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        ask_for_large_pages(start.as_ptr(), layout.size());
        Self { start: start.cast(), len }
    }

    fn layout(len: usize) -> Layout {
        // SAFETY: the alignment is a power of two, and whole pages of numbers that were allocated do not overflow.
        unsafe { Layout::from_size_align_unchecked(len * size_of::<f32>(), PAGE) }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        // SAFETY: it was allocated so.
        unsafe { dealloc(self.start.as_ptr().cast(), Self::layout(self.len)) };
    }
}

/// A piece, and how much of it is taken.
type Begun = Option<Box<(Arc<Piece>, usize)>>;

/// So many numbers of a piece, and the first of them; nobody else gets them.
fn take(len: usize) -> (Arc<Piece>, usize) {
    /// The piece that parts are taken of. Whoever takes has it for that long, and another one begins a piece meanwhile: no lock is held, which
    /// a process that is forked meanwhile would never get.
    static BEGUN: AtomicCell<Begun> = AtomicCell::new(None);
    const { assert!(AtomicCell::<Begun>::is_lock_free()) };
    let mut begun = BEGUN
        .take()
        .filter(|begun| begun.0.len - begun.1 >= len)
        .unwrap_or_else(|| Box::new((Arc::new(Piece::new(len)), 0)));
    let (piece, first) = (Arc::clone(&begun.0), begun.1);
    begun.1 += len;
    BEGUN.store(Some(begun));
    (piece, first)
}

/// Refused, it is as without.
#[cfg(target_os = "linux")]
fn ask_for_large_pages(start: *mut u8, bytes: usize) {
    use std::ffi::{c_int, c_void};
    unsafe extern "C" {
        fn madvise(start: *mut c_void, bytes: usize, advice: c_int) -> c_int;
    }
    /// `MADV_HUGEPAGE` of Linux.
    const LARGE: c_int = 14;
    // SAFETY: the memory is ours, whole pages of it; the advice changes nothing that it holds.
    let _ = unsafe { madvise(start.cast(), bytes, LARGE) };
}

#[cfg(not(target_os = "linux"))]
fn ask_for_large_pages(_: *mut u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_what_was_written_and_begin_at_lines() {
        let sizes = [0, 1, 15, 16, 17, 1000, PIECE / 4 + 5, 3, PIECE / 8, PIECE / 8];
        let parts: Vec<WeightMemory> = (0..)
            .zip(sizes)
            .map(|(number, len)| WeightMemory::new(len, |values| values.fill(number as f32)))
            .collect();
        for (number, (part, len)) in (0..).zip(parts.iter().zip(sizes)) {
            assert_eq!(part.len(), len);
            assert!(part.as_ptr().addr().is_multiple_of(64));
            assert!(part.iter().all(|value| *value == number as f32), "{number}");
        }
        assert!(WeightMemory::new(40, |_| ()).iter().all(|value| *value == 0.0));
        assert_eq!(parts[3].clone(), WeightMemory::new(16, |values| values.fill(3.0)));
    }

    #[test]
    fn threads_take_parts_of_their_own() {
        let parts: Vec<WeightMemory> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    scope.spawn(move || WeightMemory::new(5000, |values| values.fill(number as f32)))
                })
                .collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        assert_eq!(parts.len(), 8);
        for (number, part) in (0..).zip(&parts) {
            assert!(part.iter().all(|value| *value == number as f32));
        }
    }
}
