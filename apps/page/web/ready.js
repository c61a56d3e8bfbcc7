// The mirror, made ready while the child looks at the faces.

import { loadMirror } from "./mirror.js";
import { isKept, keepMirror } from "./offline.js";
import { $ } from "./screens.js";
import { health, server } from "./server.js";
import { load, visit } from "./visit.js";
import { say } from "./words.js";

export const keepFiles = () => keepMirror(showKeeping);

// How far the mirror's files are, in percent; nothing once all are there. null: they can't be kept now.
function showKeeping(share) {
  const arriving = share !== null && share < 1;
  for (const place of ["#keeping", "#turn .keeping"]) {
    say($(place), arriving ? "keeping" : "", { percent: Math.floor(100 * share) });
  }
  if (share === null) say($("#keeping"), "notKept");
}

// `visit.mirror` becomes a promise of the mirror, null where there is none.
export function prepareMirror() {
  visit.mirror = readyMirror(visit.pictures.original, visit.friend).catch((error) => {
    console.info("The mirror can't be made ready:", error.message);
    return null;
  });
  return visit.mirror;
}

async function readyMirror(picture, friend) {
  if (((server ?? (await health())) ?? { mirror: await isKept() }).mirror !== true) return null;
  await keepFiles(); // nothing is fetched twice
  const [mirror, original] = await Promise.all([loadMirror(), load(picture)]);
  if (!mirror || visit.pictures?.original !== picture) return null;
  if (friend) mirror.rest = null; // a friend's face says nothing about the child's
  else await mirror.learnRest(original);
  return mirror;
}
