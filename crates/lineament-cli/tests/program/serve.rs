//! `lineament serve` through the binary and its socket.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{Stage, examples};
use lineament::testing::blocks;
use predicates::prelude::*;
use serde_json::Value;

/// The program at work; killed with the test.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(stage: &Stage, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lineament"));
        command.args(["serve", "--address", "127.0.0.1:0"]).args(arguments).current_dir(stage.path("."));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap().to_owned();
        Self { child, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// The answer to a request: status and body.
    fn ask(&self, head: &str, body: &[u8]) -> (u16, String) {
        let mut stream = self.connect();
        stream
            .write_all(
                format!("{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len())
                    .as_bytes(),
            )
            .unwrap();
        stream.write_all(body).unwrap();
        answer(&mut stream)
    }

    fn counters(&self) -> String {
        self.ask("GET /metrics HTTP/1.1", b"").1
    }

    fn terminate(&self) {
        assert!(
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success()
        );
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[test]
fn the_answer_is_that_of_predict() {
    let stage = Stage::new();
    let serving = Serving::start(&stage, &[]);
    let image = examples().join("astronaut.png");
    let (status, body) = serving.ask("POST /v1/predict HTTP/1.1", &fs::read(&image).unwrap());
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    let said = crate::common::output(&mut stage.lineament(&[
        "predict",
        image.to_str().unwrap(),
        "--format",
        "jsonl",
    ]));
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&answer["faces"], &answer["width"]), (&said["faces"], &said["width"]));
    assert_eq!(answer["faces"].as_array().unwrap().len(), 1);
}

#[test]
fn sigterm_lets_what_is_under_way_be_answered() {
    let stage = Stage::new();
    let mut serving = Serving::start(&stage, &["--model", "tiny.lineament"]);
    let image = fs::read(stage.path("photos/a.png")).unwrap();
    let (first, rest) = image.split_at(image.len() / 2);
    let mut under_way = serving.connect();
    let head = format!("POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", image.len());
    under_way.write_all(head.as_bytes()).unwrap();
    under_way.write_all(first).unwrap();
    let begun = Instant::now();
    while !serving.counters().contains("lineament_held_bytes 1") {
        assert!(begun.elapsed() < Duration::from_secs(30), "half a body is not held");
        sleep(Duration::from_millis(10));
    }
    serving.terminate();
    while TcpStream::connect(&serving.address).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it still listens");
        sleep(Duration::from_millis(10));
    }
    assert!(serving.child.try_wait().unwrap().is_none(), "somebody is still to be answered");
    under_way.write_all(rest).unwrap();
    let (status, body) = answer(&mut under_way);
    assert_eq!(status, 200, "{body}");
    assert!(serving.child.wait().unwrap().success());
}

#[test]
fn a_hang_up_frees_a_place() {
    let stage = Stage::new();
    stage.photo("large.png", &blocks(3000, 2000, 4));
    let serving =
        Serving::start(&stage, &["--model", "tiny.lineament", "--threads", "1", "--patience", "600000"]);
    let image = fs::read(stage.path("large.png")).unwrap();
    let head = format!("POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", image.len());
    let ask_and_leave = || {
        let clients = [(); 8].map(|()| {
            let mut stream = serving.connect();
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&image).unwrap();
            stream
        });
        drop(clients);
    };
    ask_and_leave();
    let left = "lineament_requests_total{route=\"/v1/predict\",status=\"499\"}";
    let begun = Instant::now();
    loop {
        let counters = serving.counters();
        if counters.contains(left)
            && counters.contains("lineament_queue_pictures 0")
            && counters.contains("lineament_held_bytes 0.0")
        {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{counters}");
        if counters.contains("lineament_held_bytes 0.0") && !counters.contains(left) {
            // All were answered before they left.
            ask_and_leave();
        }
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_token_comes_from_the_environment_or_a_file() {
    let stage = Stage::new();
    fs::write(stage.path("token"), "a-token-of-a-good-length\n").unwrap();
    let serving = Serving::start(&stage, &["--model", "tiny.lineament", "--token-file", "token"]);
    assert_eq!(serving.ask("GET /v1/model HTTP/1.1", b"").0, 401);
    let with = "GET /v1/model HTTP/1.1\r\nAuthorization: Bearer a-token-of-a-good-length";
    assert_eq!(serving.ask(with, b"").0, 200);
    let mut weak = stage.with_model(&["serve"]);
    weak.env("LINEAMENT_TOKEN", "weak").assert().code(2).stderr(predicate::str::contains("openssl rand"));
}

/// As a proxy sends requests that keeps the path below which it shows the service, and as one that strips it.
#[test]
fn the_page_works_below_a_prefix() {
    let stage = Stage::new();
    let serving = Serving::start(&stage, &["--model", "tiny.lineament", "--prefix", "/faces"]);
    assert_eq!(serving.ask("GET /faces HTTP/1.1", b"").0, 308);
    for home in ["/faces/", "/"] {
        let (status, page) = serving.ask(&format!("GET {home} HTTP/1.1"), b"");
        assert_eq!(status, 200);
        let script = page.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
        for address in [script, "docs", "v1/model"] {
            assert_eq!(serving.ask(&format!("GET {home}{address} HTTP/1.1"), b"").0, 200, "{home}{address}");
        }
        // Browsers know few types of photos: the page lets choose by endings.
        let accepted = page.split("accept=\"").nth(1).unwrap().split('"').next().unwrap();
        for ending in lineament_data::walk::EXTENSIONS {
            assert!(accepted.split(',').any(|one| one.strip_prefix('.') == Some(ending)), "{ending}");
        }
    }
    stage
        .with_model(&["serve", "--prefix", "faces/"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("such as /faces"));
}

#[test]
fn photos_come_in_as_clients_send_them() {
    let stage = Stage::new();
    let serving = Serving::start(&stage, &["--model", "tiny.lineament", "--max-body", "1"]);
    let photo = fs::read(stage.path("photos/a.png")).unwrap();
    let (status, plain) = serving.ask("POST /v1/predict?attributes=Bald HTTP/1.1", &photo);
    assert_eq!(status, 200, "{plain}");
    let typed = "POST /v1/predict?attributes=Bald HTTP/1.1\r\nContent-Type: binary/octet-stream";
    assert_eq!(serving.ask(typed, &photo), (200, plain.clone()));

    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let coded = "POST /v1/predict?attributes=Bald HTTP/1.1\r\nContent-Encoding: gzip";
    assert_eq!(serving.ask(coded, &gzip(&photo)), (200, plain.clone()));
    assert_eq!(serving.ask(coded, &gzip(&vec![0; 2 << 20])).0, 413);

    let head = "--x\r\nContent-Disposition: form-data; name=";
    let option = format!("{head}\"attributes\"\r\n\r\nBald\r\n{head}\"picture\"; filename=\"a.png\"\r\n\r\n");
    let form = [option.as_bytes(), &photo, b"\r\n--x--\r\n"].concat();
    let (status, answer) =
        serving.ask("POST /v1/predict HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x", &form);
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let plain: Value = serde_json::from_str(&plain).unwrap();
    assert_eq!(answer[0]["faces"], plain["faces"]);
}

#[test]
fn wrong_calls_say_what_to_do() {
    let stage = Stage::new();
    let serving = Serving::start(&stage, &["--model", "tiny.lineament"]);
    let refused = |arguments: &[&str], word: &'static str| {
        stage.with_model(arguments).assert().code(2).stderr(predicate::str::contains(word));
    };
    refused(&["serve", "--address", &serving.address], "choose another address");
    refused(&["serve", "--allow-origin", "photos.example/"], "scheme and host");
    refused(&["serve", "--max-pictures", "100", "--queue", "10"], "raise --queue");
    refused(&["serve", "--token-file", "no-such-file"], "cannot be read");
}
