//! The page without a service as files: the graph of the whole model and its runtime beside the page, for any host.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use lineament::Bundle;
use lineament::onnx::{OnnxFile, description_file, whole_file};
use lineament_net::Arithmetic;
use lineament_server::page_files::{HERE, INDEX, MANIFEST, PageFile, SERVICE_WORKER, SHARED};
use sha2::{Digest, Sha256};

use crate::runtime::Runtime;

/// The page loads what lies beside it and nothing else. WebAssembly is the runtime.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; \
     connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'";

/// What turns the page of a service into this one: each text of its HTML stands there once.
const TURNS: [(&str, &str); 3] = [
    ("class=\"of-service\"", "class=\"of-here\""),
    ("src=\"page/service.js\"", "src=\"page/here.js\""),
    (
        "<link rel=\"icon\" href=\"data:,\">",
        "<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"theme-color\" content=\"#0a5c8f\">\n\
         <link rel=\"icon\" href=\"page/icon.svg\">\n\
         <link rel=\"apple-touch-icon\" href=\"page/icon-192.png\">\n\
         <link rel=\"manifest\" href=\"manifest.webmanifest\">",
    ),
];

const GRAPH: &str = "model/faces.onnx.gz";
const DESCRIPTION: &str = "model/model.json";
const SCRIPT: &str = "runtime/ort.js";
const WASM: &str = "runtime/ort.wasm.gz";
const LICENSE: &str = "runtime/LICENSE.txt";
const HEADERS: &str = "_headers";
const WORKER: &str = "sw.js";
const PAGE: &str = "index.html";

/// A file of the site.
#[derive(Debug)]
pub struct SiteFile {
    /// Below the site's folder.
    pub path: &'static str,
    /// What stands in it.
    pub bytes: Vec<u8>,
}

/// The paths of all files of the site.
pub fn paths() -> impl Iterator<Item = &'static str> {
    let made = [GRAPH, DESCRIPTION, SCRIPT, WASM, LICENSE, HEADERS, WORKER, PAGE];
    made.into_iter().chain(copied().map(|file| file.path))
}

/// The files of the page that are as they are compiled in.
fn copied() -> impl Iterator<Item = &'static PageFile> {
    SHARED.iter().chain(HERE).chain([&MANIFEST])
}

/// The model as the page needs it: its graph in eight bits, which takes two thirds of the time in browsers and half the bytes, and the
/// description beside it.
pub fn graph(bundle: &Bundle) -> Result<(OnnxFile, OnnxFile)> {
    let files =
        whole_file(bundle, Arithmetic::EightBit).and_then(|graph| Ok((graph, description_file(bundle)?)));
    files.context("the page needs the model as one graph")
}

/// All files of the site, the ones that lead to the others last: whoever visits while they are written gets the old page or the new one.
pub fn files((graph, description): (OnnxFile, OnnxFile), runtime: Runtime) -> Result<Vec<SiteFile>> {
    let made = |path, bytes| SiteFile { path, bytes };
    let mut files = vec![
        made(GRAPH, gzipped(&graph.bytes)?),
        made(DESCRIPTION, description.bytes),
        made(SCRIPT, runtime.script),
        made(WASM, gzipped(&runtime.wasm)?),
        made(LICENSE, runtime.license.into()),
    ];
    files.extend(copied().map(|file| made(file.path, file.bytes.to_vec())));
    let index = made(PAGE, index()?.into_bytes());
    let worker = service_worker(files.iter().chain([&index]))?;
    files.push(made(HEADERS, headers_file().into_bytes()));
    files.push(made(WORKER, worker.into_bytes()));
    files.push(index);
    Ok(files)
}

/// The page, told apart from that of a service.
fn index() -> Result<String> {
    let policy = format!(
        "<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">"
    );
    let charset = ("<meta charset=\"utf-8\">", policy.as_str());
    replaced(INDEX, TURNS.into_iter().chain([charset]))
}

/// What a host should send with each file. A page cannot say `frame-ancestors` itself.
fn headers() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("Content-Security-Policy", format!("{POLICY}; frame-ancestors 'none'")),
        ("Cross-Origin-Embedder-Policy", "require-corp".to_owned()),
        ("Cross-Origin-Opener-Policy", "same-origin".to_owned()),
        ("Referrer-Policy", "no-referrer".to_owned()),
        ("X-Content-Type-Options", "nosniff".to_owned()),
    ])
}

/// The same in the form that several hosts read from the site itself.
fn headers_file() -> String {
    let lines = headers().into_iter().map(|(name, value)| format!("  {name}: {value}\n"));
    format!("/*\n{}", lines.collect::<String>())
}

/// What keeps these files in browsers. Its own text changes when one of them does, by which browsers know.
fn service_worker<'a>(files: impl Iterator<Item = &'a SiteFile>) -> Result<String> {
    let (mut hash, mut paths) = (Sha256::new(), Vec::new());
    for file in files {
        hash.update(file.path.as_bytes());
        hash.update([0]);
        hash.update(Sha256::digest(&file.bytes));
        // The page is known by the address of its folder.
        paths.push(if file.path == PAGE { "./" } else { file.path });
    }
    let version: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let filled = [
        ("const VERSION = \"\";", format!("const VERSION = {};", serde_json::to_string(&version)?)),
        ("const FILES = [];", format!("const FILES = {};", serde_json::to_string(&paths)?)),
        ("const HEADERS = {};", format!("const HEADERS = {};", serde_json::to_string(&headers())?)),
    ];
    replaced(SERVICE_WORKER, filled.iter().map(|(from, to)| (*from, to.as_str())))
}

/// A text file with one place each replaced.
fn replaced<'a>(file: PageFile, turns: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<String> {
    let mut text = std::str::from_utf8(file.bytes)?.to_owned();
    for (from, to) in turns {
        if text.matches(from).count() != 1 {
            bail!("{from} does not stand in {} once", file.path);
        }
        text = text.replace(from, to);
    }
    Ok(text)
}

/// The same bytes every time: no date, no name.
fn gzipped(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_that_of_a_service_but_for_what_looks_at_photos() {
        let page = index().unwrap();
        for said in [
            "class=\"of-here\"",
            "page/here.js",
            "http-equiv=\"Content-Security-Policy\"",
            "manifest.webmanifest",
        ] {
            assert_eq!(page.matches(said).count(), 1, "{said} in\n{page}");
        }
        assert!(!page.contains("page/service.js"), "{page}");
        let policy = page.find("http-equiv").unwrap();
        assert!(
            policy < page.find("<link").unwrap() && policy < page.find("<script").unwrap(),
            "it comes before what it allows"
        );
    }

    #[cfg(feature = "default-model")]
    #[test]
    fn the_site_is_the_page_the_model_and_the_runtime() {
        use std::io::Read;

        let runtime = Runtime { script: b"script".to_vec(), wasm: b"wasm".to_vec(), license: "terms" };
        let bundle = Bundle::embedded().unwrap();
        let files = files(graph(&bundle).unwrap(), runtime).unwrap();
        let mut listed: Vec<&str> = paths().collect();
        let mut written: Vec<&str> = files.iter().map(|file| file.path).collect();
        assert_eq!(written.last(), Some(&PAGE), "the page leads to all others");
        listed.sort_unstable();
        written.sort_unstable();
        assert_eq!(written, listed);
        let bytes = |path: &str| files.iter().find(|file| file.path == path).unwrap().bytes.as_slice();
        let unpacked = |path: &str| {
            let mut bytes_of = Vec::new();
            flate2::read::GzDecoder::new(bytes(path)).read_to_end(&mut bytes_of).unwrap();
            bytes_of
        };
        assert_eq!(unpacked(WASM), b"wasm");
        assert_eq!(unpacked(GRAPH), whole_file(&bundle, Arithmetic::EightBit).unwrap().bytes);
        assert_eq!(bytes(GRAPH), gzipped(&unpacked(GRAPH)).unwrap(), "the same bytes every time");
        let kept = String::from_utf8(bytes(WORKER).to_vec()).unwrap();
        for path in written.iter().filter(|path| ![HEADERS, WORKER, PAGE].contains(path)) {
            assert!(kept.contains(&format!("\"{path}\"")), "{path} is kept for visits without a network");
        }
    }

    #[test]
    fn every_change_of_a_file_changes_what_keeps_them() {
        let kept =
            |bytes: &[u8]| service_worker([SiteFile { path: PAGE, bytes: bytes.to_vec() }].iter()).unwrap();
        assert_eq!(kept(b"one"), kept(b"one"));
        assert_ne!(kept(b"one"), kept(b"two"));
        assert!(kept(b"one").contains("const FILES = [\"./\"];"), "{}", kept(b"one"));
        assert!(kept(b"one").contains("require-corp"));
    }
}
