// The adult's page: what the child is shown, how hard it is, and the record.

import { askServer, startOver } from "./begin.js";
import { download } from "./cards.js";
import { $, announce, button, define, element, onClick, onHold, onScreen, show, symbol } from "./screens.js";
import { change, settings, usual } from "./settings.js";
import { file, forgetRecord, loadText, record, summary } from "./record.js";
import { FIVE, name, say, saySentence } from "./words.js";

// Each choice of one among a few: its values, and the word of each.
const CHOICES = {
  difficulty: ["easy", "medium", "hard"].map((level) => [level, level]),
  hold: [1, 2, 3, 5].map((number) => [number, "seconds"]),
  rounds: [1, 2, 3, 5].map((number) => [number, "times"]),
  minutes: [0, 5, 10, 15, 20].map((number) => [number, number ? "minutesOf" : "noLimit"]),
  strength: ["little", "very"].map((level) => [level, level]),
};
const NAMED = { strength: "strengthFirst" }; // where the word is not the setting's own name
const SWITCHES = ["sound", "breakButton"];

let table = null; // the mirror's; null where it can't be read

async function open() {
  show("settings");
  fill();
  table ??= await fetch("feedback.json").then((answer) => answer.json()).catch(() => null);
  if (onScreen() === "settings") fillChoices();
  fillRecord();
  const server = await askServer();
  const model = server?.generating ? [`model${server.generator}`, server.trained_on] : ["modelnone"];
  const words = model.flatMap((key, i) => [i ? ", " : "", said(key)]);
  $("#set-model").replaceChildren(...words, " ", element("span", { lang: "en", textContent: server?.problem ?? "" }));
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
    change("emotions", box.checked ? [...without, emotion] : without);
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
  change("emotions", order);
  fillEmotions(`${emotion}${by}`);
  announce(by < 0 ? "up" : "down", { emotion });
}

// --- One of a few, and on or off ---------------------------------------------------------------------------------

function choice(key) {
  const set = element("fieldset", {}, element("legend", {}, said(NAMED[key] ?? key)));
  const row = element("div", { className: "options" });
  const current = key === "difficulty" ? settings.difficulty || table?.difficulty.usual : settings[key];
  for (const [value, text] of CHOICES[key]) {
    const box = element("input", { type: "radio", name: key, value, checked: value === current });
    box.addEventListener("change", () => change(key, value));
    row.append(element("label", {}, box, said(text, { number: value })));
  }
  set.append(row);
  if (key === "difficulty") set.append(...meanings());
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
  box.addEventListener("change", () => change(key, box.checked));
  return element("label", { className: "agree" }, box, said(key));
}

// --- The record --------------------------------------------------------------------------------------------------

function fillRecord(problem = null) {
  $("#history-on").checked = record.on;
  $("#history").hidden = !record.on;
  $("#pseudonym").value = record.name;
  const empty = !record.sessions.length;
  say($("#history [role=status]"), ...(problem ?? [empty ? "historyEmpty" : ""]));
  $("#history .scroll").hidden = empty;
  for (const id of ["#history-save", "#history-delete"]) $(id).disabled = empty;
  if (!empty) fillTable();
}

function fillTable() {
  const cell = (key, tag = "th") => element(tag, tag === "th" ? { scope: "col" } : {}, said(key));
  const head = element("tr", {}, cell("session"), ...FIVE.map((emotion) => cell(emotion)));
  const rows = record.sessions.map((session) => {
    const day = element("th", { scope: "row" });
    saySentence(day, dayOf(session));
    return element("tr", {}, day, ...FIVE.map((emotion) => result(session, emotion)));
  });
  $("#history table").replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
}

function dayOf({ began }) {
  const how = { dateStyle: "medium", timeStyle: "short" };
  const [korean, english] = ["ko", "en"].map((locale) => new Date(began).toLocaleString(locale, how));
  return { korean, english };
}

function result(session, emotion) {
  const found = summary(session, emotion);
  if (!found) return element("td", { textContent: "–" });
  if (found.seconds === null) return element("td", {}, said("cellNotReached", found));
  return element("td", {}, said("cell", { ...found, seconds: found.seconds.toFixed(1) }));
}

export function saveRecord() {
  const { blob, name: fileName } = file();
  download(blob, fileName);
}

export function wireAdult() {
  onHold("#settings-button", open);
  define("settings", { back: () => startOver({ keepRecord: true }) });
  onClick("#usual", () => (usual(), fill()));
  $("#history-on").addEventListener("change", ({ target }) => {
    record.on = target.checked;
    fillRecord();
  });
  $("#pseudonym").addEventListener("input", ({ target }) => (record.name = target.value.trim()));
  $("#settings form").addEventListener("submit", (event) => event.preventDefault());
  onClick("#history-save", saveRecord);
  onClick("#history-load", () => $("#history-file").click());
  onClick("#history-delete", () => {
    const { on, name: pseudonym } = record;
    forgetRecord();
    Object.assign(record, { on, name: pseudonym });
    fillRecord();
  });
  $("#history-file").addEventListener("change", async ({ target }) => {
    const [chosen] = target.files;
    target.value = "";
    if (chosen) fillRecord(loadText(await chosen.text()));
  });
}
