// Every word of the page. A child is spoken to as to a friend (해체), an adult politely (합니다체). Calm and kind:
// nothing here says "wrong".

export const FIVE = ["happy", "sadness", "surprised", "angry", "fearful"]; // in the order they are best learned in
export const EMOTIONS = ["original", "angry", "fearful", "happy", "sadness", "surprised"]; // as the server sends them

const KOREAN = {
  title: "표정 놀이",
  otherLanguage: "English",
  listen: "들어 보기",
  home: "처음으로",
  back: "뒤로",
  again: "다시 해 보기",

  startTitle: "어떤 표정을 지어 볼까?",
  startText: "해 보고 싶은 표정을 골라 봐.",
  take: "내 사진 찍기",
  choose: "사진 고르기",
  friends: "친구와 하기",
  friendsOnly: "오늘은 친구와 놀자.",
  privacyHere: "사진은 이 컴퓨터에서만 쓰이고, 허락 없이 저장되지 않아.",
  privacyServer: "사진은 {host} 서버로 보내져서 쓰이고, 허락 없이 저장되지 않아.",
  forAdults: "어른께",
  problemForAdults: "모델을 쓸 수 없습니다. 서버를 설치한 분께 보여 주십시오.",

  friendsTitle: "누구와 놀까?",
  friendsComing: "친구들이 오고 있어.",
  friend: "친구 {number}",

  cameraTitle: "얼굴을 동그라미에 맞춰 볼까?",
  shutter: "찰칵 찍기",
  timer: "3초 뒤에 찍기",
  cameraTitleClosed: "카메라가 쉬고 있어",
  cameraClosed: "사진을 골라서 할 수 있어.",
  cameraForAdults: "브라우저 설정에서 이 페이지에 카메라를 허용해 주십시오.",

  sureTitle: "이 사진으로 할까?",
  yours: "고른 사진",
  noPreview: "이 사진은 여기서 미리 볼 수 없지만, 쓸 수는 있어.",
  yes: "좋아",
  another: "다른 사진으로",

  waitingTitle: "표정을 만들고 있어",
  searching: "사진에서 얼굴을 찾고 있어.",
  making: "다섯 가지 표정을 그리고 있어.",
  queueing: "차례를 기다리고 있어.",
  slow: "조금 오래 걸리네. 조금만 더 기다려 볼까?",
  cancel: "그만하기",
  whoTitle: "누구의 얼굴로 할까?",
  who: "{number}번 얼굴",

  original: "내 얼굴",
  angry: "화난 얼굴",
  fearful: "겁먹은 얼굴",
  happy: "기쁜 얼굴",
  sadness: "슬픈 얼굴",
  surprised: "놀란 얼굴",
  friendFace: "친구 얼굴",
  overviewTitle: "여섯 얼굴이 모였어",
  overviewCard: "{emotion} 보기",
  overviewDone: "{emotion} 보기, 내가 해낸 표정",
  mineOf: "내가 지은 {emotion}",
  guess: "표정 알아맞히기",
  finish: "다 했어",

  previous: "이전 표정",
  next: "다음 표정",
  strength: "표정의 세기",
  none: "그대로",
  little: "조금",
  very: "많이",
  mine: "나도 해냈어",
  tried: "나도 해 봤어",
  triedFace: "내가 해 본 얼굴",
  ownPicture: "내 사진",
  move: "움직여 보기",
  myTurn: "내 차례",
  oneMore: "한 번 더",
  enough: "이 표정은 다 했어. 참 잘했어!",
  all: "모두 보기",

  turnTitle: "{emotion}, 지어 볼까?",
  look: "보기",
  me: "나",
  meter: "얼마나 비슷한지",
  mirrorLoading: "거울을 준비하고 있어.",
  keeping: "거울을 내려받고 있어. {percent}%",
  notKept: "거울을 다 내려받지 못했습니다. 서버에 연결되지 않으면 거울이 열리지 않을 수 있습니다.",
  looking: "사진을 살펴보고 있어.",
  noMirror: "오늘은 거울이 쉬고 있어. 보기 사진을 보면서 지어 볼까?",
  turnNoCamera: "카메라가 쉬고 있어. 찍어 둔 사진을 고를 수 있어.",
  rest: "잠깐 쉬기",
  restTitle: "잠깐 쉬자",
  restText: "숨을 천천히 들이쉬고, 천천히 내쉬어 봐.",
  restDone: "다시 해 볼래",

  compareTitle: "두 얼굴을 볼까?",
  reachedTitle: "해냈어! 참 잘했어!",
  closerTitle: "처음보다 더 비슷해졌어!",
  goodTryTitle: "열심히 했어! 잘했어!",
  restAnew: "평소 얼굴 다시",
  keep: "좋아, 다음!",
  keepLast: "좋아!",
  retake: "다시 찍기",
  opinion: "어른께: 이 사진에 보이는 표정",

  guessTitle: "어떤 얼굴일까?",
  guessRight: "맞았어! {emotion}이야.",
  guessOther: "이건 {emotion}이야. 한번 더 볼까?",
  guessNext: "다음",
  guessEnd: "다 봤어! 얼굴을 잘 살펴봤네.",

  endTitle: "오늘의 내 얼굴들",
  endNothing: "오늘은 얼굴을 구경했어. 그것도 참 좋아!",
  endText: "별은 내가 해낸 표정이야.",
  endTime: "오늘 놀이 시간이 다 됐어. 내 얼굴들을 볼까?",
  starFor: "{emotion}, 해냈어",
  end: "이제 끝!",
  sendAsk: "사진 보내기 (어른과 함께)",
  keepAsk: "저장·인쇄 (어른이 길게 누르기)",
  byeTitle: "참 잘했어!",
  byeText: "오늘 놀이는 여기까지야. 또 만나!",
  byeForgotten: "사진은 모두 지웠어.",
  byeSent: "허락한 사진 {count}장을 보냈어. 고마워!",
  startOver: "처음부터 다시",

  consentTitle: "어른께 여쭤보자",
  consentText:
    "보내기를 누르면 위 사진이 서버에 저장되어, 표정을 만드는 AI를 가르치는 데 쓰입니다. " +
    "이름이나 위치는 함께 저장되지 않습니다. 보내지 않아도 괜찮습니다.",
  consentOnlyReached: "표정이 뚜렷한 사진만 보냅니다.",
  agree: "보호자로서 동의합니다",
  send: "보내기",
  dontSend: "보내지 않기",
  sending: "보내고 있습니다.",
  sendFailed: "서버에 연결되지 않아 아직 보내지 못했습니다. 사진은 여기 그대로 있습니다. 다시 보내 주십시오.",
  sendNothingKept: "서버가 표정이 뚜렷하지 않다고 보아 저장하지 않았습니다. 사진은 보내지지 않은 것과 같습니다.",

  codeTitle: "접속 코드",
  codeText: "서버를 설치한 분께 받은 코드를 적어 주십시오.",
  codeDone: "확인",
  codeWrong: "이 코드로는 들어갈 수 없습니다. 다시 한 번 확인해 주십시오.",

  adultTitle: "어른이 먼저 확인해 주십시오",
  adultServer:
    "표정을 만들려면 아이의 사진이 {host} 서버로 보내집니다. 이 기기 밖의 컴퓨터입니다. " +
    "서버는 사진을 저장하지 않으며, 저장할 때에는 따로 여쭙니다.",
  adultdrawn:
    "이 서버의 모델은 그림으로 그린 얼굴만 보고 배웠습니다. 실제 사진에서는 얼굴이 일그러져 아이가 놀랄 수 있습니다. " +
    "친구와 하기를 권합니다.",
  adultrendered:
    "이 서버의 모델은 컴퓨터로 만든 사람 얼굴을 보고 배웠습니다. 실제 사진에서는 어색하게 보일 수 있으니 먼저 함께 봐 주십시오.",
  reviewTitle: "어른이 먼저 봐 주십시오",
  reviewText: "아이가 놀랄 만한 얼굴은 눌러서 빼 주십시오.",
  reviewDone: "보여 주기 (길게 누르기)",
  shownToChild: "{emotion}, 아이에게 보여 줌",
  notGood: "{emotion}: 잘 만들어지지 않아 뺐습니다",
  adultAgree: "어른이 길게 눌러 동의하기",
  holdLonger: "조금 더 길게 눌러 주십시오.",

  leaveTitle: "처음 화면으로 갈까? 사진은 모두 지워져.",
  stay: "계속하기",
  leave: "처음으로",

  noFaceTitle: "얼굴이 어디 있을까?",
  otherPhotoTitle: "다른 사진을 찾아보자",
  noFace: "얼굴이 잘 보이는 밝은 곳에서 다시 찍어 볼까?",
  unreadable: "이 사진은 열리지 않네. 다른 사진으로 해 볼까?",
  tooLarge: "이 사진은 너무 커. 다른 사진으로 해 볼까?",
  notGoodFaces: "이 사진으로는 잘 그려지지 않네. 다른 사진으로 해 볼까?",
  not_goodForAdults: "만든 얼굴이 모두 검사를 통과하지 못해 보여 주지 않았습니다. 밝은 곳에서 정면으로, 편안한 얼굴로 찍은 사진이 좋습니다.",
  unreadableForAdults: "사진 파일이 아니거나 이 브라우저가 열 수 없는 형식입니다. JPEG, PNG, WebP, HEIC 사진을 골라 주십시오.",
  laterTitle: "잠깐 쉬어 가자",
  later: "조금 뒤에 다시 해 볼까?",
  offline: "지금은 연결이 안 돼. 사진은 그대로 있으니까, 조금 뒤에 다시 해 보자.",
  offlineForAdults: "서버에 연결되지 않습니다. 서버가 켜져 있는지, 네트워크에 연결되어 있는지 확인해 주십시오.",

  settings: "어른 화면 (길게 누르기)",
  settingsTitle: "어른 화면",
  settingsText: "여기서 고른 것은 이 기기에, 아이를 고르면 그 아이의 기록에 저장됩니다.",
  settingsNotKept: "서버에 연결되지 않아 이 설정을 아이의 기록에 저장하지 못했습니다. 지금 놀이에는 쓰입니다.",
  setchild: "누구의 기록인가",
  nobody: "기록하지 않기",
  noChildren: "아직 기록할 아이가 없습니다. EMOKIDS의 ‘아이 기록’에서 동의를 받고 등록합니다.",
  today: "오늘",
  todayText: "가장 비슷했던 정도(100 가운데)와, 해낸 횟수/해 본 횟수입니다. 알아맞히기는 {guesses}번 가운데 {right}번 맞았습니다.",
  todayNothing: "오늘은 아직 해 본 표정이 없습니다. 2초보다 짧은 시도는 적지 않습니다.",
  whichEmotions: "표정과 순서",
  up: "{emotion} 앞으로",
  down: "{emotion} 뒤로",
  setlevel: "얼마나 비슷해야 하나",
  easy: "쉽게",
  medium: "보통",
  hard: "어렵게",
  levelMeaning:
    "실제 사람의 사진에서 맞는 표정은 {right}%, 다른 표정은 {other}%를 칭찬합니다. " +
    "평소 얼굴을 알 때에는 (컴퓨터로 만든 사람) {knownRight}%\u2060와 {knownOther}%\u2060입니다.",
  sethold: "표정을 유지하는 시간",
  settries: "표정마다 해 볼 횟수",
  setminutes: "놀이 시간",
  noLimit: "제한 없음",
  seconds: "{number}초",
  times: "{number}번",
  minutesOf: "{number}분",
  setstrength: "처음 보여 줄 표정의 세기",
  setsound: "듣기 단추 보이기",
  setspoken: "누르지 않아도 말로 알려 주기",
  setbreak_button: "쉬기 단추 보이기",
  seteasing: "잘 안된 표정은 이번에는 조금 쉽게 하기",
  usualSettings: "처음 설정으로",
  done: "마침",
  model: "표정을 만드는 모델",
  modelchosen: "지정한 모델",
  modelown: "직접 학습한 모델",
  modelshipped: "함께 제공된 모델",
  modeldemo: "데모 모델",
  modelnone: "지금은 모델이 없습니다. 설치한 분께 이 글을 보여 주십시오.",
  drawn: "그림 얼굴로 학습",
  rendered: "컴퓨터로 만든 얼굴로 학습",
  photolike: "실제로 없는 사람의 사진 같은 얼굴로 학습",
  photos: "사진으로 학습",
  cardsTitle: "카드 저장과 인쇄",
  cardsText: "카드는 이 기기에서 만들어지고 어디로도 보내지지 않습니다. 아이의 얼굴이 있는 파일을 잘 간수해 주십시오.",
  cardsPhoto: "얼굴 사진으로",
  cardsSymbol: "사진 없이 그림으로",
  cardsBoth: "두 언어로",
  cardsOwn: "아이가 지은 얼굴로",
  print: "인쇄",
  save: "저장",
};

const ENGLISH = {
  title: "Face play",
  otherLanguage: "한국어",
  listen: "Listen",
  home: "Home",
  back: "Back",
  again: "Try again",

  startTitle: "Which face shall we make?",
  startText: "Pick a face you would like to try.",
  take: "Take my photo",
  choose: "Choose a photo",
  friends: "Play with a friend",
  friendsOnly: "Today we play with a friend.",
  privacyHere: "Photos are used on this computer only, and never stored unless you say so.",
  privacyServer: "Photos are sent to {host} to be used there, and never stored unless you say so.",
  forAdults: "For grown-ups",
  problemForAdults: "For the person who set up the server:",

  friendsTitle: "Who shall we play with?",
  friendsComing: "Our friends are coming.",
  friend: "Friend {number}",

  cameraTitle: "Put your face in the circle",
  shutter: "Take it",
  timer: "Take it in 3 seconds",
  cameraTitleClosed: "The camera is resting",
  cameraClosed: "You can choose a photo.",
  cameraForAdults: "Please allow this page to use the camera in the browser's settings.",

  sureTitle: "This photo?",
  yours: "Your photo",
  noPreview: "This photo can't be shown here, but it can be used.",
  yes: "Yes",
  another: "Another photo",

  waitingTitle: "Making your faces",
  searching: "Looking for a face in the photo.",
  making: "Drawing five faces.",
  queueing: "Waiting for our turn.",
  slow: "It takes a little longer. Shall we wait a bit more?",
  cancel: "Stop",
  whoTitle: "Whose face shall it be?",
  who: "Face {number}",

  original: "My face",
  angry: "Angry face",
  fearful: "Scared face",
  happy: "Happy face",
  sadness: "Sad face",
  surprised: "Surprised face",
  friendFace: "My friend's face",
  overviewTitle: "Six faces",
  overviewCard: "See the {emotion}",
  overviewDone: "See the {emotion}: you did it",
  mineOf: "My own {emotion}",
  guess: "Guess the face",
  finish: "All done",

  previous: "Face before",
  next: "Next face",
  strength: "How strong",
  none: "Not at all",
  little: "A little",
  very: "Very",
  mine: "You did it too",
  tried: "You tried it too",
  triedFace: "A face I tried",
  ownPicture: "My picture",
  move: "See it move",
  myTurn: "My turn",
  oneMore: "Once more",
  enough: "You are done with this face. Well done!",
  all: "See all",

  turnTitle: "Can you make a {emotion}?",
  look: "Look",
  me: "Me",
  meter: "How alike",
  mirrorLoading: "Getting the mirror ready.",
  keeping: "Fetching the mirror: {percent} %",
  notKept: "The mirror could not be stored on this device: without its server it may not open.",
  looking: "Looking at the picture.",
  noMirror: "The mirror is resting today. Look at the picture: can you make that face?",
  turnNoCamera: "The camera is resting. You can choose a photo.",
  rest: "Take a break",
  restTitle: "Let's take a break",
  restText: "Breathe in slowly, and out slowly.",
  restDone: "Let's go on",

  compareTitle: "Look at both faces",
  reachedTitle: "You did it! Well done!",
  closerTitle: "Closer than your first try!",
  goodTryTitle: "Good try! Well done!",
  restAnew: "Usual face again",
  keep: "Good, next!",
  keepLast: "Good!",
  retake: "Take again",
  opinion: "For grown-ups: what this picture shows",

  guessTitle: "Which face is this?",
  guessRight: "Yes! It is a {emotion}.",
  guessOther: "This is a {emotion}. Shall we look again?",
  guessNext: "Next",
  guessEnd: "That was all! You looked so carefully.",

  endTitle: "My faces today",
  endNothing: "You looked at the faces today. That is lovely too!",
  endText: "A star is a face you did.",
  endTime: "Our time is over for today. Shall we look at your faces?",
  starFor: "{emotion}: you did it",
  end: "The end!",
  sendAsk: "Send pictures (with a grown-up)",
  keepAsk: "Save or print (grown-ups: hold)",
  byeTitle: "Well done!",
  byeText: "That's it for today. See you again!",
  byeForgotten: "All pictures are cleared.",
  byeSent: "Pictures sent: {count}. Thank you!",
  startOver: "Start again",

  consentTitle: "Ask a grown-up",
  consentText:
    "When you press Send, the pictures above are stored on the server and used to teach the AI that makes the " +
    "faces. No name and no place is stored with them. It is fine not to send them.",
  consentOnlyReached: "Only pictures that clearly show their face are sent.",
  agree: "I am the guardian and I agree",
  send: "Send",
  dontSend: "Don't send",
  sending: "Sending.",
  sendFailed: "The server can't be reached, so nothing was sent yet. The pictures are still here. Please send again.",
  sendNothingKept: "The server does not see the faces clearly enough in these pictures, and stored none of them.",

  codeTitle: "Access code",
  codeText: "Please type the code that the person who set up the server gave you.",
  codeDone: "OK",
  codeWrong: "This code is not accepted. Please check it once more.",

  adultTitle: "A grown-up first, please",
  adultServer:
    "To make the faces, the child's photo is sent to the server {host}, a computer other than this device. " +
    "The server does not store it; before anything is stored, you are asked.",
  adultdrawn:
    "This server's model has learned from drawn faces only. Real photos can come out distorted, which may frighten " +
    "a child. A friend is the better choice.",
  adultrendered:
    "This server's model has learned from computer-made people. Real photos may look odd: please look first, together.",
  reviewTitle: "A grown-up looks first, please",
  reviewText: "Tap a face that could frighten the child, to leave it out.",
  reviewDone: "Show the child (hold)",
  shownToChild: "{emotion}: shown to the child",
  notGood: "{emotion}: left out, as it did not come out well",
  adultAgree: "Grown-ups: hold to agree",
  holdLonger: "Please hold a little longer.",

  leaveTitle: "Go to the first screen? All pictures will be cleared.",
  stay: "Stay here",
  leave: "Go",

  noFaceTitle: "Where is the face?",
  otherPhotoTitle: "Let's find another photo",
  noFace: "Shall we try again where it is bright, with the whole face in view?",
  unreadable: "This photo does not open. Shall we try another one?",
  tooLarge: "This photo is too large. Shall we try another one?",
  notGoodFaces: "The faces did not come out well. Shall we try another photo?",
  not_goodForAdults: "All faces failed their check, so none is shown. Best is a calm face from the front, in good light.",
  unreadableForAdults: "This is no photo, or of a kind that this browser can't open: choose a JPEG, PNG, WebP or HEIC photo.",
  laterTitle: "Let's take a short break",
  later: "Shall we try again in a moment?",
  offline: "There is no connection right now. Your photo is still here: let's try again in a moment.",
  offlineForAdults: "The server can't be reached. Please check that it runs and that this device has a network.",

  settings: "Grown-ups (hold)",
  settingsTitle: "For grown-ups",
  settingsText: "What you choose here is kept on this device, or in the record of the child you choose.",
  settingsNotKept: "The server can't be reached, so the child's record does not have this setting. It counts for now.",
  setchild: "Whose record",
  nobody: "No record",
  noChildren: "There is no child to keep a record of yet. Children are added in EMOKIDS, with consent.",
  today: "Today",
  todayText: "The nearest of all tries, out of 100, and how often it was reached, of how many tries. Guessed rightly: {right} of {guesses}.",
  todayNothing: "No face was tried yet today. Tries shorter than 2 seconds don't count.",
  whichEmotions: "Faces and their order",
  up: "{emotion} earlier",
  down: "{emotion} later",
  setlevel: "How alike it must be",
  easy: "Easy",
  medium: "Medium",
  hard: "Hard",
  levelMeaning:
    "praises {right}\u00a0% of real people's attempts and {other}\u00a0% of other expressions; " +
    "where the usual face is known (rendered people), {knownRight}\u00a0% and {knownOther}\u00a0%.",
  sethold: "How long to hold a face",
  settries: "Tries for each face",
  setminutes: "Time to play",
  noLimit: "No limit",
  seconds: "{number} s",
  times: "{number}",
  minutesOf: "{number} min",
  setstrength: "How strong a face is at first",
  setsound: "Show the speaker",
  setspoken: "Say hints and names without it, too",
  setbreak_button: "Show a break button",
  seteasing: "After a try that did not succeed, ask a little less this time",
  usualSettings: "Usual settings",
  done: "Done",
  model: "The model that makes the faces",
  modelchosen: "The model that was set",
  modelown: "Your own model",
  modelshipped: "The model that comes with the app",
  modeldemo: "The demo's model",
  modelnone: "There is no model now. Please show this to the person who set it up.",
  drawn: "learned from drawn faces",
  rendered: "learned from computer-made faces",
  photolike: "learned from photo-like faces of nobody",
  photos: "learned from photos",
  cardsTitle: "Save and print cards",
  cardsText: "Cards are made on this device and sent nowhere. Please look after files that show the child's face.",
  cardsPhoto: "With the photo",
  cardsSymbol: "Drawn, without a photo",
  cardsBoth: "In both languages",
  cardsOwn: "With the child's own faces",
  print: "Print",
  save: "Save",
};

const TABLES = { korean: KOREAN, english: ENGLISH };

export let language =
  localStorage.getItem("language") ?? (navigator.language.toLowerCase().startsWith("ko") ? "korean" : "english");
if (!(language in TABLES)) language = "english";

// The text of `key` in the language of the page, its {places} filled in. An emotion's name is given as its key.
export function word(key, values = {}) {
  const text = TABLES[language][key].replace(/\{(\w+)\}/g, (_, name, at) => {
    if (name !== "emotion") return values[name];
    return at ? word(values[name]).toLowerCase() : word(values[name]);
  });
  return text.replace(/\ba (?=[aeiou])/g, "an ");
}

// The text of `key` in both languages, the page's own first.
export function bothWords(key) {
  const both = [KOREAN[key], ENGLISH[key]];
  return (language === "english" ? both.reverse() : both).join(" · ");
}

export function switchLanguage() {
  language = language === "english" ? "korean" : "english";
  localStorage.setItem("language", language);
  fillWords();
}

// --- Elements that say something, and say it anew in the other language ------------------------------------------

const sentences = new WeakMap(); // element -> {korean, english}: what the server or the mirror says

// Let `element` say the word `key`; nothing for "".
export function say(element, key, values) {
  setWord(element, "word", key, values);
}

// Give `element` a name for whoever can't see it.
export function name(element, key, values) {
  setWord(element, element.tagName === "IMG" ? "alt" : "label", key, values);
}

function setWord(element, what, key, values = {}) {
  sentences.delete(element);
  element.dataset[what] = key;
  element.dataset[`${what}Values`] = JSON.stringify(values);
  fill(element);
}

// Let `element` say a sentence {korean, english}.
export function saySentence(element, sentence) {
  delete element.dataset.word;
  element.dataset.sentence = "";
  sentences.set(element, sentence);
  fill(element);
}

function fill(element) {
  const { word: key, wordValues, alt, altValues, label, labelValues } = element.dataset;
  const text = (what, values) => (what ? word(what, JSON.parse(values ?? "{}")) : "");
  if (key !== undefined) setText(element, text(key, wordValues));
  else if (sentences.has(element)) setText(element, sentences.get(element)[language]);
  if (alt !== undefined) element.alt = text(alt, altValues);
  if (label !== undefined) element.setAttribute("aria-label", text(label, labelValues));
}

// A text that stays the same is not set again: a screen reader would repeat it.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function fillWords() {
  document.documentElement.lang = language === "english" ? "en" : "ko";
  document.title = word("title");
  for (const element of document.querySelectorAll("[data-word], [data-alt], [data-label], [data-sentence]")) {
    fill(element);
  }
}
