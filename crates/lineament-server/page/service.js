// The page of a service, which looks at the photos. Addresses are relative to the page, which a proxy may show below any path.

import { start } from "./page.js";

let token = "";

/** A refusal, with what the service says about it. */
class Refused extends Error {
  constructor(status, detail, wait) {
    super(detail);
    this.status = status;
    this.wait = wait;
  }
}

/** Asks once; gives the answer's JSON or throws `Refused`. */
async function once(address, body) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = body.type.startsWith("image/") ? body.type : "application/octet-stream";
  let response;
  try {
    response = await fetch(address, { method: body ? "POST" : "GET", headers, body });
  } catch {
    throw new Refused(0, "The service does not answer. Is it still running?");
  }
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Refused(response.status, problem.detail ?? `The service answered ${response.status}.`, problem.retry_after);
}

/** Asks, and comes again when the service says that it is busy. */
async function ask(address, body) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await once(address, body);
    } catch (error) {
      if (error.status !== 429 || tries === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * (error.wait ?? 1)));
    }
  }
}

start({
  kinds: "JPEG, PNG, GIF, WebP, HEIC, AVIF, JPEG XL, JPEG 2000, BMP, TIFF, PNM and raw files with a preview",
  atOnce: 2,
  model: () => ask("v1/model"),
  predict: (file, search) => ask(`v1/predict?${search}`, file),
  responseMap: async (file) => (await ask("v1/locate", file)).response_map.png,
  explain: async (file, search, face) => (await ask(`v1/explain?face=${face + 1}&neurons=3&map=layer&${search}`, file)).explanations,
  useToken: (text) => { token = text.trim(); },
});
