// An arrow on the child's own picture, at what the hint speaks of: many six-year-olds do not read.

// Landmarks of MediaPipe's mesh: the middle of a brow, of an eye's upper lid, and a corner of the mouth.
const BROW = 105;
const EYE = 159;
const MOUTH = 61;
const AWAY = 0.09; // of the picture's height: the arrow's middle from the landmark

// Of each feature of the rules: where it is, and which way it moves, in degrees clockwise from up.
const FEATURES = {
  browDown: [BROW, 180],
  innerBrowUp: [BROW, 0],
  browUp: [BROW, 0],
  eyeWide: [EYE, 0],
  squint: [EYE, 180],
  lidsDrop: [EYE, 180],
  smile: [MOUTH, 0],
  frown: [MOUTH, 180],
  jawOpen: [MOUTH, 180],
  stretch: [MOUTH, 90],
  mouthRound: [MOUTH, 90],
};
const SIDEWAYS = 90;

// Put `arrow` over `video` at the landmark of a hint {feature, weight, ...}; hide it for anything else.
export function pointAt(arrow, video, hint, landmarks) {
  const [landmark, way] = FEATURES[hint?.feature] ?? [];
  const known = landmark !== undefined && Boolean(landmarks);
  arrow.toggleAttribute("hidden", !known); // an SVG has no property of that name
  if (!known) return;
  const turn = way !== SIDEWAYS && hint.weight < 0 ? 180 - way : way;
  const { x, y } = place(landmarks[landmark], video);
  const [dx, dy] = [Math.sin((turn * Math.PI) / 180), -Math.cos((turn * Math.PI) / 180)];
  arrow.style.left = `${100 * x + 100 * AWAY * dx}%`;
  arrow.style.top = `${100 * y + 100 * AWAY * dy}%`;
  arrow.style.setProperty("--turn", `${turn}deg`);
}

// A landmark of the camera's picture as fractions of the mirrored, cropped video on the page.
function place(landmark, video) {
  const scale = Math.max(video.clientWidth / video.videoWidth, video.clientHeight / video.videoHeight);
  const [wide, high] = [video.videoWidth * scale, video.videoHeight * scale];
  return {
    x: 1 - (landmark.x * wide - (wide - video.clientWidth) / 2) / video.clientWidth,
    y: (landmark.y * high - (high - video.clientHeight) / 2) / video.clientHeight,
  };
}
