"""A screen of a terminal as a picture: the text and colours of `tmux capture-pane -e -p`, drawn in a PNG."""

from __future__ import annotations

from pathlib import Path

import pyte
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono{}.ttf"
COLOURS = {
    "black": "000000", "red": "cd3131", "green": "0dbc79", "brown": "c5a332", "blue": "2472c8",
    "magenta": "bc3fbc", "cyan": "11a8cd", "white": "e5e5e5",
}  # fmt: skip


def draw(screen: str, size: tuple[int, int], file: Path) -> Path:
    """Draws a screen."""
    columns, rows = size
    plain, bold = ImageFont.truetype(FONT.format(""), 15), ImageFont.truetype(FONT.format("-Bold"), 15)
    width, height = round(plain.getlength("M")), 19
    terminal = pyte.Screen(columns, rows)
    pyte.Stream(terminal).feed(screen.rstrip("\n").replace("\n", "\r\n"))
    image = Image.new("RGB", (columns * width, rows * height), (20, 20, 24))
    brush = ImageDraw.Draw(image)
    for y in range(rows):
        for x in range(columns):
            cell = terminal.buffer[y][x]
            ink, paper = _rgb(cell.fg, "d4d4d4"), _rgb(cell.bg, "141418")
            if cell.reverse:
                ink, paper = paper, ink
            left, top = x * width, y * height
            brush.rectangle([left, top, left + width, top + height], fill=paper)
            if cell.data.strip():
                brush.text((left, top + 1), cell.data, font=bold if cell.bold else plain, fill=ink)
            if cell.underscore:
                brush.line([left, top + height - 2, left + width, top + height - 2], fill=ink)
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save(file, optimize=True)
    return file


def _rgb(colour: str, default: str) -> tuple[int, int, int]:
    text = default if colour == "default" else COLOURS.get(colour.replace("bright", ""), colour)
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:6], 16)
