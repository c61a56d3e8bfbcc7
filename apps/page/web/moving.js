// A face that moves: from calm to the emotion and back, so that the child sees which part moves.

import { $ } from "./screens.js";
import { stepsOf } from "./visit.js";

const STEP_MS = 180;
const REST_MS = 900; // at either end
const TIMES = 3;

let moving = 0; // which move it is; a later one ends it

export function stopMoving() {
  moving += 1;
  $("#move").setAttribute("aria-pressed", false);
}

// Move until it ends, or is touched again; then `restore` shows the face as it was.
export async function moveFace(emotion, restore) {
  const begins = $("#move").ariaPressed !== "true";
  stopMoving();
  if (begins) await move(emotion);
  restore();
}

async function move(emotion) {
  const own = moving;
  $("#move").setAttribute("aria-pressed", true);
  const steps = await stepsOf(emotion);
  await Promise.all(steps.map((step) => Object.assign(new Image(), { src: step }).decode()));
  const ends = [steps[0], steps.at(-1)];
  const less = matchMedia("(prefers-reduced-motion: reduce)").matches; // then only the two ends are shown
  const way = less ? ends : [...steps, ...steps.slice(1, -1).reverse()];
  for (let i = 0; i < TIMES * way.length && own === moving; i += 1) {
    const step = way[i % way.length];
    $("#face .frame img").src = step;
    await new Promise((resolve) => setTimeout(resolve, ends.includes(step) ? REST_MS : STEP_MS));
  }
}
