// Talking to the backend: the same requests as the Flutter client's.

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

// One photo -> {images: six base64 JPEGs}. `onBusy` is called when the line is full and this waits to try again.
export async function generate(image, onBusy) {
  const giveUp = Date.now() + MAX_WAIT_SECONDS * 1000;
  for (;;) {
    const answer = await post("generate", { image });
    if (answer.ok) return answer.json();
    const retryAfter = Number(answer.headers.get("Retry-After"));
    if (answer.status !== 503 || !retryAfter || Date.now() > giveUp) throw new Refused(await answer.json());
    onBusy();
    await new Promise((resolve) => setTimeout(resolve, retryAfter * 1000));
  }
}

export async function submit(images) {
  const answer = await post("submit", { images });
  if (!answer.ok) throw new Refused(await answer.json());
  return answer.json();
}

// {generating, collecting, mirror, ...}; null when the server can't be reached.
export async function health() {
  try {
    return await (await fetch("health")).json();
  } catch {
    return null;
  }
}

function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  const token = sessionStorage.getItem("token");
  if (token) headers.Authorization = `Bearer ${token}`;
  return fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
}
