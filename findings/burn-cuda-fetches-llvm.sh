#!/bin/sh
# burn 0.22.1 cannot be built offline with its feature `cuda`, even where all crates are at hand: a build script fetches an LLVM.
#
# Seen on 2026-12-01: cubecl-cuda 0.11.3 needs cubecl-llvm, and that tracel-llvm-bundler, with no feature that leaves it out. Its build script asks
# github.com for an archive by ureq, whatever `--offline` or CARGO_NET_OFFLINE say. The feature `wgpu` brings none of this.
# docs/guide.md says so where it names the feature, and deny.toml leaves what only builds run out of the licences.
#
# Needs cargo, a C compiler, unshare (util-linux), and the network for the crates. Fails when what is seen changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
package() {
    mkdir -p "$1/src"
    : > "$1/src/lib.rs"
    printf '[package]\nname = "finding"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[dependencies]\n' > "$1/Cargo.toml"
    cat >> "$1/Cargo.toml"
}
for feature in cuda wgpu; do
    package "$feature" <<TOML
burn = { version = "=0.22.1", default-features = false, features = ["std", "$feature"] }
burn-backend = "=0.22.1"
cubecl = { version = "=0.11.3", default-features = false }
TOML
    (cd "$feature" && cargo tree --edges normal,build --prefix none | grep '^tracel-llvm-bundler' | sort -u > ../"$feature".seen || true)
done
cat cuda.seen
[ -s cuda.seen ] && [ ! -s wgpu.seen ]

# What it does, by itself, with all crates at hand and no network.
package alone <<'TOML'
tracel-llvm-bundler = "=23.1.0-4"
TOML
cd alone
cargo fetch --quiet
if unshare --map-root-user --net cargo build --offline --quiet 2> seen; then
    echo "it was built without a network"
    exit 1
fi
grep 'failed to run custom build command for `tracel-llvm-bundler' seen
