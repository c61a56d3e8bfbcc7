// The flow: photo -> six faces -> my turn -> compare -> ask a grown-up -> thanks. All pictures live in this page's
// memory only and are gone when it is closed.

import { closeCamera, hasCamera, openCamera, photograph, readFile } from "./camera.js";
import { loadMirror } from "./mirror.js";
import { generate, health, Refused, submit, useToken } from "./server.js";
import { EMOTIONS, fillWords, language, switchLanguage, word } from "./words.js";

const $ = (selector) => document.querySelector(selector);
const jpeg = (base64) => `data:image/jpeg;base64,${base64}`;

let screen = "start";
let images = []; // six base64 JPEGs in the order of EMOTIONS
let retakes = {}; // the child's own, by index
let index = 0; // of the face in view
let shot = ""; // the retake that is being looked at
let mirror = null; // once it is ready, where the server has its files
let preparing = null; // a promise, while it is being made ready

// --- Screens ---------------------------------------------------------------------------------------------------

function show(name) {
  for (const section of document.querySelectorAll("section")) section.hidden = section.id !== name;
  for (const video of document.querySelectorAll("video")) closeCamera(video);
  mirror?.stop();
  screen = name;
  $("#home-button").hidden = name === "start" || name === "thanks";
  window.scrollTo(0, 0);
  $(`#${name} h1`).focus({ preventScroll: true });
}

function showMessage(title, text) {
  show("message");
  $("#message h1").textContent = word(title);
  $("#message p").textContent = text;
}

function startOver() {
  images = [];
  retakes = {};
  shot = "";
  index = 0;
  for (const image of document.querySelectorAll("img")) image.removeAttribute("src");
  $(".mine").replaceChildren();
  show("start");
}

// An emotion's symbol and words in the heading of a screen.
function fillHeading(section, text) {
  const face = section.querySelector("h1 .face");
  face.setAttribute("class", `face ${EMOTIONS[index]}`);
  face.querySelector("use").setAttribute("href", `#s-${EMOTIONS[index]}`);
  section.querySelector("h1 span").textContent = text;
}

function fillImage(image, base64, caption) {
  image.src = jpeg(base64);
  image.alt = caption;
}

// --- A photo -> six faces --------------------------------------------------------------------------------------

async function takePhoto() {
  if (!hasCamera) return $("#camera-file").click(); // over plain HTTP a browser lends only its own camera app
  show("photograph");
  await startCamera($("#photograph video"));
}

async function startCamera(video) {
  const left = () => video.closest("section").hidden;
  try {
    await openCamera(video);
    if (left()) closeCamera(video);
  } catch {
    if (!left()) showMessage("cameraTitleClosed", word("cameraClosed"));
  }
}

async function makeFaces(photo) {
  show("waiting");
  const image = $("#waiting img");
  image.hidden = false;
  image.onerror = () => (image.hidden = true); // a format only the server can read
  image.src = jpeg(photo);
  const status = $("#waiting [role=status]");
  status.textContent = word("waiting");
  const began = Date.now();
  const timer = setInterval(() => ($("progress").value = 1 - Math.exp((began - Date.now()) / 6000)), 250);
  try {
    ({ images } = await generate(photo, () => (status.textContent = word("queueing"))));
    retakes = {};
    index = 0;
    if (screen === "waiting") showFace();
    preparing = prepareMirror();
  } catch (error) {
    if (screen === "waiting") explain(error);
  } finally {
    clearInterval(timer);
  }
}

function explain(error) {
  if (!(error instanceof Refused)) showMessage("laterTitle", word("offline"));
  else if (error.code === "no_token") show("code");
  else if (error.code === "no_face") showMessage("noFaceTitle", word("noFace"));
  else showMessage("laterTitle", error.sentence[language]);
}

// --- Six faces, one at a time ----------------------------------------------------------------------------------

function showFace() {
  if (screen !== "faces") show("faces");
  const emotion = EMOTIONS[index];
  fillHeading($("#faces"), word(emotion));
  fillImage($("#faces img"), images[index], word("faceOf", emotion));
  $("#faces .badge").hidden = !retakes[index];
  const again = retakes[index] ? "oneMore" : "myTurn";
  $("#my-turn span").textContent = word(index === 0 ? "firstEmotion" : again);
  $("#my-turn use").setAttribute("href", index === 0 ? "#s-next" : "#s-camera");
  const [back, next] = document.querySelectorAll("#faces nav button");
  back.disabled = index === 0;
  next.disabled = index === EMOTIONS.length - 1;
  back.setAttribute("aria-label", word("previous"));
  next.setAttribute("aria-label", word("next"));
  $(".dots").replaceChildren(
    ...EMOTIONS.map((_, i) => Object.assign(document.createElement("li"), { className: i === index ? "here" : "" })),
  );
}

function step(by) {
  index = Math.min(Math.max(index + by, 0), EMOTIONS.length - 1);
  showFace();
}

function listenForSwipes(element) {
  let from = null;
  element.addEventListener("pointerdown", (event) => (from = event.clientX));
  element.addEventListener("pointercancel", () => (from = null));
  window.addEventListener("pointerup", (event) => {
    if (from !== null && Math.abs(event.clientX - from) > 40) step(event.clientX < from ? 1 : -1);
    from = null;
  });
}

// --- My turn: the mirror, and a picture of one's own ------------------------------------------------------------

async function prepareMirror() {
  if (!(await health())?.mirror) return;
  const original = new Image();
  original.src = jpeg(images[0]);
  const [loaded] = await Promise.all([loadMirror(), original.decode()]);
  await loaded?.learnRest(original);
  mirror = loaded;
}

async function myTurn() {
  const section = $("#turn");
  show("turn");
  fillHeading(section, word("turnTitle", EMOTIONS[index]));
  fillImage(section.querySelector("img"), images[index], word("faceOf", EMOTIONS[index]));
  const [bar, hint] = [section.querySelector(".meter"), section.querySelector(".hint")];
  bar.hidden = false;
  bar.setAttribute("aria-label", word("meter"));
  hint.textContent = word("mirrorLoading");
  const video = section.querySelector("video");
  await Promise.all([hasCamera && startCamera(video), preparing]);
  if (screen !== "turn") return;
  if (mirror && hasCamera) return mirror.watch(video, EMOTIONS[index], showReading);
  bar.hidden = true;
  hint.textContent = word("noMirror");
}

function showReading({ meter, sentence, done }) {
  const percent = Math.round(100 * meter);
  const bar = $("#turn .meter");
  bar.setAttribute("aria-valuenow", percent);
  bar.firstElementChild.style.transform = `translateX(${percent - 100}%)`;
  const text = sentence?.[language] ?? "";
  if ($("#turn .hint").textContent !== text) $("#turn .hint").textContent = text;
  $("#turn").dataset.done = done;
}

async function takeTurn() {
  if (!hasCamera) return $("#camera-file").click();
  compare(await photograph($("#turn video")));
}

function compare(picture) {
  shot = picture;
  show("compare");
  fillHeading($("#compare"), word("compareTitle"));
  const [look, me] = document.querySelectorAll("#compare img");
  fillImage(look, images[index], word("look"));
  fillImage(me, shot, word("me"));
}

function keepTurn() {
  retakes[index] = shot;
  index = Math.min(index + 1, EMOTIONS.length - 1);
  showFace();
}

// --- The end ---------------------------------------------------------------------------------------------------

async function finish() {
  const mine = Object.entries(retakes);
  if (!mine.length || !(await health())?.collecting) return thank("thanksNothing");
  show("consent");
  $("#consent input").checked = false;
  $("#send").disabled = true;
  $(".mine").replaceChildren(
    ...mine.map(([i, picture]) => {
      const item = document.createElement("li");
      const image = document.createElement("img");
      fillImage(image, picture, "");
      item.append(image, word(EMOTIONS[i]));
      return item;
    }),
  );
}

async function send() {
  $("#send").disabled = true;
  try {
    await submit(images.map((image, i) => retakes[i] ?? image));
    thank("thanksSent");
  } catch (error) {
    explain(error);
  }
}

function thank(sentence) {
  show("thanks");
  $("#thanks [role=status]").textContent = word(sentence);
}

// --- Wiring ----------------------------------------------------------------------------------------------------

const BACK = {
  photograph: startOver,
  faces: askToLeave,
  turn: showFace,
  compare: myTurn,
  consent: showFace,
  message: () => (images.length ? showFace() : startOver()),
};

function askToLeave() {
  const dialog = $("dialog");
  dialog.onclose = () => dialog.returnValue === "leave" && startOver();
  dialog.returnValue = "stay";
  dialog.showModal();
}

function wire() {
  const onClick = (selector, action) => {
    for (const element of document.querySelectorAll(selector)) element.addEventListener("click", () => action());
  };
  onClick("#take", takePhoto);
  onClick("#choose", () => $("#file").click());
  onClick("#photograph [data-shutter]", async () => makeFaces(await photograph($("#photograph video"))));
  onClick("#faces [data-step='-1']", () => step(-1));
  onClick("#faces [data-step='1']", () => step(1));
  onClick("#my-turn", () => (index === 0 ? step(1) : myTurn()));
  onClick("#finish", finish);
  onClick("#turn [data-shutter]", takeTurn);
  onClick("#keep", keepTurn);
  onClick("#send", send);
  onClick("#dont-send", () => thank("thanksNothing"));
  onClick("#code-done", () => (useToken($("#code-input").value.trim()), startOver()));
  onClick("[data-home]", startOver);
  onClick("#home-button", () => (images.length ? askToLeave() : startOver()));
  onClick("[data-back]", () => BACK[screen]());
  $("#consent input").addEventListener("change", (event) => ($("#send").disabled = !event.target.checked));
  for (const input of document.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", async () => {
      const [file] = input.files;
      input.value = "";
      if (file) await (screen === "turn" ? compare : makeFaces)(await readFile(file));
    });
  }
  listenForSwipes($("#faces .frame"));
  document.addEventListener("keydown", ({ key }) => {
    if (screen === "faces" && !$("dialog").open) step({ ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0);
  });
  // The phone's own "back" goes one screen back, not out of the page with all pictures lost.
  history.pushState(null, "");
  addEventListener("popstate", () => {
    history.pushState(null, "");
    BACK[screen]?.();
  });
}

function speak() {
  fillWords();
  $("#language").textContent = word("otherLanguage");
  $("#language").lang = language === "english" ? "ko" : "en";
  const refill = { faces: showFace, turn: myTurn, compare: () => compare(shot) };
  refill[screen]?.();
}

wire();
$("#language").addEventListener("click", () => (switchLanguage(), speak()));
speak();
navigator.serviceWorker?.register("sw.js");
