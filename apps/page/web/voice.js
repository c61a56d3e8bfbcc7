// Hints said aloud by the browser's own voice, where the adult wants it.

import { settings } from "./settings.js";
import { language } from "./words.js";

export function speak(text) {
  if (!settings.sound || !window.speechSynthesis || !text) return;
  speechSynthesis.cancel();
  const utterance = new SpeechSynthesisUtterance(text);
  utterance.lang = language === "english" ? "en-US" : "ko-KR";
  utterance.rate = 0.9;
  speechSynthesis.speak(utterance);
}

export const hush = () => window.speechSynthesis?.cancel();
