// What the adult chose for this device. Kept in the browser, and only once something was changed.

import { FIVE } from "./words.js";

const USUAL = {
  emotions: FIVE, // those shown, in this order
  difficulty: "", // easy, medium or hard; "": as the table of rules has it
  hold: 2, // seconds
  rounds: 3, // tries for each emotion
  minutes: 0, // of a visit; 0: no limit
  strength: "very",
  sound: false,
  breakButton: true,
};

export const settings = { ...USUAL, ...stored() };

function stored() {
  try {
    const read = JSON.parse(localStorage.getItem("settings") ?? "{}");
    const known = Object.entries(read).filter(([key, value]) => typeof value === typeof USUAL[key]);
    const emotions = read.emotions?.filter?.((emotion) => FIVE.includes(emotion));
    return { ...Object.fromEntries(known), emotions: emotions?.length ? emotions : FIVE };
  } catch {
    return {}; // damaged by hand: the usual ones
  }
}

export function change(key, value) {
  settings[key] = value;
  localStorage.setItem("settings", JSON.stringify(settings));
}

export function usual() {
  Object.assign(settings, USUAL);
  localStorage.removeItem("settings");
}

// The rules' table as the adult wants it: the level of difficulty, and how long an expression is held.
export function rulesFor(table) {
  const { difficulty: chosen, hold } = settings;
  return { table: { ...table, holdSeconds: hold }, level: chosen || table.difficulty.usual };
}
