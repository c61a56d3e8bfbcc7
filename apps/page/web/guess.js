// Guess: see a face, choose its name. Recognising is practised as well as making.

import { noteGuess, number } from "./record.js";
import { $, button, define, element, onClick, show, symbol, to } from "./screens.js";
import { faces, src, visit } from "./visit.js";
import { speak } from "./voice.js";
import { name, say } from "./words.js";

const CHOICES = 3;

let left = []; // emotions still to come
let asked = ""; // the one in view
let began = ""; // when it came

function startGuessing() {
  left = shuffled(faces());
  show("guessing");
  next();
}

function shuffled(list) {
  const order = [...list];
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function next() {
  if (!left.length) return end();
  asked = left.shift();
  began = new Date().toISOString();
  showPicture(true);
  $("#guessing img").src = src(visit.pictures[asked]);
  name($("#guessing img"), "guessTitle");
  say($("#guessing .hint"), "");
  $("#guess-next").hidden = true;
  const others = shuffled(faces().filter((emotion) => emotion !== asked)).slice(0, CHOICES - 1);
  const choices = shuffled([asked, ...others]).map((emotion) => {
    const text = element("span");
    say(text, emotion);
    return button("choice", () => answer(emotion), symbol(emotion, `face ${emotion}`), text);
  });
  $("#guessing .choices").replaceChildren(...choices);
  $("#guessing h1").focus({ preventScroll: true });
}

// Never "wrong": the face's name is said, and the face comes once more at the end.
function answer(emotion) {
  const right = emotion === asked;
  noteGuess({ id: number(), emotion: asked, began, choices: [emotion] });
  if (!right && left.at(-1) !== asked) left.push(asked);
  const hint = $("#guessing .hint");
  say(hint, right ? "guessRight" : "guessOther", { emotion: asked });
  speak(hint.textContent);
  $("#guessing .choices").replaceChildren();
  say($("#guess-next span"), "guessNext");
  $("#guess-next").hidden = false;
  $("#guess-next").focus();
}

// The face to guess, or a friendly one at the end.
function showPicture(asking) {
  $("#guessing .stage").hidden = !asking;
  $("#guessing .big").toggleAttribute("hidden", asking); // an SVG has no property of that name
  say($("#guessing h1"), asking ? "guessTitle" : "guessEnd");
}

function end() {
  asked = "";
  showPicture(false);
  say($("#guessing .hint"), "");
  $("#guess-next").hidden = true;
  $("#guessing h1").focus();
}

export function wireGuess() {
  onClick("#guess-next", next);
  define("guessing", { open: startGuessing, back: to("overview") });
}
