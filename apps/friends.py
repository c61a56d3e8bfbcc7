"""Drawn friends: people who do not exist, with each emotion, for who would rather not use a photo of a child."""

from __future__ import annotations

import functools

from apps.collected_photos import MARK, to_jpeg
from common import emotions
from imaging.draw_faces import draw_face

IDENTITIES = (8, 11, 20)  # seeds of the drawing
SIZE = 480  # pixels


@functools.cache
def drawn_friends() -> list[list[bytes]]:
    """Of each friend six JPEGs: the resting face, then the five emotions in their usual order."""
    return [
        [
            to_jpeg(draw_face(identity, emotion, size=SIZE), quality=85, comment=MARK)
            for emotion in ("neutral", *emotions.FIVE)
        ]
        for identity in IDENTITIES
    ]
