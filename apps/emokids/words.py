"""Every word of the Streamlit app, Korean first, in the language its visitor chose. Those it shares with the phone's
page (apps/phone/web/words.js) are the same. Calm and kind: nothing here says "wrong".
"""

from __future__ import annotations

import streamlit as st

from common import emotions

ORIGINAL = "original"

WORDS = {
    "title": ("표정 놀이", "Face play"),
    "otherLanguage": ("English", "한국어"),
    "generatePage": ("감정 생성", "Make faces"),
    "feedbackPage": ("감정 피드백", "Mirror"),
    "therapistPage": ("치료사", "Therapist"),
    # Making faces
    "startTitle": ("어떤 표정을 지어 볼까?", "Which face shall we make?"),
    "startText": ("내 얼굴로 다섯 가지 표정을 만나 봐요.", "Meet five feelings on your own face."),
    "choose": ("사진 고르기", "Choose a photo"),
    "take": ("사진 찍기", "Take a photo"),
    "shutter": ("찰칵 찍기", "Take it"),
    "retake": ("다시 찍기", "Take again"),
    "sourceLabel": ("사진을 어떻게 줄까?", "How shall we get the photo?"),
    "onlyHere": (
        "사진은 이 컴퓨터에서만 쓰이고, 저장되지 않아요.",
        "Photos are used only on this computer, and never stored.",
    ),
    "reading": ("얼굴을 찾고 있어요", "Looking for a face"),
    "waitingTitle": ("표정을 만들고 있어요", "Making your faces"),
    "original": (emotions.ORIGINAL_KOREAN, "Original"),
    "faceOf": ("내 얼굴: {emotion}", "My face: {emotion}"),
    "whoseFace": ("누구의 얼굴로 만들까?", "Whose face shall we use?"),
    "thisFace": ("이 얼굴", "This face"),
    "took": ("{seconds:.1f}초 걸렸어요.", "It took {seconds:.1f} seconds."),
    "enlarge": ("크게 보기", "See it large"),
    "save": ("저장", "Save"),
    "saveCards": ("카드로 인쇄하기 (A4 PDF)", "Cards to print (A4 PDF)"),
    "startOver": ("새로 하기", "Play again"),
    "toMirror": ("거울 보러 가기", "Go to the mirror"),
    "noFace": (
        "얼굴이 잘 보이는 밝은 곳에서 다시 찍어 볼까?",
        "Shall we try again where it is bright, with the whole face in view?",
    ),
    "unreadable": (
        "이 사진은 열 수가 없어요. 다른 사진을 골라 볼까?",
        "This photo can't be opened. Shall we choose another?",
    ),
    "noModel": (
        "아직 모델이 없어요. 모델을 학습하거나 STARGAN_FE_CHECKPOINT에 -G.ckpt 파일을 적고 다시 열어 주세요.",
        "There is no model yet: train one, or set STARGAN_FE_CHECKPOINT to a -G.ckpt file, and open this page again.",
    ),
    # The mirror
    "turnTitle": ("{emotion} 표정을 지어 볼까?", "Can you look {emotion}?"),
    "whichEmotion": ("어떤 표정?", "Which face?"),
    "look": ("보기", "Look"),
    "me": ("나", "Me"),
    "meter": ("얼마나 비슷한지", "How alike"),
    "mirrorLoading": ("거울을 준비하고 있어요.", "Getting the mirror ready."),
    "cameraRefused": (
        "카메라를 켜 볼까? 브라우저 설정에서 카메라를 허락해 주세요.",
        "Shall we turn on the camera? Please allow it in the browser's settings.",
    ),
    "offline": (
        "서버에 연결되어 있지 않아요. 연결을 확인하고 다시 해 주세요.",
        "The server can't be reached. Please check the connection and try again.",
    ),
    "noMirror": (
        "오늘은 거울 도움말이 쉬어요. 보기 사진을 보면서 지어 볼까?",
        "The mirror's tips are resting today. Look at the picture: can you make that face?",
    ),
    "drawnFace": (
        "감정 생성에서 사진을 고르면 내 얼굴이 보여요.",
        "Choose a photo under Make faces, and your own face will be here.",
    ),
    "oneMore": ("한 번 더", "Once more"),
    # For the therapist
    "therapistText": (
        "이 브라우저에서 지금까지 연습한 기록이에요. 사진은 들어 있지 않고, 저장하지 않으면 창을 닫을 때 사라져요.",
        "What was practised in this browser so far. It holds no picture, and is gone with the window unless saved.",
    ),
    "nothingYet": (
        "아직 연습한 기록이 없어요. 거울에서 시작해 볼까?",
        "Nothing was practised yet. Shall we start at the mirror?",
    ),
    "emotion": ("감정", "Emotion"),
    "attempt": ("시도", "Attempt"),
    "attempts": ("시도", "Attempts"),
    "reachedTimes": ("성공", "Reached"),
    "fastest": ("가장 빠른 시간(초)", "Fastest (s)"),
    "bestScore": ("최고 점수", "Best score"),
    "bestOverTime": ("시도마다 최고 점수", "Best score of each attempt"),
    "timeToReach": ("성공까지 걸린 시간(초)", "Seconds until reached"),
    "time": ("시각", "Time"),
    "saveCsv": ("CSV로 저장", "Save as CSV"),
    "forget": ("기록 지우기", "Clear the record"),
}


def is_english() -> bool:
    """Whether this visitor chose English."""
    return bool(st.session_state.get("english"))


def word(key: str, **values: object) -> str:
    """The text of `key` in the visitor's language, `values` filled in."""
    return WORDS[key][is_english()].format(**values)


def emotion_word(name: str) -> str:
    """An emotion (or `ORIGINAL`) as it stands alone, in the visitor's language."""
    return both_words(name)[is_english()]


def both_words(name: str) -> tuple[str, str]:
    """An emotion (or `ORIGINAL`) as it stands alone, in Korean and in English."""
    if name == ORIGINAL:
        return WORDS[ORIGINAL]
    return emotions.EMOTIONS[name].korean, emotions.EMOTIONS[name].english.capitalize()


def turn_title(emotion: str) -> str:
    """The invitation to make the emotion."""
    names = emotions.EMOTIONS[emotion]
    return word("turnTitle", emotion=names.english if is_english() else names.korean)
