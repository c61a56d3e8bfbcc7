// The adult's page: whose record it is, what the child is shown, how hard it is, and what was practised today.

import { chooseChild, record } from "./record.js";
import { $, announce, bar, button, define, element, onClick, onHold, onScreen, show, symbol, to } from "./screens.js";
import { children, health, Refused } from "./server.js";
import { change, settings, usual, useSettings } from "./settings.js";
import { FIVE, name, say, saySentence } from "./words.js";

// Each choice of one among a few: its values, and the word of each.
const CHOICES = {
  level: ["easy", "medium", "hard"].map((level) => [level, level]),
  hold: [1, 2, 3, 5].map((number) => [number, "seconds"]),
  tries: [1, 2, 3, 5].map((number) => [number, "times"]),
  minutes: [0, 5, 10, 15, 20].map((number) => [number, number ? "minutesOf" : "noLimit"]),
  strength: [[0.5, "little"], [1, "very"]],
};
const SWITCHES = ["sound", "spoken", "break_button", "easing"];

let table = null; // the mirror's; null where it can't be read

async function open() {
  show("settings");
  fill();
  fillToday();
  fillChildren();
  table ??= await fetch("feedback.json").then((answer) => answer.json()).catch(() => null);
  if (onScreen() === "settings") fillChoices();
  const server = await health();
  const model = server?.generating ? [`model${server.generator}`, server.trained_on] : ["modelnone"];
  $("#set-model").replaceChildren(...model.flatMap((key, i) => [i ? ", " : "", said(key)]));
  $("#set-problem").hidden = !server?.problem;
  $("#set-problem p").textContent = server?.problem ?? "";
}

// Set something; where the child's record can't keep it, that is said.
async function choose(key, value) {
  try {
    await change(key, value);
    say($("#set-state"), "");
  } catch {
    say($("#set-state"), "settingsNotKept");
  }
}

// --- Whose record ------------------------------------------------------------------------------------------------

async function fillChildren() {
  const state = $("#set-child [role=status]");
  say(state, "");
  const known = await children().catch((error) => {
    if (error instanceof Refused) saySentence(state, error.sentence);
    else say(state, "offlineForAdults");
    return record.child ? [record.child] : [];
  });
  if (onScreen() !== "settings") return;
  if (!known.length && !state.textContent) say(state, "noChildren");
  const rows = [null, ...known].map((child) => {
    const box = element("input", { type: "radio", name: "child", checked: (child?.id ?? null) === (record.child?.id ?? null) });
    box.addEventListener("change", () => take(child));
    return element("label", {}, box, child ? child.pseudonym : said("nobody"));
  });
  $("#set-child .options").replaceChildren(...rows);
}

function take(child) {
  chooseChild(child);
  useSettings(child?.settings);
  fill();
  fillToday();
}

// --- Today -------------------------------------------------------------------------------------------------------

// What was practised in this visit: of each emotion a bar, how often it was reached, and of how many tries.
function fillToday() {
  const { attempts, guesses } = record.today;
  const rows = FIVE.flatMap((emotion) => {
    const own = attempts.filter((attempt) => attempt.emotion === emotion);
    if (!own.length) return [];
    const reached = own.filter((attempt) => attempt.reached).length;
    return bar(emotion, Math.max(...own.map(({ best }) => best)), ` · ${reached}/${own.length}`);
  });
  $("#today .chart").replaceChildren(...rows);
  const right = guesses.filter(({ emotion, choices }) => choices[0] === emotion).length;
  say($("#today p"), rows.length || guesses.length ? "todayText" : "todayNothing", { right, guesses: guesses.length });
}

function said(key, values) {
  const span = element("span");
  say(span, key, values);
  return span;
}

function fill() {
  fillEmotions();
  fillChoices();
  $("#set-switches").replaceChildren(...SWITCHES.map(toggle));
}

const fillChoices = () => $("#set-choices").replaceChildren(...Object.keys(CHOICES).map(choice));

// --- Emotions and their order ------------------------------------------------------------------------------------

function fillEmotions(focus) {
  const order = [...settings.emotions, ...FIVE.filter((emotion) => !settings.emotions.includes(emotion))];
  $("#set-emotions ol").replaceChildren(...order.map(emotionRow));
  if (focus) $(`#set-emotions [data-move="${focus}"]`)?.focus();
}

function emotionRow(emotion) {
  const place = settings.emotions.indexOf(emotion);
  const box = element("input", { type: "checkbox", checked: place >= 0 });
  box.disabled = place >= 0 && settings.emotions.length === 1; // one must stay
  box.addEventListener("change", () => {
    const without = settings.emotions.filter((other) => other !== emotion);
    choose("emotions", box.checked ? [...without, emotion] : without);
    fillEmotions();
  });
  const row = element("li", {}, element("label", {}, box, symbol(emotion, `face ${emotion}`), said(emotion)));
  for (const [by, key] of [[-1, "up"], [1, "down"]]) {
    const mover = button("move", () => move(emotion, by), symbol(by < 0 ? "back" : "next", "icon turned"));
    mover.dataset.move = `${emotion}${by}`;
    mover.setAttribute("aria-disabled", place < 0 || !settings.emotions[place + by]);
    name(mover, key, { emotion });
    row.append(mover);
  }
  return row;
}

function move(emotion, by) {
  const order = [...settings.emotions];
  const place = order.indexOf(emotion);
  if (place < 0 || !order[place + by]) return;
  [order[place], order[place + by]] = [order[place + by], order[place]];
  choose("emotions", order);
  fillEmotions(`${emotion}${by}`);
  announce(by < 0 ? "up" : "down", { emotion });
}

// --- One of a few, and on or off ---------------------------------------------------------------------------------

function choice(key) {
  const set = element("fieldset", {}, element("legend", {}, said(`set${key}`)));
  const row = element("div", { className: "options" });
  for (const [value, text] of CHOICES[key]) {
    const box = element("input", { type: "radio", name: key, value, checked: value === settings[key] });
    box.addEventListener("change", () => choose(key, value));
    row.append(element("label", {}, box, said(text, { number: value })));
  }
  set.append(row);
  if (key === "level") set.append(...meanings());
  return set;
}

// What the levels mean, in numbers that were measured.
function meanings() {
  return Object.entries(table?.learned.measured ?? {}).map(([level, { unknown, known }]) => {
    const values = { ...unknown, knownRight: known.right, knownOther: known.other };
    return element("p", {}, said(level), ": ", said("levelMeaning", values));
  });
}

function toggle(key) {
  const box = element("input", { type: "checkbox", checked: settings[key] });
  box.addEventListener("change", () => choose(key, box.checked));
  return element("label", { className: "agree" }, box, said(`set${key}`));
}

export function wireAdult() {
  onHold("#settings-button", open);
  define("settings", { back: to("start") });
  onClick("#usual", () => {
    usual().catch(() => say($("#set-state"), "settingsNotKept"));
    fill();
  });
  $("#settings form").addEventListener("submit", (event) => event.preventDefault());
}
