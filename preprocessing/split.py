"""Who is held out for testing: whole persons, so that each emotion gives up its share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

LEAST = 2  # held-out faces of an emotion: a distance between faces needs two

PersonNumber = float  # the number that a person's name gives, evenly spread over [0, 1): they are drawn in this order


def held_out(faces: Iterable[tuple[PersonNumber, str]], share: float) -> set[PersonNumber]:
    """The persons to hold out, given each face's person and emotion: nearest to `share` of each emotion's faces.

    Rare emotions choose first. Each gives up two faces where it has four, and keeps one to train on. The order of
    `faces` does not matter.
    """
    persons: defaultdict[str, Counter[PersonNumber]] = defaultdict(Counter)  # emotion: person: faces
    for person, emotion in faces:
        persons[emotion][person] += 1
    left = {emotion: count.total() for emotion, count in persons.items()}
    chosen: set[PersonNumber] = set()
    for emotion in sorted(persons, key=lambda emotion: (left[emotion], emotion)):
        count = persons[emotion]
        total = count.total()
        missing = max(share * total, min(LEAST, total // 2)) - (total - left[emotion])
        for person in sorted(count):
            nearer = count[person] < 2 * missing  # than without this person's faces
            shown = {e: n for e, by_person in persons.items() if (n := by_person.get(person, 0))} if nearer else {}
            if nearer and person not in chosen and all(left[e] > n for e, n in shown.items()):
                chosen.add(person)
                missing -= count[person]
                for e, n in shown.items():
                    left[e] -= n
    return chosen
