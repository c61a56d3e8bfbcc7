// My turn: the mirror watches, and takes the child's own picture by itself once the expression was held.

import { pointAt } from "./arrow.js";
import { prepareMirror } from "./begin.js";
import { closeCamera, hasCamera, openCamera, photograph, readFile } from "./camera.js";
import { showFace, showNext } from "./faces.js";
import { note } from "./record.js";
import { $, countDown, define, fillHeading, onClick, onScreen, show } from "./screens.js";
import { rulesFor, settings } from "./settings.js";
import { pictureOf, src, visit } from "./visit.js";
import { hush, speak } from "./voice.js";
import { name, say, saySentence } from "./words.js";

let mirror = null; // while it watches
let attempt = null; // {emotion, began, coach, best, last, secondsToReach, threshold}
let shot = null; // the picture to be looked at: {picture, score, reached, closer}

const strength = () => (visit.strength === "none" ? "very" : (visit.strength ?? settings.strength));

export async function myTurn() {
  const { emotion } = visit;
  show("turn");
  fillHeading($("#turn"), emotion, "turnTitle", { emotion });
  $("#rest-button").hidden = !settings.breakButton;
  showPicture($("#turn figure img"), emotion);
  await watch();
}

async function showPicture(image, emotion) {
  image.src = await pictureOf(emotion, strength());
  name(image, emotion);
}

async function watch() {
  const section = $("#turn");
  const [bar, hint, video] = [".meter", ".hint", "video"].map((part) => section.querySelector(part));
  const { emotion } = visit;
  bar.hidden = false;
  show100(0);
  pointAt($("#turn .arrow"), video, null);
  section.dataset.state = "";
  say(hint, "mirrorLoading");
  const ready = await startCamera(video);
  if (section.hidden || document.hidden) return;
  if (!ready) {
    bar.hidden = true;
    return say(hint, "turnNoCamera");
  }
  const loaded = (await visit.mirror) ?? (await prepareMirror()); // what could not be had before may be there now
  if (section.hidden || document.hidden || visit.emotion !== emotion) return;
  if (!loaded) {
    bar.hidden = true;
    return say(hint, "noMirror");
  }
  mirror = loaded;
  const rules = rulesFor(mirror.table);
  attempt = { emotion, best: 0, last: 0, secondsToReach: null, threshold: rules.table.reached, began: new Date() };
  attempt.coach = await mirror.watch(video, emotion, rules, showReading);
}

async function startCamera(video) {
  const shutters = document.querySelectorAll("#turn [data-shutter], #turn [data-timer]");
  for (const shutter of shutters) shutter.disabled = true;
  let open = hasCamera;
  if (hasCamera) {
    try {
      await openCamera(video);
    } catch {
      open = false;
    }
  }
  if ($("#turn").hidden || document.hidden) closeCamera(video);
  for (const shutter of shutters) {
    shutter.disabled = !open;
    shutter.hidden = !open;
  }
  $("#turn-choose").hidden = open;
  return open;
}

function show100(percent) {
  const bar = $("#turn .meter");
  bar.setAttribute("aria-valuenow", percent);
  bar.firstElementChild.style.transform = `translateX(${percent - 100}%)`;
}

function showReading({ state, meter, sentence, done }, landmarks) {
  const now = attempt;
  show100(Math.round(100 * meter));
  const hint = $("#turn .hint");
  const before = hint.textContent;
  if (sentence) saySentence(hint, { korean: sentence.korean, english: sentence.english });
  if (hint.textContent !== before) speak(hint.textContent);
  pointAt($("#turn .arrow"), $("#turn video"), state === "hint" ? sentence : null, landmarks);
  $("#turn").dataset.state = state;
  now.last = meter;
  now.best = Math.max(now.best, meter);
  if (!done || now.secondsToReach !== null) return;
  now.secondsToReach = now.coach?.clock ?? settings.hold;
  take(); // at the very moment: the child need not hold the face and press a button
}

async function take() {
  const own = attempt;
  const reached = own ? own.last >= own.threshold || own.secondsToReach !== null : true;
  const score = own ? own.last : null;
  const closer = Boolean(own?.coach?.closer);
  const picture = await photograph($("#turn video"));
  if (onScreen() === "turn") compare({ picture, score, reached, closer });
}

// Stop watching; the attempt goes into the record, where one is kept.
function leave() {
  mirror?.stop();
  mirror = null;
  closeCamera($("#turn video"));
  hush();
  if (attempt) note(attempt);
  attempt = null;
}

// --- What came of it ---------------------------------------------------------------------------------------------

function compare(taken) {
  const { emotion } = visit;
  shot = taken;
  visit.tries[emotion] = (visit.tries[emotion] ?? 0) + 1;
  show("compare");
  const success = taken.reached && taken.score !== null;
  const title = success ? "reachedTitle" : shot.closer ? "closerTitle" : "compareTitle";
  fillHeading($("#compare"), emotion, title);
  const [look, me] = document.querySelectorAll("#compare img");
  showPicture(look, emotion);
  me.src = src(shot.picture);
  name(me, "mineOf", { emotion });
  $("#compare .star").toggleAttribute("hidden", !success); // an SVG has no property of that name
  $("#compare").dataset.reached = success;
  say($("#keep span"), emotion === settings.emotions.at(-1) ? "keepLast" : "keep");
  $("#compare [data-back]").hidden = visit.tries[emotion] >= settings.rounds;
  if (success) speak($("#compare h1 span").textContent);
}

function keep() {
  const { picture, score, reached } = shot;
  const before = visit.retakes[visit.emotion];
  // A picture that reached its emotion is not lost to a later one that did not.
  if (reached || !before?.reached) visit.retakes[visit.emotion] = { picture, score, reached };
  shot = null;
  showNext();
}

export function wireTurn() {
  onClick("#turn [data-shutter]", take);
  onClick("#turn [data-timer]", async () => (await countDown($("#turn .countdown"))) && take());
  onClick("#turn-choose", () => $("#turn-file").click());
  onClick("#keep", keep);
  onClick("#rest-button", () => show("rest"));
  $("#turn-file").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    target.value = "";
    const { emotion } = visit;
    const picture = file && (await readFile(file));
    if (!picture || onScreen() !== "turn" || visit.emotion !== emotion) return; // left while it was read
    compare({ picture, score: null, reached: true, closer: false });
  });
  define("turn", { back: () => showFace(visit.emotion), leave, enter: watch });
  define("rest", { back: myTurn });
  define("compare", { back: myTurn, leave: () => hush() });
}
