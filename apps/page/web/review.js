// Faces of a child whose faces nobody has seen yet: an adult looks first, and leaves out what would frighten.

import { showFirst } from "./faces.js";
import { record } from "./record.js";
import { $, button, define, element, onHold, show, symbol, to } from "./screens.js";
import { settings } from "./settings.js";
import { leaveOut, src, visit } from "./visit.js";
import { name, say } from "./words.js";

const LOOKED = "looked"; // ids of the record's children whose faces an adult has seen on this device

const looked = () => JSON.parse(localStorage.getItem(LOOKED) ?? "[]");

function showReview() {
  if (looked().includes(record.child?.id)) return showFirst();
  show("review");
  $("#review .cards").replaceChildren(...["original", ...settings.emotions].map(card));
}

function card(emotion) {
  const picture = visit.pictures[emotion];
  const text = element("span");
  say(text, picture ? emotion : "notGood", { emotion });
  const parts = [picture ? element("img", { src: src(picture), alt: "" }) : symbol(emotion, `face ${emotion}`), text];
  if (emotion === "original" || !picture) return element("li", { className: "card" }, ...parts);
  const choice = button("card", () => choice.setAttribute("aria-pressed", choice.ariaPressed !== "true"), ...parts);
  choice.setAttribute("aria-pressed", true);
  choice.dataset.emotion = emotion;
  name(choice, "shownToChild", { emotion });
  return element("li", {}, choice);
}

function done() {
  const refused = document.querySelectorAll("#review [aria-pressed=false]");
  leaveOut([...refused].map(({ dataset }) => dataset.emotion));
  if (record.child) localStorage.setItem(LOOKED, JSON.stringify([...looked(), record.child.id]));
  showFirst();
}

export function wireReview() {
  onHold("#review-done", done);
  define("review", { open: showReview, back: to("start") });
}
