"""Friends to play with instead of a photo: drawn faces, and rendered people where the generator knows them."""

from __future__ import annotations

import functools
from pathlib import Path

from apps import friends
from apps.collected_photos import MARK, to_jpeg
from apps.emokids.cards_pdf import PICTURE_PIXELS
from apps.emokids.studio import A_LITTLE, Faces
from apps.emokids.words import ORIGINAL
from common import emotions
from imaging.draw_faces import draw_face

RENDERED = Path("data/test")  # rendered people that come with the project
MOST_RENDERED = 3
IDENTITIES = friends.IDENTITIES


@functools.cache
def drawn_picture(identity: int, name: str, strength: str = "very") -> bytes:
    """A drawn friend with a little or very much of an emotion, as a JPEG. It needs no generator."""
    intensity = A_LITTLE if strength == "little" else 1.0
    emotion = "neutral" if name == ORIGINAL else name
    return to_jpeg(draw_face(identity, emotion, intensity=intensity, size=PICTURE_PIXELS), comment=MARK)


def drawn_friend(identity: int, strength: str = "very") -> Faces:
    """A drawn friend with every emotion."""
    pictures = {name: drawn_picture(identity, name, strength) for name in (ORIGINAL, *emotions.FIVE)}
    return Faces(pictures, pictures, None)


def rendered_friends(trained_on: str) -> list[Path]:
    """Pictures of rendered people, for a generator that was trained on such."""
    return sorted(RENDERED.glob("rendered-*.jpg"))[:MOST_RENDERED] if trained_on == "rendered" else []
