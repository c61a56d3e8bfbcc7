// The visitor's own camera beside the face to make. Frames go to this page's server only, one at a time; it answers
// with what to say.

const FRAMES_A_SECOND = 15; // at most: enough for a face, and leaves the computer cool
const FRAME = { side: 480, quality: 0.8 }; // what is sent each time
const LEAVING_MS = 5000; // whoever is still here so long after a tap on another page's link has not left

export default (page) => showView(View, page);

class View {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    this.video = this.find("video");
    this.stopped = false;
    this.closed = false; // the camera can't be used
    this.find(".shutter").onclick = () => this.keep(false);
    this.leftAt = -Infinity;
    this.leave = ({ target }) => {
      const link = target.closest?.("a[href]");
      if (link && link.pathname !== location.pathname) this.leftAt = performance.now();
    };
    document.addEventListener("click", this.leave);
  }

  // What the page wants shown: `picture`, `words`, whether in `english`, whether hints are `spoken`, and the `address`
  // that frames go to.
  update(data, setTriggerValue) {
    this.data = data;
    this.kept = false; // this attempt's picture is taken
    this.send = (tried) => setTriggerValue("tried", tried);
    this.find("img").src = data.picture;
    this.find("img").alt = data.words.picture;
    this.find(".look").textContent = data.words.look;
    this.find(".me").textContent = data.words.me;
    this.find(".shutter").textContent = data.words.shutter;
    this.find(".meter").setAttribute("aria-label", data.words.meter);
    this.find(".meter").hidden = !data.address;
    pointAt(this.find(".arrow"), this.video, null);
    if (this.closed) this.sayClosed();
    else this.say(data.words[data.address ? "mirrorLoading" : "noMirror"]);
  }

  sayClosed() {
    this.find(".actions").hidden = true;
    this.say(this.data.words.cameraRefused);
    setText(this.find(".adults"), this.data.words.cameraForAdults);
  }

  async start() {
    try {
      await startCamera(this.video, () => !this.stopped);
      this.find(".shutter").disabled = this.stopped;
      await this.watch();
    } catch (error) {
      if (this.stopped) return;
      console.info("The camera can't be used:", error.message);
      this.closed = true;
      this.sayClosed();
    }
  }

  stop() {
    this.stopped = true;
    document.removeEventListener("click", this.leave);
    stopCamera(this.video);
    speechSynthesis.cancel();
  }

  // Send frame after frame, the next when the last is answered.
  async watch() {
    while (!this.stopped) {
      const next = performance.now() + 1000 / FRAMES_A_SECOND;
      if (this.data.address && !this.kept && !document.hidden) await this.ask();
      await new Promise((resolve) => setTimeout(resolve, Math.max(next - performance.now(), 0)));
    }
  }

  async ask() {
    const { data } = this;
    try {
      const answer = await fetch(data.address, {
        method: "POST",
        headers: { "Content-Type": "image/jpeg" },
        body: await photograph(this.video, FRAME),
      });
      if (!answer.ok) throw new Error(`the mirror answered ${answer.status}`);
      const moment = await answer.json();
      if (data === this.data && !this.stopped && !this.kept) this.show(moment);
    } catch (error) {
      console.info(error.message);
      if (data === this.data) this.say(data.words.noConnection);
      pointAt(this.find(".arrow"), this.video, null);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  show({ state, meter, korean, english, arrow }) {
    this.find(".pair").dataset.state = state;
    const percent = Math.round(100 * meter);
    this.find(".meter").setAttribute("aria-valuenow", percent);
    this.find(".meter div").style.transform = `translateX(${percent - 100}%)`;
    this.say(this.data.english ? english : korean);
    pointAt(this.find(".arrow"), this.video, arrow, arrow?.landmarks);
    if (state === "done") this.keep(true);
  }

  // Take the picture: by itself once the expression was held, or when the child wants it. Not of a child that leaves:
  // Streamlit would answer it with this page and bring the child back.
  async keep(reached) {
    if (this.kept || this.stopped) return;
    this.kept = true;
    const picture = await base64(await photograph(this.video, { square: true }));
    if (performance.now() - this.leftAt < LEAVING_MS) this.kept = false;
    else this.send({ picture, reached, emotion: this.data.emotion });
  }

  say(sentence) {
    const hint = this.find(".hint");
    if (hint.textContent === sentence) return;
    setText(hint, sentence);
    if (this.data.spoken && sentence) this.speak(sentence);
  }

  // With a voice of this computer only: others send what they say to somebody's server.
  speak(sentence) {
    const language = this.data.english ? "en" : "ko";
    const voice = speechSynthesis.getVoices().find((one) => one.localService && one.lang.startsWith(language));
    if (!voice) return;
    const utterance = new SpeechSynthesisUtterance(sentence);
    utterance.voice = voice;
    utterance.lang = voice.lang;
    speechSynthesis.cancel();
    speechSynthesis.speak(utterance);
  }
}
