// The page without a service: a worker on this device looks at the photos, and nothing leaves it.

import { start } from "./page.js";

/** The worker, and what was asked of it and is not answered yet, by number. */
let worker = null;
let asked = new Map();
let number = 0;

function ask(call, ...values) {
  worker ??= begin();
  number += 1;
  return new Promise((resolve, reject) => {
    asked.set(number, { resolve, reject });
    worker.postMessage({ number, call, values });
  });
}

function begin() {
  const made = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  made.addEventListener("message", ({ data: { number: answered, answer, problem, lost } }) => {
    const { resolve, reject } = asked.get(answered);
    asked.delete(answered);
    if (problem === undefined) resolve(answer);
    else reject(new Error(problem));
    if (lost) fail(made, "The model stopped and begins anew. Try once more, or a smaller photo.");
  });
  made.addEventListener("error", (event) => {
    event.preventDefault();
    fail(made, event.message ? `The model cannot run: ${event.message}` : "The model cannot be loaded. Is there a network, and is this browser up to date?");
  });
  return made;
}

/** Ends a worker; the next photo begins another. */
function fail(failed, problem) {
  failed.terminate();
  if (worker !== failed) return;
  const unanswered = asked;
  [worker, asked] = [null, new Map()];
  for (const { reject } of unanswered.values()) reject(new Error(problem));
}

/** The options of the service as those of the tagger. */
function options(search) {
  const { smallest_face: smallestFace, max_faces: maxFaces } = Object.fromEntries(new URLSearchParams(search));
  return { ...(smallestFace ? { smallestFace } : {}), ...(maxFaces ? { maxFaces: Number(maxFaces) } : {}) };
}

/** A probability as Platt's sigmoid gives it for a score. */
const probability = ({ a, b }, score) => 1 / (1 + Math.exp(a * score + b));

/** The model as `/v1/model` says it: thresholds are probabilities there. */
async function model() {
  const { attributes, scores, ...rest } = await ask("model");
  // From now on the page works without a network; not before, so that nothing is fetched twice.
  navigator.serviceWorker?.register(new URL("../sw.js", import.meta.url)).catch(() => {});
  const said = ({ name, platt, thresholds: { accuracy, balanced } }) =>
    ({ name, accuracy: probability(platt, accuracy), balanced: probability(platt, balanced) });
  return { ...rest, attributes: attributes.map(said), card: { scores } };
}

start({
  kinds: "what this browser does: JPEG, PNG, GIF, WebP, often AVIF",
  atOnce: 1,
  loading: "The model is being loaded…",
  model,
  predict: (file, search) => ask("predict", file, options(search)),
});
