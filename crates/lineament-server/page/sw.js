// Keeps the files of the page without a service, so that it works without a network, and answers with them from then on.

/** Filled in by `lineament page`: a name for these files, their addresses, and the headers that isolate the page. */
const VERSION = "";
const FILES = [];
const HEADERS = {};

const CACHE = `lineament ${registration.scope} ${VERSION}`;

addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES.map(fresh))));
});

/** As the host has it now: files of two versions don't mix. */
const fresh = (file) => new Request(file, { cache: "no-cache" });

addEventListener("activate", (event) => {
  event.waitUntil(forget().then(() => clients.claim()));
});

/** Drops the files of versions before this one. */
async function forget() {
  const old = (await caches.keys()).filter((name) => name.startsWith(`lineament ${registration.scope} `) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && request.url.startsWith(registration.scope)) event.respondWith(answer(request));
});

async function answer(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request.mode === "navigate" ? registration.scope : request, { ignoreSearch: true });
  return isolated(kept ?? (await fetch(request)));
}

/** The same with the headers that let threads share memory: not all hosts can send them. */
function isolated(response) {
  if (response.type === "opaque" || response.type === "opaqueredirect" || response.type === "error") return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}
