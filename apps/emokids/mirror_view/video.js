// What the photo's and the mirror's view share: how a view lives in its page, and this computer's camera.

const PICTURE_SIDE = 720; // pixels: longer side of a picture that is kept
const QUALITY = 0.85;

const views = new WeakMap(); // by the element they live in: Streamlit calls again whenever the page runs

// Show a `View` in the page's element, or bring the one there up to date; returns how to end it.
function showView(View, { data, parentElement, setTriggerValue }) {
  let view = views.get(parentElement);
  if (!view) {
    view = new View(parentElement);
    views.set(parentElement, view);
    view.start();
  }
  view.update(data, setTriggerValue);
  return () => {
    views.delete(parentElement);
    view.stop();
  };
}

// Show the camera in `video`. Throws where it can't be had or was refused; `isWanted` says whether it still should run.
async function startCamera(video, isWanted) {
  const wish = { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } };
  const stream = await navigator.mediaDevices.getUserMedia({ video: wish, audio: false });
  video.srcObject = stream;
  if (!isWanted()) return stopCamera(video);
  await video.play();
}

function stopCamera(video) {
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
}

// What the camera shows now, as a JPEG no longer than `side`; `square`: its middle, mirrored as the child sees it.
function photograph(video, { side = PICTURE_SIDE, quality = QUALITY, square = false } = {}) {
  const { videoWidth, videoHeight } = video;
  const shorter = Math.min(videoWidth, videoHeight);
  const [width, height] = square ? [shorter, shorter] : [videoWidth, videoHeight];
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(scale * width);
  canvas.height = Math.round(scale * height);
  const context = canvas.getContext("2d");
  if (square) {
    context.translate(canvas.width, 0);
    context.scale(-1, 1);
  }
  const [left, top] = [(videoWidth - width) / 2, (videoHeight - height) / 2];
  context.drawImage(video, left, top, width, height, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}

// A file's bytes in base64, as the server takes them.
async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

// Set a text only where it is new, or a screen reader would say it over and over.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
