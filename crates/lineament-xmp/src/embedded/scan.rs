//! Any other file: XMP packets are made to be found by their marks.

use memchr::memmem::{find, rfind};

/// The marks of a packet, and of one without its processing instructions.
const MARKS: [(&[u8], &[u8]); 2] = [(b"<?xpacket begin", b"<?xpacket end"), (b"<x:xmpmeta", b"</x:xmpmeta>")];

/// The first packet of a file.
pub fn packet(file: &[u8]) -> Option<Vec<u8>> {
    MARKS.iter().find_map(|(begin, end)| {
        let from = find(file, begin)?;
        let rest = file.get(from..)?;
        // The mark of the end begins within a tag, which ends with it.
        let to = find(rest, end)?;
        let tail = rest.get(to..)?;
        let to = to + find(tail, b">")? + 1;
        let packet = rest.get(..to)?;
        // What is no XMP after all has no root.
        rfind(packet, b"RDF").map(|_| packet.to_vec())
    })
}
