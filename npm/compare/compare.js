// Lineament, human and face-api on the same photos in one page, photo by photo in turns: what the page of compare.py runs.

import Human from "human";
import * as faceapi from "face-api";
import { Tagger } from "lineament";

/** Faces, and what is said of them: attributes here, gender there. All nets run on WebAssembly. */
const contestants = {
  async lineament(threads) {
    const tagger = await Tagger.load({ threads });
    return async (photo) => (await tagger.predict(photo)).faces.length;
  },
  async human(threads, files) {
    const off = { enabled: false };
    const human = new Human({
      backend: "wasm",
      wasmPath: files.wasm,
      modelBasePath: files.human,
      cacheSensitivity: 0,
      filter: off,
      face: {
        enabled: true,
        detector: { enabled: true, maxDetected: 100, rotation: false },
        mesh: off, attention: off, iris: off, emotion: off, antispoof: off, liveness: off,
        description: { enabled: true },
      },
      body: off, hand: off, object: off, segmentation: off, gesture: off,
    });
    human.tf.setWasmPaths?.(files.wasm);
    human.env.wasm.multithread = threads > 1;
    human.tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", threads > 1);
    await human.load();
    await human.init();
    return async (photo) => {
      const { face, error } = await human.detect(photo);
      if (error) throw new Error(error);
      if (face.some((one) => one.gender === undefined)) throw new Error("human said no gender");
      return face.length;
    };
  },
  async "face-api"(threads, files) {
    faceapi.tf.setWasmPaths(files.wasm);
    faceapi.tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", threads > 1);
    await faceapi.tf.setBackend("wasm");
    await faceapi.tf.ready();
    await faceapi.nets.ssdMobilenetv1.load(files.faceapi);
    await faceapi.nets.ageGenderNet.load(files.faceapi);
    const options = new faceapi.SsdMobilenetv1Options({ maxResults: 100 });
    return async (photo) => (await faceapi.detectAllFaces(photo, options).withAgeAndGender()).length;
  },
};

/** Numbers from 0 to 1, the same every time. */
function chance(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A still life with so many of the astronaut's faces on it, of several sizes and turned, none over another. */
function crowd(astronaut, ground, width, height, faces) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.drawImage(ground, 0, 0, width, height);
  const next = chance(faces);
  const taken = [];
  while (taken.length < faces) {
    const side = Math.floor((0.25 + 0.65 * next()) * 230);
    const [x, y] = [Math.floor(next() * (width - side)), Math.floor(next() * (height - side))];
    const turn = ((next() - 0.5) * 40 * Math.PI) / 180;
    if (taken.some((one) => Math.abs(x - one.x) < Math.max(side, one.side) && Math.abs(y - one.y) < Math.max(side, one.side))) continue;
    taken.push({ x, y, side });
    context.save();
    context.translate(x + side / 2, y + side / 2);
    context.rotate(turn);
    context.drawImage(astronaut, 120, 0, 210, 230, -side / 2, -side / 2, (side * 210) / 230, side);
    context.restore();
  }
  return canvas;
}

async function picture(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

function canvasOf(image) {
  const canvas = Object.assign(document.createElement("canvas"), { width: image.naturalWidth, height: image.naturalHeight });
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas;
}

/** Three examples and seven crowds, or the photos at these addresses. */
async function photosOf(addresses, examples) {
  if (addresses.length) return Promise.all(addresses.map(async (address) => ({ name: address.split("/").pop(), canvas: canvasOf(await picture(address)) })));
  const [astronaut, chelsea, coffee] = await Promise.all(["astronaut", "chelsea", "coffee"].map((name) => picture(`${examples}/${name}.png`)));
  const whole = Object.entries({ astronaut, chelsea, coffee }).map(([name, image]) => ({ name, canvas: canvasOf(image) }));
  const crowds = [[640, 480, 1], [640, 480, 2], [800, 600, 3], [900, 480, 6], [1024, 768, 8], [1000, 700, 12], [1600, 900, 24]];
  return [...whole, ...crowds.map(([width, height, faces]) => ({ name: `crowd of ${faces}`, canvas: crowd(astronaut, coffee, width, height, faces) }))];
}

/** Times in ms by photo and contestant: `rounds` of each after `warm` that are not counted. */
window.compare = async ({ names, threads, rounds, warm, files, addresses, examples }) => {
  const photos = await photosOf(addresses, examples);
  const ready = [];
  for (const name of names) ready.push([name, await contestants[name](threads, files)]);
  const table = photos.map(({ name, canvas }) => ({ photo: name, size: [canvas.width, canvas.height], times: Object.fromEntries(names.map((one) => [one, []])), faces: {} }));
  for (let round = -warm; round < rounds; round += 1) {
    for (const [place, { canvas }] of photos.entries()) {
      for (const [name, look] of ready) {
        const begun = performance.now();
        table[place].faces[name] = await look(canvas);
        if (round >= 0) table[place].times[name].push(performance.now() - begun);
      }
    }
  }
  return table;
};
window.ready = true;
