// Take a photo: at once, or after 3, 2, 1.

const COUNT = [3, 2, 1];
const LONGEST = 1280; // pixels: a face in it is large enough to print

export default (page) => showView(View, page);

class View {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    this.video = this.find("video");
    this.stopped = false;
    this.closed = false; // the camera can't be used
    this.find(".shutter").onclick = () => this.take();
    this.find(".timer").onclick = () => this.countDown();
  }

  update(words, setTriggerValue) {
    this.send = (photo) => setTriggerValue("photo", photo);
    this.words = words;
    this.find(".shutter").textContent = words.shutter;
    this.find(".timer").textContent = words.timer;
    if (this.closed) this.sayClosed();
  }

  sayClosed() {
    this.find(".frame").hidden = this.find(".actions").hidden = true;
    setText(this.find(".hint"), this.words.cameraRefused);
    setText(this.find(".adults"), this.words.cameraForAdults);
  }

  async start() {
    try {
      await startCamera(this.video, () => !this.stopped);
      if (!this.stopped) this.enable(true);
    } catch (error) {
      if (this.stopped) return;
      console.info("The camera can't be used:", error.message);
      this.closed = true;
      this.sayClosed();
    }
  }

  stop() {
    this.stopped = true;
    stopCamera(this.video);
  }

  enable(yes) {
    for (const selector of [".shutter", ".timer"]) this.find(selector).disabled = !yes;
  }

  async countDown() {
    this.enable(false);
    for (const number of COUNT) {
      if (this.stopped) return;
      this.find(".count").textContent = number;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    this.find(".count").textContent = "";
    await this.take();
  }

  async take() {
    if (this.stopped) return;
    this.enable(false);
    this.send(await base64(await photograph(this.video, { side: LONGEST, quality: 0.92 })));
    this.enable(true);
  }
}
