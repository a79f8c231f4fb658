//! The readers on folders that are whole, partial and broken.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;

use lineament_data::{
    DataError, Dataset, FindingKind, Framing, Layout, Split, celeba, folder, imagenet, layout, lfw,
};
use tempfile::TempDir;

fn folder_of(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(dir.path(), name, text);
    }
    dir
}

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn names(set: &Dataset) -> Vec<(&str, Framing)> {
    set.samples.iter().map(|s| (s.name.as_str(), s.framing)).collect()
}

const ATTRIBUTES: &str = "4\nBald Young\n1.jpg -1  1\n2.jpg  1 -1\n3.jpg 1 1\n4.jpg -1 -1\n";

fn celeba_folder() -> TempDir {
    folder_of(&[
        ("Anno/list_attr_celeba.txt", ATTRIBUTES),
        ("Anno/identity_CelebA.txt", "1.jpg 7\n2.jpg 8\n3.jpg 7\n4.jpg 9\n"),
        ("Anno/list_bbox_celeba.txt", "2\nimage_id x_1 y_1 width height\n3.jpg 10 20 30 40\n4.jpg 0 0 0 0\n"),
        ("Anno/list_landmarks_celeba.txt", "1\nlx ly rx ry nx ny ax ay bx by\n3.jpg 1 2 3 4 5 6 7 8 9 10\n"),
        (
            "Anno/list_landmarks_align_celeba.txt",
            "1\nlx ly rx ry nx ny ax ay bx by\n3.jpg 9 9 9 9 9 9 9 9 9 9\n",
        ),
        ("Eval/list_eval_partition.txt", "1.jpg 0\n2.jpg 1\n3.jpg 0\n4.jpg 2\n"),
        ("Img/img_align_celeba/1.jpg", ""),
        ("Img/img_align_celeba/2.jpg", ""),
        ("Img/img_align_celeba/3.jpg", ""),
        ("Img/img_celeba/3.jpg", ""),
        ("Img/img_celeba/4.jpg", ""),
    ])
}

#[test]
fn celeba_is_read_whole() {
    let dir = celeba_folder();
    let set = celeba::read(dir.path()).unwrap();
    assert_eq!(set.attributes, ["Bald", "Young"]);
    let (photo, aligned) = (Framing::Photo, Framing::Aligned);
    let expected =
        [("1.jpg", aligned), ("2.jpg", aligned), ("3.jpg", aligned), ("3.jpg", photo), ("4.jpg", photo)];
    assert_eq!(names(&set), expected);
    let once = set.once_each(Framing::Photo);
    assert_eq!(names(&once), [("1.jpg", aligned), ("2.jpg", aligned), ("3.jpg", photo), ("4.jpg", photo)]);
    let [one, two, three, four] = once.samples.as_slice() else { unreachable!("four pictures") };
    assert_eq!(one.tags, [Some(false), Some(true)]);
    assert_eq!(two.split, Split::Validation);
    assert_eq!(four.split, Split::Test);
    assert_eq!(three.identity, Some(7));
    assert_eq!(three.rect.map(|r| (r.x, r.y, r.width, r.height)), Some((10.0, 20.0, 30.0, 40.0)));
    assert_eq!(three.landmarks.map(|l| (l[0].x, l[4].y)), Some((1.0, 10.0)));
    assert_eq!(set.samples.get(2).and_then(|s| s.landmarks).map(|l| l[0].x), Some(9.0));
    assert_eq!(four.rect, None);
    assert_eq!(set.report.count(FindingKind::EmptyBox), 1);
    assert_eq!(set.report.findings().len(), 1, "{}", set.report);
}

#[test]
fn a_partial_celeba_is_read_and_reported() {
    let dir = folder_of(&[
        (
            "Anno/list_attr_celeba.txt",
            "9\nBald Young\n1.jpg -1 1\n2.jpg 1\n3.jpg x 1\n4.jpg 0 1\n1.jpg 1 1\n5.jpg 1 1\n",
        ),
        ("Img/img_celeba/1.jpg", ""),
        ("Img/img_celeba/4.jpg", ""),
        ("Img/img_celeba/2.jpg", ""),
        ("Img/img_celeba/Thumbs.db", ""),
    ]);
    let set = celeba::read(dir.path()).unwrap();
    assert_eq!(names(&set), [("1.jpg", Framing::Photo), ("4.jpg", Framing::Photo)]);
    assert_eq!(set.samples.last().map(|s| s.tags.clone()), Some(vec![None, Some(true)]));
    let count = |kind| set.report.count(kind);
    assert_eq!(count(FindingKind::CountDisagrees), 1);
    assert_eq!(count(FindingKind::MalformedRow), 2);
    assert_eq!(count(FindingKind::RepeatedName), 1);
    assert_eq!(count(FindingKind::UnreadableTag), 1);
    assert_eq!(count(FindingKind::ImageWithoutRow), 1);
    assert_eq!(count(FindingKind::RowWithoutImage), 1);
    assert_eq!(count(FindingKind::MissingFile), 5);
    assert_eq!(count(FindingKind::SplitsDrawn), 1);
    assert_eq!(count(FindingKind::NotAnImage), 1);
    let text = set.report.to_string();
    assert!(text.contains("line 4: 2 numbers are expected"), "{text}");
    assert!(text.contains("line 5: \"x\" is not a whole number"), "{text}");
}

#[test]
fn images_without_a_partition_stay_with_their_person() {
    let dir = celeba_folder();
    write(dir.path(), "Eval/list_eval_partition.txt", "1.jpg 2\n2.jpg 0\n4.jpg 5\n");
    let set = celeba::read(dir.path()).unwrap();
    let of_person_7: Vec<_> = set.samples.iter().filter(|s| s.identity == Some(7)).map(|s| s.split).collect();
    assert_eq!(of_person_7, [Split::Test; 3]);
    assert_eq!(set.report.count(FindingKind::ImageWithoutSplit), 3);
}

#[test]
fn celeba_in_torchvisions_layout_and_as_png_is_found() {
    let dir = folder_of(&[
        ("list_attr_celeba.txt", ATTRIBUTES),
        ("img_align_celeba/1.jpg", ""),
        ("img_align_celeba_png/1.png", ""),
        ("img_align_celeba_png/2.png", ""),
    ]);
    let set = celeba::read(dir.path()).unwrap();
    assert_eq!(names(&set), [("1.jpg", Framing::Aligned), ("2.jpg", Framing::Aligned)]);
}

#[test]
fn celeba_without_the_needed_files_says_what_is_expected_where() {
    let dir = celeba_folder();
    fs::remove_dir_all(dir.path().join("Img")).unwrap();
    let error = celeba::read(dir.path()).unwrap_err();
    assert!(matches!(error, DataError::NoImages { .. }));
    assert!(error.to_string().contains("Img/img_align_celeba"), "{error}");
    fs::remove_file(dir.path().join("Anno/list_attr_celeba.txt")).unwrap();
    let error = celeba::read(dir.path()).unwrap_err().to_string();
    assert!(error.contains("Anno/list_attr_celeba.txt is not there"), "{error}");
    write(dir.path(), "Anno/list_attr_celeba.txt", "0\n");
    assert!(celeba::read(dir.path()).unwrap_err().to_string().contains("ends before"));
    write(dir.path(), "Anno/list_attr_celeba.txt", "");
    assert!(celeba::read(dir.path()).is_err());
}

#[test]
fn lfw_is_read_with_and_without_its_lists() {
    let dir = folder_of(&[
        ("lfw/Ann_Lee/Ann_Lee_0001.jpg", ""),
        ("lfw/Ann_Lee/Ann_Lee_0002.jpg", ""),
        ("lfw/Bo_Ek/Bo_Ek_0001.jpg", ""),
    ]);
    let set = lfw::read(dir.path()).unwrap();
    assert_eq!(set.samples.iter().map(|s| s.identity).collect::<Vec<_>>(), [Some(0), Some(0), Some(1)]);
    assert!(set.attributes.is_empty());
    assert_eq!(set.report.count(FindingKind::MissingFile), 2);

    write(
        dir.path(),
        "male_manual.csv",
        "file,male\nAnn_Lee_0001.jpg,0\nBo_Ek_0001.jpg,1\nNobody_0001.jpg,1\n",
    );
    let set = lfw::read(dir.path()).unwrap();
    assert_eq!(set.attributes, ["Male"]);
    let tags: Vec<_> = set.samples.iter().flat_map(|s| s.tags.clone()).collect();
    assert_eq!(tags, [Some(false), None, Some(true)]);
    assert_eq!(set.report.count(FindingKind::RowWithoutImage), 1);

    write(
        dir.path(),
        "facer_scores.csv",
        "file,Bald,Male\nAnn_Lee_0001.jpg,0.1,0.2\nAnn_Lee_0002.jpg,0.1\nBo_Ek_0001.jpg,7,1\n",
    );
    let set = lfw::read(&dir.path().join("lfw")).unwrap_or_else(|e| unreachable!("{e}"));
    assert!(set.attributes.is_empty(), "lists beside the inner folder are not looked for");
    let set = lfw::read(dir.path()).unwrap();
    assert_eq!(set.attributes, ["Bald", "Male"]);
    let teacher: Vec<_> = set.samples.iter().map(|s| s.teacher.clone()).collect();
    assert_eq!(teacher, [Some(vec![0.1, 0.2]), None, None]);
    assert_eq!(set.samples.first().map(|s| s.tags.clone()), Some(vec![None, Some(false)]));
    assert_eq!(set.report.count(FindingKind::MalformedRow), 2);
    assert!(lfw::read(&dir.path().join("nowhere")).is_err());
}

#[test]
fn tiny_imagenets_own_layout_is_read() {
    let dir = folder_of(&[
        ("train/n01/images/n01_0.JPEG", ""),
        ("train/n01/n01_boxes.txt", ""),
        ("train/n02/images/n02_0.JPEG", ""),
        ("val/images/val_0.JPEG", ""),
        ("val/images/val_1.JPEG", ""),
        ("val/images/val_2.JPEG", ""),
        ("val/val_annotations.txt", "val_0.JPEG\tn02\t0\t0\t9\t9\nval_1.JPEG\tn99\t0\nval_9.JPEG\tn01\t0\n"),
        ("test/images/test_0.JPEG", ""),
    ]);
    let set = imagenet::read(dir.path()).unwrap();
    assert_eq!(set.classes, ["n01", "n02"]);
    let found: Vec<_> = set.samples.iter().map(|s| (s.name.as_str(), s.class, s.split)).collect();
    assert_eq!(
        found,
        [
            ("train/n01/images/n01_0.JPEG", Some(0), Split::Train),
            ("train/n02/images/n02_0.JPEG", Some(1), Split::Train),
            ("val/images/val_0.JPEG", Some(1), Split::Validation),
        ]
    );
    assert_eq!(set.report.count(FindingKind::MalformedRow), 1);
    assert_eq!(set.report.count(FindingKind::RowWithoutImage), 1);
    assert_eq!(set.report.count(FindingKind::ImageWithoutRow), 3);
}

#[test]
fn plain_class_folders_are_read() {
    let dir = folder_of(&[("train/cat/1.jpg", ""), ("train/dog/1.jpg", ""), ("val/dog/2.png", "")]);
    let set = imagenet::read(dir.path()).unwrap();
    let found: Vec<_> = set.samples.iter().map(|s| (s.class, s.split)).collect();
    assert_eq!(found, [(Some(0), Split::Train), (Some(1), Split::Train), (Some(1), Split::Validation)]);

    let dir = folder_of(&[("cat/1.jpg", ""), ("dog/1.jpg", "")]);
    let set = imagenet::read(dir.path()).unwrap();
    assert_eq!(set.classes, ["cat", "dog"]);
    assert_eq!(set.report.count(FindingKind::SplitsDrawn), 1);

    let dir = folder_of(&[("notes.txt", "")]);
    assert!(imagenet::read(dir.path()).unwrap_err().to_string().contains("CLASS"));
}

#[test]
fn a_flat_folder_holds_no_faces() {
    let dir = folder_of(&[("b.jpg", ""), ("a.PNG", ""), ("deep/c.webp", ""), ("notes.odt", "")]);
    let set = folder::read(dir.path()).unwrap();
    assert_eq!(names(&set).into_iter().map(|n| n.0).collect::<Vec<_>>(), ["a.PNG", "b.jpg", "deep/c.webp"]);
    assert!(set.samples.iter().all(|s| s.face == Some(false)));
    assert_eq!(set.report.count(FindingKind::NotAnImage), 1);
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(folder::read(empty.path()), Err(DataError::NoImages { .. })));
    assert!(matches!(folder::read(&empty.path().join("no")), Err(DataError::Missing { .. })));
}

#[test]
fn layouts_are_told_apart() {
    let celeba = celeba_folder();
    assert_eq!(layout::detect(celeba.path()).unwrap(), Layout::Celeba);
    let lfw = folder_of(&[("lfw/Ann_Lee/Ann_Lee_0001.jpg", "")]);
    assert_eq!(layout::detect(lfw.path()).unwrap(), Layout::Lfw);
    assert_eq!(layout::detect(&lfw.path().join("lfw")).unwrap(), Layout::Lfw);
    let objects = folder_of(&[("train/cat/1.jpg", "")]);
    assert_eq!(layout::detect(objects.path()).unwrap(), Layout::Imagenet);
    let flat = folder_of(&[("1.jpg", ""), ("t.csv", "")]);
    assert_eq!(layout::detect(flat.path()).unwrap(), Layout::Folder);
    assert_eq!(layout::detect(&flat.path().join("t.csv")).unwrap(), Layout::Table);
    assert!(layout::detect(&flat.path().join("1.jpg")).is_err());
    assert!(layout::detect(&flat.path().join("gone")).is_err());
    let empty = tempfile::tempdir().unwrap();
    assert!(layout::detect(empty.path()).unwrap_err().to_string().contains("name the layout"));
    assert_eq!(layout::read("CelebA".parse().unwrap(), celeba.path()).unwrap().len(), 5);
    assert!("coco".parse::<Layout>().unwrap_err().to_string().contains("celeba, lfw"));
}

#[test]
fn celeba_is_read_as_it_is_fetched() {
    let text = "image_id,Bald,Young\n1.jpg,-1,1\n2.jpg,1,-1\n3.jpg,1,1\n";
    let kaggle = folder_of(&[
        ("list_attr_celeba.csv", &text.replace('\n', "\r\n")),
        ("list_eval_partition.csv", "image_id,partition\n1.jpg,0\n2.jpg,1\n3.jpg,2\n"),
        ("list_bbox_celeba.csv", "image_id,x_1,y_1,width,height\n1.jpg,1,2,3,4\n"),
        (
            "list_landmarks_align_celeba.csv",
            "image_id,lefteye_x,lefteye_y,righteye_x,righteye_y,nose_x,nose_y,leftmouth_x,leftmouth_y,rightmouth_x,rightmouth_y\n1.jpg,1,2,3,4,5,6,7,8,9,10\n",
        ),
        ("img_align_celeba/img_align_celeba/1.jpg", ""),
        ("img_align_celeba/img_align_celeba/2.jpg", ""),
        ("img_align_celeba/img_align_celeba/3.jpg", ""),
    ]);
    let torchvision = folder_of(&[
        ("celeba/list_attr_celeba.txt", &format!("3\n{}", text.replace("image_id,", "").replace(',', " "))),
        ("celeba/list_eval_partition.txt", "1.jpg 0\n2.jpg 1\n3.jpg 2\n"),
        ("celeba/img_align_celeba/1.jpg", ""),
        ("celeba/img_align_celeba/2.jpg", ""),
        ("celeba/img_align_celeba/3.jpg", ""),
    ]);
    let words = folder_of(&[
        ("list_attr_celeba.csv", "\u{feff}image_id;Bald;Young\n1.jpg;false;true\n2.jpg;yes;no\n3.jpg;1;1\n"),
        ("list_eval_partition.csv", "\u{feff}image_id;partition\n1.jpg;0\n2.jpg;1\n3.jpg;2\n\0\0"),
        ("img_align_celeba/1.jpg", ""),
        ("img_align_celeba/2.jpg", ""),
        ("img_align_celeba/3.jpg", ""),
    ]);
    for dir in [&kaggle, &torchvision, &words] {
        assert_eq!(layout::detect(dir.path()).unwrap(), Layout::Celeba);
        let set = layout::read(Layout::Celeba, dir.path()).unwrap();
        assert_eq!(set.attributes, ["Bald", "Young"]);
        let read: Vec<_> = set.samples.iter().map(|s| (s.name.as_str(), s.tags.clone(), s.split)).collect();
        let [no, yes] = [Some(false), Some(true)];
        let expected = [
            ("1.jpg", vec![no, yes], Split::Train),
            ("2.jpg", vec![yes, no], Split::Validation),
            ("3.jpg", vec![yes, yes], Split::Test),
        ];
        assert_eq!(read, expected, "{}", set.report);
        assert_eq!(set.report.count(FindingKind::MalformedRow), 0, "{}", set.report);
    }
    let set = celeba::read(kaggle.path()).unwrap();
    assert!(set.samples[0].landmarks.is_some());
}
