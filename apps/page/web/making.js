// From a photo to six faces.

import { showFirst } from "./faces.js";
import { explain } from "./problems.js";
import { prepareMirror } from "./ready.js";
import { $, button, define, element, go, onScreen, show, to } from "./screens.js";
import { findFaces, generate } from "./server.js";
import { settings } from "./settings.js";
import { leaveOut, newJob, src, takePictures, visit } from "./visit.js";
import { say } from "./words.js";

async function makeFaces({ friendsPhoto } = {}) {
  const signal = newJob();
  if (friendsPhoto) Object.assign(visit, { photo: friendsPhoto, friend: true });
  const status = wait("searching");
  const onBusy = () => say(status, "queueing");
  try {
    const found = await findFaces(visit.photo, signal, onBusy);
    if (signal.aborted) return;
    if (found.length > 1) whose(found);
    else await make(0);
  } catch (error) {
    if (!signal.aborted) explain(error, () => makeFaces());
  } finally {
    if (signal.aborted || onScreen() !== "waiting") stopProgress();
  }
}

function whose(heads) {
  stopProgress();
  show("who");
  $("#who .cards").replaceChildren(...heads.map((head, i) => person(src(head), "who", i + 1, () => make(i))));
}

// A face to choose, with its number.
export function person(address, word, number, action) {
  const [image, text] = [element("img", { src: address, alt: "" }), element("span")];
  say(text, word, { number });
  return element("li", {}, button("card person", action, image, text));
}

async function make(face) {
  const signal = newJob();
  const status = wait("making");
  try {
    const { images, left_out } = await generate(visit.photo, face, signal, () => say(status, "queueing"));
    if (signal.aborted) return;
    if (settings.emotions.every((emotion) => emotion in left_out)) throw { code: "not_good" };
    playWith(images, visit.friend, face, left_out);
  } catch (error) {
    if (!signal.aborted) explain(error, () => make(face));
  } finally {
    stopProgress();
  }
}

const SLOW_SECONDS = 12; // then it is said that it takes longer
const ALMOST = 0.9; // the bar is never full before it is done

let progress = 0;

function wait(word) {
  if (onScreen() !== "waiting") show("waiting");
  const [image, status] = [$("#waiting img"), $("#waiting [role=status]")];
  image.hidden = false;
  image.onerror = () => (image.hidden = true);
  image.src = src(visit.photo);
  say(status, word);
  stopProgress();
  const began = Date.now();
  progress = setInterval(() => {
    const seconds = (Date.now() - began) / 1000;
    $("#waiting progress").value = ALMOST * (1 - Math.exp(-seconds / 6));
    if (seconds > SLOW_SECONDS && status.dataset.word === word) say(status, "slow");
  }, 250);
  return status;
}

const stopProgress = () => clearInterval(progress);

// The pictures are there: the server's, which an adult may have to see first, or a friend's.
export function playWith(images, friend, face = 0, leftOut = {}) {
  newJob();
  takePictures(images, friend);
  leaveOut(Object.keys(leftOut));
  visit.face = face;
  prepareMirror();
  if (friend) showFirst();
  else go("review");
}

export function wireMaking() {
  define("waiting", { open: makeFaces, back: to("start") });
  define("who", { back: to("start") });
}
