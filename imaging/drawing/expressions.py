"""Where the moving parts of a drawn face are in each emotion."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Expression:
    """Where the moving parts of a face are, in face units (y grows downwards). The defaults are neutral.

    The values follow the facial action units (AU) of each emotion in EMFACS.
    """

    brow_inner: float = 0.0  # height of the brow's inner end (AU 1 raises, AU 4 lowers)
    brow_arch: float = 0.0  # height of its middle
    brow_outer: float = 0.0  # height of its outer end (AU 2)
    brow_together: float = 0.0  # how far the inner ends approach each other (AU 4)
    furrow: float = 0.0  # creases between the brows, 0 to 1
    lid_upper: float = 0.080  # upper lid above the eye's axis (AU 5 raises)
    lid_lower: float = 0.052  # lower lid below it (AU 7 raises)
    lid_inner: float = 0.0  # upper lid's inner end lowered (a glare)
    lid_outer: float = 0.0  # upper lid's outer end lowered (a sad eye)
    mouth_width: float = 0.235  # half the width
    mouth_corner: float = 0.0  # corners below the middle (AU 15 positive, AU 12 negative)
    mouth_y: float = 0.0  # the whole mouth lowered
    mouth_gap: float = 0.0  # height of the opening (AU 25, 26, 27)
    mouth_round: float = 0.0  # 0: the opening ends in points, 1: an ellipse
    lip: float = 1.0  # thickness of the lips (AU 24 presses them thin)
    teeth: float = 0.0  # share of the opening that the upper teeth fill
    jaw: float = 0.0  # chin lowered (AU 26)
    cheek: float = 0.0  # cheeks raised, folds beside the nose (AU 6), 0 to 1


NEUTRAL = Expression()

EXPRESSIONS: dict[str, Expression] = {
    "neutral": NEUTRAL,
    "angry": Expression(  # AU 4, 5, 7, 24
        brow_inner=0.175, brow_arch=0.115, brow_outer=0.055, brow_together=0.09, furrow=1.0,
        lid_upper=0.064, lid_lower=0.036, lid_inner=0.034,
        mouth_width=0.265, mouth_corner=0.045, mouth_y=-0.02, lip=0.45, jaw=-0.03,
    ),
    "fearful": Expression(  # AU 1, 2, 4, 5, 20, 26
        brow_inner=-0.18, brow_arch=-0.11, brow_outer=0.01, brow_together=0.05, furrow=0.45,
        lid_upper=0.115, lid_lower=0.066, lid_outer=0.015,
        mouth_width=0.29, mouth_corner=0.05, mouth_gap=0.16, mouth_round=0.9, lip=0.75, teeth=0.34, jaw=0.05,
    ),
    "happy": Expression(  # AU 6, 12, 25
        brow_inner=-0.02, brow_arch=-0.04, brow_outer=-0.01,
        lid_upper=0.070, lid_lower=0.022,
        mouth_width=0.37, mouth_corner=-0.15, mouth_y=0.03, mouth_gap=0.15, mouth_round=0.1, lip=0.8, teeth=0.62,
        jaw=0.03, cheek=1.0,
    ),
    "sadness": Expression(  # AU 1, 4, 15, 17
        brow_inner=-0.15, brow_arch=-0.02, brow_outer=0.08, brow_together=0.045, furrow=0.3,
        lid_upper=0.060, lid_lower=0.045, lid_outer=0.045,
        mouth_width=0.235, mouth_corner=0.14, mouth_y=-0.02, lip=0.9,
    ),
    "surprised": Expression(  # AU 1, 2, 5, 27
        brow_inner=-0.18, brow_arch=-0.245, brow_outer=-0.17,
        lid_upper=0.145, lid_lower=0.092,
        mouth_width=0.165, mouth_y=0.05, mouth_gap=0.36, mouth_round=1.0, lip=0.9, jaw=0.13,
    ),
}  # fmt: skip


def expression_of(emotion: str, intensity: float) -> Expression:
    """The expression `intensity` of the way from neutral (0) to `emotion` (1)."""
    target = EXPRESSIONS[emotion]
    values = {}
    for field in fields(Expression):
        start = getattr(NEUTRAL, field.name)
        values[field.name] = start + intensity * (getattr(target, field.name) - start)
    return Expression(**values)
