// The attributes of a face as bars, each with its threshold to slide.

const list = document.getElementById("attributes");
const none = document.getElementById("none");

/** The rows of the face shown, by name. */
let rows = new Map();

export const readable = (name) => name.replaceAll("_", " ");
export const percent = (share) => `${Math.round(100 * share)} %`;

/**
 * Shows the attributes of a face, likeliest first. `thresholds` maps names to probabilities; `slid(name, value)` is called when one
 * is moved.
 */
export function show(face, thresholds, slid) {
  const sorted = Object.entries(face?.attributes ?? {}).sort((a, b) => b[1].probability - a[1].probability);
  rows = new Map(sorted.map(([name, { probability }], place) => [name, row(name, probability, place, slid)]));
  list.replaceChildren(...[...rows.values()].map(({ item }) => item));
  refresh(thresholds);
}

/** Shows thresholds anew. */
export function refresh(thresholds) {
  for (const [name, { item, input, answer, probability }] of rows) {
    const from = thresholds.get(name);
    const yes = probability >= from;
    item.classList.toggle("yes", yes);
    answer.textContent = yes ? "yes" : "no";
    if (document.activeElement !== input) input.value = 100 * from;
    input.setAttribute("aria-valuetext", `counts from ${percent(from)}; it is ${percent(probability)}, so ${yes ? "yes" : "no"}`);
  }
}

/** Leaves only rows whose name holds `text`, and those present if `present`. */
export function narrow(text, present) {
  const wanted = readable(text).toLowerCase().trim();
  let shown = 0;
  for (const [name, { item }] of rows) {
    item.hidden = !readable(name).toLowerCase().includes(wanted) || (present && !item.classList.contains("yes"));
    shown += item.hidden ? 0 : 1;
  }
  none.hidden = shown > 0 || rows.size === 0;
}

function row(name, probability, place, slid) {
  const item = document.createElement("li");
  const label = Object.assign(document.createElement("label"), { textContent: readable(name), htmlFor: `threshold-${place}` });
  const track = Object.assign(document.createElement("div"), { className: "track" });
  const bar = document.createElement("i");
  bar.style.width = `${100 * probability}%`;
  const input = Object.assign(document.createElement("input"), { type: "range", id: `threshold-${place}`, min: 0, max: 100, step: 0.5 });
  track.append(bar, input);
  const share = Object.assign(document.createElement("span"), { className: "share", textContent: percent(probability) });
  const answer = Object.assign(document.createElement("span"), { className: "answer" });
  item.append(label, track, share, answer);
  item.dataset.name = name;
  input.addEventListener("input", () => slid(name, input.valueAsNumber / 100));
  return { item, input, answer, probability };
}
