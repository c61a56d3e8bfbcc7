// Keeps the page's own files, so that it opens without a network; only generating needs the server. Photos never
// come through here: they travel by POST.

const SHELL = "shell";
const FILES = [
  "./", "style.css", "adult.js", "app.js", "arrow.js", "begin.js", "camera.js", "cards.js", "ending.js", "faces.js",
  "feedback.js", "guess.js", "mirror.js", "record.js", "screens.js", "server.js", "settings.js", "turn.js", "visit.js",
  "voice.js", "words.js", "feedback.json", "friends.json",
  "manifest.webmanifest", "icons/icon.svg", "icons/icon-192.png",
];
// The mirror's files are large and never change; a new name when fetch_vendor.py pins another version.
const MIRROR = "mirror-1.1.0";
const MIRROR_FILES = ["/vendor/", "/models/"];

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(FILES)));
});

addEventListener("activate", (event) => {
  const current = [SHELL, MIRROR];
  event.waitUntil(
    caches.keys().then((names) => Promise.all(names.filter((n) => !current.includes(n)).map((n) => caches.delete(n)))),
  );
  event.waitUntil(clients.claim());
});

addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== location.origin) return;
  if (MIRROR_FILES.some((start) => pathname.startsWith(start))) event.respondWith(keptFirst(event.request, pathname));
  else if (FILES.some((file) => new URL(file, registration.scope).pathname === pathname)) {
    event.respondWith(freshFirst(event.request));
  }
});

// `pathname`, because a second try for a file has another query.
async function keptFirst(request, pathname) {
  const cache = await caches.open(MIRROR);
  const kept = await cache.match(pathname);
  if (kept) return kept;
  const fresh = await fetch(request);
  if (fresh.ok) await cache.put(pathname, fresh.clone());
  return fresh;
}

async function freshFirst(request) {
  const cache = await caches.open(SHELL);
  try {
    const fresh = await fetch(request);
    if (fresh.ok) await cache.put(request, fresh.clone());
    return fresh;
  } catch (offline) {
    const kept = await cache.match(request);
    if (kept) return kept;
    throw offline;
  }
}
