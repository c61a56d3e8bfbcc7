// Six faces at a glance, and one at a time.

import {
  $, announce, button, define, element, fillHeading, go, onClick, onScreen, show, symbol, to,
} from "./screens.js";
import { settings } from "./settings.js";
import { moveFace, stopMoving } from "./moving.js";
import { faces, label, pictureOf, src, visit } from "./visit.js";
import { name, say } from "./words.js";

const SWIPE = 40; // pixels

const strength = () => visit.strength ?? settings.strength;

// --- All six -----------------------------------------------------------------------------------------------------

async function showOverview() {
  if (timeIsOver()) return go("ending", "endTime");
  show("overview");
  $("#to-guess").hidden = faces().length < 2;
  const cards = await Promise.all(["original", ...faces()].map(card));
  $("#overview .cards").replaceChildren(...cards);
}

const timeIsOver = () => settings.minutes > 0 && Date.now() - visit.began > settings.minutes * 60_000;

async function card(emotion) {
  const own = visit.retakes[emotion];
  const picture = element("img", { src: await pictureOf(emotion, strength()), alt: "" });
  const text = element("span");
  say(text, label(emotion));
  if (emotion === "original") return element("li", { className: "card" }, picture, text);
  const both = element("span", { className: "both" }, picture);
  const parts = [both, text];
  if (own) {
    const mine = element("img", { src: src(own.picture), className: "own" });
    name(mine, own.reached ? "mineOf" : "triedFace", { emotion });
    both.append(mine);
  }
  if (own?.reached) parts.push(symbol("star", "star"));
  const opener = button("card", () => showFace(emotion), ...parts);
  name(opener, own?.reached ? "overviewDone" : "overviewCard", { emotion });
  return element("li", {}, opener);
}

// --- One ---------------------------------------------------------------------------------------------------------

async function showFace(emotion) {
  const arrived = onScreen() !== "face";
  visit.emotion = emotion;
  if (arrived) show("face");
  else announce(emotion);
  const own = visit.retakes[emotion];
  fillTitle();
  $("#face .badge").hidden = !own;
  say($("#face .badge span"), own?.reached ? "mine" : "tried");
  $("#face .badge .icon").toggleAttribute("hidden", !own?.reached);
  const over = (visit.tries[emotion] ?? 0) >= settings.tries;
  $("#my-turn").hidden = over;
  $("#face .enough").hidden = !over;
  say($("#my-turn span"), own ? "oneMore" : "myTurn");
  const here = faces().indexOf(emotion);
  for (const step of document.querySelectorAll("#face .step")) {
    step.setAttribute("aria-disabled", !faces()[here + Number(step.dataset.step)]);
  }
  fillDots();
  await fillPicture();
}

// Without any of the emotion it is the child's own face, and is called so.
function fillTitle() {
  const shown = strength() ? visit.emotion : "original";
  fillHeading($("#face"), shown, strength() ? shown : label(shown));
}

async function fillPicture() {
  const { emotion } = visit;
  stopMoving();
  fillTitle();
  for (const choice of document.querySelectorAll("[data-strength]")) {
    choice.setAttribute("aria-pressed", Number(choice.dataset.strength) === strength());
  }
  const address = await pictureOf(emotion, strength());
  if (emotion !== visit.emotion) return;
  const image = $("#face .frame img");
  image.src = address;
  name(image, strength() ? emotion : label("original"));
}

// A dot for each face, which leads to it, and is filled once the child did it.
function fillDots() {
  const focused = document.activeElement?.closest?.(".dots button")?.dataset.emotion;
  const dots = faces().map((emotion) => {
    const reached = visit.retakes[emotion]?.reached;
    const dot = button("dot", () => showFace(emotion), symbol(emotion, `face ${emotion}`));
    if (reached) dot.append(symbol("star", "star"));
    dot.dataset.emotion = emotion;
    dot.classList.toggle("done", Boolean(reached));
    if (emotion === visit.emotion) dot.setAttribute("aria-current", "true");
    name(dot, reached ? "overviewDone" : "overviewCard", { emotion });
    return dot;
  });
  $(".dots").replaceChildren(...dots);
  if (focused) dots.find((dot) => dot.dataset.emotion === focused)?.focus();
}

function step(by) {
  const next = faces()[faces().indexOf(visit.emotion) + by];
  if (next) showFace(next);
}

// The face that was asked for before the photo, or all of them.
export const showFirst = () => (faces().includes(visit.wanted) ? showFace(visit.wanted) : showOverview());

// The face after this one, or all of them after the last.
export function showNext() {
  const next = faces()[faces().indexOf(visit.emotion) + 1];
  return next && !timeIsOver() ? showFace(next) : showOverview();
}

function listenForSwipes(area) {
  let from = null;
  area.addEventListener("pointerdown", (event) => (from = event.clientX));
  area.addEventListener("pointercancel", () => (from = null));
  window.addEventListener("pointerup", (event) => {
    if (from !== null && Math.abs(event.clientX - from) > SWIPE) step(event.clientX < from ? 1 : -1);
    from = null;
  });
}

export function wireFaces() {
  onClick("#face .step", ({ currentTarget }) => step(Number(currentTarget.dataset.step)));
  onClick("#my-turn", to("turn"));
  onClick("#finish", to("ending"));
  onClick("#to-guess", to("guessing"));
  onClick("[data-strength]", ({ currentTarget }) => {
    visit.strength = Number(currentTarget.dataset.strength);
    fillPicture();
  });
  onClick("#move", () => moveFace(visit.emotion, fillPicture));
  listenForSwipes($("#face .frame"));
  document.addEventListener("keydown", ({ key }) => {
    if (onScreen() === "face" && !$("dialog").open) step({ ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0);
  });
  define("overview", { open: showOverview });
  define("face", { open: showFace, back: showOverview, leave: stopMoving });
}
