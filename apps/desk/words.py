"""Every word of the desk, Korean first, in the language the adult chose. Adults are spoken to politely (합니다체)."""

from __future__ import annotations

import streamlit as st

from common import emotions

STATE = "language"
LANGUAGES = {"ko": "한국어", "en": "English"}
ORIGINAL = "original"

# The faces as a child calls them: on cards.
FACES = {
    ORIGINAL: ("내 얼굴", "My face"),
    "angry": ("화난 얼굴", "Angry face"),
    "fearful": ("겁먹은 얼굴", "Scared face"),
    "happy": ("기쁜 얼굴", "Happy face"),
    "sadness": ("슬픈 얼굴", "Sad face"),
    "surprised": ("놀란 얼굴", "Surprised face"),
}

WORDS = {
    "facesPage": ("얼굴 만들기", "Make faces"),
    "feedbackPage": ("표정 피드백", "Feedback"),
    "childrenPage": ("아이 기록", "Children"),
    "modelsPage": ("사용 중인 모델", "Models in use"),
    ORIGINAL: (emotions.ORIGINAL_KOREAN, "Original"),
    # The code
    "codeTitle": ("접속 코드", "Access code"),
    "codeText": ("이 화면은 어른만 볼 수 있습니다.", "This desk is for adults."),
    "open": ("열기", "Open"),
    "codeNeeded": (
        "다른 컴퓨터도 이 화면을 열 수 있으므로 접속 코드가 필요합니다. {name}에 코드를 정하고 다시 시작하십시오.",
        "Other computers can open this desk, so it needs an access code: set {name} and start it again.",
    ),
    "codeWrong": ("코드가 맞지 않습니다.", "That is not the code."),
    # Making faces
    "facesText": (
        "얼굴이 나온 사진 한 장이면 모든 얼굴의 다섯 표정을 만듭니다. 사진은 이 컴퓨터에서만 쓰이고 저장되지 않습니다.",
        "One photo gives every face in it five expressions. Photos are used on this computer only, and never stored.",
    ),
    "photo": ("사진 고르기", "Choose a photo"),
    "camera": ("카메라로 찍기", "Take a photo"),
    "source": ("사진", "Photo"),
    "unreadable": (
        "이 파일은 사진으로 열리지 않습니다. JPEG, PNG, WebP, HEIC 사진을 골라 주십시오.",
        "This file does not open as a photo. Please choose a JPEG, PNG, WebP or HEIC photo.",
    ),
    "noFace": (
        "사진에서 얼굴을 찾지 못했습니다. 밝은 곳에서 얼굴 전체가 보이게 찍은 사진을 골라 주십시오.",
        "No face was found. Please choose a bright photo with the whole face in view.",
    ),
    "making": ("표정을 만들고 있습니다.", "Making expressions."),
    "loading": ("모델을 불러오고 있습니다.", "Loading the models."),
    "face": ("{number}번 얼굴", "Face {number}"),
    "strength": ("표정의 세기", "Strength"),
    "notCalm": (
        "이 사진은 만들기 어렵습니다({shows}). 표정 없이 편안하고 가려지지 않은 얼굴에서 가장 잘 만들어집니다.",
        "This face is harder than others ({shows}): calm faces, with nothing in front of them, come out best.",
    ),
    "failed": ("아이에게 보이지 마십시오: {reason}", "Not for the child: {reason}"),
    "weak": ("약함: {reason}", "Weak: {reason}"),
    "leftOut": ("만들지 못한 것", "Left out"),
    "noMesh": (
        "얼굴이 너무 돌아가 있거나 작거나 가려져서 표정을 만들지 않았습니다.",
        "turned away, too small or covered: it was left as it is.",
    ),
    "save": ("저장", "Save"),
    "saveAll": ("모두 저장 (ZIP)", "Save all (ZIP)"),
    "saveCards": ("카드로 인쇄 (A4 PDF)", "Cards to print (A4 PDF)"),
    "drawnOnly": (
        "지금 모델은 그림으로 그린 얼굴만 배웠습니다. 실제 사진은 일그러질 수 있으니 아이보다 먼저 봐 주십시오.",
        "The model in use has learned from drawn faces only. Photos may come out distorted: look before a child does.",
    ),
    # Feedback
    "feedbackText": (
        "아이의 화면과 같은 거울입니다. 표정은 이 브라우저 안에서만 읽고, 영상은 보내지 않습니다.",
        "The mirror of the child's page. Expressions are read in this browser; no picture leaves it.",
    ),
    "mirror": ("거울", "Mirror"),
    "picture": ("사진의 표정", "A picture's expression"),
    "pictureText": (
        "사진 속 표정이 다섯 감정에 얼마나 가까운지, 무엇을 바꾸면 더 가까워지는지 봅니다.",
        "How near a picture comes to each of the five emotions, and what would bring it nearer.",
    ),
    "nearTo": ("{emotion}: {percent}%", "{emotion}: {percent} %"),
    "reachedMark": ("도달", "reached"),
    # Children
    "childrenText": (
        "어른이 아이를 등록한 뒤에만 기록합니다. 별칭과 숫자만 이 컴퓨터에 남고, 사진과 이름은 남지 않습니다.",
        "Nothing is kept unless an adult adds a child here: then a pseudonym and numbers, on this computer only. "
        "No picture, no name.",
    ),
    "child": ("아이", "Child"),
    "noChild": ("아이를 고르십시오", "Choose a child"),
    "addChild": ("아이 등록", "Add a child"),
    "pseudonym": ("별칭 (이름이 아닌 것)", "Pseudonym (not a name)"),
    "badPseudonym": (
        "별칭은 글자, 숫자, 빈칸, - 로 30자까지 적어 주십시오.",
        "Use up to 30 letters, digits, blanks and hyphens for the pseudonym.",
    ),
    "nothingChosen": ("무엇을 기록할지 하나 이상 고르십시오.", "Please choose what may be kept: at least one."),
    "badSettings": (
        "표정을 하나 이상 고르고, 성공 횟수가 시도 횟수를 넘지 않게 하십시오.",
        "Please choose at least one expression, and no more reached than tries.",
    ),
    "takenPseudonym": ("이미 있는 별칭입니다.", "Another child has this pseudonym."),
    "who": ("누가 동의했습니까?", "Who agreed?"),
    "parent": ("부모", "Parent"),
    "guardian": ("법정대리인", "Legal guardian"),
    "self": ("본인 (14세 이상)", "The person (14 or older)"),
    "what": ("무엇을 기록합니까?", "What may be kept?"),
    "attempts": ("거울 연습의 숫자", "Numbers of mirror practice"),
    "guesses": ("알아맞히기의 답", "Answers of the guessing game"),
    "notes": ("어른의 메모", "Adults' notes"),
    "months": ("얼마 동안 보관합니까?", "For how long?"),
    "monthsOf": ("{number}개월", "{number} months"),
    "monthsHelp": (
        "이 기간이 지나면 기록은 저절로 지워집니다.",
        "After that the record is deleted by itself.",
    ),
    "childAgreed": ("아이도 알고 좋다고 했습니다", "The child knows and is fine with it"),
    "agree": ("동의를 확인했고 등록합니다", "Consent was given: add"),
    "added": ("등록했습니다: {name}", "Added: {name}"),
    "consentHere": (
        "동의: {who}, {given}. 보관 기한: {until}. 기록하는 것: {what}.",
        "Consent: {who}, {given}. Kept until {until}. What is kept: {what}.",
    ),
    "consentEnds": (
        "{days}일 뒤 기록이 저절로 지워집니다. 계속하려면 동의를 새로 받으십시오.",
        "In {days} days the record is deleted by itself. To go on, ask for consent anew.",
    ),
    "renew": ("동의를 새로 받았습니다", "Consent was given anew"),
    "earlier": ("이전 동의 {number}건", "Earlier consents: {number}"),
    "progressTab": ("진행", "Progress"),
    "notesTab": ("메모와 단계", "Notes and phases"),
    "settingsTab": ("설정", "Settings"),
    "consentTab": ("동의와 삭제", "Consent and deletion"),
    "nothingYet": ("아직 연습한 기록이 없습니다.", "Nothing was practised yet."),
    "noneInRange": ("이 기간에는 연습한 기록이 없습니다.", "Nothing was practised in this time."),
    "range": ("기간", "From and to"),
    "per": ("단위", "Points"),
    "session": ("회기", "Session"),
    "sessions": ("회기", "Sessions"),
    "week": ("주", "Week"),
    "rate": ("성공률 (%)", "Success rate (%)"),
    "best": ("최고 점수 (%)", "Best score (%)"),
    "bestRange": ("최고 점수 범위 (%)", "Best score, range (%)"),
    "seconds": ("성공까지 걸린 시간 (초)", "Seconds until reached"),
    "level": ("난이도", "Level"),
    "hints": ("시도당 도움말", "Hints a try"),
    "emotion": ("표정", "Expression"),
    "tries": ("시도", "Tries"),
    "reached": ("성공", "Reached"),
    "mastery": ("숙달", "Mastery"),
    "mastered": ("{day} 숙달", "mastered {day}"),
    "onTheWay": ("{running}/{sessions}회기", "{running} of {sessions} sessions"),
    "goal": (
        "숙달 기준: 마지막 {of}번 중 {right}번 성공을 {sessions}회기 연속 (같은 난이도)",
        "Mastered: {right} of the last {of} tries reached, in {sessions} sessions running (at one level)",
    ),
    "guessing": ("알아맞히기", "Guessing"),
    "shown": ("보여 준 표정", "Shown"),
    "atOnce": ("바로 맞힘", "Known at once"),
    "confused": ("헷갈린 표정", "Taken for"),
    "saveCsv": ("CSV로 저장", "Save as CSV"),
    "saveReport": ("한 쪽 보고서 (PDF)", "One-page report (PDF)"),
    "day": ("날짜", "Day"),
    "text": ("내용 (이름은 적지 마십시오)", "Text (no names, please)"),
    "phase": ("여기서 새 단계가 시작됩니다", "A new phase begins here"),
    "add": ("추가", "Add"),
    "remove": ("지우기", "Remove"),
    "notesOff": ("메모 보관에 동의하지 않았습니다. 단계만 적을 수 있습니다.", "Notes were not agreed to; phases only."),
    "phases": ("단계", "Phases"),
    "emotionsOrder": ("표정과 순서", "Expressions, in this order"),
    "easy": ("쉽게", "Easy"),
    "medium": ("보통", "Medium"),
    "hard": ("어렵게", "Hard"),
    "hold": ("표정을 유지하는 시간 (초)", "Hold for (seconds)"),
    "triesEach": ("표정마다 해 볼 횟수", "Tries for each expression"),
    "minutes": ("한 회기 (분, 0은 제한 없음)", "A session (minutes, 0 for no limit)"),
    "sound": ("소리", "Sound"),
    "spoken": ("말로 알려 주기", "Words said aloud"),
    "breakButton": ("쉬기 단추", "A break button"),
    "easing": ("잘 안된 표정은 이번에는 조금 쉽게", "Ask a little less after a try that did not succeed"),
    "goalRight": ("성공 횟수", "Reached"),
    "goalOf": ("마지막 시도 중", "of the last tries"),
    "goalSessions": ("연속 회기", "in sessions running"),
    "keep": ("저장", "Save"),
    "kept": ("저장했습니다.", "Saved."),
    "withdraw": ("동의를 철회하고 모두 지우기", "Withdraw consent and delete everything"),
    "withdrawText": (
        "{name}의 설정, 회기 {sessions}개, 메모가 모두 지워지고 되살릴 수 없습니다. 먼저 CSV로 저장할 수 있습니다.",
        "Settings, {sessions} sessions and notes of {name} will be deleted for good. You can save them as CSV first.",
    ),
    "withdrawSure": ("네, 모두 지웁니다", "Yes, delete everything"),
    "deleted": ("지웠습니다: {name}", "Deleted: {name}"),
    "gone": ("이 아이의 기록은 없습니다.", "There is no record of this child any more."),
    # The report
    "reportTitle": ("표정 연습 보고: {name}", "Practice report: {name}"),
    "reportRange": ("{first} ~ {last}, {sessions}회기", "{first} to {last}, {sessions} sessions"),
    "reportPage": (
        "컴퓨터가 잰 표정의 점수이며, 느끼는 감정이나 진단을 뜻하지 않습니다.",
        "These are scores of expressions as a computer measures them, not of feelings, and no diagnosis.",
    ),
    # The model
    "generator": ("표정을 만드는 모델", "The generator"),
    "judge": ("표정을 보는 모델", "The judge"),
    "file": ("파일", "File"),
    "origin": ("출처", "Whose"),
    "modelchosen": ("지정한 모델", "set by you"),
    "modelown": ("직접 학습한 모델", "trained here"),
    "modelshipped": ("함께 제공된 모델", "comes with the app"),
    "modeldemo": ("데모 모델", "the demo's"),
    "learned": ("배운 얼굴", "Learned from"),
    "drawn": ("그린 얼굴", "drawn faces"),
    "rendered": ("컴퓨터로 만든 얼굴", "computer-made faces"),
    "photolike": ("실제로 없는 사람의 사진 같은 얼굴", "photo-like faces of nobody"),
    "photos": ("사진", "photos"),
    "modelnone": (
        "지금은 모델이 없습니다. 설치한 분께 이 글을 보여 주십시오.",
        "There is no model now. Please show this to whoever set it up.",
    ),
    "renderedText": (
        "실제 사진에서는 어색하게 보일 수 있으니 아이보다 먼저 봐 주십시오.",
        "Real photos may look odd: please look before the child does.",
    ),
    "judgeText": (
        "거울과 피드백은 MediaPipe가 읽은 얼굴 움직임과 실제 얼굴을 배운 판별기로 판단합니다.",
        "Mirror and feedback judge by the movements that MediaPipe reads from a face, and by a judge of real faces.",
    ),
    "judgeMeasured": ("난이도별로 잰 값:", "Measured at each level:"),
    "rightPercent": ("맞는 표정을 인정 (%)", "Right expressions accepted (%)"),
    "otherPercent": ("다른 표정을 인정 (%)", "Other expressions accepted (%)"),
    "knownRest": ("평소 얼굴을 알 때", "Usual face known"),
    "yes": ("예", "yes"),
    "no": ("아니요", "no"),
}


# What `translation/result_check.py` says of a result.
REASONS = {
    "no face is found in the result": "결과에서 얼굴을 찾지 못했습니다",
    "the face came out in another shape than meant": "얼굴 모양이 일그러졌습니다",
    "it no longer looks like the same person": "다른 사람처럼 보입니다",
    "the emotion hardly shows": "감정이 거의 드러나지 않습니다",
    "it looks less like the same person": "같은 사람으로 덜 보입니다",
    "the face smiles": "웃고 있습니다",
    "the mouth is open": "입이 벌어져 있습니다",
    "the brows frown": "눈썹을 찌푸리고 있습니다",
    "the eyes are shut": "눈을 감고 있습니다",
    "something is in front of the mouth": "입이 가려져 있습니다",
}


def is_english() -> bool:
    """Whether this adult reads English: chosen so, or their browser is set to another language than Korean."""
    chosen = st.session_state.get(STATE)
    if chosen is None:
        locale = st.context.locale
        return bool(locale) and not str(locale).lower().startswith("ko")
    return bool(chosen == "en")


def word(key: str, **values: object) -> str:
    """The text of `key` in the adult's language, `values` filled in."""
    return WORDS[key][is_english()].format(**values)


def reason_word(reason: str) -> str:
    """Why a result is not good, or a photo not calm."""
    return reason if is_english() else REASONS.get(reason, reason)


def emotion_word(name: str) -> str:
    """An emotion, or the original, as adults call it."""
    if name == ORIGINAL:
        return word(ORIGINAL)
    row = emotions.EMOTIONS[name]
    return row.english.capitalize() if is_english() else row.korean
