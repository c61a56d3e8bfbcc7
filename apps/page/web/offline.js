// The mirror's files, about 18 MB, fetched once at the first visit: from then on the page needs no network for it.

const FILES = ["vision_bundle.mjs", "wasm/vision_wasm_internal.js", "wasm/vision_wasm_internal.wasm"]
  .map((file) => `vendor/${file}`)
  .concat("models/face_landmarker.task", "models/real-face-judge.tflite");

let fetching = null;

// Fetch what is not kept yet; `onProgress` is told how much of it is there, from 0 to 1. Later calls wait for the first.
export function keepMirror(onProgress) {
  if (!window.caches || !navigator.serviceWorker) return Promise.resolve();
  fetching ??= fetchMissing(onProgress).catch((error) => {
    console.info("The mirror's files are not kept:", error.message);
    fetching = null; // the next visit tries again
  });
  return fetching;
}

// Whether all of it is there: then the mirror needs no server.
export const isKept = async () =>
  Boolean(window.caches) && (await Promise.all(FILES.map((file) => caches.match(file)))).every(Boolean);

async function fetchMissing(onProgress) {
  await navigator.serviceWorker.ready;
  const kept = await Promise.all(FILES.map((file) => caches.match(file)));
  const answers = await Promise.all(FILES.filter((_, i) => !kept[i]).map((file) => fetch(file)));
  const total = answers.reduce((sum, { headers }) => sum + Number(headers.get("Content-Length")), 0);
  let arrived = 0;
  await Promise.all(
    answers.map(async ({ body }) => {
      const reader = body.getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        arrived += part.value.length;
        onProgress(Math.min(1, arrived / total));
      }
    }),
  );
}
