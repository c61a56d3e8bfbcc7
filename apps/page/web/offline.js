// The mirror's files, about 18 MB, kept at the first visit: from then on the page needs no network for it.

const CACHE = "mirror-1.1.0"; // they never change; a new name when fetch_vendor.py pins another version
const FILES = ["vision_bundle.mjs", "wasm/vision_wasm_internal.js", "wasm/vision_wasm_internal.wasm"]
  .map((file) => `vendor/${file}`)
  .concat("models/face_landmarker.task", "models/real-face-judge.tflite");

let keeping = null;
let wait = 5000; // ms until the next try; twice as long after each that failed

// Keep what is missing; `onProgress` is called with the share of it that is there, from 0 to 1, or null where it can't
// be kept now. The page itself does it, not its worker, which may not control the page yet. Later calls wait for the first.
export function keepMirror(onProgress) {
  if (!window.caches || !navigator.serviceWorker) return Promise.resolve();
  keeping ??= keepMissing(onProgress).catch((error) => {
    console.info("The mirror's files are not kept:", error.message);
    onProgress(null);
    keeping = null;
    if (error.name !== "QuotaExceededError") setTimeout(() => keepMirror(onProgress), wait);
    wait *= 2;
  });
  return keeping;
}

// Whether all of it is there: then the mirror needs no server.
export const isKept = async () => Boolean(window.caches) && (await missing()).length === 0;

async function missing() {
  const cache = await caches.open(CACHE);
  const kept = await Promise.all(FILES.map((file) => cache.match(file)));
  return FILES.filter((_, i) => !kept[i]);
}

// One that fails does not stop the others: the next try fetches only what is still missing.
async function keepMissing(onProgress) {
  for (const name of await caches.keys()) if (name.startsWith("mirror-") && name !== CACHE) await caches.delete(name);
  const cache = await caches.open(CACHE);
  let [arrived, total] = [0, 0];
  const keepOne = async (file) => {
    const { ok, status, headers, body } = await fetch(file);
    if (!ok) throw new Error(`${file}: ${status}`);
    total += Number(headers.get("Content-Length"));
    const counted = new TransformStream({
      transform(part, passed) {
        arrived += part.length;
        onProgress(Math.min(0.99, arrived / total));
        passed.enqueue(part);
      },
    });
    const kept = { headers: { "Content-Type": headers.get("Content-Type") } };
    await cache.put(file, new Response(body.pipeThrough(counted), kept));
  };
  const failed = (await Promise.allSettled((await missing()).map(keepOne))).find(({ reason }) => reason);
  if (failed) throw failed.reason;
  onProgress(1);
}
