"""Every word of the Streamlit app, Korean first, in the language its visitor chose.

Those it shares with the phone's page (apps/page/web/words.js) are the same. A child is spoken to as
to a friend (해체), an adult politely (합니다체). Calm and kind: nothing here says "wrong".
"""

from __future__ import annotations

import streamlit as st

from apps.emokids.settings import settings
from common import emotions

ORIGINAL = "original"

# The faces as a child calls them.
FACES = {
    ORIGINAL: ("내 얼굴", "My face"),
    "angry": ("화난 얼굴", "Angry face"),
    "fearful": ("무서운 얼굴", "Scared face"),
    "happy": ("기쁜 얼굴", "Happy face"),
    "sadness": ("슬픈 얼굴", "Sad face"),
    "surprised": ("놀란 얼굴", "Surprised face"),
}

WORDS = {
    **FACES,
    "title": ("표정 놀이", "Face play"),
    "otherLanguage": ("English", "한국어"),
    "generatePage": ("얼굴 만들기", "Make faces"),
    "mirrorPage": ("거울", "Mirror"),
    "guessPage": ("알아맞히기", "Guess"),
    "recordPage": ("기록", "Record"),
    "adultPage": ("어른 (길게 누르기)", "Grown-ups (hold)"),
    # Making faces
    "startTitle": ("어떤 표정을 지어 볼까?", "Which face shall we make?"),
    "startLoading": ("놀이를 준비하고 있어.", "Getting everything ready."),
    "sourceLabel": ("어떤 얼굴로 할까?", "Whose face shall we use?"),
    "choose": ("사진 고르기", "Choose a photo"),
    "take": ("내 사진 찍기", "Take my photo"),
    "friends": ("그림 친구와 하기", "Play with a drawn friend"),
    "friendsTitle": ("누구와 놀까?", "Who shall we play with?"),
    "friend": ("친구 {number}", "Friend {number}"),
    "shutter": ("찰칵 찍기", "Take it"),
    "timer": ("3초 뒤에 찍기", "Take it in 3 seconds"),
    "cameraTitleClosed": ("카메라가 쉬고 있어", "The camera is resting"),
    "cameraForAdults": (
        "브라우저 설정에서 이 페이지에 카메라를 허용해 주십시오.",
        "Please allow this page to use the camera in the browser's settings.",
    ),
    "forAdults": ("어른께", "For grown-ups"),
    "privacyComputer": (
        "사진은 이 컴퓨터에서만 쓰이고, 저장되지 않아.",
        "Photos are used on this computer only, and never stored.",
    ),
    "searching": ("사진에서 얼굴을 찾고 있어.", "Looking for a face in the photo."),
    "sureTitle": ("이 사진으로 할까?", "This photo?"),
    "whoTitle": ("누구의 얼굴로 할까?", "Whose face shall it be?"),
    "who": ("{number}번 얼굴", "Face {number}"),
    "thisFace": ("이 얼굴로 할래", "Use this face"),
    "another": ("다른 사진으로", "Another photo"),
    "waitingTitle": ("표정을 만들고 있어", "Making your faces"),
    "making": ("다섯 가지 표정을 그리고 있어.", "Drawing five faces."),
    "cancel": ("그만하기", "Stop"),
    "strength": ("표정의 세기", "How strong"),
    "little": ("조금", "A little"),
    "very": ("많이", "Very"),
    "enlarge": ("크게 보기", "See it large"),
    "save": ("저장", "Save"),
    "saveCards": ("카드로 인쇄하기 (A4 PDF)", "Cards to print (A4 PDF)"),
    "toMirror": ("거울 보러 가기", "Go to the mirror"),
    "guess": ("표정 알아맞히기", "Guess the face"),
    "noFace": (
        "얼굴이 잘 보이는 밝은 곳에서 다시 찍어 볼까?",
        "Shall we try again where it is bright, with the whole face in view?",
    ),
    "unreadable": (
        "이 사진은 열리지 않네. 다른 사진으로 해 볼까?",
        "This photo does not open. Shall we try another one?",
    ),
    "friendsOnly": ("오늘은 그림 친구와 놀자.", "Today we play with a drawn friend."),
    "photosOff": (
        "어른께: 지금 쓰는 모델은 그림으로 그린 얼굴만 보고 배웠습니다. 실제 사진에서는 얼굴이 일그러져 아이가 "
        "놀랄 수 있어서 사진 대신 그림 친구와 합니다. 그래도 사진을 쓰려면 ‘어른’ 화면에서 켜 주십시오.",
        "For grown-ups: the model in use has learned from drawn faces only. Real photos can come out distorted, which "
        "may frighten a child, so drawn friends stand in. To use photos all the same, allow them under Grown-ups.",
    ),
    # The mirror
    "whichEmotion": ("어떤 표정?", "Which face?"),
    "makeTitle": ("{emotion}, 지어 볼까?", "Can you make {emotion}?"),
    "look": ("보기", "Look"),
    "me": ("나", "Me"),
    "meter": ("얼마나 비슷한지", "How alike"),
    "mirrorLoading": ("거울을 준비하고 있어.", "Getting the mirror ready."),
    "noConnection": (
        "지금은 연결이 안 돼. 어른과 함께 프로그램이 켜져 있는지 볼까?",
        "There is no connection right now. Shall we ask a grown-up whether the program is running?",
    ),
    "noMirror": (
        "오늘은 거울이 쉬고 있어. 보기 사진을 보면서 지어 볼까?",
        "The mirror is resting today. Look at the picture: can you make that face?",
    ),
    "drawnFace": (
        "얼굴 만들기에서 사진을 고르면 내 얼굴이 보여.",
        "Choose a photo under Make faces, and your own face will be here.",
    ),
    "rest": ("잠깐 쉬기", "Take a break"),
    "restTitle": ("잠깐 쉬자", "Let's take a break"),
    "restText": ("숨을 천천히 들이쉬고, 천천히 내쉬어 봐.", "Breathe in slowly, and out slowly."),
    "restDone": ("다시 해 볼래", "Let's go on"),
    "finish": ("다 했어", "All done"),
    "compareTitle": ("두 얼굴을 볼까?", "Look at both faces"),
    "reachedTitle": ("해냈어! 참 잘했어!", "You did it! Well done!"),
    "closerTitle": ("처음보다 더 비슷해졌어!", "Closer than your first try!"),
    "keep": ("좋아, 다음!", "Good, next!"),
    "again": ("다시 해 보기", "Try again"),
    "mineOf": ("내가 지은 {emotion}", "My own {emotion}"),
    "star": ("별", "Star"),
    "endTitle": ("오늘의 내 얼굴들", "My faces today"),
    "endText": ("별은 내가 해낸 표정이야.", "A star is a face you did."),
    "endNothing": (
        "오늘은 얼굴을 구경했어. 그것도 참 좋아!",
        "You looked at the faces today. That is lovely too!",
    ),
    "byeText": ("오늘 놀이는 여기까지야. 또 만나!", "That's it for today. See you again!"),
    # Play again
    "startOver": ("처음부터 다시", "Start again"),
    "startOverTitle": ("처음부터 다시 할까?", "Start again?"),
    "startOverText": (
        "사진과 만든 얼굴, 연습한 기록이 모두 지워져.",
        "The photo, all faces and the record of practice will be cleared.",
    ),
    "saveRecordFirst": ("기록 저장하기", "Save the record"),
    "clearAll": ("모두 지우고 다시 하기", "Clear all and start again"),
    "stay": ("계속하기", "Stay here"),
    # Guess
    "guessTitle": ("어떤 얼굴일까?", "Which face is this?"),
    "guessed": ("맞았어! {emotion}이야.", "Yes! It is {emotion}."),
    "guessAgain": ("눈썹과 입을 다시 볼까?", "Shall we look at the brows and the mouth again?"),
    "guessNext": ("다음", "Next"),
    "guessEnd": ("다 봤어! 얼굴을 잘 살펴봤네.", "That was all! You looked so carefully."),
    # For adults
    "recordText": (
        "이 브라우저에서 지금까지 연습한 기록입니다. 사진은 없으며, 저장하지 않으면 창을 닫을 때 사라집니다. "
        "성공하지 않은 2초 미만의 시도는 적지 않습니다.",
        "What was practised in this browser so far. It holds no picture, and is gone with the window unless saved. "
        "Tries shorter than 2 seconds count only if they succeed.",
    ),
    "nothingYet": ("아직 연습한 기록이 없습니다.", "Nothing was practised yet."),
    "emotion": ("표정", "Face"),
    "attempt": ("시도", "Try"),
    "attempts": ("시도", "Tries"),
    "reachedTimes": ("성공", "Reached"),
    "fastest": ("가장 빠른 시간(초)", "Fastest (s)"),
    "bestScore": ("최고 점수", "Best score"),
    "bestOverTime": ("시도마다 최고 점수", "Best score of each try"),
    "timeToReach": ("성공까지 걸린 시간(초)", "Seconds until reached"),
    "time": ("시각", "Time"),
    "saveCsv": ("CSV로 저장", "Save as CSV"),
    "forget": ("기록 지우기", "Clear the record"),
    "severalDays": ("여러 날의 기록", "Records of several days"),
    "severalDaysText": (
        "원할 때만 쓰십시오. 별칭을 적고 보관하면 위의 숫자만 이 컴퓨터의 {folder} 폴더에 남습니다. "
        "사진과 이름은 남지 않습니다.",
        "Only if you want it. Under a pseudonym, the numbers above are kept in the folder {folder} on this computer: "
        "no picture, no name.",
    ),
    "pseudonym": ("별칭 (이름이 아닌 것)", "Pseudonym (not a name)"),
    "keepRecord": ("오늘 기록 보관하기", "Keep today's record"),
    "keptRecord": ("보관했습니다: {name}", "Kept: {name}"),
    "badPseudonym": (
        "별칭은 글자, 숫자, 빈칸, - 로 30자까지 적어 주십시오.",
        "Use up to 30 letters, digits, spaces and hyphens for the pseudonym.",
    ),
    "loadRecord": ("보관한 기록 보기", "Look at a kept record"),
    "noRecord": ("별칭을 고르십시오", "Choose a pseudonym"),
    "session": ("날짜", "Date"),
    "compareDays": ("날마다 최고 점수", "Best score of each day"),
    "deleteRecord": ("{name}의 기록 지우기", "Delete the record of {name}"),
    "deleteSure": ("정말 지우기", "Yes, delete it"),
    "recordTrouble": ("기록을 읽거나 쓸 수 없습니다: {why}", "The record can't be read or written: {why}"),
    "settingsTitle": ("어른 화면", "For grown-ups"),
    "settingsText": ("여기서 고른 것은 이 기기에만 저장됩니다.", "What you choose here is kept on this device only."),
    "whichEmotions": ("표정과 순서", "Faces and their order"),
    "orderHelp": (
        "고른 순서대로 나옵니다. 쉬운 것부터 고르십시오.",
        "They come in the order you choose: the easy ones first.",
    ),
    "difficulty": ("얼마나 비슷해야 하나", "How alike it must be"),
    "easy": ("쉽게", "Easy"),
    "medium": ("보통", "Medium"),
    "hard": ("어렵게", "Hard"),
    "levelMeaning": (
        "실제 사람의 사진에서 맞는 표정은 {right}%, 다른 표정은 {other}%를 칭찬합니다. "
        "평소 얼굴을 알 때에는 (컴퓨터로 만든 사람) {knownRight}%와 {knownOther}%입니다.",
        "praises {right} % of real people's attempts and {other} % of other expressions; "
        "where the usual face is known (rendered people), {knownRight} % and {knownOther} %.",
    ),
    "hold": ("표정을 유지하는 시간", "How long to hold a face"),
    "seconds": ("{number}초", "{number} s"),
    "rounds": ("표정마다 해 볼 횟수", "Tries for each face"),
    "times": ("{number}번", "{number}"),
    "minutes": ("놀이 시간", "Time to play"),
    "minutesOf": ("{number}분", "{number} min"),
    "noLimit": ("제한 없음", "No limit"),
    "breakButton": ("쉬기 단추 보이기", "Show a break button"),
    "sound": ("말로 알려 주기", "Say the hints aloud"),
    "strengthFirst": ("처음 보여 줄 표정의 세기", "How strong a face is at first"),
    "model": ("표정을 만드는 모델", "The model that makes the faces"),
    "modelchosen": ("지정한 모델", "The model that was set"),
    "modelown": ("직접 학습한 모델", "Your own model"),
    "modelshipped": ("함께 제공된 모델", "The model that comes with the app"),
    "modeldemo": ("데모 모델", "The demo's model"),
    "modelnone": (
        "지금은 모델이 없습니다. 설치한 분께 이 글을 보여 주십시오.",
        "There is no model now. Please show this to the person who set it up.",
    ),
    "drawn": ("그림 얼굴로 학습", "learned from drawn faces"),
    "rendered": ("컴퓨터로 만든 얼굴로 학습", "learned from computer-made faces"),
    "photos": ("사진으로 학습", "learned from photos"),
    "renderedText": (
        "실제 사진에서는 어색하게 보일 수 있으니 먼저 함께 봐 주십시오.",
        "Real photos may look odd: please look first, together.",
    ),
    "photosAnyway": (
        "그래도 아이 사진 쓰기 (얼굴이 일그러져 보일 수 있습니다)",
        "Use the child's photo all the same (the face may look distorted)",
    ),
    # For Streamlit's own English
    "stopped": ("프로그램이 쉬고 있어", "The program is resting"),
    "stoppedText": (
        "어른께: 이 컴퓨터에서 EMOKIDS를 다시 켜 주십시오. 그러면 이 화면은 저절로 다시 연결됩니다.",
        "For grown-ups: please start EMOKIDS on this computer again. This page then connects by itself.",
    ),
    "close": ("닫기", "Close"),
    "skip": ("본문으로 건너뛰기", "Skip to main content"),
    "removeStart": ("빼기: ", "Remove "),
    "helpStart": ("도움말: ", "Help for "),
    "clearChoice": ("모두 빼기", "Clear all"),
    "clearValue": ("선택 지우기", "Clear value"),
    "pages": ("화면", "App pages"),
    "openList": ("목록 펼치기", "Open the list"),
    "openMenu": ("화면 고르기", "Expand sidebar"),
    "closeMenu": ("접기", "Collapse sidebar"),
}


def is_english() -> bool:
    """Whether this visitor reads English: chosen so, or their browser is set to another language than Korean."""
    chosen = settings().english
    if chosen is None:
        locale = st.context.locale
        return bool(locale) and not str(locale).lower().startswith("ko")
    return chosen


def word(key: str, **values: object) -> str:
    """The text of `key` in the visitor's language, `values` filled in."""
    return WORDS[key][is_english()].format(**values)


def in_sentence(emotion: str) -> str:
    """The emotion's face within a sentence: "an angry face"."""
    if not is_english():
        return FACES[emotion][0]
    face = FACES[emotion][1].lower()
    return f"{'an' if face[0] in 'aeiou' else 'a'} {face}"


def adults_word(emotion: str) -> str:
    """The emotion as an adult calls it, for tables and charts."""
    names = emotions.EMOTIONS[emotion]
    return names.english.capitalize() if is_english() else names.korean
