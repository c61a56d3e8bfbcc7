// What a child practised, as numbers. Without a child chosen by an adult it is forgotten with the visit; with one, each
// attempt and guess goes to the server's record at once, and again until it arrived.

import { keepSession, Refused } from "./server.js";

const SHORTEST = 2; // seconds: a shorter attempt was none
const AGAIN_MS = 15_000;
const STAYS = "unsent"; // {session id: {child, session}}: numbers that the server does not have yet

const number = () => crypto.getRandomValues(new Uint32Array(3)).join("-");
const nothing = () => ({ attempts: [], guesses: [] });
const freshSession = () => ({ id: number(), began: new Date().toISOString(), ...nothing() });

// The session that a reload interrupted; one of another day is over.
function interrupted() {
  const session = JSON.parse(sessionStorage.getItem("session") ?? "null");
  return session && new Date(session.began).toDateString() === new Date().toDateString() ? session : null;
}

export const record = {
  today: nothing(), // of this child since the page was opened, for the adult to look at
  child: JSON.parse(sessionStorage.getItem("child") ?? "null"), // {id, pseudonym}
  session: interrupted() ?? freshSession(),
};

// Whose record it is from now on; null: nobody's.
export function chooseChild(child) {
  record.child = child && { id: child.id, pseudonym: child.pseudonym };
  if (child) sessionStorage.setItem("child", JSON.stringify(record.child));
  else for (const key of ["child", "session", "settings"]) sessionStorage.removeItem(key);
  record.today = nothing();
  newSession();
}

export function newSession() {
  sessionStorage.removeItem("session");
  record.session = freshSession();
}

// Note an attempt of the mirror {id, emotion, began, level, hold, coach, best, secondsToReach}; the same again later.
export function noteAttempt({ id, emotion, began, level, hold, coach, best, secondsToReach, hints }) {
  const seconds = coach?.clock ?? 0;
  if (seconds < SHORTEST && secondsToReach === null) return;
  const numbers = { best: rounded(best), seconds: rounded(seconds), seconds_to_reach: rounded(secondsToReach), hints };
  note("attempts", { id, began, emotion, level, hold, reached: secondsToReach !== null, ...numbers });
}

// Note a guess {id, emotion, began, choices}; the same again later.
export const noteGuess = (guess) => note("guesses", { ...guess });

export { number };

function note(kind, entry) {
  for (const entries of [record.today[kind], record.session[kind]]) {
    const before = entries.findIndex(({ id }) => id === entry.id);
    entries.splice(before < 0 ? entries.length : before, 1, entry);
  }
  if (!record.child) return;
  sessionStorage.setItem("session", JSON.stringify(record.session));
  const all = unsent();
  all[record.session.id] = { child: record.child.id, session: record.session };
  localStorage.setItem(STAYS, JSON.stringify(all));
  send();
}

const rounded = (value) => (value === null ? null : Math.round(1000 * value) / 1000);
const unsent = () => JSON.parse(localStorage.getItem(STAYS) ?? "{}");

// Send what the server does not have; what it refuses is of a child that is gone.
export async function send() {
  for (const [id, { child, session }] of Object.entries(unsent())) {
    try {
      await keepSession(child, session, true);
    } catch (error) {
      if (!(error instanceof Refused) || error.code === "no_token" || error.code === "record") continue;
    }
    const rest = unsent();
    if (JSON.stringify(rest[id]?.session) !== JSON.stringify(session)) continue; // more came meanwhile
    delete rest[id];
    if (Object.keys(rest).length) localStorage.setItem(STAYS, JSON.stringify(rest));
    else localStorage.removeItem(STAYS);
  }
}

setInterval(() => localStorage.getItem(STAYS) && send(), AGAIN_MS);
