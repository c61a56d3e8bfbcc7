// From the first screen to six faces: an adult's consent where it is needed, the access code, a photo, a face of it.

import { closeCamera, hasCamera, openCamera, photograph, readFile } from "./camera.js";
import { showOverview, showFace } from "./faces.js";
import { chooseFriend, person } from "./friends.js";
import { closeMirror, loadMirror } from "./mirror.js";
import { isKept, keepMirror } from "./offline.js";
import { record } from "./record.js";
import { needsReview, showReview, wireReview } from "./review.js";
import {
  $, button, countDown, define, element, onClick, onHold, onScreen, show, showMessage, symbol,
} from "./screens.js";
import { findFaces, generate, health, Refused, useToken } from "./server.js";
import { settings } from "./settings.js";
import { faces, forget, leaveOut, load, newJob, src, takePictures, visit } from "./visit.js";
import { hearNoMore } from "./voice.js";
import { name, say, saySentence } from "./words.js";

const HERE = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(location.hostname);

let server = null; // what it can do; null while it can't be reached
let afterwards = null; // what was interrupted by a question to the adult

// --- The first screen --------------------------------------------------------------------------------------------

export async function startOver() {
  forget();
  hearNoMore(); // here, not with the last screen: it is still said
  closeMirror();
  afterwards = null;
  show("start");
  fillParade();
  $("#whose").textContent = record.child ? ` · ${record.child.pseudonym}` : "";
  await askServer();
  if (server?.mirror) keepMirror(showKeeping);
}

// How far the mirror's files are, in percent; nothing once all are there. null: they can't be kept now.
function showKeeping(share) {
  const arriving = share !== null && share < 1;
  for (const place of ["#keeping", "#turn .keeping"]) {
    say($(place), arriving ? "keeping" : "", { percent: Math.floor(100 * share) });
  }
  if (share === null) say($("#keeping"), "notKept");
}

// Ask the server what it can do, and show it.
export async function askServer() {
  server = await health();
  const generating = server?.generating ?? true;
  for (const id of ["#take", "#choose"]) $(id).hidden = !generating;
  const drawn = server?.trained_on === "drawn";
  $("#with-friends").classList.toggle("main", !generating || drawn);
  $("#take").classList.toggle("main", !drawn);
  say($("#start > p"), generating ? "startText" : "friendsOnly");
  $("#privacy").hidden = !generating;
  say($("#privacy"), HERE ? "privacyHere" : "privacyServer", { host: location.host });
  $("#start-problem").hidden = !server?.problem;
  $("#start-problem .problem").textContent = server?.problem ?? "";
  if (server?.token_required && !server.token_accepted && onScreen() === "start") askForCode(startOver);
  return server;
}

// Choosing a face before the photo: it is the first one to be seen.
function fillParade() {
  const choices = settings.emotions.map((emotion) => {
    const word = element("span");
    const choice = button("pick", () => pick(emotion), symbol(emotion, `face ${emotion}`), word);
    choice.dataset.emotion = emotion;
    choice.setAttribute("aria-pressed", visit.wanted === emotion);
    say(word, emotion);
    return element("li", {}, choice);
  });
  $(".parade").replaceChildren(...choices);
}

function pick(emotion) {
  visit.wanted = visit.wanted === emotion ? null : emotion;
  for (const choice of document.querySelectorAll(".pick")) {
    choice.setAttribute("aria-pressed", choice.dataset.emotion === visit.wanted);
  }
}

// --- What comes before a photo -----------------------------------------------------------------------------------

const warning = () => (["drawn", "rendered"].includes(server?.trained_on) ? server.trained_on : "");
const agreement = () => `${HERE ? "here" : "server"} ${warning()}`;

async function withConsent(then) {
  server ??= await health();
  afterwards = then;
  if (server?.token_required && !server.token_accepted) return askForCode(() => withConsent(then));
  if ((HERE && !warning()) || localStorage.getItem("agreed") === agreement()) return then();
  show("adult");
  $("#adult-server").hidden = HERE;
  say($("#adult-server"), "adultServer", { host: location.host });
  $("#adult-model").hidden = !warning();
  if (warning()) say($("#adult-model"), `adult${warning()}`);
}

function agree() {
  localStorage.setItem("agreed", agreement());
  afterwards();
}

export function askForCode(then) {
  afterwards = then;
  show("code");
  $("#code-input").value = "";
  say($("#code-problem"), "");
  $("#code-input").focus();
}

async function checkCode(event) {
  event.preventDefault();
  useToken($("#code-input").value.trim());
  server = await health();
  if (server?.token_accepted) return afterwards();
  say($("#code-problem"), server ? "codeWrong" : "offlineForAdults");
  $("#code-input").select();
}

// --- The faces are there -----------------------------------------------------------------------------------------

export function playWith(images, friend, face = 0, leftOut = {}) {
  newJob();
  takePictures(images, friend);
  leaveOut(Object.keys(leftOut));
  visit.face = face;
  prepareMirror();
  if (!friend && needsReview()) showReview(startOver);
  else showFirst();
}

export const showFirst = () => (faces().includes(visit.wanted) ? showFace(visit.wanted) : showOverview());

// --- A photo -----------------------------------------------------------------------------------------------------

function takePhoto() {
  if (!hasCamera) return $("#camera-file").click(); // over plain HTTP a browser lends only its own camera app
  show("photograph");
  startCamera();
}

async function startCamera() {
  const [section, video] = [$("#photograph"), $("#photograph video")];
  const shutters = section.querySelectorAll("[data-shutter], [data-timer]");
  for (const shutter of shutters) shutter.disabled = true;
  try {
    await openCamera(video);
    if (section.hidden || document.hidden) closeCamera(video);
    else for (const shutter of shutters) shutter.disabled = false;
  } catch {
    if (section.hidden) return;
    const closed = { title: "cameraTitleClosed", text: "cameraClosed", again: takePhoto, back: startOver };
    say(showMessage(closed), "cameraForAdults");
  }
}

async function shoot() {
  const photo = await photograph($("#photograph video"));
  if (onScreen() === "photograph") sure(photo);
}

// "This photo?"
async function sure(photo) {
  Object.assign(visit, { photo, friend: false });
  show("sure");
  const image = $("#sure img");
  const seen = (can) => {
    image.hidden = !can;
    $("#sure [data-word=noPreview]").hidden = can;
  };
  seen(true);
  image.onerror = () => seen(false); // a format only the server can read
  image.src = src(photo);
  name(image, "yours");
}

// --- From the photo to six faces ---------------------------------------------------------------------------------

export async function makeFaces({ friendsPhoto } = {}) {
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

const KNOWN = {
  no_face: ["noFaceTitle", "noFace"],
  unreadable: ["otherPhotoTitle", "unreadable"],
  too_large: ["otherPhotoTitle", "tooLarge"],
  not_good: ["otherPhotoTitle", "notGoodFaces"],
};

// What went wrong, kindly; "again" asks the server once more, or for another photo where this one won't do.
export function explain(error, again) {
  if (error.code === "no_token") return askForCode(again);
  const [title, text] = KNOWN[error.code] ?? ["laterTitle", error instanceof Refused ? "later" : "offline"];
  const anew = error.code in KNOWN ? startOver : again;
  const details = showMessage({ title, text, again: anew, back: startOver });
  if (error instanceof Refused) saySentence(details, error.sentence);
  else say(details, `${error.code ?? "offline"}ForAdults`);
}

// --- The mirror, made ready while the child looks at the faces ---------------------------------------------------

// `visit.mirror` becomes a promise of the mirror, null where there is none.
export function prepareMirror() {
  visit.mirror = readyMirror(visit.pictures.original, visit.friend).catch((error) => {
    console.info("The mirror can't be made ready:", error.message);
    return null;
  });
  return visit.mirror;
}

async function readyMirror(picture, friend) {
  if (((server ?? (await askServer())) ?? { mirror: await isKept() }).mirror !== true) return null;
  await keepMirror(showKeeping); // nothing is fetched twice
  const [mirror, original] = await Promise.all([loadMirror(), load(picture)]);
  if (!mirror || visit.pictures?.original !== picture) return null;
  if (friend) mirror.rest = null; // a friend's face says nothing about the child's
  else await mirror.learnRest(original);
  return mirror;
}

// --- Wiring ------------------------------------------------------------------------------------------------------

const onFile = async ({ target }) => {
  const [file] = target.files;
  target.value = "";
  const asking = onScreen();
  if (!file) return;
  const photo = await readFile(file);
  if (onScreen() !== asking) return; // something else was begun while it was read
  if (photo) sure(photo);
  else explain({ code: "unreadable" }, startOver);
};

export function wireBegin() {
  wireReview();
  onClick("#take", () => withConsent(takePhoto));
  onClick("#choose", () => withConsent(() => $("#file").click()));
  onClick("#with-friends", chooseFriend);
  onClick("#adult-friends", chooseFriend);
  onHold("#adult-agree", agree);
  $("#code form").addEventListener("submit", checkCode);
  onClick("#photograph [data-shutter]", shoot);
  onClick("#photograph [data-timer]", async () => (await countDown($("#photograph .countdown"))) && shoot());
  onClick("#sure-yes", () => makeFaces());
  $("#file").addEventListener("change", onFile);
  $("#camera-file").addEventListener("change", onFile);
  const toStart = { back: startOver };
  for (const screen of ["adult", "code", "choose-friend", "sure", "who", "waiting"]) define(screen, toStart);
  const video = $("#photograph video");
  define("photograph", { back: startOver, leave: () => closeCamera(video), enter: startCamera });
  for (const image of document.querySelectorAll(".frame img")) image.draggable = false;
}
