//! The counts of the real data sets: `cargo test -p lineament-data --test real -- --ignored`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;

use lineament_data::{FindingKind, Framing, Split, celeba, folder, imagenet, layout, lfw};

#[test]
#[ignore = "reads ../shared/data"]
fn the_counts_are_those_of_the_readme() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let faces = celeba::read(&root.join("celeba")).unwrap();
    println!("{}", faces.report);
    assert_eq!(faces.attributes.len(), 40);
    assert_eq!(faces.len(), 24_756);
    assert_eq!(faces.framing(Framing::Photo).len(), 5_691);
    let once = faces.once_each(Framing::Photo);
    println!("train {} of {}", once.split(Split::Train).len(), once.len());
    assert_eq!(once.split(Split::Validation).len(), 1_529);
    assert_eq!(once.split(Split::Validation).people(), 552);
    assert_eq!(faces.report.count(FindingKind::IdentityInSeveralSplits), 0);

    let people = lfw::read(&root.join("lfw")).unwrap();
    println!("{}", people.report);
    assert_eq!((people.len(), people.people()), (9_164, 1_680));
    let objects = imagenet::read(&root.join("tiny-imagenet-200")).unwrap();
    println!("{}", objects.report);
    assert_eq!((objects.classes.len(), objects.split(Split::Train).len()), (200, 20_000));
    assert_eq!(objects.split(Split::Validation).len(), 2_000);
    assert_eq!(folder::read(&root.join("background")).unwrap().len(), 804);
    for (name, expected) in [
        ("celeba", layout::Layout::Celeba),
        ("lfw", layout::Layout::Lfw),
        ("tiny-imagenet-200", layout::Layout::Imagenet),
        ("background", layout::Layout::Folder),
    ] {
        assert_eq!(layout::detect(&root.join(name)).unwrap(), expected);
    }
}
