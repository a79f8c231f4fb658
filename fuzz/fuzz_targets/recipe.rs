//! A recipe from anywhere: refused, or one that keeps its meaning for any number of attributes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lineament_train::Recipe;

fuzz_target!(|text: &str| {
    if let Ok(recipe) = Recipe::parse(text) {
        assert!(recipe.check().is_ok(), "what was read is sound");
        let _ = recipe.for_attributes(3);
    }
});
