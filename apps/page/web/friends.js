// A friend to play with instead of a photo: somebody who does not exist.

import { person, playWith } from "./making.js";
import { explain } from "./problems.js";
import { $, define, go, onClick, onScreen, show, to } from "./screens.js";
import { friends } from "./server.js";
import { src } from "./visit.js";
import { say } from "./words.js";

async function chooseFriend() {
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
const take = (images) => (images.length > 1 ? playWith(images, true) : go("waiting", { friendsPhoto: images[0] }));

export function wireFriends() {
  onClick("#with-friends", to("choose-friend"));
  onClick("#adult-friends", to("choose-friend"));
  define("choose-friend", { open: chooseFriend, back: to("start") });
}
