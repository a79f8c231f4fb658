//! Prints the faces of a photo and their attributes, as the README shows.

use lineament::Tagger;

fn main() -> lineament::Result<()> {
    let tagger = Tagger::embedded()?;
    for face in tagger.predict("examples/astronaut.png")?.faces {
        println!("a face at {:?}, smiling: {:.2}", face.rect, face["Smiling"].probability);
        for attribute in face.present() {
            println!("{} {:.2}", attribute.name, attribute.probability);
        }
    }
    Ok(())
}
