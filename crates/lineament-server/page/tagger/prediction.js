// The answer: what `lineament predict --format json` and the service say of a photo, from the outputs of the graph.

/** So many decimals; halves away from zero. */
function rounded(value, decimals) {
  const scale = 10 ** decimals;
  return (Math.sign(value) * Math.round(Math.abs(value) * scale)) / scale;
}

/** A photo and its faces, best first. Goes through its faces where it is iterated. */
export class Prediction {
  /** `path` is left out where there is none. */
  constructor({ path, width, height, faces, left }) {
    if (path !== undefined) this.path = path;
    this.width = width;
    this.height = height;
    this.faces = faces;
    this.faces_left_out = left;
  }

  [Symbol.iterator]() {
    return this.faces[Symbol.iterator]();
  }
}

/**
 * From outputs to the answer. `photo` has `width` and `height` as people see it, `scale`, how much larger it is than what the graph
 * saw, and maybe a `path`; `selection` comes from `select`.
 */
export function predictionOf(outputs, photo, selection) {
  const found = outputs.scores.data.length;
  const count = Math.min(found, selection.maxFaces);
  const faces = Array.from({ length: count }, (_, face) => faceOf(outputs, face, photo.scale, selection.attributes));
  return new Prediction({ ...photo, faces, left: found - count });
}

function faceOf(outputs, face, [across, down], attributes) {
  const [x, y, width, height] = outputs.boxes.data.subarray(4 * face, 4 * face + 4);
  const [, columns] = outputs.probabilities.dims;
  const at = (output, index) => output.data[columns * face + index];
  const read = ({ index, name, isPresent }) => {
    const probability = at(outputs.probabilities, index);
    return [name, { value: isPresent(at(outputs.attribute_scores, index), probability), probability: rounded(probability, 4) }];
  };
  return {
    box: { x: rounded(x * across, 1), y: rounded(y * down, 1), width: rounded(width * across, 1), height: rounded(height * down, 1) },
    score: rounded(outputs.scores.data[face], 6),
    roll: rounded(outputs.roll.data[face], 1),
    ...(attributes.length ? { attributes: Object.fromEntries(attributes.map(read)) } : {}),
  };
}
