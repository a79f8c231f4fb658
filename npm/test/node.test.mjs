// The package as installed, in Node: node --test node.test.mjs, in a folder where lineament and sharp are installed.
// EXAMPLES is a folder with astronaut.png and others, EXPECTED what `lineament predict --format json` says of them.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { ImageError, Prediction, Tagger } from "lineament";
import sharp from "sharp";

const tagger = await Tagger.load();
const expected = JSON.parse(await readFile(process.env.EXPECTED, "utf8"));
const astronaut = `${process.env.EXAMPLES}/astronaut.png`;
const file = await readFile(astronaut);
const one = await tagger.predict(file);

function overlap(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const shared = Math.max(0, width) * Math.max(0, height);
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/** The same faces to what decoders and filters differ by. */
function alike(found, wanted, iou = 0.9, mean = 0.02) {
  assert.equal(found.faces.length, wanted.faces.length);
  for (const [place, face] of found.faces.entries()) {
    const other = wanted.faces[place];
    assert.ok(overlap(face.box, other.box) >= iou, JSON.stringify([face.box, other.box]));
    const names = Object.keys(other.attributes);
    assert.deepEqual(Object.keys(face.attributes), names);
    const differences = names.map((name) => Math.abs(face.attributes[name].probability - other.attributes[name].probability));
    assert.ok(differences.reduce((sum, value) => sum + value) / names.length <= mean, differences.join(" "));
  }
}

test("answers are those of the program", async () => {
  for (const wanted of expected) {
    const found = JSON.parse(JSON.stringify(await tagger.predict(wanted.path)));
    assert.deepEqual(Object.keys(found), Object.keys(wanted));
    assert.deepEqual([found.path, found.width, found.height, found.faces_left_out], [wanted.path, wanted.width, wanted.height, wanted.faces_left_out]);
    alike(found, wanted);
    for (const [place, face] of found.faces.entries()) assert.deepEqual(Object.keys(face), Object.keys(wanted.faces[place]));
  }
});

test("an answer is gone through face by face", () => {
  assert.ok(one instanceof Prediction);
  assert.deepEqual([...one], one.faces);
  assert.equal(one.path, undefined);
  assert.equal(one.faces[0].attributes.Smiling.value, true);
});

test("bytes, blobs, buffers and pixels of a photo give the same", async () => {
  const same = async (image) => assert.deepEqual(await tagger.predict(image), one);
  await same(new Uint8Array(file));
  await same(new Blob([file]));
  await same(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
  const pixels = async (channels) => {
    const image = channels === 3 ? sharp(file).removeAlpha() : sharp(file).ensureAlpha();
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height };
  };
  await same(await pixels(3));
  await same(await pixels(4));
  const { data, ...size } = await pixels(4);
  await same({ data: new Uint8ClampedArray(data), ...size });
  // Gray with and without alpha, which needs no colors.
  const gray = new Uint8Array(size.width * size.height).map((_, place) => data[4 * place + 1]);
  const three = new Uint8Array(3 * gray.length).map((_, place) => gray[Math.floor(place / 3)]);
  assert.deepEqual(await tagger.predict({ data: gray, ...size }), await tagger.predict({ data: three, ...size }));
});

test("transparency lies over white", async () => {
  const size = { width: 200, height: 200 };
  const clear = { data: new Uint8Array(4 * 200 * 200), ...size };
  assert.deepEqual((await tagger.predict(clear)).faces, []);
  const half = sharp(file).ensureAlpha(0.5);
  const faded = sharp(file).removeAlpha().linear(0.5, 127.5);
  alike(await tagger.predict(await half.png().toBuffer()), await tagger.predict(await faded.png().toBuffer()), 0.95, 0.01);
});

test("photos are turned the way up that EXIF says", async () => {
  for (const [orientation, turn] of [[6, 270], [3, 180], [8, 90]]) {
    const turned = await sharp(file).rotate(turn).withMetadata({ orientation }).png().toBuffer();
    const found = await tagger.predict(turned);
    assert.deepEqual([found.width, found.height], [512, 512]);
    alike(found, one, 0.98, 0.005);
  }
});

test("large photos are answered in their own pixels", async () => {
  const [width, height] = [5000, 5000];
  const scaled = Object.fromEntries(Object.entries(one.faces[0].box).map(([side, length]) => [side, (length * width) / 512]));
  const large = sharp(file).resize(width, height, { fit: "fill" });
  const pixels = await large.clone().removeAlpha().raw().toBuffer();
  for (const image of [await large.clone().jpeg().toBuffer(), { data: pixels, width, height }]) {
    const found = await tagger.predict(image);
    assert.deepEqual([found.width, found.height, found.faces.length], [width, height, 1]);
    assert.ok(overlap(found.faces[0].box, scaled) >= 0.9, JSON.stringify(found.faces[0].box));
  }
  assert.ok(process.memoryUsage().rss < 1.5e9, `${process.memoryUsage().rss}`);
});

test("attributes, thresholds and faces are chosen", async () => {
  const names = (found) => Object.keys(found.faces[0].attributes);
  assert.deepEqual(names(await tagger.predict(file, { attributes: ["wearing hat", "Smiling", "smiling"] })), ["Wearing_Hat", "Smiling"]);
  assert.ok(!("attributes" in (await tagger.predict(file, { attributes: [] })).faces[0]));
  const { probability } = one.faces[0].attributes.Male;
  for (const [threshold, value] of [[probability - 0.01, true], [probability + 0.01, false], [0, true], [1, false]]) {
    assert.equal((await tagger.predict(file, { threshold })).faces[0].attributes.Male.value, value);
  }
  const present = (found) => Object.values(found.faces[0].attributes).filter(({ value }) => value).length;
  assert.ok(present(await tagger.predict(file, { operatingPoint: "balanced" })) > present(one));
  assert.deepEqual((await tagger.predict(file, { smallestFace: "50%" })).faces, []);
  assert.equal((await tagger.predict(file, { smallestFace: 60, maxFaces: 1 })).faces.length, 1);
});

test("what is no image is refused", async () => {
  const pixels = (data, width, height) => ({ data, width, height });
  for (const image of [
    new Uint8Array(0), Buffer.from("no photo"), file.subarray(0, 20), file.subarray(0, 100_000),
    pixels(new Uint8Array(0), 0, 0), pixels(new Uint8Array(13), 2, 2), pixels(new Uint8Array(60), 2, 2), pixels(new Float32Array(12), 2, 2),
    pixels(new Uint8Array(12), -2, -2), pixels(new Uint8Array(12), 2.5, 2), pixels("abc", 1, 1),
  ]) {
    await assert.rejects(tagger.predict(image), ImageError);
  }
  for (const image of [7, null, undefined, {}, [1, 2, 3]]) await assert.rejects(tagger.predict(image), TypeError);
  await assert.rejects(tagger.predict("nowhere.png"), /nowhere\.png/);
  for (const [width, height] of [[1, 9000], [9000, 1], [1, 1], [30, 30]]) {
    assert.deepEqual((await tagger.predict(pixels(new Uint8Array(3 * width * height), width, height))).faces, []);
  }
  assert.deepEqual(await tagger.predict(file), one, "and the next is answered");
});

test("too many pixels are refused from the header", async () => {
  const header = Buffer.from(file.subarray(0, 200_000));
  header.writeUInt32BE(60_000, 16);
  header.writeUInt32BE(60_000, 20);
  await assert.rejects(tagger.predict(header), (error) => error instanceof ImageError && /60000 x 60000/.test(error.message));
});

test("wrong options are named", async () => {
  for (const [options, said] of [
    [{ nope: 1 }, /no option nope/], [{ threshold: 2 }, /from 0 to 1/], [{ threshold: NaN }, /from 0 to 1/], [{ operatingPoint: "best" }, /balanced/],
    [{ threshold: 0.5, operatingPoint: "balanced" }, /one of the two/], [{ smallestFace: 7 }, /8 to/], [{ smallestFace: "12 em" }, /24px/],
    [{ smallestFace: "0%" }, /above 0/], [{ smallestFace: "101%" }, /101%/], [{ maxFaces: 0 }, /1 or more/], [{ attributes: ["Smilng"] }, /Smilng.*Smiling/],
    [{ attributes: "Smiling" }, /list/],
  ]) {
    await assert.rejects(tagger.predict(file, options), said);
  }
});

test("calls are answered in their order", async () => {
  const order = [];
  const calls = [file, Buffer.from("no photo"), file].map((image, place) => tagger.predict(image).catch(() => {}).finally(() => order.push(place)));
  await Promise.all(calls);
  assert.deepEqual(order, [0, 1, 2]);
});

test("the model says what it is", () => {
  assert.equal(tagger.model.attributes.length, 40);
  assert.match(tagger.model.licence, /non-commercial/);
});
