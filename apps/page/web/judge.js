// The judge of real faces in the browser (real_face_judge.py): what it sees is part of each reading of a face.

const SIDE = 112; // pixels: its input

export class Judge {
  static async create(ImageClassifier, runtime, { looks, looksFloor }) {
    const judge = new Judge();
    Object.assign(judge, { looks, looksFloor });
    const canvas = new OffscreenCanvas(SIDE, SIDE);
    judge.canvas = canvas.getContext("2d", { willReadFrequently: true, alpha: false });
    judge.canvas.imageSmoothingQuality = "high";
    judge.classifier = await ImageClassifier.createFromOptions(runtime, {
      baseOptions: { modelAssetPath: "models/real-face-judge.tflite", delegate: "CPU" },
      runningMode: "IMAGE",
    });
    return judge;
  }

  // {looksHappy: logarithm of its probability, ...} of the face in a video or image, whose points are in its pixels: the
  // mean of what is seen in the face as it is and mirrored.
  look(source, points) {
    const square = around(points);
    const [straight, mirrored] = [1, -1].map((side) => this.#classify(source, square, side));
    const mean = straight.map((value, i) => (value + mirrored[i]) / 2);
    const all = Math.log(mean.reduce((sum, value) => sum + Math.exp(value), 0));
    return Object.fromEntries(this.looks.map((name, i) => [name, Math.max(mean[i] - all, this.looksFloor)]));
  }

  #classify(source, { left, top, side }, direction) {
    const { canvas } = this;
    canvas.setTransform(direction, 0, 0, 1, direction < 0 ? SIDE : 0, 0);
    canvas.fillRect(0, 0, SIDE, SIDE); // what lies beyond the picture
    canvas.drawImage(source, left, top, side, side, 0, 0, SIDE, SIDE);
    const { categories } = this.classifier.classify(canvas.canvas).classifications[0];
    const found = new Array(categories.length);
    for (const { index, score } of categories) found[index] = Math.log(Math.max(score, 1e-12));
    return found;
  }

  close() {
    this.classifier.close();
  }
}

// The square around all of the face's points.
function around(points) {
  const [x, y] = [points.map((point) => point.x), points.map((point) => point.y)];
  const [left, right, top, bottom] = [Math.min(...x), Math.max(...x), Math.min(...y), Math.max(...y)];
  const side = Math.max(right - left, bottom - top);
  return { left: (left + right - side) / 2, top: (top + bottom - side) / 2, side };
}
