// A child's visit: photo, pictures, what the child made. It lives in this page's memory only; `forget` ends it.

import { newSession } from "./record.js";
import { steps } from "./server.js";
import { settings } from "./settings.js";
import { EMOTIONS } from "./words.js";

const SHARES = [0, 0.25, 0.5, 0.75, 1]; // of the way from the child's own face to the emotion

const fresh = () => ({
  photo: "", // base64
  pictures: null, // {emotion: base64 JPEG}, "original" among them; without those not to be shown
  friend: false, // they show a drawn friend
  retakes: {}, // {emotion: {picture, score (null: unknown), reached}}, the child's own
  tries: {}, // {emotion: how often}
  wanted: null, // the emotion chosen before there was a photo
  emotion: null, // in view
  face: 0, // its number in the photo
  strength: null, // from 0 to 1, once chosen
  began: 0, // ms
  mirror: null, // a promise of it
  job: null, // AbortController of what the server does for this visit
  steps: {}, // {emotion: a promise of addresses of pictures, from calm to the emotion}
});

export const visit = fresh();

// Forget everything: nothing that was asked for before may arrive later.
export function forget() {
  visit.job?.abort();
  if (visit.pictures) newSession();
  Object.assign(visit, fresh());
  for (const image of document.querySelectorAll("img")) image.removeAttribute("src");
  for (const list of document.querySelectorAll(".mine, .cards, .sheet")) list.replaceChildren();
}

// A new job, in place of the one before it.
export function newJob() {
  visit.job?.abort();
  visit.job = new AbortController();
  return visit.job.signal;
}

// The emotions to play with: those the adult chose, as far as there is a face of them to show.
export const faces = () => settings.emotions.filter((emotion) => visit.pictures?.[emotion]);

// The server's six pictures (null for one that is not to be shown), or a friend's.
export function takePictures(images, friend) {
  const { wanted, strength } = visit;
  const { photo, job } = visit;
  Object.assign(visit, fresh(), { wanted, strength, job, photo, friend, began: visit.began || Date.now() });
  visit.pictures = Object.fromEntries(EMOTIONS.map((emotion, i) => [emotion, images[i]]));
}

export function leaveOut(emotions) {
  for (const emotion of emotions) delete visit.pictures[emotion];
}

// The word for the child's own picture: only a face that was reached bears the emotion's name.
export const labelOwn = (emotion) => (visit.retakes[emotion].reached ? emotion : "triedFace");

// The word for an emotion's picture.
export const label = (emotion) => (emotion === "original" && visit.friend ? "friendFace" : emotion);

export const src = (base64) => `data:image/jpeg;base64,${base64}`;

// The address of the picture of an emotion at a strength from 0 to 1.
export async function pictureOf(emotion, strength) {
  const { pictures } = visit;
  if (strength === 0 || emotion === "original") return src(pictures.original);
  if (strength === 1) return src(pictures[emotion]);
  const steps = await stepsOf(emotion);
  return steps[Math.round(strength * (steps.length - 1))];
}

// From the child's own face to the emotion: the server moves the face so far; without it, the two are blended.
export function stepsOf(emotion) {
  const { pictures, photo, face } = visit;
  visit.steps[emotion] ??= steps(photo || pictures.original, face, emotion, Boolean(photo))
    .then((between) => [pictures.original, ...between, pictures[emotion]].map(src))
    .catch(() => Promise.all(SHARES.map((share) => blend(pictures.original, pictures[emotion], share))));
  return visit.steps[emotion];
}

async function blend(original, emotional, share) {
  const [under, over] = await Promise.all([original, emotional].map(load));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [under.naturalWidth, under.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(under, 0, 0);
  context.globalAlpha = share;
  context.drawImage(over, 0, 0);
  return canvas.toDataURL("image/jpeg", 0.92);
}

export async function load(base64) {
  const image = new Image();
  image.src = src(base64);
  await image.decode();
  return image;
}

export const hasReached = () => Object.values(visit.retakes).some(({ reached }) => reached);
