//! The files of the page: those that every page has, those of a service's, and those of the one that works without a service.

/// A file that is compiled in.
#[derive(Clone, Copy, Debug)]
pub struct PageFile {
    /// Its address below the page's own, without a slash at the start; empty for the page itself.
    pub path: &'static str,
    /// Its type, for HTTP.
    pub kind: &'static str,
    /// What stands in it.
    pub bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const JPEG: &str = "image/jpeg";
const PNG: &str = "image/png";
const SVG: &str = "image/svg+xml";

/// A file below `page/`, whose address is the same as its path in this crate.
macro_rules! page_file {
    ($path:literal, $kind:expr) => {
        PageFile { path: $path, kind: $kind, bytes: include_bytes!(concat!("../", $path)) }
    };
}

/// The page itself.
pub const INDEX: PageFile = PageFile { path: "", kind: HTML, bytes: include_bytes!("../page/index.html") };

/// The page to try a service's requests on.
pub const DOCS: PageFile = PageFile { path: "docs", kind: HTML, bytes: include_bytes!("../page/docs.html") };

/// What keeps the page without a service for visits without a network; to be filled in.
pub const SERVICE_WORKER: PageFile =
    PageFile { path: "sw.js", kind: SCRIPT, bytes: include_bytes!("../page/sw.js") };

/// What says how the page without a service is installed.
pub const MANIFEST: PageFile = PageFile {
    path: "manifest.webmanifest",
    kind: "application/manifest+json",
    bytes: include_bytes!("../page/manifest.webmanifest"),
};

/// What both kinds of page load.
pub const SHARED: &[PageFile] = &[
    page_file!("page/page.css", CSS),
    page_file!("page/page.js", SCRIPT),
    page_file!("page/attributes.js", SCRIPT),
    page_file!("page/filter.js", SCRIPT),
    page_file!("page/regions.js", SCRIPT),
    page_file!("page/viewer.js", SCRIPT),
    page_file!("page/astronaut.jpg", JPEG),
];

/// What the page of a service loads, and the page to try its requests on.
pub const SERVICE: &[PageFile] = &[
    page_file!("page/service.js", SCRIPT),
    page_file!("page/docs.css", CSS),
    page_file!("page/docs.js", SCRIPT),
];

/// What the page without a service loads, beside the model and the runtime.
pub const HERE: &[PageFile] = &[
    page_file!("page/here.js", SCRIPT),
    page_file!("page/worker.js", SCRIPT),
    page_file!("page/tagger/decode.js", SCRIPT),
    page_file!("page/tagger/errors.js", SCRIPT),
    page_file!("page/tagger/header.js", SCRIPT),
    page_file!("page/tagger/pixels.js", SCRIPT),
    page_file!("page/tagger/prediction.js", SCRIPT),
    page_file!("page/tagger/selection.js", SCRIPT),
    page_file!("page/tagger/tagger.js", SCRIPT),
    page_file!("page/icon.svg", SVG),
    page_file!("page/icon-192.png", PNG),
    page_file!("page/icon-512.png", PNG),
];
