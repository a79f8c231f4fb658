//! The page without a service as files: the graph of the whole model and its runtime beside the page, for any host.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use lineament::Bundle;
use lineament::onnx::{description_file, whole_file};
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

/// A file of the site.
#[derive(Debug)]
pub struct SiteFile {
    /// Below the site's folder.
    pub path: String,
    /// What stands in it.
    pub bytes: Vec<u8>,
}

/// All files of the site, the ones that lead to the others last: whoever visits while they are written gets the old page or the new one.
pub fn files(bundle: &Bundle, runtime: Runtime) -> Result<Vec<SiteFile>> {
    let graph = whole_file(bundle).and_then(|graph| Ok((graph, description_file(bundle)?)));
    let (graph, description) = graph.context("the page needs the model as one graph")?;
    let made = |path: &str, bytes| SiteFile { path: path.to_owned(), bytes };
    let mut files = vec![
        made("model/faces.onnx.gz", gzipped(&graph.bytes)?),
        made("model/model.json", description.bytes),
        made("runtime/ort.js", runtime.script),
        made("runtime/ort.wasm.gz", gzipped(&runtime.wasm)?),
        made("runtime/LICENSE.txt", runtime.license.into()),
    ];
    let fixed = |file: &PageFile| made(file.path, file.bytes.to_vec());
    files.extend(SHARED.iter().chain(HERE).chain([&MANIFEST]).map(fixed));
    let index = made("index.html", index()?.into_bytes());
    let worker = service_worker(files.iter().chain([&index]))?;
    files.push(made("_headers", headers_file().into_bytes()));
    files.push(made("sw.js", worker.into_bytes()));
    files.push(index);
    Ok(files)
}

/// The page, told apart from that of a service.
fn index() -> Result<String> {
    let policy = format!("<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">");
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
        paths.push(if file.path == "index.html" { "./" } else { &file.path });
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
        for said in ["class=\"of-here\"", "page/here.js", "http-equiv=\"Content-Security-Policy\"", "manifest.webmanifest"] {
            assert_eq!(page.matches(said).count(), 1, "{said} in\n{page}");
        }
        assert!(!page.contains("page/service.js"), "{page}");
        let policy = page.find("http-equiv").unwrap();
        assert!(policy < page.find("<link").unwrap() && policy < page.find("<script").unwrap(), "it comes before what it allows");
    }

    #[test]
    fn every_change_of_a_file_changes_what_keeps_them() {
        let kept = |bytes: &[u8]| {
            service_worker([SiteFile { path: "index.html".to_owned(), bytes: bytes.to_vec() }].iter()).unwrap()
        };
        assert_eq!(kept(b"one"), kept(b"one"));
        assert_ne!(kept(b"one"), kept(b"two"));
        assert!(kept(b"one").contains("const FILES = [\"./\"];"), "{}", kept(b"one"));
        assert!(kept(b"one").contains("require-corp"));
    }
}
