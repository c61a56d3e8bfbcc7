// Every word of the page, Korean first. Calm and kind: nothing here says "wrong".

export const EMOTIONS = ["original", "angry", "fearful", "happy", "sadness", "surprised"];

const KOREAN = {
  title: "표정 놀이",
  otherLanguage: "English",
  home: "처음으로",
  startTitle: "어떤 표정을 지어 볼까?",
  startText: "내 얼굴로 다섯 가지 표정을 만나 봐요.",
  take: "사진 찍기",
  choose: "사진 고르기",
  privacy: "사진은 이 서버에서만 쓰이고, 허락 없이 저장되지 않아요.",
  cameraTitle: "얼굴을 동그라미에 맞춰 볼까?",
  shutter: "찰칵 찍기",
  back: "뒤로",
  waitingTitle: "표정을 만들고 있어요",
  waiting: "조금만 기다려 주세요.",
  queueing: "차례를 기다리고 있어요.",
  original: "원본",
  angry: "분노",
  fearful: "공포",
  happy: "기쁨",
  sadness: "슬픔",
  surprised: "놀람",
  faceOf: "내 얼굴: {emotion}",
  previous: "이전 표정",
  next: "다음 표정",
  mine: "내가 지은 표정도 있어요",
  myTurn: "내 차례",
  firstEmotion: "표정 보기",
  oneMore: "한 번 더",
  finish: "다 했어요",
  turnTitle: "{emotion} 표정을 지어 볼까?",
  look: "보기",
  me: "나",
  meter: "얼마나 비슷한지",
  mirrorLoading: "거울을 준비하고 있어요.",
  noMirror: "오늘은 거울 도움말이 쉬어요. 보기 사진을 보면서 지어 볼까?",
  compareTitle: "두 얼굴을 볼까?",
  keep: "좋아요",
  retake: "다시 찍기",
  consentTitle: "보호자께 여쭤봐요",
  consentText:
    "보내기를 누르면 위 사진이 서버에 저장되어, 감정을 만드는 AI를 가르치는 데 쓰입니다. " +
    "이름이나 위치는 함께 저장되지 않습니다. 보내지 않아도 괜찮습니다.",
  agree: "보호자로서 동의합니다",
  send: "보내기",
  dontSend: "보내지 않기",
  thanksTitle: "참 잘했어요!",
  thanksSent: "사진을 보냈어요. 고마워요.",
  thanksNothing: "사진은 저장되지 않았어요.",
  startOver: "새로 하기",
  codeTitle: "접속 코드",
  codeText: "서버를 설치한 분께 받은 코드를 적어 주세요.",
  codeDone: "확인",
  tryAgain: "다시 해 보기",
  leaveTitle: "처음 화면으로 갈까요? 사진은 모두 지워져요.",
  stay: "계속하기",
  leave: "처음으로",
  noFaceTitle: "얼굴을 찾고 있어요",
  noFace: "얼굴이 잘 보이는 밝은 곳에서 다시 찍어 볼까?",
  laterTitle: "잠깐 쉬어 가요",
  offline: "서버에 연결되어 있지 않아요. 연결을 확인하고 다시 해 주세요.",
  cameraTitleClosed: "카메라를 켜 볼까?",
  cameraClosed: "브라우저 설정에서 카메라를 허락해 주세요. 사진 고르기는 그대로 쓸 수 있어요.",
};

const ENGLISH = {
  title: "Face play",
  otherLanguage: "한국어",
  home: "Home",
  startTitle: "Which face shall we make?",
  startText: "Meet five feelings on your own face.",
  take: "Take a photo",
  choose: "Choose a photo",
  privacy: "Photos are used only on this server, and never stored unless you say so.",
  cameraTitle: "Put your face in the circle",
  shutter: "Take it",
  back: "Back",
  waitingTitle: "Making your faces",
  waiting: "Just a moment, please.",
  queueing: "Waiting for our turn.",
  original: "Original",
  angry: "Angry",
  fearful: "Fearful",
  happy: "Happy",
  sadness: "Sad",
  surprised: "Surprised",
  faceOf: "My face: {emotion}",
  previous: "Face before",
  next: "Next face",
  mine: "You made this face too",
  myTurn: "My turn",
  firstEmotion: "See the faces",
  oneMore: "Once more",
  finish: "All done",
  turnTitle: "Can you look {emotion}?",
  look: "Look",
  me: "Me",
  meter: "How alike",
  mirrorLoading: "Getting the mirror ready.",
  noMirror: "The mirror's tips are resting today. Look at the picture: can you make that face?",
  compareTitle: "Look at both faces",
  keep: "I like it",
  retake: "Take again",
  consentTitle: "Ask a grown-up",
  consentText:
    "When you press Send, the pictures above are stored on the server and used to teach the AI that makes the " +
    "faces. No name and no place is stored with them. It is fine not to send them.",
  agree: "I am the guardian and I agree",
  send: "Send",
  dontSend: "Don't send",
  thanksTitle: "Well done!",
  thanksSent: "The pictures are sent. Thank you.",
  thanksNothing: "No picture was stored.",
  startOver: "Play again",
  codeTitle: "Access code",
  codeText: "Please type the code that the person who set up the server gave you.",
  codeDone: "OK",
  tryAgain: "Try again",
  leaveTitle: "Go to the first screen? All pictures will be cleared.",
  stay: "Stay here",
  leave: "Go",
  noFaceTitle: "Looking for a face",
  noFace: "Shall we try again where it is bright, with the whole face in view?",
  laterTitle: "Let's take a short break",
  offline: "The server can't be reached. Please check the connection and try again.",
  cameraTitleClosed: "Shall we turn on the camera?",
  cameraClosed: "Please allow the camera in the browser's settings. Choosing a photo works without it.",
};

export let language = localStorage.getItem("language") === "english" ? "english" : "korean";

// The text of `key` in the language of the page, with {emotion} filled in.
export function word(key, emotion = "") {
  const name = emotion && word(emotion);
  const inSentence = language === "english" && key === "turnTitle" ? name.toLowerCase() : name;
  return (language === "english" ? ENGLISH : KOREAN)[key].replace("{emotion}", inSentence);
}

export function switchLanguage() {
  language = language === "english" ? "korean" : "english";
  localStorage.setItem("language", language);
}

// Fill in every element that names its word.
export function fillWords() {
  document.documentElement.lang = language === "english" ? "en" : "ko";
  document.title = word("title");
  for (const element of document.querySelectorAll("[data-word]")) {
    element.textContent = word(element.dataset.word);
  }
}
