// What is on the screen, said aloud, by a voice that lives on this device only: others send what they say away.

import { settings } from "./settings.js";
import { language } from "./words.js";

const BEFORE = { korean: "ko", english: "en" };

let heard = false; // the speaker was pressed in this visit: from then on what is touched is said

const isHearing = () => settings.sound && (settings.spoken || heard);
export const hearNoMore = () => {
  heard = false;
  hush();
};

export const hush = () => window.speechSynthesis?.cancel();

export const voice = () =>
  window.speechSynthesis?.getVoices().find((one) => one.localService && one.lang.startsWith(BEFORE[language]));

// Say `text`, after what is being said unless `now`; `element` is marked meanwhile.
export function speak(text, { now = true, element = null, always = false } = {}) {
  const local = voice();
  if (now) hush();
  if (!text || !local || !(always || isHearing())) return;
  const utterance = new SpeechSynthesisUtterance(text);
  utterance.voice = local;
  utterance.lang = local.lang;
  utterance.rate = 0.9;
  utterance.onstart = () => element?.classList.add("spoken");
  utterance.onend = utterance.onerror = () => element?.classList.remove("spoken");
  speechSynthesis.speak(utterance);
}

const READ = "h1, p, figcaption, button, .card > span, .sheet span, .mine span, label";

// Say all that the screen says and offers, in its order.
export function read(section) {
  heard = true;
  hush();
  for (const element of section.querySelectorAll(READ)) {
    const within = element.parentElement.closest(`button, details, ${READ}`);
    if (element.checkVisibility() && !(within && section.contains(within))) {
      speak(nameOf(element), { now: false, element, always: true });
    }
  }
}

export const nameOf = (element) => element.getAttribute("aria-label") ?? element.innerText.trim();

export function wireVoice(button, currentSection) {
  const fill = () => (button.hidden = !voice() || !settings.sound);
  window.speechSynthesis?.addEventListener?.("voiceschanged", fill);
  button.addEventListener("click", () => read(currentSection()));
  document.querySelector("main").addEventListener("pointerdown", ({ target }) => {
    const touched = target.closest("button, label");
    if (touched && isHearing()) speak(nameOf(touched), { element: touched });
  });
  fill();
  return fill;
}
