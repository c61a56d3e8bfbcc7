// The door: screens are wired, and the first one is shown.

import { saveRecord, wireAdult } from "./adult.js";
import { startOver, wireBegin } from "./begin.js";
import { wireCards } from "./cards.js";
import { wireEnding } from "./ending.js";
import { wireFaces } from "./faces.js";
import { wireGuess } from "./guess.js";
import { isUnsaved } from "./record.js";
import { $, back, define, onClick } from "./screens.js";
import { wireTurn } from "./turn.js";
import { visit } from "./visit.js";
import { fillWords, language, switchLanguage, word } from "./words.js";

// Home, once somebody said that the pictures may go.
function home() {
  if (!visit.pictures && !isUnsaved()) return startOver();
  const dialog = $("#leave-dialog");
  $("#leave-save").hidden = !isUnsaved();
  dialog.onclose = () => dialog.returnValue === "leave" && startOver();
  dialog.returnValue = "stay";
  dialog.showModal();
}

function speak() {
  fillWords();
  $("#language").textContent = word("otherLanguage");
  $("#language").lang = language === "english" ? "ko" : "en";
}

for (const wire of [wireBegin, wireFaces, wireTurn, wireGuess, wireEnding, wireCards, wireAdult]) wire();
for (const screen of ["overview", "bye"]) define(screen, { back: home });
onClick("#home-button", home);
onClick("[data-home]", home);
onClick("[data-back]", back);
onClick("#leave-save", saveRecord);
onClick("#language", () => (switchLanguage(), speak()));
// The phone's own "back" goes one screen back, not out of the page with all pictures lost.
history.pushState(null, "");
addEventListener("popstate", () => {
  history.pushState(null, "");
  if ($("#leave-dialog").open) $("#leave-dialog").close("stay");
  else back();
});
speak();
startOver();
navigator.serviceWorker?.register("sw.js");
