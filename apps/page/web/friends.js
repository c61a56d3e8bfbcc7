// A friend to play with instead of a photo: somebody who does not exist.

import { explain, makeFaces, playWith } from "./begin.js";
import { $, button, element, onScreen, show } from "./screens.js";
import { friends } from "./server.js";
import { src } from "./visit.js";
import { say } from "./words.js";

export async function chooseFriend() {
  show("choose-friend");
  $("#choose-friend .cards").replaceChildren();
  const status = $("#choose-friend [role=status]");
  say(status, "friendsComing");
  try {
    const people = await friends();
    if (onScreen() !== "choose-friend") return;
    const choices = people.map((images, i) => person(src(images[0]), "friend", i + 1, () => take(images)));
    $("#choose-friend .cards").replaceChildren(...choices);
    say(status, "");
  } catch {
    if (onScreen() === "choose-friend") explain(new Error("offline"), chooseFriend);
  }
}

// A drawn friend has all faces; those like photos are given them as a child's photo is.
const take = (images) => (images.length > 1 ? playWith(images, true) : makeFaces({ friendsPhoto: images[0] }));

// A face to choose, with its number.
export function person(address, word, number, action) {
  const [image, text] = [element("img", { src: address, alt: "" }), element("span")];
  say(text, word, { number });
  return element("li", {}, button("card person", action, image, text));
}
