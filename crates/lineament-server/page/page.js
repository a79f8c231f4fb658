// The page: photos come in, answers are shown.

import * as attributes from "./attributes.js";
import { parse } from "./filter.js";
import * as regions from "./regions.js";
import * as viewer from "./viewer.js";

const $ = (id) => document.getElementById(id);

/** Photos in the order they came: `file`, `name`, `url`, `first`, then `answer`, the `search` that it answers and `took`, or `problem`. */
const entries = [];
const waiting = [];
let asking = 0;
/** What looks at photos, as `start` says. */
let source = null;
let current = null;
let face = 0;
let model = null;
let thresholds = new Map();
let passes = null;
/** Which faces are looked for: what the controls said when one was last changed, not what is being typed. */
let search = "";

// --- the model ---

/**
 * Begins with what looks at photos: `model()` as `v1/model` says it, `predict(file, search)` as `v1/predict`, the `kinds` of images in
 * words, and `atOnce`, how many photos it is given at a time. Maybe `loading`, what is said until the model is there;
 * `responseMap(file)`, a PNG in base64; `explain(file, search, face)`; `useToken(text)`. Refusals are errors whose `status` is that of
 * HTTP.
 */
export function start(given) {
  source = given;
  search = chosenSearch();
  if (source.explain) regions.watch(() => ({ entry: current, face }), source.explain);
  meet();
}

async function meet() {
  $("again").hidden = true;
  if (source.loading) say(source.loading);
  try {
    model = await source.model();
  } catch (error) {
    if (error.status === 401) askForToken();
    else {
      say(error.message, true);
      $("again").hidden = false;
    }
    return;
  }
  $("door").hidden = true;
  $("model").textContent = `Model: ${model.name} ${model.version} (${model.sha256.slice(0, 8)}). Licence of its weights: ${model.licence}`;
  const right = model.card.scores.validation_mean_accuracy;
  $("right").textContent = right ? ` Of 100 labels of people that it had not seen, it gets ${Math.floor(100 * right)} right.` : "";
  setThresholds($("thresholds").value);
  say("");
  work();
}

function askForToken() {
  $("door").hidden = false;
  say("This service needs a token: ask the person who runs it, and enter it above.", true);
}

function setThresholds(kind) {
  thresholds = new Map(model.attributes.map((one) => [one.name, kind === "half" ? 0.5 : one[kind]]));
  thresholdsChanged();
}

function thresholdsChanged() {
  attributes.refresh(thresholds);
  narrow();
  sift();
}

// --- pictures come in ---

/** Browsers do not know the type of every photo: endings tell the others. */
const endings = $("files").accept.split(",").filter((one) => one.startsWith("."));

function isPhoto(file) {
  return file.type.startsWith("image/") || endings.some((ending) => file.name.toLowerCase().endsWith(ending));
}

function take(files) {
  const pictures = [...files].filter(isPhoto);
  if (!pictures.length) {
    if (files.length) say(`That is not an image. Lineament reads ${source.kinds} here.`, true);
    return;
  }
  document.body.classList.add("filled");
  for (const [place, file] of pictures.entries()) {
    // The first of those that came together is shown as soon as it is answered.
    const entry = { file, name: file.name || "picture", url: URL.createObjectURL(file), first: place === 0 };
    entries.push(entry);
    waiting.push(entry);
  }
  $("gallery").hidden = false;
  drawThumbs();
  work();
}

async function work() {
  while (model && asking < source.atOnce && waiting.length) {
    const entry = waiting.shift();
    asking += 1;
    say(`Analyzing ${entry.name}…`);
    look(entry).finally(() => {
      asking -= 1;
      work();
    });
  }
}

/** Which faces the controls ask for, as the service's options. */
function chosenSearch() {
  const asked = { smallest_face: $("smallest").value, any_orientation: $("oriented").checked ? "true" : "" };
  if ($("most").checkValidity()) asked.max_faces = $("most").value;
  return new URLSearchParams(Object.entries(asked).filter(([, value]) => value)).toString();
}

/** Looks at all photos again, for other faces. */
function again() {
  search = chosenSearch();
  waiting.push(...entries.filter((entry) => !waiting.includes(entry)));
  work();
}

async function look(entry) {
  const [begun, asked] = [performance.now(), search];
  try {
    const answer = await source.predict(entry.file, asked);
    // Other faces are looked for by now: the photo waits once more.
    if (asked !== search) return;
    Object.assign(entry, { answer, search: asked, took: performance.now() - begun, explained: undefined, problem: undefined });
  } catch (error) {
    if (error.status === 401) {
      waiting.unshift(entry);
      model = null;
      askForToken();
      return;
    }
    entry.problem = error.message;
  }
  if (!entries.includes(entry)) return;
  drawThumbs();
  if (entry.answer && (!current || entry.first || entry === current)) choose(entry, 0);
  entry.first = false;
  if (entry.problem) say(`${entry.name}: ${entry.problem}`, true);
  else say(`${entry.name}: ${count(entry)}.`);
}

function count({ answer }) {
  const { length } = answer.faces;
  return length === 0 ? "no face found" : length === 1 ? "one face" : `${length} faces`;
}

// --- the gallery ---

function sift() {
  const note = $("filter-note");
  $("filter").removeAttribute("aria-invalid");
  try {
    passes = model && parse($("filter").value, model.attributes.map((one) => one.name));
    note.textContent = "";
  } catch (error) {
    $("filter").setAttribute("aria-invalid", "true");
    note.textContent = error.message;
    return;
  }
  drawThumbs();
  if (passes) note.textContent = `${shown().length} of ${entries.length} photos.`;
}

const has = (face) => (name) => (face.attributes?.[name]?.probability ?? 0) >= thresholds.get(name);
const shown = () => entries.filter(({ answer }) => !passes || answer?.faces.some((one) => passes(has(one))));

function drawThumbs() {
  const focused = document.activeElement?.dataset?.place;
  $("thumbs").replaceChildren(...shown().map(thumb));
  const answered = shown().filter((entry) => entry.answer).length;
  $("download").disabled = !answered;
  $("download").textContent = answered > 1 ? `Download JSON of ${answered}` : "Download JSON";
  if (focused !== undefined) $("thumbs").querySelector(`[data-place="${focused}"]`)?.focus();
}

function thumb(entry) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.place = entries.indexOf(entry);
  if (entry === current) button.setAttribute("aria-current", "true");
  const picture = Object.assign(document.createElement("img"), { src: entry.url, alt: "" });
  picture.addEventListener("error", () => picture.replaceWith(Object.assign(document.createElement("div"), { className: "blank" })));
  const state = entry.problem ? "not read" : entry.answer ? count(entry) : "waiting";
  button.append(picture, ...[[entry.name, ""], [state, "state"]].map(([textContent, className]) =>
    Object.assign(document.createElement("span"), { textContent, className })));
  button.addEventListener("click", () => {
    if (entry.problem) say(`${entry.name}: ${entry.problem}`, true);
    if (entry.answer) choose(entry, 0);
  });
  const item = document.createElement("li");
  item.append(button);
  return item;
}

$("clear").addEventListener("click", () => {
  entries.forEach((entry) => URL.revokeObjectURL(entry.url));
  entries.length = 0;
  waiting.length = 0;
  current = null;
  document.body.classList.remove("filled");
  $("gallery").hidden = true;
  $("result").hidden = true;
  say("All photos are removed.");
  $("pick").focus();
});

$("download").addEventListener("click", () => {
  const answers = shown().filter((entry) => entry.answer).map((entry) => ({ path: entry.name, ...entry.answer }));
  const url = URL.createObjectURL(new Blob([JSON.stringify(answers, null, 1)], { type: "application/json" }));
  Object.assign(document.createElement("a"), { href: url, download: "lineament.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
});

// --- one picture ---

function choose(entry, index) {
  current = entry;
  face = index;
  $("result").hidden = false;
  regions.clear();
  viewer.show(entry, face, (other) => choose(entry, other));
  attributes.show(entry.answer.faces[face], thresholds, slid);
  $("panel").hidden = !entry.answer.faces.length;
  $("no-face").hidden = !$("panel").hidden;
  narrow();
  drawThumbs();
  layers();
}

function layers() {
  const entry = current;
  viewer.showMap(entry, $("map").checked && source.responseMap, () => current === entry && $("map").checked).catch((error) => say(error.message, true));
}

function slid(name, value) {
  thresholds.set(name, value);
  $("thresholds").value = "own";
  thresholdsChanged();
}

const narrow = () => attributes.narrow($("search").value, $("present").checked);

// --- what is heard ---

function say(text, wrong = false) {
  $("status").textContent = text;
  $("status").classList.toggle("wrong", wrong);
}

$("pick").addEventListener("click", () => $("files").click());
$("photograph").addEventListener("click", () => $("camera").click());
for (const input of [$("files"), $("camera")]) {
  input.addEventListener("change", () => {
    take(input.files);
    input.value = "";
  });
}
$("example").addEventListener("click", async () => {
  const blob = await (await fetch("page/astronaut.jpg")).blob();
  take([new File([blob], "astronaut.jpg", { type: "image/jpeg" })]);
});
$("enter").addEventListener("click", () => {
  source.useToken($("token").value);
  meet();
});
$("again").addEventListener("click", meet);
$("token").addEventListener("keydown", (event) => { if (event.key === "Enter") $("enter").click(); });
for (const option of [$("smallest"), $("most"), $("oriented")]) option.addEventListener("change", again);
$("map").addEventListener("change", layers);
$("search").addEventListener("input", narrow);
$("present").addEventListener("change", narrow);
$("thresholds").addEventListener("change", () => model && setThresholds($("thresholds").value));
$("filter").addEventListener("input", sift);

// Dragging is counted, since leaving a child is not leaving the page.
let over = 0;
const carries = (event) => event.dataTransfer?.types.includes("Files");
const veil = (by) => {
  over = by === 0 ? 0 : Math.max(0, over + by);
  $("veil").hidden = over === 0;
};
addEventListener("dragenter", (event) => carries(event) && veil(1));
addEventListener("dragleave", (event) => carries(event) && veil(-1));
addEventListener("dragover", (event) => carries(event) && event.preventDefault());
addEventListener("drop", (event) => {
  if (!carries(event)) return;
  event.preventDefault();
  veil(0);
  take(event.dataTransfer.files);
});
addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length) {
    event.preventDefault();
    take(files);
  }
});
