"""맞혀 보기: see a face, choose its name. Recognising a feeling is practised as well as making it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import streamlit as st

from apps.emokids import look, play_again
from apps.emokids.mirror_page import model_picture
from apps.emokids.settings import settings
from apps.emokids.words import in_sentence, word

STATE = "guess"


@dataclass
class Guess:
    """The faces of one game in a random order, how many were seen, and what was tried on the present one."""

    faces: list[str]
    at: int = 0
    tried: set[str] = field(default_factory=set)
    stars: list[str] = field(default_factory=list)  # known at first sight

    @property
    def face(self) -> str:
        """The one to guess."""
        return self.faces[self.at]

    def choose(self, name: str) -> None:
        """The child thinks it is this one."""
        if name == self.face and not self.tried:
            self.stars.append(name)
        self.tried.add(name)

    def next(self) -> None:
        """On to the next face."""
        self.at += 1
        self.tried.clear()

    @property
    def over(self) -> bool:
        """Whether all were seen."""
        return self.at == len(self.faces)


def new_game() -> Guess:
    """Each of the adult's faces once."""
    order = list(settings().order)
    random.shuffle(order)
    return Guess(order)


def show() -> None:
    """The page."""
    game: Guess = st.session_state.setdefault(STATE, None) or new_game()
    st.session_state[STATE] = game
    if game.over:
        show_end(game)
        return
    look.title(word("guessTitle"))
    with st.container(key="beside"):
        show_face(game)


def show_face(game: Guess) -> None:
    """A face, and the names to choose from or, once it is known, the way on."""
    picture = look.data_url(model_picture(game.face))
    st.html(f'<div class="emokids-guess"><img alt="" src="{picture}"></div>')
    known = game.face in game.tried
    if known:
        praise = f"{look.symbol(game.face)} {word('guessed', emotion=in_sentence(game.face))}"
    else:
        praise = word("guessAgain") if game.tried else ""
    st.html(f'<p class="emokids-praise" role="status">{praise}</p>')
    if known:
        st.button(word("guessNext"), key="guess-next", type="primary", width="stretch", on_click=game.next)
        return
    for name, column in zip(settings().order, look.choices(len(settings().order)), strict=True):
        column.button(
            word(name),
            key=f"guess-{name}",
            width="stretch",
            disabled=name in game.tried,
            on_click=game.choose,
            args=(name,),
        )


def show_end(game: Guess) -> None:
    """It is over: a star for each face known at first sight."""
    look.title(word("guessEnd"))
    stars = "".join(look.symbol("star", word("star")) for _ in game.stars)
    st.html(f'<div class="emokids-parade">{stars}</div>')
    st.write(word("byeText"))
    again, *_ = st.columns(3)
    with again:
        play_again.button()
