//! `lineament page`, as far as it goes without a network: what it refuses, and that nothing is written then. `.ci/page` writes a page.

use std::fs;

use crate::common::Stage;
use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

/// The command, with no other program in reach than those of the folder `programs`.
fn alone(stage: &Stage, arguments: &[&str]) -> Command {
    let mut command = stage.lineament(arguments);
    command.env("PATH", stage.path("programs"));
    command
}

/// What stands for npm: a script.
#[cfg(unix)]
fn npm(stage: &Stage, script: &str) {
    use std::os::unix::fs::PermissionsExt;

    fs::create_dir(stage.path("programs")).unwrap();
    fs::write(stage.path("programs/npm"), format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(stage.path("programs/npm"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn another_package_is_no_runtime() {
    let stage = Stage::new();
    fs::write(stage.path("other.tgz"), "no package").unwrap();
    let mut call = alone(&stage, &["page", "--output", "site", "--runtime", "other.tgz"]);
    let refused = call.assert().code(2).stdout("");
    refused.stderr(contains("other.tgz").and(contains("SHA-512")).and(contains("registry.npmjs.org")));
    assert!(!stage.path("site").exists());
    let mut call = alone(&stage, &["page", "--output", "site", "--runtime", "nowhere.tgz"]);
    call.assert().code(2).stderr(contains("nowhere.tgz cannot be read"));
}

#[test]
fn without_npm_it_is_said_what_to_fetch() {
    let stage = Stage::new();
    let refused = alone(&stage, &["page", "--output", "site"]).assert().code(2).stdout("");
    refused.stderr(contains("npm").and(contains("onnxruntime-web-1.")).and(contains("--runtime FILE")));
    assert!(!stage.path("site").exists());
}

#[cfg(unix)]
#[test]
fn what_npm_fetches_is_checked_and_what_it_says_is_passed_on() {
    let stage = Stage::new();
    npm(&stage, "echo not the package >other.tgz; echo other.tgz");
    let refused = alone(&stage, &["page", "--output", "site"]).assert().code(2).stdout("");
    refused.stderr(contains("what npm fetched").and(contains("SHA-512")));

    let stage = Stage::new();
    npm(&stage, "echo no network >&2; exit 1");
    let refused = alone(&stage, &["page", "--output", "site"]).assert().code(2).stdout("");
    refused.stderr(contains("npm says: no network").and(contains("--runtime FILE")));
    assert!(!stage.path("site").exists());
}

#[test]
fn what_is_there_is_kept_and_nothing_is_fetched_for_it() {
    let stage = Stage::new();
    fs::create_dir(stage.path("site")).unwrap();
    fs::write(stage.path("site/index.html"), "mine").unwrap();
    let refused = alone(&stage, &["page", "--output", "site"]).assert().code(2).stdout("");
    refused
        .stderr(contains("index.html is there already").and(contains("--force")).and(contains("npm").not()));
    assert_eq!(stage.text("site/index.html"), "mine");
    assert_eq!(stage.listing("site"), ["index.html"]);
}

#[test]
fn a_model_that_is_no_single_graph_is_refused() {
    let stage = Stage::new();
    let mut call = alone(&stage, &["page", "--output", "site", "--model", "tiny.lineament"]);
    call.assert().code(2).stdout("").stderr(contains("one graph").and(contains("npm").not()));
    assert!(!stage.path("site").exists());
}
