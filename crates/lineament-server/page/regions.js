// What an attribute's answer rests on: pointing at its row shows its region over the photo.

import { percent, readable } from "./attributes.js";
import * as viewer from "./viewer.js";

const list = document.getElementById("attributes");
const note = document.getElementById("region");

/** How long a row is pointed at before its region is shown, in ms: whoever passes over rows wants none of them. */
const PATIENCE = 100;

let hovered = null;
let focused = null;
let timer = 0;
let mouse = "";

/** Explanations of a face of a picture by attribute; asked for once. */
function explanations(entry, face, explain) {
  entry.explained ??= [];
  entry.explained[face] ??= explain(entry.file, entry.search, face)
    .then((all) => new Map(all.map((one) => [one.name, one])))
    .catch((error) => { entry.explained[face] = undefined; throw error; });
  return entry.explained[face];
}

/** Where a region is, in words: for who does not see it. */
function place(region, box) {
  const third = (share, names) => names[share < 1 / 3 ? 0 : share < 2 / 3 ? 1 : 2];
  const right = (region.x + region.width / 2 - box.x) / box.width;
  const down = (region.y + region.height / 2 - box.y) / box.height;
  if (down < 0) return "what is above the face";
  if (down > 1) return "what is below the face";
  if (right < 0 || right > 1) return `what is ${right < 0 ? "left" : "right"} of the face`;
  const part = [third(down, ["upper", "", "lower"]), third(right, ["left", "", "right"])].join(" ").trim();
  return part ? `the ${part} part of the face` : "the middle of the face";
}

function sentence(one, box) {
  const neurons = one.strongest.map(({ neuron }) => neuron);
  const said = neurons.length ? ` Of its neurons, ${neurons.join(", ")} contribute most, ${percent(one.share)} of all.` : "";
  return `${readable(one.name)} rests most on ${place(one.region, box)}.${said}`;
}

/** Takes the region off the picture. */
export function clear() {
  hovered = focused = null;
  clearTimeout(timer);
  draw(null);
}

function draw(one, box) {
  viewer.showRegion(one);
  note.textContent = one ? sentence(one, box) : "";
}

/** Shows regions from now on; `current()` gives the picture and the face that are shown, `explain(file, search, face)` the explanations. */
export function watch(current, explain) {
  const named = (event) => event.target.closest("li")?.dataset.name ?? null;
  const show = async () => {
    const { entry, face } = current();
    const name = hovered ?? focused;
    if (!name || !entry) return draw(null);
    try {
      const one = (await explanations(entry, face, explain)).get(name);
      const now = current();
      if (now.entry === entry && now.face === face && name === (hovered ?? focused)) draw(one ?? null, entry.answer.faces[face].box);
    } catch (error) {
      note.textContent = error.message;
    }
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(show, PATIENCE);
  };
  // A finger does not hover: what it taps gets the focus. Nor does a mouse that rests while rows are scrolled under it.
  addEventListener("pointermove", (event) => {
    const at = `${event.screenX} ${event.screenY}`;
    if (event.pointerType === "touch" || at === mouse) return;
    mouse = at;
    const name = list.contains(event.target) ? named(event) : null;
    if (name === hovered) return;
    hovered = name;
    soon();
  });
  list.addEventListener("pointerleave", () => { hovered = null; soon(); });
  list.addEventListener("focusin", (event) => { hovered = null; focused = named(event); soon(); });
  list.addEventListener("focusout", () => { focused = null; soon(); });
  addEventListener("keydown", (event) => { if (event.key === "Escape") clear(); });
}
