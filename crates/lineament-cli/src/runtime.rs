//! The runtime of the page without a service: onnxruntime-web, in one version, whose package npm fetches.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha512};
use tar::Archive;

/// The package and its version; npm/package.json has the same.
const PACKAGE: &str = "onnxruntime-web@1.30.0";
const ADDRESS: &str = "https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-1.30.0.tgz";

/// SHA-512 of the package, as npm publishes it.
const SHA512: &str = "ab4cbe26baedba45d2cec05610c71c55fa97db92d19a8b171c5f8269126683ca590a5cdc57bb2f35ce2b298d\
     e32f4d956fb42644c0ecd528a0a91e025c07ca61";

/// The script that holds the interface and starts threads, and the code of the runtime.
const SCRIPT: &str = "package/dist/ort.wasm.bundle.min.mjs";
const WASM: &str = "package/dist/ort-wasm-simd-threaded.wasm";

/// The package states its licence by name.
const LICENSE: &str = "\
ort.js and ort.wasm.gz are files of onnxruntime-web (https://onnxruntime.ai).

MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the \"Software\"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
";

/// What the page has of the package.
pub struct Runtime {
    /// The interface, a module.
    pub script: Vec<u8>,
    /// WebAssembly.
    pub wasm: Vec<u8>,
    /// Its terms.
    pub license: &'static str,
}

impl Runtime {
    /// From the package as npm packs it: the file that is given, or what npm fetches.
    ///
    /// # Errors
    /// A file that is not this package, byte for byte; no npm, or one that cannot fetch.
    pub fn find(package: Option<&Path>) -> Result<Self> {
        match package {
            Some(path) => {
                Self::read(&fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?)
                    .with_context(|| format!("{} cannot be used as the runtime", path.display()))
            }
            None => {
                let folder = tempfile::tempdir().context("no folder for the runtime can be made")?;
                let path = fetched(folder.path())?;
                let bytes = fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
                Self::read(&bytes).context("what npm fetched cannot be used as the runtime")
            }
        }
    }

    fn read(package: &[u8]) -> Result<Self> {
        let hash = hex(&Sha512::digest(package));
        if hash != SHA512 {
            bail!("it is not {PACKAGE}, whose SHA-512 is {SHA512}, not {hash}; get {ADDRESS}");
        }
        Ok(Self { script: unpacked(package, SCRIPT)?, wasm: unpacked(package, WASM)?, license: LICENSE })
    }
}

/// Has npm fetch the package into this folder. The program itself asks nobody for anything.
fn fetched(folder: &Path) -> Result<PathBuf> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let call = ["pack", PACKAGE, "--ignore-scripts", "--loglevel=error", "--pack-destination"];
    let advice = format!("download {ADDRESS} and give it with --runtime FILE");
    let output = match Command::new(npm).args(call).arg(folder).current_dir(folder).output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!(
                "npm, which fetches the page's runtime {PACKAGE}, is not installed: install Node.js, or {advice}"
            )
        }
        Err(error) => return Err(error).context(format!("npm cannot be run; {advice}")),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("npm could not fetch the page's runtime {PACKAGE}; {advice}. npm says: {}", said.trim());
    }
    let name =
        String::from_utf8_lossy(&output.stdout).lines().last().map(str::trim).unwrap_or_default().to_owned();
    Ok(folder.join(name))
}

/// One file of the package.
fn unpacked(package: &[u8], name: &str) -> Result<Vec<u8>> {
    let mut archive = Archive::new(GzDecoder::new(package));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path_bytes().as_ref() == name.as_bytes() {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            return Ok(bytes);
        }
    }
    bail!("{PACKAGE} has no file {name}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
