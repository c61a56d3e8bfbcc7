// Wires the screens and shows the first one.

import { wireAdult } from "./adult.js";
import { wireBegin } from "./begin.js";
import { wireCards } from "./cards.js";
import { wireEnding } from "./ending.js";
import { wireFaces } from "./faces.js";
import { wireFriends } from "./friends.js";
import { wireGuess } from "./guess.js";
import { wireMaking } from "./making.js";
import { send } from "./record.js";
import { wireReview } from "./review.js";
import { $, back, define, go, onClick, onScreen } from "./screens.js";
import { wireTurn } from "./turn.js";
import { visit } from "./visit.js";
import { hush, wireVoice } from "./voice.js";
import { fillWords, language, switchLanguage, word } from "./words.js";

// Home, once somebody said that the pictures may go.
function home() {
  if (!visit.pictures) return go("start");
  const dialog = $("#leave-dialog");
  dialog.onclose = () => dialog.returnValue === "leave" && go("start");
  dialog.returnValue = "stay";
  dialog.showModal();
}

function speak() {
  fillWords();
  $("#language").textContent = word("otherLanguage");
  $("#language").lang = language === "english" ? "ko" : "en";
  $("link[rel=manifest]").href = language === "english" ? "manifest.en.webmanifest" : "manifest.webmanifest";
  fillSpeaker();
}

const fillSpeaker = wireVoice($("#speaker"), () => $(`#${onScreen()}`));

const SCREENS = [
  wireBegin, wireFriends, wireMaking, wireReview, wireFaces, wireTurn, wireGuess, wireEnding, wireCards, wireAdult,
];
for (const wire of SCREENS) wire();
for (const screen of ["overview", "bye"]) define(screen, { back: home });
onClick("#home-button", home);
onClick("[data-home]", home);
onClick("[data-back]", back);
onClick("#language", () => (hush(), switchLanguage(), speak()));
// The phone's own "back" goes one screen back, not out of the page with all pictures lost.
history.pushState(null, "");
addEventListener("popstate", () => {
  history.pushState(null, "");
  if ($("#leave-dialog").open) $("#leave-dialog").close("stay");
  else back();
});
speak();
go("start");
send();
navigator.serviceWorker?.register("sw.js");
