"""Friends: people who do not exist, for whoever would rather not use a photo. The drawn ones have each emotion.

The photo-like children are cells of the figures of SFHQ-T2I by David Beniaguev (MIT licence, copyright 2024), made by
text-to-image models; they are photos to the generator in use.
"""

from __future__ import annotations

import functools
from pathlib import Path

from apps.collected_photos import MARK, to_jpeg
from common import emotions
from imaging.drawing.picture import draw_face

PHOTO_LIKE = sorted((Path(__file__).resolve().parent / "page" / "friends").glob("*.jpg"))
IDENTITIES = (8, 11, 20)  # seeds of the drawing
SIZE = 480  # pixels


@functools.cache
def photo_like_friends() -> list[bytes]:
    """Of each photo-like friend the JPEG, the face at rest."""
    return [path.read_bytes() for path in PHOTO_LIKE]


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
