// A child's visit: photo, pictures, what the child made. It lives in this page's memory only; `forget` ends it.

import { EMOTIONS } from "./words.js";

const LITTLE = 0.55; // of the way from the child's own face to the emotion

const fresh = () => ({
  photo: "", // base64
  pictures: null, // {emotion: base64 JPEG}, "original" among them
  friend: false, // they show a drawn friend
  retakes: {}, // {emotion: {picture, score (null: unknown), reached}}, the child's own
  tries: {}, // {emotion: how often}
  wanted: null, // the emotion chosen before there was a photo
  emotion: null, // in view
  strength: null, // none, little or very, once chosen
  began: 0, // ms
  mirror: null, // a promise of it
  job: null, // AbortController of what the server does for this visit
  blended: {},
});

export const visit = fresh();

// Forget everything: nothing that was asked for before may arrive later.
export function forget() {
  visit.job?.abort();
  Object.assign(visit, fresh());
  for (const image of document.querySelectorAll("img")) image.removeAttribute("src");
  for (const list of document.querySelectorAll(".mine, .cards, .people, .sheet")) list.replaceChildren();
}

// A new job, in place of the one before it.
export function newJob() {
  visit.job?.abort();
  visit.job = new AbortController();
  return visit.job.signal;
}

// The server's six pictures, or a friend's.
export function takePictures(images, friend) {
  const { wanted, strength } = visit;
  const { photo, job } = visit;
  Object.assign(visit, fresh(), { wanted, strength, job, photo, friend, began: visit.began || Date.now() });
  visit.pictures = Object.fromEntries(EMOTIONS.map((emotion, i) => [emotion, images[i]]));
}

// The word for an emotion's picture.
export const label = (emotion) => (emotion === "original" && visit.friend ? "friendFace" : emotion);

export const src = (base64) => `data:image/jpeg;base64,${base64}`;

// The address of the picture of an emotion at a strength: none, little or very.
export async function pictureOf(emotion, strength) {
  const { pictures, blended } = visit;
  if (strength === "none" || emotion === "original") return src(pictures.original);
  if (strength === "very") return src(pictures[emotion]);
  blended[emotion] ??= blend(pictures.original, pictures[emotion]);
  return blended[emotion];
}

async function blend(original, emotional) {
  const [under, over] = await Promise.all([original, emotional].map(load));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [under.naturalWidth, under.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(under, 0, 0);
  context.globalAlpha = LITTLE;
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
