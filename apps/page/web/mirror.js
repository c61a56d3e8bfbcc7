// The live mirror: MediaPipe in the browser. No frame leaves the device.

import * as rules from "./feedback.js";
import { Judge } from "./judge.js";
import { inPixels, spans } from "./spans.js";

const MAX_READINGS_A_SECOND = 12; // enough for a face, and leaves a phone cool
const LOOKS_EVERY = 2; // readings: the judge takes as long as the mesh

let loading = null;
let tries = 0;

// The mirror, made once; null where its files can't be had now or the browser can't run it.
export function loadMirror() {
  loading ??= Mirror.create().catch((error) => {
    console.info("The page works without its mirror:", error.message);
    loading = null; // the server may be away only for a while
    return null;
  });
  return loading;
}

// Free the mirror, and with it the last frame it saw.
export async function closeMirror() {
  const mirror = loading;
  loading = null;
  (await mirror)?.close();
}

class Mirror {
  static async create() {
    const [{ FaceLandmarker, FilesetResolver, ImageClassifier }, table] = await Promise.all([
      import(`./vendor/vision_bundle.mjs${tries++ ? `?try=${tries}` : ""}`), // a module that failed once fails for good
      fetch("feedback.json").then((answer) => answer.json()),
    ]);
    const mirror = new Mirror();
    mirror.table = table;
    mirror.turns = 0;
    mirror.readings = 0;
    mirror.visit = new rules.Visit();
    const runtime = await FilesetResolver.forVisionTasks("vendor/wasm");
    mirror.judge = await Judge.create(ImageClassifier, runtime, table);
    mirror.landmarker = await FaceLandmarker.createFromOptions(runtime, {
      baseOptions: { modelAssetPath: "models/face_landmarker.task", delegate: "CPU" },
      runningMode: "IMAGE",
      outputFaceBlendshapes: true,
      outputFacialTransformationMatrixes: true,
      numFaces: 1,
    });
    return mirror;
  }

  // Remember the child's resting face, from their photo.
  async learnRest(image) {
    await this.landmarker.setOptions({ runningMode: "IMAGE" });
    this.looks = null; // of another picture
    const rest = this.read(image, this.landmarker.detect(image));
    this.rest = rest && !rules.isNoRest(this.table, rest) ? rest : null; // then it is asked for
  }

  // Ask for the resting face anew, before the next emotion.
  forgetRest() {
    this.rest = null;
    this.visit.forgetRest();
  }

  // A frame of a video at a time in ms: the reading of its face (null: none), by how many degrees it is turned away, and
  // its landmarks.
  see(video, now) {
    const result = this.landmarker.detectForVideo(video, now);
    return { face: this.read(video, result), turned: turnedAway(result), landmarks: result.faceLandmarks[0] };
  }

  // What is read off the face in `image`, a result of the landmarker's; null where it found none.
  read(image, result) {
    const face = blendshapes(result);
    if (!face) return (this.looks = null);
    const points = inPixels(result.faceLandmarks[0], image);
    if (!this.looks || this.readings++ % LOOKS_EVERY === 0) this.looks = this.judge.look(image, points);
    return { ...face, ...this.looks, ...spans(this.table, points) };
  }

  // Watch the video by the rules of `table` at a `level` of difficulty, which `eases` or doesn't, and tell `onReading` a
  // moment {state, meter, sentence, done} and the face's landmarks until `stop()`. Gives the coach.
  async watch(video, emotion, { table, level, eases }, onReading) {
    const turn = ++this.turns;
    await this.landmarker.setOptions({ runningMode: "VIDEO" });
    if (this.turns !== turn) return null; // left meanwhile
    this.coach = new rules.Coach(table, emotion, this.rest, level, this.visit, eases);
    this.looks = null;
    const coach = this.coach;
    let last = 0;
    const look = (now) => {
      if (this.coach !== coach) return;
      if (now - last >= 1000 / MAX_READINGS_A_SECOND && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
        last = now;
        const { face, turned, landmarks } = this.see(video, now);
        onReading(coach.see(face, now / 1000, turned), landmarks);
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    return coach;
  }

  stop() {
    this.turns += 1;
    this.coach = null;
  }

  close() {
    this.stop();
    this.landmarker.close();
    this.judge.close();
  }
}

// MediaPipe's result as {name: value in [0, 1]}, or null where it found no face.
function blendshapes(result) {
  const [face] = result.faceBlendshapes;
  return face ? Object.fromEntries(face.categories.map(({ categoryName, score }) => [categoryName, score])) : null;
}

// By how many degrees the face is turned away from the camera, to whichever side, up or down; 0 without a face.
function turnedAway(result) {
  const [pose] = result.facialTransformationMatrixes; // 4×4, column by column
  if (!pose) return 0;
  const [x, y, z] = pose.data.slice(8, 11); // where the face looks
  return (Math.acos(Math.min(1, z / Math.hypot(x, y, z))) * 180) / Math.PI;
}
