// Talking to the backend: the same requests as the Flutter client's, and a few more.

const MAX_WAIT_SECONDS = 180; // in line, before giving up

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

// The six heads, base64 JPEGs, of face number `face` in the photo.
export const generate = async (image, face, signal, onBusy) =>
  (await inLine("generate", { image, face, portrait: true }, signal, onBusy)).images;

// {kept, not_reached, ...} of six pictures and the scores of the child's own, by emotion.
export const submit = (images, scores, signal) => ask("submit", { images, scores }, signal);

// {generating, collecting, mirror, ...}; null when the server can't be reached.
export async function health() {
  try {
    return await (await fetch("health", { headers: withToken() })).json();
  } catch {
    return null;
  }
}

export const friends = async () => (await (await fetch("friends.json")).json()).map(({ images }) => images);

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

async function ask(path, body, signal) {
  const answer = await post(path, body, signal);
  if (!answer.ok) throw new Refused(await answer.json());
  return answer.json();
}

function post(path, body, signal) {
  const headers = { "Content-Type": "application/json", ...withToken() };
  return fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

function withToken() {
  const token = sessionStorage.getItem("token");
  return token ? { Authorization: `Bearer ${token}` } : {};
}
