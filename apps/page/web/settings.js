// What an adult chose: for this device, kept in the browser once something was changed, or for a child of the record.

import { record } from "./record.js";
import { keepSettings } from "./server.js";
import { FIVE } from "./words.js";

// The names are the record's (apps/record/entries.py).
const USUAL = {
  emotions: FIVE, // those shown, in this order
  level: "medium", // easy, medium or hard
  hold: 2, // seconds
  tries: 3, // for each emotion
  minutes: 0, // of a visit; 0: no limit
  strength: 1, // of the faces at first
  sound: true, // the speaker is there
  spoken: false, // and what is touched is said without it, too
  break_button: true,
  easing: true, // less is asked of an emotion after a try that came to nothing
};

// A child's are here as long as its record is open.
const store = () => (record.child ? sessionStorage : localStorage);

export const settings = { ...USUAL, ...stored() };

// Those of the child that was chosen, or of this device again.
export function useSettings(ofChild) {
  if (ofChild) sessionStorage.setItem("settings", JSON.stringify(ofChild));
  Object.assign(settings, USUAL, stored());
}

function stored() {
  try {
    const read = JSON.parse(store().getItem("settings") ?? "{}");
    const known = Object.entries(read).filter(([key, value]) => typeof value === typeof USUAL[key]);
    const emotions = read.emotions?.filter?.((emotion) => FIVE.includes(emotion));
    return { ...Object.fromEntries(known), emotions: emotions?.length ? emotions : FIVE };
  } catch {
    return {}; // damaged by hand: the usual ones
  }
}

export function change(key, value) {
  settings[key] = value;
  return keep();
}

export function usual() {
  Object.assign(settings, USUAL);
  return keep();
}

// With a child they belong to it; rejects where the server can't keep them.
async function keep() {
  store().setItem("settings", JSON.stringify(settings));
  if (record.child) await keepSettings(record.child.id, settings);
}

// The rules' table as the adult wants it: the level of difficulty, whether it eases, how long an expression is held.
export function rulesFor(table) {
  return { table: { ...table, holdSeconds: settings.hold }, level: settings.level, eases: settings.easing };
}
