"""Pictures of washers, labels and screws, whole and broken, by a library that has nothing in common with `flowgate data parts`.

usage: objects.py KIND SEED COUNT BROKEN OUT_DIR      (KIND: washer, label, screw; needs Pillow and numpy)

Writes COUNT whole pictures each to OUT_DIR/good and OUT_DIR/fresh, and BROKEN of each fault of the kind to a folder of its
name: PNG, in colour, of several sizes, lit from anywhere, noisy and a little out of focus. Drawn three times as large and
reduced by Lanczos's filter. No default of `build` was chosen with them.
"""
import math
import os
import random
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SCALE = 3


class Canvas:
    """A drawing in shares of its size."""

    def __init__(self, width, height, colour):
        self.size = (width, height)
        self.large = (width * SCALE, height * SCALE)
        self.image = Image.new("RGB", self.large, colour)
        self.draw = ImageDraw.Draw(self.image)

    def at(self, x, y):
        return (x * self.large[0], y * self.large[1])

    def box(self, left, top, right, bottom):
        return self.at(left, top) + self.at(right, bottom)

    def photographed(self, rng):
        """Reduced, lit, with noise, out of focus."""
        width, height = self.size
        pixels = np.asarray(self.image.resize(self.size, Image.LANCZOS)).astype(float)
        across = np.linspace(-1, 1, width)[None, :, None]
        down = np.linspace(-1, 1, height)[:, None, None]
        light = [rng.uniform(-0.08, 0.08) for _ in range(3)]
        pixels *= 1 + light[0] + light[1] * across + light[2] * down
        pixels += np.random.default_rng(rng.randrange(2**32)).normal(0, 3, pixels.shape)
        image = Image.fromarray(pixels.clip(0, 255).astype("uint8"))
        return image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.7)))


def near(rng, colour, by):
    return tuple(int(c + rng.uniform(-by, by)) for c in colour)


def washer(rng, fault):
    size = rng.choice([96, 128, 160, 240, 320])
    ground = near(rng, (60, 80, 100), 6)
    canvas = Canvas(size, int(size * rng.uniform(0.9, 1.1)), ground)
    width, height = canvas.large
    radius = min(width, height) * rng.uniform(0.36, 0.4)
    x, y = width * (0.5 + rng.uniform(-0.03, 0.03)), height * (0.5 + rng.uniform(-0.03, 0.03))
    brass = near(rng, (190, 170, 90), 8)

    def disc(r, colour, dx=0.0, dy=0.0):
        canvas.draw.ellipse((x + dx - r, y + dy - r, x + dx + r, y + dy + r), fill=colour)

    disc(radius, brass)
    disc(radius * 0.45, ground)
    angle = rng.uniform(0, 2 * math.pi)
    if fault == "chunk":
        degrees, r = math.degrees(angle), radius * 1.1
        end = degrees + rng.uniform(20, 50)
        canvas.draw.pieslice((x - r, y - r, x + r, y + r), degrees, end, fill=ground)
    if fault == "crack":
        inner = (x + 0.45 * radius * math.cos(angle), y + 0.45 * radius * math.sin(angle))
        outer = (x + radius * math.cos(angle + 0.2), y + radius * math.sin(angle + 0.2))
        canvas.draw.line(inner + outer, fill=(30, 30, 30), width=int(radius * 0.06) + 1)
    if fault == "rust":
        dx, dy = 0.7 * radius * math.cos(angle), 0.7 * radius * math.sin(angle)
        disc(radius * 0.28, (120, 60, 30), dx, dy)
    if fault == "nohole":
        disc(radius * 0.46, brass)
    return canvas.photographed(rng)


def label(rng, fault):
    size = rng.choice([120, 180, 260, 400])
    paper = (235, 232, 225)
    canvas = Canvas(size, int(size * 0.75), paper)
    dx, dy = rng.uniform(-0.02, 0.02), rng.uniform(-0.02, 0.02)
    fill = canvas.draw.rectangle
    corner = canvas.large[1] * 0.06
    canvas.draw.rounded_rectangle(canvas.box(0.1 + dx, 0.12 + dy, 0.9 + dx, 0.88 + dy), corner, fill=(40, 90, 170))
    fill(canvas.box(0.1 + dx, 0.4 + dy, 0.9 + dx, 0.6 + dy), fill=(250, 210, 40))
    lost = rng.randrange(5) if fault == "missing" else None
    for mark in range(5):
        if mark != lost:
            left = 0.2 + 0.14 * mark + dx
            fill(canvas.box(left, 0.68 + dy, left + 0.07, 0.8 + dy), fill=(250, 250, 250))
    dot = (50, 200, 60) if fault == "colour" else (220, 50, 50)
    canvas.draw.ellipse(canvas.box(0.44 + dx, 0.17 + dy, 0.56 + dx, 0.35 + dy), fill=dot)
    if fault == "tear":
        right, bottom = 0.9 + dx, 0.88 + dy
        torn = [(right, bottom), (right, rng.uniform(0.4, 0.6)), (rng.uniform(0.55, 0.7), bottom)]
        canvas.draw.polygon([canvas.at(*corner) for corner in torn], fill=paper)
    if fault == "smear":
        y = rng.uniform(0.2, 0.7)
        end = canvas.at(0.8, y + rng.uniform(-0.1, 0.1))
        canvas.draw.line(canvas.at(0.15, y) + end, fill=(20, 20, 20), width=int(canvas.large[1] * 0.04))
    return canvas.photographed(rng)


def screw(rng, fault):
    size = rng.choice([100, 150, 220])
    ground = near(rng, (180, 140, 100), 5)
    canvas = Canvas(int(size * 1.4), size, ground)
    y, steel = 0.5 + rng.uniform(-0.02, 0.02), (200, 200, 205)
    end = rng.uniform(0.5, 0.65) if fault == "short" else 0.82
    canvas.draw.rectangle(canvas.box(0.25, y - 0.08, end, y + 0.08), fill=steel)
    for turn in range(int((end - 0.3) / 0.03)):
        x = 0.3 + 0.03 * turn
        if fault != "stripped" or not 0.4 < x < 0.6:
            thread = canvas.at(x, y - 0.1) + canvas.at(x + 0.015, y + 0.1)
            canvas.draw.line(thread, fill=(120, 120, 128), width=max(1, int(canvas.large[0] * 0.008)))
    if fault != "short":
        tip = [(end, y - 0.08), (end, y + 0.08), (0.9, y)]
        canvas.draw.polygon([canvas.at(*corner) for corner in tip], fill=steel)
    if fault != "headless":
        canvas.draw.rounded_rectangle(canvas.box(0.12, y - 0.2, 0.25, y + 0.2), canvas.large[1] * 0.04, fill=steel)
    if fault == "bent":
        canvas.image = canvas.image.rotate(rng.choice([-1, 1]) * rng.uniform(8, 14), fillcolor=ground)
    return canvas.photographed(rng)


KINDS = {
    "washer": (washer, ["chunk", "crack", "rust", "nohole"]),
    "label": (label, ["missing", "colour", "tear", "smear"]),
    "screw": (screw, ["short", "stripped", "headless", "bent"]),
}


def main():
    if len(sys.argv) != 6 or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    kind, seed, count, broken, out = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
    drawn, faults = KINDS[kind]
    rng = random.Random(seed)
    sets = [("good", None, count), ("fresh", None, count)] + [(fault, fault, broken) for fault in faults]
    for folder, fault, pictures in sets:
        os.makedirs(os.path.join(out, folder))
        for index in range(pictures):
            picture = drawn(random.Random(rng.randrange(2**40)), fault)
            picture.save(os.path.join(out, folder, f"{index:04}.png"))


main()
