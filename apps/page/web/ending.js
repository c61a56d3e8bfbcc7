// The end: own faces side by side, a star for each that was reached; with a grown-up they are sent, saved or printed.

import { $, define, element, go, onClick, onHold, show, symbol, to } from "./screens.js";
import { health, submit } from "./server.js";
import { faces, forget, hasReached, labelOwn, newJob, src, visit } from "./visit.js";
import { EMOTIONS, name, say } from "./words.js";

async function showEnding(text) {
  show("ending");
  const own = faces().filter((emotion) => visit.retakes[emotion]);
  say($("#ending-text"), text ?? (own.length ? "endText" : "endNothing"));
  $("#ending .mine").replaceChildren(...own.map((emotion) => ownFace(emotion, true)));
  const mayBeSent = hasReached() && !visit.friend;
  $("#send-ask").hidden = !mayBeSent;
  $("#keep-ask").hidden = !visit.pictures;
  if (mayBeSent) $("#send-ask").hidden = !((await health())?.collecting ?? true); // unreachable: it may come back
}

function ownFace(emotion, withStar) {
  const { picture, reached } = visit.retakes[emotion];
  const image = element("img", { src: src(picture) });
  name(image, reached ? "starFor" : "ownPicture", { emotion });
  const text = element("span");
  say(text, labelOwn(emotion));
  const item = element("li", {}, image, text);
  if (reached && withStar) item.append(symbol("star", "star"));
  return item;
}

// --- Sending -----------------------------------------------------------------------------------------------------

const reachedOnes = () => faces().filter((emotion) => visit.retakes[emotion]?.reached);

function askConsent() {
  show("consent");
  $("#consent input").checked = false;
  $("#send").disabled = true;
  say($("#consent .state"), "");
  $("#consent .mine").replaceChildren(...reachedOnes().map((emotion) => ownFace(emotion, false)));
}

async function send() {
  const state = $("#consent .state");
  $("#send").disabled = true;
  say(state, "sending");
  const sent = reachedOnes();
  const { retakes, pictures } = visit;
  const images = EMOTIONS.map((emotion) => (sent.includes(emotion) ? retakes[emotion].picture : pictures[emotion]));
  const known = sent.filter((emotion) => retakes[emotion].score !== null); // by the mirror
  const scores = Object.fromEntries(known.map((emotion) => [emotion, retakes[emotion].score]));
  const signal = newJob();
  try {
    const { kept } = await submit(images, scores, signal);
    if (signal.aborted) return;
    const count = Object.keys(kept).length;
    if (count) bye("byeSent", { count });
    else say(state, "sendNothingKept");
  } catch (error) {
    if (signal.aborted) return;
    if (error.code === "no_token") return go("code", askConsent);
    say(state, "sendFailed");
    $("#send").disabled = false;
  }
}

// It is over: nothing of the child is left on the page.
function bye(word, values) {
  forget();
  show("bye");
  say($("#bye [role=status]"), word, values);
}

export function wireEnding() {
  onClick("#the-end", () => bye(""));
  onClick("#send-ask", askConsent);
  onHold("#keep-ask", to("cards"));
  onClick("#send", send);
  $("#consent input").addEventListener("change", ({ target }) => ($("#send").disabled = !target.checked));
  define("ending", { open: showEnding, back: to("overview") });
  define("consent", { back: to("ending") });
}
