// My turn: the mirror watches, and takes the child's own picture by itself once the expression was held.

import { pointAt } from "./arrow.js";
import { closeCamera, hasCamera, openCamera, photograph, readFile } from "./camera.js";
import { showNext } from "./faces.js";
import { prepareMirror } from "./ready.js";
import { noteAttempt, number } from "./record.js";
import { $, bar, countDown, define, fillHeading, go, onClick, onHold, onScreen, show, showMessage } from "./screens.js";
import { meters } from "./server.js";
import { rulesFor, settings } from "./settings.js";
import { faces, pictureOf, src, visit } from "./visit.js";
import { hush, speak } from "./voice.js";
import { name, say, saySentence } from "./words.js";

let mirror = null; // while it watches
let attempt = null; // {id, emotion, began, level, hold, coach, best, last, secondsToReach, hints, threshold}
let shot = null; // the picture to be looked at: {picture, score, reached, closer}

const NOTE_SECONDS = 5; // an attempt is noted so often while it lasts: whatever ends it, little is lost
const strength = () => visit.strength || settings.strength;

async function myTurn() {
  const { emotion } = visit;
  show("turn");
  fillHeading($("#turn"), emotion, "turnTitle", { emotion });
  $("#rest-button").hidden = !settings.break_button;
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
  attempt = { id: number(), emotion, began: new Date().toISOString(), level: rules.level, hold: settings.hold };
  Object.assign(attempt, { best: 0, last: 0, secondsToReach: null, hints: 0, noted: 0, threshold: rules.table.reached });
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
  if (hint.textContent !== before) {
    speak(hint.textContent);
    if (state === "hint") now.hints += 1;
  }
  pointAt($("#turn .arrow"), $("#turn video"), state === "hint" ? sentence : null, landmarks);
  $("#turn").dataset.state = state;
  now.last = meter;
  now.best = Math.max(now.best, meter);
  if (now.coach?.clock > now.noted + NOTE_SECONDS) {
    now.noted = now.coach.clock;
    noteAttempt(now);
  }
  if (state === "goodTry" && !now.ended) {
    now.ended = true; // the bar that does not fill is left: the child's try is looked at, and praised
    take();
  }
  if (!done || now.secondsToReach !== null) return;
  now.secondsToReach = now.coach?.clock ?? settings.hold;
  take(); // at the very moment: the child need not hold the face and press a button
}

async function take() {
  const own = attempt;
  const { emotion } = visit;
  const picture = await photograph($("#turn video"));
  if (onScreen() !== "turn" || visit.emotion !== emotion) return;
  if (!own) return judge(picture, emotion);
  const reached = own.last >= own.threshold || own.secondsToReach !== null;
  compare({ picture, score: own.last, reached, closer: Boolean(own.coach?.closer), tried: Boolean(own.ended) });
}

// A picture that no mirror saw is judged by the server; where it can't, there is no star.
async function judge(picture, emotion) {
  say($("#turn .hint"), "looking");
  const { score, reached } = await meters(picture, visit.friend ? null : visit.pictures.original, settings.level)
    .then((found) => ({ score: found.meters[emotion], reached: found.reached.includes(emotion) }))
    .catch(() => ({ score: null, reached: false }));
  if (onScreen() === "turn" && visit.emotion === emotion) compare({ picture, score, reached, closer: false });
}

// Stop watching; the attempt goes into the record, where one is kept.
function leave() {
  mirror?.stop();
  mirror = null;
  closeCamera($("#turn video"));
  hush();
  if (attempt) noteAttempt(attempt);
  attempt = null;
}

// --- What came of it ---------------------------------------------------------------------------------------------

function compare(taken) {
  const { emotion } = visit;
  shot = taken;
  visit.tries[emotion] = (visit.tries[emotion] ?? 0) + 1;
  show("compare");
  const success = taken.reached;
  const title = success ? "reachedTitle" : shot.closer ? "closerTitle" : shot.tried ? "goodTryTitle" : "compareTitle";
  fillHeading($("#compare"), emotion, title);
  const [look, me] = document.querySelectorAll("#compare img");
  showPicture(look, emotion);
  me.src = src(shot.picture);
  name(me, success ? "mineOf" : "triedFace", { emotion });
  $("#opinion").open = false;
  $("#opinion ul").replaceChildren(); // it was of the picture before
  $("#compare .star").toggleAttribute("hidden", !success); // an SVG has no property of that name
  $("#compare").dataset.reached = success;
  say($("#keep span"), emotion === faces().at(-1) ? "keepLast" : "keep");
  $("#compare [data-back]").hidden = visit.tries[emotion] >= settings.tries;
  if (success || shot.tried) speak($("#compare h1 span").textContent);
}

function keep() {
  const { picture, score, reached } = shot;
  const before = visit.retakes[visit.emotion];
  // A picture that reached its emotion is not lost to a later one that did not.
  if (reached || !before?.reached) visit.retakes[visit.emotion] = { picture, score, reached };
  shot = null;
  showNext();
}

// What the server sees in the child's own picture, for the adult: how near it is to each emotion.
async function showOpinion() {
  if (!$("#opinion").open || !shot) return;
  const { picture } = shot;
  const list = $("#opinion ul");
  list.replaceChildren();
  say($("#opinion p"), "looking");
  try {
    const found = await meters(picture, visit.friend ? null : visit.pictures.original, settings.level);
    if (shot?.picture !== picture) return;
    say($("#opinion p"), "");
    list.replaceChildren(...Object.entries(found.meters).map(([emotion, meter]) => bar(emotion, meter)));
  } catch {
    say($("#opinion p"), "offlineForAdults");
  }
}

// The adult lets the mirror look at the child's usual face anew.
async function takeRestAnew() {
  if (!mirror) return;
  mirror.forgetRest();
  leave();
  await watch();
}

export function wireTurn() {
  onHold("#rest-anew", takeRestAnew);
  $("#opinion").addEventListener("toggle", showOpinion);
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
    if (!file || onScreen() !== "turn" || visit.emotion !== emotion) return; // left while it was read
    if (picture) return judge(picture, emotion);
    // A screen of its own: the mirror, or the camera that is tried again after the file dialog, would overwrite a hint.
    const problem = { title: "otherPhotoTitle", text: "unreadable", again: myTurn, back: myTurn };
    say(showMessage(problem), "unreadableForAdults");
  });
  define("turn", { open: myTurn, back: () => go("face", visit.emotion), leave, enter: watch });
  define("rest", { back: myTurn });
  define("compare", { back: myTurn, leave: () => hush() });
}
