// The visitor's own camera beside the face to make. Frames go to this page's server only, one at a time; it answers
// with what to say.

const FRAMES_A_SECOND = 15; // at most: enough for a face, and leaves the computer cool
const FRAME_SIDE = 480; // pixels: longer side of what is sent
const QUALITY = 0.8;

const views = new WeakMap(); // by the element they live in: Streamlit calls again whenever the page runs

export default function ({ data, parentElement }) {
  let view = views.get(parentElement);
  if (!view) {
    view = new View(parentElement);
    views.set(parentElement, view);
    view.start();
  }
  view.update(data);
  return () => {
    views.delete(parentElement);
    view.stop();
  };
}

class View {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    this.video = this.find("video");
    this.canvas = document.createElement("canvas");
    this.stopped = false;
    this.closed = false; // the camera can't be used
  }

  // What the page wants shown: `picture`, `words`, whether in `english`, and the `address` that frames go to.
  update(data) {
    this.data = data;
    this.find("img").src = data.picture;
    this.find("img").alt = data.words.picture;
    this.find(".look").textContent = data.words.look;
    this.find(".me").textContent = data.words.me;
    this.find(".meter").setAttribute("aria-label", data.words.meter);
    this.find(".meter").hidden = !data.address;
    this.say(data.words[this.closed ? "cameraRefused" : data.address ? "mirrorLoading" : "noMirror"]);
  }

  async start() {
    try {
      const video = { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } };
      const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
      if (this.stopped) return stream.getTracks().forEach((track) => track.stop());
      this.video.srcObject = stream;
      await this.video.play();
      await this.watch();
    } catch (error) {
      if (this.stopped) return;
      console.info("The camera can't be used:", error.message);
      this.closed = true;
      this.say(this.data.words.cameraRefused);
    }
  }

  stop() {
    this.stopped = true;
    this.video.srcObject?.getTracks().forEach((track) => track.stop());
    this.video.srcObject = null;
  }

  // Send frame after frame, the next when the last is answered.
  async watch() {
    while (!this.stopped) {
      const next = performance.now() + 1000 / FRAMES_A_SECOND;
      if (this.data.address && !document.hidden) await this.ask();
      await new Promise((resolve) => setTimeout(resolve, Math.max(next - performance.now(), 0)));
    }
  }

  async ask() {
    const { data } = this;
    try {
      const answer = await fetch(data.address, {
        method: "POST",
        headers: { "Content-Type": "image/jpeg" },
        body: await this.frame(),
      });
      if (!answer.ok) throw new Error(`the mirror answered ${answer.status}`);
      const moment = await answer.json();
      if (data === this.data && !this.stopped) this.show(moment);
    } catch (error) {
      console.info(error.message);
      if (data === this.data) this.say(data.words.offline);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  frame() {
    const { video, canvas } = this;
    const scale = Math.min(1, FRAME_SIDE / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(scale * video.videoWidth);
    canvas.height = Math.round(scale * video.videoHeight);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  }

  show({ state, meter, korean, english }) {
    this.find(".pair").dataset.state = state;
    const percent = Math.round(100 * meter);
    this.find(".meter").setAttribute("aria-valuenow", percent);
    this.find(".meter div").style.transform = `translateX(${percent - 100}%)`;
    this.say(this.data.english ? english : korean);
  }

  // Only what is new, or a screen reader would say it over and over.
  say(sentence) {
    const hint = this.find(".hint");
    if (hint.textContent !== sentence) hint.textContent = sentence;
  }
}
