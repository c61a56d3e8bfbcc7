// A therapist's record, only where it was asked for: numbers under a pseudonym, in this page's memory and in files
// that the adult saves and loads.

const APP = "face-play";
const SHORTEST = 2; // seconds: a shorter attempt was none

const fresh = () => ({ on: false, name: "", sessions: [], session: null, saved: true });

export const record = fresh();

export const forgetRecord = () => Object.assign(record, fresh());
export const isUnsaved = () => !record.saved;

// Note an attempt of the mirror: {emotion, began, coach, best, secondsToReach}.
export function note({ emotion, began, coach, best, secondsToReach }) {
  const seconds = coach?.clock ?? 0;
  if (!record.on || (seconds < SHORTEST && secondsToReach === null)) return;
  record.session ??= begin(began);
  const numbers = { seconds: rounded(seconds), secondsToReach: rounded(secondsToReach), best: rounded(best) };
  record.session.attempts.push({ emotion, ...numbers });
  record.saved = false;
}

function begin(began) {
  const session = { began: began.toISOString(), attempts: [] };
  record.sessions.push(session);
  return session;
}

const rounded = (value) => (value === null ? null : Math.round(100 * value) / 100);

export function file() {
  const { name, sessions } = record;
  const day = new Date().toISOString().slice(0, 10);
  record.saved = true;
  return {
    name: `${name.replace(/[^\p{L}\p{N}_-]+/gu, "-") || "record"}-${day}.json`,
    blob: new Blob([JSON.stringify({ app: APP, name, sessions }, null, 2)], { type: "application/json" }),
  };
}

// Add the sessions of a saved file. Gives null, or the key of what is wrong with it and its values.
export function loadText(text) {
  const read = parsed(text);
  if (!read) return ["historyBad"];
  if (record.sessions.length && record.name !== read.name) return ["historyOther", { name: read.name }];
  const known = new Set(record.sessions.map(({ began }) => began));
  record.sessions = [...read.sessions.filter(({ began }) => !known.has(began)), ...record.sessions];
  record.sessions.sort((a, b) => a.began.localeCompare(b.began));
  Object.assign(record, { on: true, name: read.name });
  return null;
}

function parsed(text) {
  try {
    const { app, name, sessions } = JSON.parse(text);
    const whole = ({ began, attempts }) => !Number.isNaN(Date.parse(began)) && attempts.every(isAttempt);
    return app === APP && typeof name === "string" && sessions.every(whole) ? { name, sessions } : null;
  } catch {
    return null;
  }
}

const isAttempt = ({ emotion, seconds, best }) =>
  typeof emotion === "string" && typeof seconds === "number" && typeof best === "number";

// {tries, reached, median seconds to reach or null} of an emotion in a session; null where it was not tried.
export function summary({ attempts }, emotion) {
  const own = attempts.filter((attempt) => attempt.emotion === emotion);
  if (!own.length) return null;
  const times = own.map(({ secondsToReach }) => secondsToReach).filter((time) => typeof time === "number");
  times.sort((a, b) => a - b);
  const middle = times.length ? (times[(times.length - 1) >> 1] + times[times.length >> 1]) / 2 : null;
  return { tries: own.length, reached: times.length, seconds: middle };
}
