// Pictures from the camera and from files, as base64 JPEGs without the metadata a camera adds.

const LONGEST = 1600; // pixels: all the server uses of a photo, and quick to send

export const hasCamera = Boolean(navigator.mediaDevices?.getUserMedia);

// Show the front camera in `video`. Rejects when there is none or it is not allowed.
export async function openCamera(video) {
  video.srcObject = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 960 } },
  });
  await video.play();
}

export function closeCamera(video) {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
}

// What the camera shows now: the part in the middle, 3 wide and 4 high, that the page shows too.
export function photograph(video) {
  const width = Math.min(video.videoWidth, (video.videoHeight * 3) / 4);
  const height = (width * 4) / 3;
  return toJpeg(video, width, height, (video.videoWidth - width) / 2, (video.videoHeight - height) / 2);
}

const HEIF = /^....ftyp(hei[cx]|mif1|msf1|avif)/s; // as the server knows them

// A file the user chose; HEIC, which few browsers open, goes to the server as it is. null for what is no photo.
export async function readFile(file) {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    return await toJpeg(bitmap, bitmap.width, bitmap.height);
  } catch {
    const start = new TextDecoder("latin1").decode(await file.slice(0, 12).arrayBuffer());
    return HEIF.test(start) ? toBase64(file) : null;
  }
}

async function toJpeg(source, width, height, x = 0, y = 0) {
  const shrink = Math.min(1, LONGEST / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * shrink);
  canvas.height = Math.round(height * shrink);
  canvas.getContext("2d").drawImage(source, x, y, width, height, 0, 0, canvas.width, canvas.height);
  return toBase64(await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92)));
}

function toBase64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
