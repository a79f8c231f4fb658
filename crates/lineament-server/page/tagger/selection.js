// What is asked: which faces, which attributes, and from where on each is present. The rules are those of the program.

/** Heights of faces that can be asked for, in pixels: what is lower shows no face to the nets. */
const [LEAST_FACE, MOST_FACE] = [8, 1e6];

const OPTIONS = ["attributes", "operatingPoint", "threshold", "smallestFace", "maxFaces"];

/**
 * Options ready for use: `attributes` in the order of the answers, each with `index`, `name` and `isPresent(score, probability)`;
 * `smallestFace(width, height)` in pixels, 0 for the usual; `maxFaces`.
 */
export function select(model, options = {}) {
  for (const name of Object.keys(options)) {
    if (!OPTIONS.includes(name)) throw new TypeError(`there is no option ${name}; there are ${OPTIONS.join(", ")}`);
  }
  const present = presence(options);
  const attributes = chosen(model.attributes, options.attributes).map((index) => {
    const { name, thresholds } = model.attributes[index];
    return { index, name, isPresent: present(thresholds) };
  });
  return { attributes, smallestFace: smallest(options.smallestFace), maxFaces: most(options.maxFaces) };
}

/** From the thresholds of an attribute to its test. Scores and thresholds are of single precision. */
function presence({ threshold, operatingPoint }) {
  if (threshold !== undefined) {
    if (operatingPoint !== undefined) throw new TypeError("threshold takes the place of operatingPoint; give one of the two");
    if (!(threshold >= 0 && threshold <= 1)) throw new RangeError(`threshold is a probability, not ${threshold}; give a number from 0 to 1`);
    return () => (_, probability) => probability >= Math.fround(threshold);
  }
  const point = operatingPoint ?? "accuracy";
  if (point !== "accuracy" && point !== "balanced") throw new TypeError(`operatingPoint is "accuracy" or "balanced", not ${JSON.stringify(point)}`);
  return (thresholds) => (score) => score > Math.fround(thresholds[point]);
}

const plain = (name) => String(name).toLowerCase().replace(/[\s_-]+/g, "_").replace(/^_|_$/g, "");

/** Indices of the attributes that are asked for; all by default. */
function chosen(known, names) {
  if (names === undefined) return known.map((_, index) => index);
  if (!Array.isArray(names)) throw new TypeError("attributes is a list of names");
  const indices = names.map((name) => {
    const index = known.findIndex((one) => plain(one.name) === plain(name));
    if (index < 0) throw new RangeError(`the model has no attribute ${JSON.stringify(name)}; it has ${known.map((one) => one.name).join(", ")}`);
    return index;
  });
  return [...new Set(indices)];
}

function smallest(asked) {
  if (asked === undefined) return () => 0;
  const [, digits, unit] = /^\s*([\d.]+)\s*(px|%|)\s*$/.exec(asked) ?? [];
  const size = Number(digits || NaN);
  if (unit === "%") {
    if (!(size > 0 && size <= 100)) throw new RangeError(`smallestFace is ${asked} of the longer side; give a share above 0 % and up to 100 %`);
    return (width, height) => Math.max(LEAST_FACE, (Math.max(width, height) * size) / 100);
  }
  if (!(size >= LEAST_FACE && size <= MOST_FACE)) {
    throw new RangeError(`smallestFace is ${JSON.stringify(asked)}; give ${LEAST_FACE} to ${MOST_FACE} pixels (24 or "24px"), or a share of the longer side ("2.5%")`);
  }
  return () => size;
}

function most(asked) {
  if (asked === undefined) return Infinity;
  if (!Number.isInteger(asked) || asked < 1) throw new RangeError(`maxFaces is ${asked}; give 1 or more, or leave it out for all`);
  return asked;
}
