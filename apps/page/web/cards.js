// Cards to print or to save, made on this device: the faces with their words, or drawn ones without a photo.

import { $, define, element, onClick, show, symbol, to } from "./screens.js";
import { faces, label, labelOwn, src, visit } from "./visit.js";
import { bothWords, say, word } from "./words.js";

const CARD = 480; // pixels: a saved card's side, and below it the word
const WORD = 84;
const COLUMNS = 2;

let kind = "symbol"; // photo, own or symbol
let both = false; // languages

const wordOf = (emotion) => (kind === "own" ? labelOwn(emotion) : label(emotion));
const textOf = (emotion) => (both ? bothWords : word)(wordOf(emotion));

function showCards() {
  show("cards");
  choose("symbol"); // a photo only when it is asked for
}

function choose(wanted) {
  kind = wanted;
  $("#cards-both").setAttribute("aria-pressed", both);
  for (const choice of document.querySelectorAll("[data-cards]")) {
    choice.setAttribute("aria-pressed", choice.dataset.cards === kind);
    choice.hidden = choice.dataset.cards === "own" && !Object.keys(visit.retakes).length;
  }
  const cards = shown().map((emotion) => {
    const picture = address(emotion);
    const face = picture ? element("img", { src: picture, alt: "" }) : symbol(emotion, `face ${emotion}`);
    const text = element("span", { textContent: textOf(emotion) });
    if (!both) say(text, wordOf(emotion));
    return element("li", {}, face, text);
  });
  $(".sheet").replaceChildren(...cards);
}

const shown = () =>
  kind === "own" ? faces().filter((emotion) => visit.retakes[emotion]) : ["original", ...faces()];

function address(emotion) {
  if (kind === "symbol") return "";
  return src(kind === "own" ? visit.retakes[emotion].picture : visit.pictures[emotion]);
}

async function save() {
  const emotions = shown();
  const canvas = document.createElement("canvas");
  canvas.width = COLUMNS * CARD;
  canvas.height = Math.ceil(emotions.length / COLUMNS) * (CARD + WORD);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = "#23343a";
  context.font = "600 32px system-ui, sans-serif";
  context.textAlign = "center";
  for (const [i, emotion] of emotions.entries()) {
    const [x, y] = [(i % COLUMNS) * CARD, Math.floor(i / COLUMNS) * (CARD + WORD)];
    drawSquare(context, await loaded(address(emotion) || drawing(emotion)), x, y);
    context.fillText(textOf(emotion), x + CARD / 2, y + CARD + WORD / 2);
  }
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  download(blob, "face-play-cards.png");
}

// The middle of the picture, as large as fits.
function drawSquare(context, image, x, y) {
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const side = Math.min(width, height);
  const room = 16;
  const size = CARD - 2 * room;
  context.drawImage(image, (width - side) / 2, (height - side) / 2, side, side, x + room, y + room, size, size);
}

// A symbol of the page as the address of a picture.
function drawing(emotion) {
  const inside = document.getElementById(`s-${emotion}`).innerHTML;
  const size = 'viewBox="0 0 48 48" width="480" height="480"';
  const pen = 'fill="none" stroke="#23343a" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${pen}>${inside}</svg>`;
  return `data:image/svg+xml;utf8,${encodeURIComponent(svg)}`;
}

async function loaded(picture) {
  const image = new Image();
  image.src = picture;
  await image.decode();
  return image;
}

export function download(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function wireCards() {
  onClick("[data-cards]", ({ currentTarget }) => choose(currentTarget.dataset.cards));
  onClick("#cards-both", () => ((both = !both), choose(kind)));
  onClick("#print", () => window.print());
  onClick("#save", save);
  define("cards", { open: showCards, back: to("ending"), leave: () => $(".sheet").replaceChildren() });
}
