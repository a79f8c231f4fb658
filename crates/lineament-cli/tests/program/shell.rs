//! `lineament completions`, `lineament man` and the help, through the binary.

use crate::common::{Stage, output};
use predicates::str::contains;

#[test]
fn every_shell_gets_its_completions() {
    let stage = Stage::new();
    for (shell, said) in [
        ("bash", "complete -F _lineament"),
        ("zsh", "#compdef lineament"),
        ("fish", "complete -c lineament"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion:arg-completer[lineament]"),
    ] {
        let script = output(&mut stage.lineament(&["completions", shell]));
        assert!(script.contains(said) && script.contains("operating-point"), "{shell}:\n{script}");
    }
    stage.lineament(&["completions", "tcsh"]).assert().code(2).stderr(contains("bash"));
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let stage = Stage::new();
    let page = output(&mut stage.lineament(&["man"]));
    assert!(page.contains(".TH lineament 1") && page.contains("lineament\\-predict(1)"), "{page}");
    let page = output(&mut stage.lineament(&["man", "model", "show"]));
    assert!(page.contains("lineament model show") || page.contains("lineament\\-model\\-show"), "{page}");
    output(&mut stage.lineament(&["man", "--output", "man1"]));
    let pages = stage.listing("man1");
    for name in ["lineament.1", "lineament-predict.1", "lineament-teach.1", "lineament-model-verify.1"] {
        assert!(pages.contains(&name.to_owned()), "{name} in {pages:?}");
    }
    let page = stage.text("man1/lineament-predict.1");
    assert!(page.contains("\\-\\-xmp") && page.contains("lineament predict photos/"), "{page}");
    stage.lineament(&["man", "predct"]).assert().code(2).stderr(contains("no command predct"));
}

#[test]
fn help_teaches_by_example() {
    let stage = Stage::new();
    for command in ["predict", "locate", "evaluate", "train", "teach", "export", "draw", "completions", "man"]
    {
        let help = output(&mut stage.lineament(&[command, "--help"]));
        assert!(help.contains(&format!("Examples:\n  lineament {command}")) || command == "train", "{help}");
    }
}
