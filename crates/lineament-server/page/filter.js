// "Smiling and (Bangs or not Eyeglasses)": from text to a test.

const plain = (name) => name.toLowerCase().replace(/[\s_-]+/g, " ").trim();

/** A function from "has a face this attribute?" to yes or no; null for an empty text. Throws an Error that says what is wrong. */
export function parse(text, names) {
  const words = text.match(/[()]|[^()\s]+/g) ?? [];
  if (!words.length) return null;
  const known = new Map(names.map((name) => [plain(name), name]));
  let at = 0;
  const next = () => words[at]?.toLowerCase();

  function either() {
    const sides = [both()];
    while (next() === "or") { at += 1; sides.push(both()); }
    return (has) => sides.some((side) => side(has));
  }
  function both() {
    const sides = [one()];
    while (next() !== undefined && next() !== "or" && next() !== ")") {
      if (next() === "and") at += 1;
      sides.push(one());
    }
    return (has) => sides.every((side) => side(has));
  }
  function one() {
    if (next() === undefined) throw new Error("Something is missing at the end.");
    if (next() === "not") {
      at += 1;
      const inner = one();
      return (has) => !inner(has);
    }
    if (next() === "(") {
      at += 1;
      const inner = either();
      if (next() !== ")") throw new Error("A bracket is not closed.");
      at += 1;
      return inner;
    }
    return attribute();
  }
  // A name may be written with spaces: the longest that is known counts.
  function attribute() {
    for (let end = words.length; end > at; end -= 1) {
      const name = known.get(plain(words.slice(at, end).join(" ")));
      if (name) {
        at = end;
        return (has) => has(name);
      }
    }
    const word = words[at];
    const near = names.filter((name) => plain(name).includes(plain(word)) && plain(word).length > 1).slice(0, 4);
    throw new Error(`There is no attribute “${word}”${near.length ? `; is it ${near.join(", ")}?` : "."}`);
  }

  const test = either();
  if (at < words.length) throw new Error("A bracket is closed that was not opened.");
  return test;
}
