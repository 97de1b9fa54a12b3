"""Reductions by Pillow, for tests/tests/front_end.rs to compare with: python make.py > pillow.txt

A line is: mode, frame width and height, region x y width height, input width and height, input bytes in hex, channel by
channel. The frames come from `sample`, which the test repeats. Pillow's box filter takes a pixel whole or not at all, so
where the ratio is no integer the region is first enlarged, every pixel to as many as the input has: then it is one.
"""

from PIL import Image, __version__


def sample(c, x, y):
    """A byte that changes roughly, smoothly and with the channel."""
    return (x * x * 7 + y * 13 * (c + 1) + x * y * y // 5 + c * 50 + (x ^ y) * 37 // 8) & 255


CASES = [
    ("L", (64, 48), (0, 0, 64, 48), (16, 12)),
    ("L", (64, 48), (3, 5, 56, 42), (28, 14)),
    ("L", (31, 29), (0, 0, 31, 29), (28, 28)),
    ("L", (97, 61), (7, 3, 83, 53), (28, 28)),
    ("L", (640, 3), (1, 0, 639, 3), (17, 2)),
    ("RGB", (48, 64), (0, 0, 48, 64), (12, 16)),
    ("RGB", (50, 41), (1, 2, 47, 37), (16, 9)),
    ("RGB", (17, 17), (0, 0, 17, 17), (16, 16)),
    ("RGB>L", (48, 64), (0, 0, 48, 64), (12, 16)),
    ("RGB>L", (50, 41), (1, 2, 47, 37), (16, 9)),
    ("YCbCr>RGB", (40, 40), (0, 0, 40, 40), (40, 40)),
]


def reduced(mode, size, region, output):
    source, _, target = mode.partition(">")
    channels = 1 if source == "L" else 3
    width, height = size
    planes = []
    for c in range(channels):
        data = bytes(sample(c, x, y) for y in range(height) for x in range(width))
        planes.append(Image.frombytes("L", size, data))
    image = planes[0] if channels == 1 else Image.merge(source, planes)
    if target == "RGB":
        image = image.convert("RGB")
    x, y, w, h = region
    ow, oh = output
    if w % ow or h % oh:
        image = image.crop((x, y, x + w, y + h)).resize((w * ow, h * oh), Image.NEAREST)
        image = image.resize(output, Image.BOX)
    else:
        image = image.resize(output, Image.BOX, box=(x, y, x + w, y + h))
    if target == "L":
        image = image.convert("L")
    return b"".join(plane.tobytes() for plane in image.split())


print(f"# Pillow {__version__}")
for mode, size, region, output in CASES:
    numbers = " ".join(map(str, (*size, *region, *output)))
    print(mode, numbers, reduced(mode, size, region, output).hex())
