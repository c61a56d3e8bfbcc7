// The desk's view of the child's mirror: the same mirror, coach and arrow (apps/page/web), judged in the browser.

import { pointAt } from "./arrow.js";
import { closeCamera, openCamera } from "./camera.js";
import { loadMirror } from "./mirror.js";

const WORDS = {
  ko: {
    mirror: "거울",
    emotion: "표정",
    level: "난이도",
    start: "거울 켜기",
    stop: "거울 끄기",
    meter: "얼마나 비슷한지",
    loading: "거울을 준비하고 있습니다.",
    noCamera: "카메라를 쓸 수 없습니다. 브라우저 설정에서 이 페이지에 카메라를 허용해 주십시오.",
    noMirror: "거울을 쓸 수 없습니다. 설치한 분께 알려 주십시오: make setup",
    easy: "쉽게",
    medium: "보통",
    hard: "어렵게",
    happy: "기쁨",
    sadness: "슬픔",
    surprised: "놀람",
    angry: "분노",
    fearful: "공포",
  },
  en: {
    mirror: "Mirror",
    emotion: "Expression",
    level: "Level",
    start: "Start the mirror",
    stop: "Stop the mirror",
    meter: "How alike",
    loading: "Getting the mirror ready.",
    noCamera: "The camera can't be used. Please allow this page to use it in the browser's settings.",
    noMirror: "The mirror can't be used. Please tell whoever set it up: make setup",
    easy: "Easy",
    medium: "Medium",
    hard: "Hard",
    happy: "Happy",
    sadness: "Sad",
    surprised: "Surprised",
    angry: "Angry",
    fearful: "Fearful",
  },
};
const EMOTIONS = ["happy", "sadness", "surprised", "angry", "fearful"];
const LEVELS = ["easy", "medium", "hard"];

const language = new URLSearchParams(location.search).get("lang") === "en" ? "en" : "ko";
const words = WORDS[language];
const $ = (selector) => document.querySelector(selector);
const [video, arrow, bar, hint, button] = ["video", ".arrow", ".meter", ".hint", "#start"].map($);
let mirror = null; // while it watches

function fill() {
  document.documentElement.lang = language;
  for (const place of document.querySelectorAll("[data-word]")) place.textContent = words[place.dataset.word];
  $("#emotion").append(...EMOTIONS.map((name) => new Option(words[name], name)));
  $("#level").append(...LEVELS.map((name) => new Option(words[name], name, name === "medium", name === "medium")));
  bar.setAttribute("aria-label", words.meter);
  button.textContent = words.start;
}

async function start() {
  hint.textContent = words.loading;
  button.textContent = words.stop;
  const loaded = await loadMirror();
  if (!loaded) return stop(words.noMirror);
  try {
    await openCamera(video);
  } catch {
    return stop(words.noCamera);
  }
  mirror = loaded;
  await watch();
}

async function watch() {
  const rules = { table: mirror.table, level: $("#level").value };
  await mirror.watch(video, $("#emotion").value, rules, showReading);
}

function stop(why = "") {
  mirror?.stop();
  mirror = null;
  closeCamera(video);
  show100(0);
  pointAt(arrow, video, null);
  hint.textContent = why;
  button.textContent = words.start;
}

function showReading({ state, meter, sentence }, landmarks) {
  show100(Math.round(100 * meter));
  hint.textContent = sentence ? sentence[language === "en" ? "english" : "korean"] : "";
  document.body.dataset.state = state;
  pointAt(arrow, video, state === "hint" ? sentence : null, landmarks);
}

function show100(percent) {
  bar.setAttribute("aria-valuenow", percent);
  bar.firstElementChild.style.transform = `translateX(${percent - 100}%)`;
}

fill();
button.addEventListener("click", () => (mirror ? stop() : start()));
for (const choice of [$("#emotion"), $("#level")]) choice.addEventListener("change", () => mirror && watch());
document.addEventListener("visibilitychange", () => document.hidden && mirror && stop());
