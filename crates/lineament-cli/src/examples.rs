//! What the help of each command says at its end. Tests parse every line that begins with a call of the program.

/// Of the program itself.
pub const LINEAMENT: &str = "Examples:
  lineament predict photo.jpg
  lineament predict photos/ --format csv --output faces.csv
  lineament predict 'photos/**/*.jpg' --attributes Smiling,Eyeglasses --format jsonl
  find . -name '*.jpg' | lineament predict - --format jsonl
  lineament locate photo.jpg --maps maps/
  lineament teach Freckles --positive freckles/ --negative plain/ --output my.lineament

Each command has examples of its own: lineament predict --help";

/// Of `predict`.
pub const PREDICT: &str = "Examples:
  lineament predict photo.jpg
  lineament predict photos/ --format parquet --output faces.parquet
  lineament predict photos/ --shards faces/ --shard-rows 5000     # again after a kill: goes on
  lineament predict pictures.parquet --shards faces/ --picture-column image --key-column id
  lineament predict photos/ --attributes Smiling,Eyeglasses --threshold 0.8 --format csv
  lineament predict photos/ --operating-point balanced --annotate marked/
  lineament predict party.jpg --smallest-face 24px --max-faces 50
  lineament predict photos/ --format coco --output faces.json
  lineament predict photos/ --format yolo --output faces/
  lineament predict photos/ --crops faces/ --format csv --output faces.csv
  lineament predict photos/ --embeddings --output faces.parquet
  lineament predict photos/ --xmp --format jsonl --output faces.jsonl     # sidecars for digiKam
  lineament predict photos/ --xmp=lightroom --attributes Smiling
  find . -name '*.jpg' | lineament predict - --format jsonl";

/// Of `locate`.
pub const LOCATE: &str = "Examples:
  lineament locate photo.jpg
  lineament locate photos/ --format csv --output boxes.csv
  lineament locate scans/ --any-orientation --smallest-face 1%
  lineament locate photos/ --annotate marked/ --maps maps/
  lineament locate photos/ --detector yunet --annotate marked/     # trained on boxes, unlike LNets";

/// Of `evaluate`.
pub const EVALUATE: &str = "Examples:
  lineament evaluate --data celeba
  lineament evaluate --data tags.csv --split validation --operating-point balanced --format json
  lineament evaluate --data celeba --region landmarks
  lineament evaluate --data export.json                      # labels from Label Studio, or COCO's attributes
  lineament evaluate --data celeba --background background --report results.md
  lineament evaluate --data wider                            # images/ and boxes.csv: every face, by height
  lineament evaluate --data wider --detector yunet --format json";

/// Of `train`.
pub const TRAIN: &str = "Examples:
  lineament draw --output drawn
  lineament train --recipe drawn --data drawn --output run
  lineament train --recipe drawn --data drawn --output run --resume
  lineament train --recipe my-recipe.toml --data celeba objects --output run --threads 4
  lineament train --recipe compact --data celeba objects --without Smiling,Male --output run
  lineament train --recipe my-recipe.toml --faces-of default --data celeba --output run
  lineament train --from default --data faces.csv --output run
  lineament train --from default --region whole --data cats.csv --output run
  lineament predict photo.jpg --model run/model.lineament";

/// Of `reproduce`.
pub const REPRODUCE: &str = "Examples:
  lineament reproduce --data shared/data --output docs/results.md
  lineament reproduce --data shared/data --output docs/results.md --only localisation,transfer
  lineament reproduce --data shared/data --output docs/results.md --page     # from the figures that are there";

/// Of `teach`.
pub const TEACH: &str = "Examples:
  lineament teach Freckles --positive freckles/ --negative plain/ --output my.lineament
  lineament teach Freckles Scar --data tags.csv --person name --output my.lineament --report taught.json
  lineament teach Scar --data tags.csv --share 0.05 --model my.lineament --replace --output my.lineament
  lineament predict photo.jpg --model my.lineament --attributes Freckles";

/// Of `serve`.
pub const SERVE: &str = "Examples:
  lineament serve
  curl --data-binary @photo.jpg http://127.0.0.1:8080/v1/predict
  curl -F picture=@a.jpg -F picture=@b.jpg http://127.0.0.1:8080/v1/predict
  lineament serve --smallest-face 24px --max-faces 50     # where a request does not say it
  LINEAMENT_TOKEN=$(openssl rand -hex 32) lineament serve --address 0.0.0.0:8080";

/// Of `page`.
pub const PAGE: &str = "Examples:
  lineament page --output site
  npm pack onnxruntime-web@1.30.0 && lineament page --output site --runtime onnxruntime-web-1.30.0.tgz
  python3 -m http.server --directory site                 # to try it; docs/guide.md says what a host should send";

/// Of `explain`.
pub const EXPLAIN: &str = "Examples:
  lineament explain photo.jpg --attributes Smiling,Eyeglasses
  lineament explain photo.jpg --neurons 3 --format json
  lineament explain photos/ --attributes Smiling --annotate maps/";

/// Of `audit`.
pub const AUDIT: &str = "Examples:
  lineament audit --data celeba --output audit/
  lineament audit --data tags.csv --split validation --by Male --groups origin.csv --output audit/
  lineament audit --data celeba --region landmarks --operating-point balanced --output audit/";

/// Of `compare`.
pub const COMPARE: &str = "Examples:
  lineament compare default run/model.lineament --data celeba --split validation
  lineament compare old.lineament new.lineament --data tags.csv --by Male --page compared.html
  lineament compare old.lineament new.lineament --data celeba --region landmarks --format json";

/// Of `calibrate`.
pub const CALIBRATE: &str = "Examples:
  lineament calibrate --data tags.csv --output my.lineament
  lineament calibrate --data export.json --output my.lineament     # labels from Label Studio
  lineament calibrate --data celeba --region landmarks --name mine --output my.lineament";

/// Of `data check`.
pub const DATA_CHECK: &str = "Examples:
  lineament data check --data celeba
  lineament data check --data celeba tags.csv background --format json --output check.json";

/// Of `insight`.
pub const INSIGHT: &str = "Examples:
  lineament insight --drawn --output insight.html
  lineament insight --data celeba --region landmarks --output insight.html --tables tables/
  lineament insight --data tags.csv --model my.lineament --explain photo.jpg --output insight.html";

/// Of `export`.
pub const EXPORT: &str = "Examples:
  lineament export --bundle model.lineament
  lineament export --onnx graphs/
  lineament export --onnx graphs/ --model my.lineament";

/// Of `model show`.
pub const SHOW: &str = "Examples:
  lineament model show
  lineament model show my.lineament --format json";

/// Of `model verify`.
pub const VERIFY: &str = "Examples:
  lineament model verify
  lineament model verify my.lineament --sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// Of `draw`.
pub const DRAW: &str = "Examples:
  lineament draw --output drawn
  lineament draw --output drawn --people 200 --pictures 4 --seed 7
  lineament train --recipe drawn --data drawn --output run";

/// Of `completions`.
pub const COMPLETIONS: &str = "Examples:
  lineament completions bash > ~/.local/share/bash-completion/completions/lineament
  lineament completions zsh > ~/.zfunc/_lineament
  lineament completions fish > ~/.config/fish/completions/lineament.fish";

/// Of `man`.
pub const MAN: &str = "Examples:
  lineament man | man -l -
  lineament man predict | man -l -
  lineament man --output ~/.local/share/man/man1";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::{Command, CommandFactory, Parser};

    use crate::arguments::Arguments;

    /// The words of a call as a shell would hand them over: quotes go, and so does what comes after the call.
    fn words(call: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
        for character in call.chars() {
            match character {
                '\'' => quoted = !quoted,
                '>' | '|' | '#' if !quoted => break,
                ' ' if !quoted => words.push(std::mem::take(&mut word)),
                _ => word.push(character),
            }
        }
        words.push(word);
        words.retain(|word| !word.is_empty());
        words
    }

    fn commands(command: &Command, path: &str, found: &mut Vec<(String, String)>) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        if command.get_subcommands().next().is_none() || path == "lineament" {
            found.push((path.to_owned(), help));
        }
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            commands(inner, &format!("{path} {}", inner.get_name()), found);
        }
    }

    #[test]
    fn every_command_has_examples_that_can_be_typed() {
        let mut found = Vec::new();
        commands(&Arguments::command(), "lineament", &mut found);
        assert!(found.len() > 8);
        for (path, help) in found {
            assert!(help.starts_with("Examples:\n  "), "{path} has no examples");
            let mut own = 0;
            for line in help.lines().filter(|line| line.starts_with("  ")) {
                let Some(start) = line.find("lineament ") else { continue };
                let words = words(&line[start..]);
                let parsed = Arguments::try_parse_from(&words);
                assert!(parsed.is_ok(), "{path}: {line}\n{}", parsed.unwrap_err());
                own += usize::from(words.join(" ").starts_with(&path));
            }
            assert!(own > 0, "{path} has no example of itself");
        }
    }
}
