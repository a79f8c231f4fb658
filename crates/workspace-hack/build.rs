//! There for the features of [build-dependencies] alone, which count only where there is a build script.

fn main() {}
