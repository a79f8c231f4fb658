//! Images with labels: readers, splits and augmentation.
//!
//! Every reader returns a [`Dataset`]: a list of [`Sample`]s (an image's path and what is known about it) and a
//! [`ReadReport`] of what did not fit. Nothing is decoded while reading: images are opened later, through a
//! [`PhotoCache`], and changed at random by [`Augment`].

pub mod augment;
pub mod boxes;
pub mod cache;
pub mod celeba;
pub mod columns;
pub mod drawn;
pub mod endings;
pub mod error;
pub mod folder;
pub mod imagenet;
mod images;
pub mod layout;
pub mod lfw;
mod listed;
mod order;
pub mod passed_over;
pub mod report;
mod rows;
pub mod sample;
pub mod split;
pub mod table;
pub mod teacher;
pub mod walk;
pub mod windows;

pub use augment::{Augment, Key, Offsets};
pub use boxes::{BoxedImage, BoxedSet, GivenBox};
pub use cache::{Kept, PhotoCache};
pub use drawn::{CrowdOptions, DrawnOptions, write_backgrounds, write_celeba, write_objects};
pub use error::DataError;
pub use layout::Layout;
pub use order::shuffled;
pub use report::{Finding, FindingKind, ReadReport};
pub use sample::{Dataset, Framing, Sample};
pub use split::{Split, SplitShares};
pub use teacher::{TeacherAnswers, TeacherTable};
