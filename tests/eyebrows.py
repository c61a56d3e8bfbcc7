"""Counts eyebrows: a trace of the old brow above the new one makes three or four dark spots of two."""

import cv2
import numpy as np

from imaging.face_geometry import CHIN, FOREHEAD_TOP

DARK = 0.72  # brightness of a brow, at most, in times the forehead's median
SMALLEST = 0.0018  # smallest area of a brow, in squared lengths of the face
LIDS, NOSE_BRIDGE = [159, 386], 168  # landmarks of MediaPipe's mesh


def count_brows(photo, points):
    """Dark spots above the eyes of a face (uint8 RGB, its mesh in photo pixels): on the left and on the right."""
    up = points[FOREHEAD_TOP] - points[CHIN]
    length = float(np.linalg.norm(up))
    up = up / length
    right = np.array([-up[1], up[0]])
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
    skin = cv2.fillConvexPoly(np.zeros(photo.shape[:2], np.uint8), cv2.convexHull(points).astype(int), 1)
    skin = cv2.erode(skin, np.ones([int(0.05 * length)] * 2))
    skin[x * up[0] + y * up[1] < (points[LIDS] @ up).max() + 0.02 * length] = 0
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    spots = (skin > 0) & (grey < DARK * np.median(grey[skin > 0]))
    _, _, sizes, centres = cv2.connectedComponentsWithStats(spots.astype(np.uint8))
    brows = centres[1:][sizes[1:, 4] > SMALLEST * length**2]
    on_the_right = (brows - points[NOSE_BRIDGE]) @ right > 0
    return int((~on_the_right).sum()), int(on_the_right.sum())
