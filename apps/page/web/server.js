// Talking to the backend: the same requests as the Flutter client's, and a few more.

const MAX_WAIT_SECONDS = 180; // in line and for the answer, before giving up
const SOON_SECONDS = 5; // for what is small: a server that hangs is taken for one that is away

// What the server answered when it did not do what was asked.
export class Refused extends Error {
  constructor(problem) {
    super(problem.message_en);
    this.code = problem.code;
    this.sentence = { korean: problem.message, english: problem.message_en };
  }
}

export const useToken = (token) => sessionStorage.setItem("token", token);

// The heads in a photo, base64 JPEGs. `onBusy` is called when the line is full and this waits to try again.
export const findFaces = async (image, signal, onBusy) => (await inLine("faces", { image }, signal, onBusy)).faces;

// {images: the six heads, base64 JPEGs, of face number `face` in the photo, left_out: {emotion: why it has none}}.
export const generate = (image, face, signal, onBusy) =>
  inLine("generate", { image, face, portrait: true }, signal, onBusy);

// {kept, not_reached, ...} of six pictures and the scores of the child's own, by emotion.
export const submit = (images, scores, signal) => ask("submit", { images, scores }, signal);

// What the server said last that it can do, {generating, collecting, mirror, ...}; null where it can't be reached.
export let server = null;

// Ask it.
export async function health() {
  server = await get("health").then((answer) => answer.json()).catch(() => null);
  return server;
}

// Of each friend the six pictures, or a photo.
export const friends = async () => (await (await get("friends.json")).json()).map(({ images }) => images);

// A face between calm and the emotion, base64 JPEGs: a quarter, half and three quarters of the way.
export const steps = async (image, face, emotion, portrait) =>
  (await ask("steps", { image, face, emotion, portrait })).images;

// How near a face in a picture (base64) is to each emotion, {emotion: 0 to 1}; `rest` is the child's usual one, or null.
// And which of them it reached.
export const meters = (image, rest, level) => ask("meters", { image, rest, level });

// The record: children {id, pseudonym, settings}, and what is kept of one.
export const children = async () => await (await checked(await get("children"))).json();
export const keepSettings = (id, settings) => ask(`children/${id}/settings`, settings, undefined, "PUT");
export const keepSession = (id, session, keepalive = false) =>
  ask(`children/${id}/sessions`, session, undefined, "POST", keepalive);

const get = (path, seconds = SOON_SECONDS) =>
  fetch(path, { headers: withToken(), signal: AbortSignal.timeout(1000 * seconds) });

async function inLine(path, body, signal, onBusy) {
  const giveUp = Date.now() + MAX_WAIT_SECONDS * 1000;
  for (;;) {
    const answer = await post(path, body, signal);
    if (answer.ok) return answer.json();
    const retryAfter = Number(answer.headers.get("Retry-After"));
    if (answer.status !== 503 || !retryAfter || Date.now() > giveUp) throw new Refused(await answer.json());
    onBusy();
    await new Promise((resolve) => setTimeout(resolve, retryAfter * 1000));
    signal.throwIfAborted();
  }
}

async function ask(path, body, signal, method, keepalive) {
  return (await checked(await post(path, body, signal, method, keepalive))).json();
}

async function checked(answer) {
  if (!answer.ok) throw new Refused(await answer.json());
  return answer;
}

async function post(path, body, signal, method = "POST", keepalive = false) {
  const headers = { "Content-Type": "application/json", ...withToken() };
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), 1000 * MAX_WAIT_SECONDS);
  signal?.addEventListener("abort", () => late.abort());
  try {
    return await fetch(path, { method, headers, body: JSON.stringify(body), signal: late.signal, keepalive });
  } finally {
    clearTimeout(timer);
  }
}

// A header holds no Korean: the code is percent-encoded.
function withToken() {
  const token = sessionStorage.getItem("token");
  return token ? { Authorization: `Bearer ${encodeURIComponent(token)}` } : {};
}
