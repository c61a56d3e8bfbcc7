// One screen at a time: showing it, going back from it, and what is said to whoever can't see it.

import { nameOf, speak } from "./voice.js";
import { say } from "./words.js";

export const $ = (selector) => document.querySelector(selector);

const ARRIVING_MS = 300; // taps so soon after a screen came were meant for the one before
const SAID_MS = 3000;
const HOLD_MS = 1500; // an adult's button is held so long: a child's tap does nothing
const WITHOUT_HOME = new Set(["start", "bye"]);

const screens = {}; // name -> {open, back, leave, enter}
let current = "start";
let arriving = 0;

export const onScreen = () => current;

// What a screen does when it is opened, when "back" is asked for, when it is left, and when its tab is seen again.
export function define(name, ways) {
  screens[name] = { ...screens[name], ...ways };
}

// Open a screen with what it needs. They lead to each other by name: no screen's file imports that of a later one.
export const go = (name, ...given) => screens[name].open(...given);

// That as an action.
export const to = (name, ...given) => () => go(name, ...given);

export function show(name) {
  screens[current]?.leave?.();
  current = name;
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== name;
  $("#home-button").hidden = WITHOUT_HOME.has(name);
  document.body.classList.add("arriving");
  clearTimeout(arriving);
  arriving = setTimeout(() => document.body.classList.remove("arriving"), ARRIVING_MS);
  window.scrollTo(0, 0);
  const heading = $(`#${name} h1`);
  heading.focus({ preventScroll: true });
  queueMicrotask(() => speak(nameOf(heading), { now: false, element: heading })); // once it is filled
}

export const back = () => screens[current]?.back?.();

// A camera must not run where nobody sees it.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) screens[current]?.leave?.();
  else screens[current]?.enter?.();
});

export function announce(key, values) {
  say($("#announce"), key, values);
}

export function fillHeading(section, emotion, key, values) {
  const face = section.querySelector("h1 .face");
  face.setAttribute("class", `face ${emotion}`);
  face.querySelector("use").setAttribute("href", `#s-${emotion}`);
  say(section.querySelector("h1 span"), key, values);
}

export function symbol(id, className = "icon") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  svg.firstChild.setAttribute("href", `#s-${id}`);
  return svg;
}

// Buttons of index.html: their symbol, and their word in an element of its own.
for (const button of document.querySelectorAll("button[data-icon], button[data-says]")) {
  const { icon, says } = button.dataset;
  if (icon) button.append(symbol(icon));
  if (says) button.append(element("span"));
  if (says) button.lastChild.dataset.word = says;
}

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// A row of a chart: an emotion, and how near to it, from 0 to 1.
export function bar(emotion, value, more = "") {
  const text = element("span");
  say(text, emotion);
  const meter = element("meter", { min: 0, max: 1, value });
  meter.setAttribute("aria-hidden", true);
  return element("li", {}, symbol(emotion, `face ${emotion}`), text, meter, `${Math.round(100 * value)}${more}`);
}

// A button with these children, in the way `onClick` makes them.
export function button(className, action, ...children) {
  const made = element("button", { type: "button", className }, ...children);
  made.addEventListener("click", action);
  return made;
}

export function onClick(selector, action) {
  for (const found of document.querySelectorAll(selector)) found.addEventListener("click", (event) => action(event));
}

// Let `action` happen when the button was held, with a finger, the mouse or a key. After a short tap it says so itself.
export function onHold(selector, action) {
  const held = $(selector);
  const text = held.querySelector("[data-word]");
  const own = text.dataset.word;
  let since = null;
  let saying = 0;
  const sayLonger = () => {
    announce("holdLonger");
    say(text, "holdLonger");
    clearTimeout(saying);
    saying = setTimeout(() => say(text, own), SAID_MS);
  };
  const press = () => {
    since = performance.now();
    held.classList.add("holding");
  };
  const release = (counts) => {
    const long = since !== null && performance.now() - since >= HOLD_MS;
    const short = since !== null && !long;
    since = null;
    held.classList.remove("holding");
    if (counts && long) action();
    else if (counts && short) sayLonger();
  };
  held.addEventListener("pointerdown", press);
  held.addEventListener("pointerup", () => release(true));
  for (const type of ["pointercancel", "pointerleave", "blur"]) held.addEventListener(type, () => release(false));
  held.addEventListener("contextmenu", (event) => event.preventDefault());
  held.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    if (!event.repeat) press();
  });
  held.addEventListener("keyup", (event) => (event.key === "Enter" || event.key === " ") && release(true));
}

// Count 3, 2, 1 in `place`; true when the end was reached on the same screen.
export async function countDown(place) {
  const screen = current;
  for (let left = 3; left > 0; left -= 1) {
    place.textContent = left;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (current !== screen || document.hidden) break;
  }
  place.textContent = "";
  return current === screen && !document.hidden;
}

// Say kindly what went wrong, and what can be done. Gives the element for what the adult should know.
export function showMessage({ title, text, again, back: goBack }) {
  show("message");
  say($("#message h1"), title);
  say($("#message-text"), text);
  $("#message details").open = false;
  $("#message-again").onclick = () => again();
  define("message", { back: goBack });
  return $("#message details p");
}
