"""Rows of CSV as a Parquet file, batch by batch, with the types of the database.

Needs pyarrow, which is imported late: it takes a third of a second and is installed by `make`, but
not by the workflows, which export nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO, Final

from psycopg.abc import Buffer

from grid_assets.warehouse.exports import SCHEMA, NotExportable, View

ROWS: Final = 50_000
"""Rows of a batch, which is one row group: 8 MB of CSV."""


def write_parquet(view: View, rows: Iterator[Buffer], file: BinaryIO) -> int:
    """Write rows without their header; returns their number.

    Raises `ImportError`, and `NotExportable` for a value that Parquet does not have.
    """
    import pyarrow as pa
    from pyarrow import csv, parquet

    fields = [
        pa.field(column.name, _type(column.type), metadata={"comment": column.comment})
        for column in view.columns
    ]
    schema = pa.schema(fields, metadata={"relation": f"{SCHEMA}.{view.name}"})
    read = csv.ReadOptions(column_names=schema.names, use_threads=False)
    parse = csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    convert = csv.ConvertOptions(
        column_types=schema,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    count = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while batch := list(islice(rows, ROWS)):
            lines = pa.BufferReader(b"".join(batch))
            try:
                table = csv.read_csv(lines, read, parse, convert)
            except pa.ArrowInvalid as error:  # such as a date of infinity
                raise NotExportable(
                    f"{SCHEMA}.{view.name} has a value that Parquet cannot hold: {error}. Export "
                    "it as CSV."
                ) from None
            writer.write_table(table.cast(schema))
            count += len(batch)
    return count


def _type(of_database: str) -> Any:
    """The Arrow type; a text for what has none, such as an array."""
    import pyarrow as pa

    if of_database.startswith("numeric"):
        # A decimal would be exact too, but pandas cannot compute with it; no value here has more
        # than the 15 digits that a double keeps.
        return pa.float64()
    return {
        "boolean": pa.bool_(),
        "smallint": pa.int16(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "real": pa.float32(),
        "double precision": pa.float64(),
        "date": pa.date32(),
        "timestamptz": pa.timestamp("us", tz="UTC"),
        "timestamp without time zone": pa.timestamp("us"),
    }.get(of_database, pa.string())
