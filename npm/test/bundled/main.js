// What a bundler makes a page of: .ci/npm_browser.py looks at its title.

import { Tagger } from "lineament";

const tagger = await Tagger.load();
const { faces } = await tagger.predict({ data: new Uint8Array(30000), width: 100, height: 100 });
document.title = `${faces.length} faces, ${crossOriginIsolated ? "isolated" : "alone"}`;
