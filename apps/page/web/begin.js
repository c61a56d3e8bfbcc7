// The first screen; before a photo an adult's consent where it is needed, and the access code; the photo.

import { closeCamera, hasCamera, openCamera, photograph, readFile } from "./camera.js";
import { closeMirror } from "./mirror.js";
import { explain } from "./problems.js";
import { keepFiles } from "./ready.js";
import { record } from "./record.js";
import {
  $, button, countDown, define, element, onClick, onHold, onScreen, show, showMessage, symbol, to,
} from "./screens.js";
import { health, server, useToken } from "./server.js";
import { settings } from "./settings.js";
import { forget, src, visit } from "./visit.js";
import { hearNoMore } from "./voice.js";
import { name, say } from "./words.js";

const HERE = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(location.hostname);

let afterwards = null; // what was interrupted by a question to the adult

// --- The first screen -----------------------------------------------------------------------------------------------

async function startOver() {
  forget();
  hearNoMore(); // here, not with the last screen: it is still said
  closeMirror();
  afterwards = null;
  show("start");
  fillParade();
  $("#whose").textContent = record.child ? ` · ${record.child.pseudonym}` : "";
  await askServer();
  if (server?.mirror) keepFiles();
}

// Ask the server what it can do, and show it.
async function askServer() {
  await health();
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
  if (server?.token_required && !server.token_accepted && onScreen() === "start") askForCode(to("start"));
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

// --- What comes before a photo --------------------------------------------------------------------------------------

const warning = () => (["drawn", "rendered"].includes(server?.trained_on) ? server.trained_on : "");
const agreement = () => `${HERE ? "here" : "server"} ${warning()}`;

async function withConsent(then) {
  if (!server) await health();
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

function askForCode(then) {
  afterwards = then;
  show("code");
  $("#code-input").value = "";
  say($("#code-problem"), "");
  $("#code-input").focus();
}

async function checkCode(event) {
  event.preventDefault();
  useToken($("#code-input").value.trim());
  await health();
  if (server?.token_accepted) return afterwards();
  say($("#code-problem"), server ? "codeWrong" : "offlineForAdults");
  $("#code-input").select();
}

// --- A photo --------------------------------------------------------------------------------------------------------

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
    const closed = { title: "cameraTitleClosed", text: "cameraClosed", again: takePhoto, back: to("start") };
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

// --- Wiring ---------------------------------------------------------------------------------------------------------

const onFile = async ({ target }) => {
  const [file] = target.files;
  target.value = "";
  const asking = onScreen();
  if (!file) return;
  const photo = await readFile(file);
  if (onScreen() !== asking) return; // something else was begun while it was read
  if (photo) sure(photo);
  else explain({ code: "unreadable" }, to("start"));
};

export function wireBegin() {
  onClick("#take", () => withConsent(takePhoto));
  onClick("#choose", () => withConsent(() => $("#file").click()));
  onHold("#adult-agree", agree);
  $("#code form").addEventListener("submit", checkCode);
  onClick("#photograph [data-shutter]", shoot);
  onClick("#photograph [data-timer]", async () => (await countDown($("#photograph .countdown"))) && shoot());
  onClick("#sure-yes", to("waiting"));
  $("#file").addEventListener("change", onFile);
  $("#camera-file").addEventListener("change", onFile);
  define("start", { open: startOver });
  define("adult", { back: to("start") });
  define("code", { open: askForCode, back: to("start") });
  define("sure", { back: to("start") });
  const video = $("#photograph video");
  define("photograph", { back: to("start"), leave: () => closeCamera(video), enter: startCamera });
  for (const image of document.querySelectorAll(".frame img")) image.draggable = false;
}
