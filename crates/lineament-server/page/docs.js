// Builds a form for each operation of openapi.json and shows what comes back.

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const api = await (await fetch("openapi.json")).json();
const operations = document.getElementById("operations");
document.getElementById("about").textContent = api.info.description;
operations.replaceChildren();
const all = Object.entries(api.paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => [method, path, operation]));
// Routes that take images come first.
const last = ([method]) => (method === "post" ? 0 : 1);
for (const one of all.sort((a, b) => last(a) - last(b))) operations.append(section(...one));

function section(method, path, operation) {
  const id = operation.operationId;
  const form = element("form");
  const inputs = (operation.parameters ?? []).map((parameter) => {
    const input = field(parameter, `${id}-${parameter.name}`);
    form.append(element("div", {}, element("label", { htmlFor: input.id }, parameter.name), element("small", {}, parameter.description ?? ""), input));
    return input;
  });
  const files = operation.requestBody && element("input", { type: "file", multiple: true, id: `${id}-files` });
  if (files) form.append(element("div", {}, element("label", { htmlFor: files.id }, "Images"), element("small", {}, "One is sent as the body, several as a form."), files));
  const types = Object.keys(operation.responses["200"]?.content ?? {});
  const accept = types.length > 1 && element("select", { id: `${id}-accept` }, ...types.map((type) => element("option", {}, type)));
  if (accept) form.append(element("div", {}, element("label", { htmlFor: accept.id }, "Accept"), accept));
  const output = element("div", { ariaLive: "polite" });
  form.append(element("button", {}, "Send"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(method, path, inputs, files, accept, output);
  });
  const title = element("h2", {}, element("span", { className: "method" }, method.toUpperCase()), element("code", {}, path));
  const about = [operation.summary, operation.description].filter(Boolean).map((text) => element("p", {}, text));
  return element("section", {}, title, ...about, form, output);
}

function field(parameter, id) {
  const choices = parameter.schema.enum ?? parameter.schema.oneOf?.flatMap((one) => one.enum ?? []);
  const input = choices?.length
    ? element("select", { id }, element("option", { value: "" }, ""), ...choices.map((choice) => element("option", {}, choice)))
    : element("input", { id, placeholder: parameter.example ?? "" });
  input.name = parameter.name;
  return input;
}

async function send(method, path, inputs, files, accept, output) {
  const query = new URLSearchParams(inputs.filter((input) => input.value).map((input) => [input.name, input.value]));
  // A proxy may show this page below any path, and the service with it.
  const address = new URL(`.${path}${query.size ? `?${query}` : ""}`, document.baseURI).href;
  const headers = {};
  const curl = ["curl"];
  const token = document.getElementById("token").value;
  if (token) {
    headers.Authorization = `Bearer ${token}`;
    curl.push("-H 'Authorization: Bearer TOKEN'");
  }
  if (accept) {
    headers.Accept = accept.value;
    curl.push(`-H 'Accept: ${accept.value}'`);
  }
  let body;
  if (files) {
    const chosen = [...files.files];
    if (chosen.length === 1) {
      [body] = chosen;
      if (!body.type.startsWith("image/")) headers["Content-Type"] = "application/octet-stream";
      curl.push(`--data-binary '@${body.name}'`);
    } else {
      body = new FormData();
      for (const file of chosen) {
        body.append("picture", file, file.name);
        curl.push(`-F 'picture=@${file.name}'`);
      }
    }
  }
  curl.push(`'${address}'`);
  const shown = element("pre", { tabIndex: 0, ariaLabel: "Answer" });
  output.replaceChildren(element("pre", { tabIndex: 0, ariaLabel: "The same with curl" }, curl.join(" ")), shown);
  try {
    const begun = performance.now();
    const response = await fetch(address, { method: method.toUpperCase(), headers, body });
    const type = response.headers.get("Content-Type") ?? "";
    const head = `${response.status} ${response.statusText}, ${type}, ${Math.round(performance.now() - begun)} ms`;
    if (type.startsWith("image/")) {
      output.append(element("img", { alt: "Answer", src: URL.createObjectURL(await response.blob()) }));
      shown.textContent = head;
      return;
    }
    const text = await response.text();
    shown.textContent = `${head}\n\n${type.includes("json") ? JSON.stringify(JSON.parse(text), shorten, 2) : text}`;
  } catch (error) {
    shown.textContent = `There was no answer (${error.message}). Is the service still running?`;
  }
}

// Pictures in base64 are for programs.
function shorten(key, value) {
  return key === "png" && value.length > 80 ? `${value.slice(0, 40)}… (${value.length} characters)` : value;
}
