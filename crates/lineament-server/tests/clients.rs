//! Requests as clients of every kind send them: types, compression, options in forms.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::io::Write;

use axum::body::Body;
use axum::http::{Request, header};
use common::{Answer, ask, file, form_of, image, post, service};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use image::ImageFormat;
use lineament::testing::blocks;
use lineament_server::Settings;
use lineament_server::settings::Limits;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A request whose body is said to be coded.
fn coded(mut request: Request<Body>, coding: &str) -> Request<Body> {
    request.headers_mut().insert(header::CONTENT_ENCODING, coding.parse().unwrap());
    request
}

#[tokio::test]
async fn bytes_say_the_format_and_not_the_type() {
    let service = service(Settings::default());
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let photo = file(&blocks(80, 60, 2), format);
        for kind in [
            "image/jpg",
            "image/pjpeg",
            "image/x-png; charset=binary",
            "IMAGE/JPEG",
            "binary/octet-stream",
            "application/octet-stream",
            "application/x-www-form-urlencoded",
            "application/json",
            "text/plain",
            "what is this",
            "",
        ] {
            assert_eq!(
                ask(&service, post("/v1/predict", kind, photo.clone())).await.json()["width"],
                80,
                "{kind}"
            );
        }
        let untold = Request::post("/v1/predict").body(Body::from(photo)).unwrap();
        assert_eq!(ask(&service, untold).await.json()["width"], 80);
    }
}

#[tokio::test]
async fn compressed_bodies_are_answered_as_plain_ones() {
    let service = service(Settings::default());
    let photo = image();
    let plain = ask(&service, post("/v1/predict", "image/png", photo.clone())).await.json();
    let send = async |coding: &str, body: Vec<u8>| {
        ask(&service, coded(post("/v1/predict", "image/png", body), coding)).await
    };
    // Frames of zstd may hold bytes as they are: magic, sizes of one byte, a last raw block.
    let zstd = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap();
        let block = (length << 3 | 1).to_le_bytes();
        [b"\x28\xb5\x2f\xfd\xa0", &length.to_le_bytes()[..], &block[..3], bytes].concat()
    };
    let (half, rest) = photo.split_at(photo.len() / 2);
    for (coding, body) in [
        ("identity", photo.clone()),
        ("gzip", gzip(&photo)),
        ("X-GZip", [gzip(half), gzip(rest)].concat()),
        ("deflate", zlib(&photo)),
        ("zstd", zstd(&photo)),
    ] {
        assert_eq!(send(coding, body).await.json(), plain, "{coding}");
    }
    let form = form_of("/v1/predict", &[("attributes", "Bald")], &[("a.png", &photo)]);
    let body = http_body_util::BodyExt::collect(form.into_body()).await.unwrap().to_bytes();
    let form = post("/v1/predict", "multipart/form-data; boundary=frontier", gzip(&body));
    assert_eq!(ask(&service, coded(form, "gzip")).await.json()[0]["width"], plain["width"]);

    for unknown in ["br", "gzip, gzip", "pack200-gzip"] {
        assert!(
            send(unknown, photo.clone()).await.problem(415).contains("gzip, deflate or zstd"),
            "{unknown}"
        );
    }
    assert!(send("gzip", photo.clone()).await.problem(400).contains("it is no gzip"));
    let mut cut = gzip(&photo);
    cut.truncate(cut.len() - 20);
    assert!(send("gzip", cut).await.problem(400).contains("it is no gzip"));
}

#[tokio::test]
async fn the_limit_holds_for_what_is_unpacked() {
    let limits = Limits { body: 102_400, held: 102_400, ..Limits::default() };
    let small = service(Settings { limits, ..Settings::default() });
    let send = async |coding: &str, kind: &str, body: Vec<u8>| {
        ask(&small, coded(post("/v1/predict", kind, body), coding)).await
    };
    let bomb = vec![0; 50 << 20];
    for (coding, body) in [("gzip", gzip(&bomb)), ("deflate", zlib(&bomb))] {
        assert!(send(coding, "image/png", body).await.problem(413).contains("102400 bytes"), "{coding}");
    }
    let head = b"--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\n";
    let form = [&head[..], &bomb].concat();
    let refused = send("gzip", "multipart/form-data; boundary=x", gzip(&form)).await;
    assert!(refused.problem(413).contains("102400 bytes"));
    // A frame of zstd that wants a window of 128 MB, more than HTTP allows.
    let wide = b"\x28\xb5\x2f\xfd\0\x88\x01\0\0".to_vec();
    assert!(send("zstd", "image/png", wide).await.problem(400).contains("it is no zstd"));
    // Members of nothing: short when unpacked, but endless.
    let empty = gzip(b"").repeat(10_000);
    assert!(send("gzip", "image/png", empty).await.problem(413).contains("102400 bytes"));
    // Counted with all that it may become, and given back.
    assert_eq!(send("gzip", "image/png", gzip(&image())).await.status, 200);
    assert_eq!(ask(&small, post("/v1/predict", "image/png", image())).await.status, 200);
}

#[tokio::test]
async fn options_may_stand_in_the_form() {
    let service = service(Settings::default());
    let photo = file(&blocks(300, 260, 3), ImageFormat::Png);
    let photos: &[(&str, &[u8])] = &[("a.png", &photo), ("b.png", &photo)];
    let of_form = async |address: &str, options: &[(&str, &str)]| -> Answer {
        ask(&service, form_of(address, options, photos)).await
    };
    let options = [
        ("attributes", "Smiling, bald"),
        ("threshold", "0.25"),
        ("max_faces", "1"),
        ("smallest_face", "10%"),
    ];
    let query = "attributes=Smiling,%20bald&threshold=0.25&max_faces=1&smallest_face=10%25";
    let expected = of_form(&format!("/v1/predict?{query}"), &[]).await.json();
    assert_eq!(expected.as_array().unwrap().len(), 2);
    assert_eq!(of_form("/v1/predict", &options).await.json(), expected);
    assert_eq!(
        of_form("/v1/predict?max_faces=1&threshold=0.25", &options).await.json(),
        expected,
        "some in both"
    );
    let text =
        of_form("/v1/explain", &[("face", "1"), ("attributes", "Bald"), ("neurons", "2\r\n")]).await.json();
    assert_eq!(text[1]["explanations"][0]["strongest"].as_array().unwrap().len(), 2);
    assert_eq!(of_form("/v1/locate", &[("map", "over")]).await.status, 200);

    let refused =
        async |address: &str, options: &[(&str, &str)]| of_form(address, options).await.problem(400);
    let twice = refused("/v1/predict?threshold=0.5", &[("threshold", "0.7")]).await;
    assert!(twice.starts_with("threshold is given twice, as 0.5 and as 0.7"), "{twice}");
    assert!(refused("/v1/predict", &[("treshold", "0.5")]).await.contains("`treshold`"));
    assert!(refused("/v1/predict", &[("threshold", "high")]).await.contains("threshold: "));
    assert!(refused("/v1/predict", &[("threshold", "1.5")]).await.contains("between 0 and 1"));
    assert!(refused("/v1/predict", &[("map", "over")]).await.contains("`map`"), "an option of another route");
    assert!(
        refused("/v1/predict?threshold=0.5", &[("operating_point", "balanced")])
            .await
            .contains("one of the two")
    );
    let many: Vec<(&str, &str)> = vec![("threshold", "0.5"); 65];
    assert!(refused("/v1/predict", &many).await.contains("more than 64 options"));
    let alone = ask(&service, form_of("/v1/predict", &options, &[])).await;
    assert!(alone.problem(400).contains("no picture"));
}

/// As forms of some programs write them, with nothing but a field's name.
#[tokio::test]
async fn a_photo_needs_no_file_name() {
    let service = service(Settings::default());
    let photo = image();
    let head = b"--x\r\nContent-Disposition: form-data; name=\"upload\"\r\n\r\n";
    let body = [&head[..], &photo, b"\r\n--x--\r\n"].concat();
    let answer = ask(&service, post("/v1/predict", "multipart/form-data; boundary=x", body)).await.json();
    assert_eq!((&answer[0]["path"], &answer[0]["width"]), (&"upload".into(), &120.into()));
}
