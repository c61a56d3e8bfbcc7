// What went wrong, said kindly.

import { go, showMessage, to } from "./screens.js";
import { Refused } from "./server.js";
import { say, saySentence } from "./words.js";

const KNOWN = {
  no_face: ["noFaceTitle", "noFace"],
  unreadable: ["otherPhotoTitle", "unreadable"],
  too_large: ["otherPhotoTitle", "tooLarge"],
  not_good: ["otherPhotoTitle", "notGoodFaces"],
};

// "Again" asks the server once more, or for another photo where this one won't do.
export function explain(error, again) {
  if (error.code === "no_token") return go("code", again);
  const [title, text] = KNOWN[error.code] ?? ["laterTitle", error instanceof Refused ? "later" : "offline"];
  const anew = error.code in KNOWN ? to("start") : again;
  const details = showMessage({ title, text, again: anew, back: to("start") });
  if (error instanceof Refused) saySentence(details, error.sentence);
  else say(details, `${error.code ?? "offline"}ForAdults`);
}
