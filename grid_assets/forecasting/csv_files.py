"""Reading CSV files of any origin, plain or gzipped: the header, the cells, and what is wrong.

Every refusal names the file, the line, the column, the cause and the cure. What the columns mean is
the business of `history_files`.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import reprlib
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final, NoReturn, TextIO

from grid_assets.halfhours import parse_api_time

GZIP: Final = b"\x1f\x8b"
"""The first bytes of a gzipped file, whatever its name is."""

HALF_HOUR_S: Final = 1800

FIRST_S: Final = int(parse_api_time("2000-01-01T00:00Z").timestamp())
END_S: Final = int(parse_api_time("2100-01-01T00:00Z").timestamp())
"""Times outside these are mistakes, such as milliseconds taken for seconds."""


class FileRefused(ValueError):
    """A file cannot be used; the message says where, why and what to do."""


class Table:
    """The header and the rows of a CSV file, read line by line."""

    def __init__(self, file: Path, text: TextIO) -> None:
        self.file = file
        self._reader = csv.reader(text, strict=True)
        self._header: list[str] = []

    @property
    def line(self) -> int:
        """The number of the line that was read last."""
        return self._reader.line_num

    def read_header(self, required: Sequence[str], optional: Sequence[str] = ()) -> list[str]:
        """The names of the columns in the order of the file. Raises `FileRefused`."""
        allowed = [*required, *optional]
        wanted = f"The first line must be {','.join(required)}" + (
            f", and any of {','.join(optional)}." if optional else "."
        )
        header = [name.strip() for name in next(self._reader, [])]
        if not any(header):
            raise FileRefused(f"{self.file} is empty or begins with an empty line. {wanted}")
        for name in header:
            if name not in allowed:
                raise FileRefused(
                    f"{self.file}, line {self.line}: {shortened(name)} is not a column of this "
                    f"file. {wanted}"
                )
            if header.count(name) > 1:
                raise FileRefused(f"{self.file}, line {self.line}: column {name} appears twice.")
        missing = [name for name in required if name not in header]
        if missing:
            raise FileRefused(
                f"{self.file}, line {self.line}: column {missing[0]} is missing. {wanted}"
            )
        self._header = header
        return header

    def rows(self) -> Iterator[list[str]]:
        """The cells of each line that is not empty. Raises `FileRefused`."""
        for row in self._reader:
            if len(row) != len(self._header):
                if not row:
                    continue
                raise FileRefused(
                    f"{self.file}, line {self.line}: {len(row)} fields, but the header has "
                    f"{len(self._header)}. Correct the line; an empty field is a missing value."
                )
            yield row

    def instant(self, text: str, column: str) -> int:
        """The seconds since 1970 of a time with its zone, rounded up. Raises `FileRefused`."""
        try:
            seconds = _seconds(text.strip())
        except ValueError:
            self.refuse(
                column,
                f"{shortened(text)} is not a time with its zone",
                "Write UTC, such as 2025-12-31T23:30Z",
            )
        if not FIRST_S <= seconds < END_S:
            self.refuse(column, f"{text} is not between 2000 and 2100", "Correct the time")
        return seconds

    def half_hour(self, text: str, column: str) -> int:
        """The half-hours since 1970 of a time on a half-hour. Raises `FileRefused`."""
        number, rest = divmod(self.instant(text, column), HALF_HOUR_S)
        if rest:
            self.refuse(
                column,
                f"{text} is not on a half-hour",
                "Write the start of the half-hour, such as 2025-12-31T23:30Z",
            )
        return number

    def number(self, text: str, column: str, highest: float) -> float:
        """A number from 0 to `highest`, NaN if the field is empty. Raises `FileRefused`."""
        if not text or text.isspace():
            return math.nan
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if 0 <= value <= highest and "_" not in text:
            return value
        cure = "Correct it, or leave the field empty if the value is missing"
        if "_" in text or not math.isfinite(value):
            self.refuse(column, f"{shortened(text)} is not a number", cure)
        self.refuse(column, f"{text} is outside 0 to {highest:,.0f}", cure)

    def refuse(self, column: str, cause: str, cure: str) -> NoReturn:
        """Raise `FileRefused` about a cell of the line that was read last."""
        raise FileRefused(f"{self.file}, line {self.line}, column {column}: {cause}. {cure}.")


def shortened(text: str) -> str:
    """A text from a file, quoted, without what could disturb a terminal, and short."""
    return reprlib.repr(text)[:60]


@contextmanager
def open_table(file: Path) -> Iterator[Table]:
    """Open a CSV file, plain or gzipped. Whatever is wrong with it inside the block is raised as
    `FileRefused`."""
    table = None
    try:
        with file.open("rb") as raw:
            zipped = raw.peek(2)[:2] == GZIP
            content = gzip.GzipFile(fileobj=raw) if zipped else raw
            with io.TextIOWrapper(content, encoding="utf-8-sig", newline="") as text:
                table = Table(file, text)
                yield table
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        at = table.line if table else 0
        raise FileRefused(
            f"{file} is cut off or damaged after line {at}: {error}. Copy or make it again."
        ) from None
    except UnicodeDecodeError as error:
        at = table.line if table else 0
        raise FileRefused(
            f"{file} is not CSV: after line {at} comes something that is not text in UTF-8 "
            f"({error.reason}). Save it as CSV in UTF-8; it may be gzipped."
        ) from None
    except csv.Error as error:
        at = table.line if table else 0
        raise FileRefused(
            f"{file}, line {at}: this is not CSV: {error}. Look for a quotation mark that is not "
            "closed, or save the file as CSV again."
        ) from None
    except OSError as error:
        raise FileRefused(
            f"{file} cannot be read: {error.strerror or error}. Name a CSV file that you may read."
        ) from None


def check_series(table: Table, name: str, column: str, allowed: Collection[str]) -> None:
    """Raise `FileRefused` unless the cell names one of these series."""
    if name not in allowed:
        table.refuse(
            column,
            f"{shortened(name)} is not a series of this file",
            f"Use one of {', '.join(allowed)}, or leave the line out",
        )


@lru_cache(maxsize=4096)  # an outlook repeats its times in neighbouring lines
def _seconds(text: str) -> int:
    return math.ceil(parse_api_time(text).timestamp())
