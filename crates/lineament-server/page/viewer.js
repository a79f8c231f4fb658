// A picture with boxes, and maps as layers over it.

const SVG = "http://www.w3.org/2000/svg";
const stage = document.getElementById("stage");
const caption = document.getElementById("caption");
const faces = document.getElementById("faces");

const png = (data) => `data:image/png;base64,${data}`;

/** Shows a picture of the gallery and one of its faces; `choose(index)` is called for another. */
export function show(entry, chosen, choose) {
  const { answer } = entry;
  stage.style.setProperty("--ratio", answer.width / answer.height);
  const count = answer.faces.length;
  const picture = image(entry.url, `${entry.name}: ${count === 1 ? "one face" : `${count} faces`}`);
  // What this browser cannot draw is still described.
  picture.addEventListener("error", () => { picture.hidden = true; });
  stage.replaceChildren(picture, boxes(answer, chosen, choose));
  const left = answer.faces_left_out ? `, ${answer.faces_left_out} more ${answer.faces_left_out === 1 ? "face" : "faces"} left out` : "";
  caption.textContent = `${entry.name}, ${answer.width} × ${answer.height} pixels, answered in ${Math.round(entry.took)} ms${left}${turned(answer, chosen)}`;
  faces.replaceChildren(...answer.faces.map((_, index) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: `Face ${index + 1}` });
    button.setAttribute("aria-pressed", index === chosen);
    button.addEventListener("click", () => choose(index));
    return button;
  }));
}

/** How the chosen face stands, where that is known. */
function turned({ faces }, chosen) {
  const roll = faces[chosen]?.roll;
  if (roll === undefined) return "";
  const how = roll === 0 ? "upright" : `turned by ${Math.abs(roll)}° ${roll > 0 ? "clockwise" : "counterclockwise"}`;
  return `; face ${chosen + 1} is ${how}`;
}

function boxes(answer, chosen, choose) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", `0 0 ${answer.width} ${answer.height}`);
  drawing.setAttribute("aria-hidden", "true");
  answer.faces.forEach(({ box, roll }, index) => {
    const rect = document.createElementNS(SVG, "rect");
    for (const side of ["x", "y", "width", "height"]) rect.setAttribute(side, box[side]);
    if (roll) rect.setAttribute("transform", `rotate(${roll} ${box.x + box.width / 2} ${box.y + box.height / 2})`);
    rect.classList.toggle("chosen", index === chosen);
    rect.addEventListener("click", () => choose(index));
    drawing.append(rect);
  });
  return drawing;
}

function image(src, alt, className = "") {
  return Object.assign(document.createElement("img"), { src, alt, className });
}

/** Lays the map and the region of an explained attribute over the picture; null takes them off. */
export function showRegion(one) {
  const drawing = stage.querySelector("svg");
  drawing?.querySelectorAll(".region").forEach((part) => part.remove());
  stage.classList.toggle("pointed", Boolean(drawing && one));
  if (!drawing || !one) return;
  const part = (kind, box, more) => {
    const made = document.createElementNS(SVG, kind);
    for (const side of ["x", "y", "width", "height"]) made.setAttribute(side, box[side]);
    for (const [name, value] of Object.entries({ class: "region", ...more })) made.setAttribute(name, value);
    return made;
  };
  drawing.prepend(part("image", one.map.box, { href: png(one.map.png), preserveAspectRatio: "none" }), part("rect", one.region));
}

/** Lays the response map over the picture, which `draw(file)` gives, or takes it off where there is no `draw`. */
export async function showMap(entry, draw, isShown) {
  stage.querySelector(".layer")?.remove();
  if (!draw) return;
  entry.map ??= draw(entry.file);
  const data = await entry.map.catch((error) => { entry.map = undefined; throw error; });
  if (!isShown()) return;
  stage.querySelector(".layer")?.remove();
  stage.querySelector("svg").before(image(png(data), "Where the net that finds faces responds: bright is strong", "layer"));
}
