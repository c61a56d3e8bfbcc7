// Keeps the page's own files, so that it opens without a network; only generating needs the server. Photos never
// come through here: they travel by POST.

const SHELL = "shell";
const FILES = [
  "./", "style.css", "adult.js", "app.js", "arrow.js", "begin.js", "camera.js", "cards.js", "ending.js", "faces.js",
  "feedback.js", "friends.js", "guess.js", "judge.js", "making.js", "mirror.js", "moving.js", "offline.js",
  "problems.js", "ready.js", "record.js", "review.js", "screens.js", "server.js", "settings.js", "spans.js",
  "turn.js", "visit.js", "voice.js", "words.js", "feedback.json", "friends.json", "manifest.webmanifest",
  "manifest.en.webmanifest", "icons/icon.svg", "icons/icon-192.png",
];
const MIRROR_FILES = /^(vendor|models)\//; // kept by the page (offline.js), which shows how far it is
const SOON_MS = 3000; // a server that has not answered then is taken for one that is away
const AWAY_MS = 20_000; // and not waited for again so soon

let awayUntil = 0;

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(SHELL).then((cache) => Promise.all(FILES.map((file) => cache.add(file)))));
});

addEventListener("activate", (event) => {
  event.waitUntil(clients.claim());
});

addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method !== "GET" || !url.startsWith(registration.scope)) return;
  const path = url.slice(registration.scope.length).split(/[?#]/)[0];
  if (MIRROR_FILES.test(path)) event.respondWith(caches.match(path).then((kept) => kept ?? fetch(event.request)));
  else if (FILES.includes(path || "./")) event.respondWith(freshFirst(event));
});

async function freshFirst(event) {
  const cache = await caches.open(SHELL);
  const kept = await cache.match(event.request);
  const fresh = fetch(event.request).then(async (answer) => {
    if (answer.ok) await cache.put(event.request, answer.clone());
    awayUntil = 0;
    return answer;
  });
  if (!kept) return fresh;
  event.waitUntil(fresh.catch(() => {}));
  const late = new Promise((resolve) => setTimeout(resolve, Date.now() < awayUntil ? 0 : SOON_MS)).then(() => {
    awayUntil = Date.now() + AWAY_MS;
    return kept;
  });
  return Promise.race([fresh.catch(() => kept), late]);
}
