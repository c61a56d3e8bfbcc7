// A face's landmarks in pixels, and the distances between them, as apps/face_reading.py measures them.

// MediaPipe's landmarks are fractions of a video's or an image's width and height; depth is one of its width.
export function inPixels(landmarks, { videoWidth, videoHeight, naturalWidth, naturalHeight }) {
  const [width, height] = [videoWidth ?? naturalWidth, videoHeight ?? naturalHeight];
  return landmarks.map(({ x, y, z }) => ({ x: x * width, y: y * height, z: z * width }));
}

// {spanMouth: logarithm of its share of the face, ...} of a face's points.
export function spans({ spans, faceSpan, spanFloor }, points) {
  const between = ([first, second]) => {
    const [a, b] = [points[first], points[second]];
    return Math.hypot(a.x - b.x, a.y - b.y, a.z - b.z);
  };
  const whole = between(faceSpan);
  const share = (pair) => Math.log(between(pair) / whole + spanFloor);
  return Object.fromEntries(Object.entries(spans).map(([name, pair]) => [name, share(pair)]));
}
