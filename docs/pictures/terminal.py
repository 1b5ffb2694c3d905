"""Runs a command in a terminal of a fixed size and draws the screen as a PNG picture.

usage: terminal.py OUT.png [options] -- COMMAND [ARGUMENT...]

Used by scripts/pictures. Needs the packages pyte (a terminal in memory) and Pillow (drawing).
"""

import argparse
import codecs
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

import pyte
from PIL import Image, ImageDraw, ImageFont

# Everything is drawn at twice the size, for screens with small pixels.
SCALE = 2
FONT_SIZE = 14 * SCALE
LINE_SPACING = 1.28
MARGIN = 18 * SCALE
TITLE_BAR = 30 * SCALE
RADIUS = 9 * SCALE

BACKGROUND = (24, 26, 33)
BAR = (38, 41, 51)
TEXT = (214, 217, 224)
PROMPT = (125, 207, 160)
COLORS = {
    "default": TEXT,
    "black": (70, 74, 88),
    "red": (240, 113, 120),
    "green": (140, 210, 145),
    "brown": (232, 196, 112),
    "yellow": (232, 196, 112),
    "blue": (122, 162, 247),
    "magenta": (198, 146, 234),
    "cyan": (110, 200, 215),
    "white": (214, 217, 224),
    "brightblack": (110, 115, 132),
    "brightred": (255, 125, 132),
    "brightgreen": (160, 230, 165),
    "brightbrown": (250, 214, 130),
    "brightyellow": (250, 214, 130),
    "brightblue": (142, 182, 255),
    "brightmagenta": (214, 166, 250),
    "brightcyan": (130, 220, 235),
    "brightwhite": (245, 246, 250),
}
FONT_DIRECTORIES = ["/usr/share/fonts/truetype/dejavu", "/usr/share/fonts/dejavu", "/usr/share/fonts/TTF"]
# pyte does not know "dim": it is passed on as "blink", which nothing else here uses.
DIM = re.compile(r"\x1b\[((?:\d+;)*)2((?:;\d+)*)m")


class Screen(pyte.HistoryScreen):
    """A terminal whose lines that went off the top are kept."""

    def rows(self):
        """All lines, oldest first, without empty ones at the end."""
        rows = list(self.history.top) + [self.buffer[y] for y in range(self.lines)]
        while rows and not text_of(rows[-1], self.columns):
            rows.pop()
        return rows


def text_of(row, columns):
    return "".join(row[x].data for x in range(columns)).rstrip()


def record(command, columns, lines, limit, wanted):
    """Runs the command to its end; answers with the last screen, or with the fullest one that fits `wanted`."""
    pid, master = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS=str(columns), LINES=str(lines))
        os.environ.pop("NO_COLOR", None)
        os.execvp(command[0], command)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    screen = Screen(columns, lines, history=5000, ratio=0.5)
    stream, decoder = pyte.Stream(screen), codecs.getincrementaldecoder("utf-8")("replace")
    best, best_score, ends = None, (0, 0), time.monotonic() + limit
    rest = ""
    while time.monotonic() < ends:
        ready, _, _ = select.select([master], [], [], 0.5)
        if not ready:
            continue
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        if not data:
            break
        text = rest + decoder.decode(data)
        # An escape sequence may be cut in two.
        cut = text.rfind("\x1b") if "\x1b" in text[-24:] and not re.search(r"\x1b\[[\d;?]*[A-Za-z]", text[text.rfind("\x1b"):]) else len(text)
        rest = text[cut:]
        stream.feed(DIM.sub("\x1b[\\g<1>5\\g<2>m", text[:cut]))
        if wanted:
            rows = [text_of(row, columns) for row in screen.rows()]
            # Of equally full screens the later one: it also shows what is done.
            count = sum(1 for row in rows if wanted.search(row))
            score = (count, len(rows))
            if count and score >= best_score:
                best, best_score = snapshot(screen), score
    else:
        os.kill(pid, 15)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return (best if wanted else snapshot(screen)), status


def snapshot(screen):
    return [{x: row[x] for x in range(screen.columns)} for row in screen.rows()]


def mix(color, part):
    return tuple(round(c * part + b * (1 - part)) for c, b in zip(color, BACKGROUND))


def color_of(cell):
    fg = cell.fg
    if fg in COLORS:
        color = COLORS[fg]
    elif re.fullmatch(r"[0-9a-f]{6}", fg):
        color = tuple(int(fg[i : i + 2], 16) for i in (0, 2, 4))
    else:
        color = TEXT
    if cell.blink:
        return mix(color, 0.62)
    return (245, 246, 250) if cell.bold and fg == "default" else color


def font(name):
    for directory in FONT_DIRECTORIES:
        path = os.path.join(directory, name)
        if os.path.exists(path):
            return ImageFont.truetype(path, FONT_SIZE)
    sys.exit(f"stopped: no font {name}: install fonts-dejavu-core")


def draw(rows, columns, title, path):
    plain, bold = font("DejaVuSansMono.ttf"), font("DejaVuSansMono-Bold.ttf")
    # The spinner's braille dots are in no monospace font of that family.
    dots = font("DejaVuSans.ttf")
    width = plain.getlength("M")
    ascent, descent = plain.getmetrics()
    height = round((ascent + descent) * LINE_SPACING)
    size = (round(width * columns) + 2 * MARGIN, height * len(rows) + 2 * MARGIN + TITLE_BAR - MARGIN // 2)
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), RADIUS, fill=BACKGROUND)
    pen.rounded_rectangle((0, 0, size[0] - 1, TITLE_BAR + RADIUS), RADIUS, fill=BAR)
    pen.rectangle((0, TITLE_BAR, size[0] - 1, TITLE_BAR + RADIUS), fill=BACKGROUND)
    for index, dot in enumerate([(237, 106, 94), (245, 191, 79), (98, 197, 84)]):
        x, r = MARGIN + index * 18 * SCALE, 5 * SCALE
        pen.ellipse((x - r + r, TITLE_BAR / 2 - r, x + r + r, TITLE_BAR / 2 + r), fill=dot)
    if title:
        pen.text((size[0] / 2, TITLE_BAR / 2), title, font=plain, fill=(140, 145, 160), anchor="mm")
    for y, row in enumerate(rows):
        top = TITLE_BAR + MARGIN // 2 + y * height
        for x in range(columns):
            cell = row[x]
            if not cell.data.strip():
                continue
            left = MARGIN + x * width
            color = color_of(cell)
            if cell.data == "█":
                pen.rectangle((left, top, left + width, top + ascent + descent), fill=color)
                continue
            face = dots if "\u2800" <= cell.data <= "\u28ff" else bold if cell.bold else plain
            pen.text((left, top), cell.data, font=face, fill=color)
    image.quantize(96, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)


def prompt_row(command, columns):
    cell = pyte.screens.Char
    row = {x: cell(" ") for x in range(columns)}
    for x, letter in enumerate(("$ " + command)[:columns]):
        row[x] = cell(letter, fg="7dcfa0" if x < 2 else "default", bold=x >= 2)
    return row


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("out")
    parser.add_argument("--columns", type=int, default=118)
    parser.add_argument("--lines", type=int, default=60)
    parser.add_argument("--limit", type=float, default=600, help="seconds after which the command is ended")
    parser.add_argument("--title", default="")
    parser.add_argument("--prompt", help="the command as it is shown above its output")
    parser.add_argument("--fullest", help="not the end, but the screen on which most lines fit this pattern")
    parser.add_argument("--from", dest="first", help="leave out what stands before the first line that fits this")
    parser.add_argument("--until", dest="last", help="leave out what stands behind the last line that fits this")
    parser.add_argument("--rows", type=int, default=80, help="no more lines than this")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    wanted = re.compile(options.fullest) if options.fullest else None
    rows, status = record(options.command, options.columns, options.lines, options.limit, wanted)
    if not rows:
        sys.exit(f"stopped: nothing to draw for {options.out} (exit status {status})")
    texts = [text_of(row, options.columns) for row in rows]
    if options.first:
        start = next((i for i, text in enumerate(texts) if re.search(options.first, text)), 0)
        rows, texts = rows[start:], texts[start:]
    if options.last:
        end = next((i for i in reversed(range(len(texts))) if re.search(options.last, texts[i])), len(texts) - 1)
        rows = rows[: end + 1]
    rows = rows[: options.rows]
    if options.prompt:
        rows = [prompt_row(options.prompt, options.columns)] + rows
    draw(rows, options.columns, options.title, options.out)
    print(f"{options.out}: {len(rows)} lines, exit status {status}")


if __name__ == "__main__":
    main()
