"""Which records would others pair? A peer in a process, in .venv-bench: `python -m ...peers NAME OURS THEIRS PAIRS`.

Each gets both sides' Parquet files with clocks corrected (`right_ms`), pairs by both numbers within the window, at most
one to one, and writes the pairs' rows. They are asked for pairs alone: no reasons, no duplicates, no split calls, no
amounts. What is timed is reading, joining and holding the pairs; not starting, and not writing them for the judge.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scripts.bench.sides.measuring import spend, tell

WINDOW_MS = 3_000
COLUMNS = ["a_party", "b_party", "right_ms", "quantity"]
KEY = ["a_party", "b_party"]

_SIDES = """
    ours as (select file_row_number r, a_party a, b_party b, right_ms t, quantity q
        from read_parquet('{ours}', file_row_number = true)),
    theirs as (select file_row_number r, a_party a, b_party b, right_ms t, quantity q
        from read_parquet('{theirs}', file_row_number = true))
"""
_AS_OF = """
    create temp table pairs as with {sides}, near as (
        select ours.r ours_row, theirs.r theirs_row, abs(ours.t - theirs.t) apart
        from ours asof join theirs on ours.a = theirs.a and ours.b = theirs.b and ours.t + {window} >= theirs.t
        where ours.t - theirs.t <= {window}
    ), best as (
        select ours_row, theirs_row, row_number() over (partition by theirs_row order by apart) place from near
    ) select ours_row, theirs_row from best where place = 1
"""
_RANGE = """
    create temp table pairs as with {sides}, near as (
        select ours.r ours_row, theirs.r theirs_row, abs(ours.t - theirs.t) + abs(ours.q - theirs.q) apart
        from ours join theirs on ours.a = theirs.a and ours.b = theirs.b
            and theirs.t between ours.t - {window} and ours.t + {window}
    ), best as (
        select ours_row, theirs_row, row_number() over (partition by ours_row order by apart, theirs_row) here,
            row_number() over (partition by theirs_row order by apart, ours_row) there from near
    ) select ours_row, theirs_row from best where here = 1 and there = 1
"""


def duckdb_as_of(ours: Path, theirs: Path) -> pa.Table:
    return _by_duckdb(_AS_OF, ours, theirs)


def duckdb_range(ours: Path, theirs: Path) -> pa.Table:
    return _by_duckdb(_RANGE, ours, theirs)


def _by_duckdb(question: str, ours: Path, theirs: Path) -> pa.Table:
    import duckdb

    connection = duckdb.connect()
    connection.execute("set preserve_insertion_order = false")
    connection.execute(question.format(sides=_SIDES.format(ours=ours, theirs=theirs), window=WINDOW_MS))
    return connection.sql("select ours_row, theirs_row from pairs").to_arrow_table()


def polars_as_of(ours: Path, theirs: Path) -> pa.Table:
    import polars

    def side(path: Path, name: str) -> Any:
        read = polars.scan_parquet(path, row_index_name=name).select([name, *COLUMNS[:3]])
        return read.sort("right_ms").with_columns(polars.col("right_ms").alias(f"{name}_ms"))

    near = side(ours, "ours_row").join_asof(
        side(theirs, "theirs_row"),
        on="right_ms",
        by=KEY,
        strategy="nearest",
        tolerance=WINDOW_MS,
        check_sortedness=False,
    )
    apart = (polars.col("ours_row_ms") - polars.col("theirs_row_ms")).abs().alias("apart")
    found = near.drop_nulls("theirs_row").with_columns(apart).sort("apart")
    return found.unique("theirs_row", keep="first").select(["ours_row", "theirs_row"]).collect().to_arrow()


def pandas_as_of(ours: Path, theirs: Path) -> pa.Table:
    import pandas

    def side(path: Path, name: str) -> Any:
        read = pandas.read_parquet(path, columns=COLUMNS[:3])
        read[name] = read.index
        read[f"{name}_ms"] = read["right_ms"]
        return read.sort_values("right_ms")

    near = pandas.merge_asof(
        side(ours, "ours_row"),
        side(theirs, "theirs_row"),
        on="right_ms",
        by=KEY,
        direction="nearest",
        tolerance=WINDOW_MS,
    ).dropna(subset=["theirs_row"])
    near["apart"] = (near["ours_row_ms"] - near["theirs_row_ms"]).abs()
    found = near.sort_values("apart").drop_duplicates("theirs_row")
    return pa.table({name: found[name].astype("int64").to_numpy() for name in ("ours_row", "theirs_row")})


def splink_linkage(ours: Path, theirs: Path) -> pa.Table:
    """Probabilistic linkage on DuckDB, with the model given: nothing to train."""
    import duckdb
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    connection = duckdb.connect()
    names = {"ours": ours, "theirs": theirs}
    for name, path in names.items():
        connection.execute(
            f"create table {name}_records as select file_row_number unique_id, a_party, b_party, right_ms, quantity "
            f"from read_parquet('{path}', file_row_number = true)"
        )
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[_levels("right_ms", (500, WINDOW_MS)), _levels("quantity", (0, 2_000))],
        blocking_rules_to_generate_predictions=[block_on(*KEY)],
        probability_two_random_records_match=0.5,
        retain_matching_columns=False,
    )
    database = DuckDBAPI(connection)
    sides = [database.register(connection.table(f"{name}_records"), dataset_display_name=name) for name in names]
    scored = Linker(sides, settings, log_level="ERROR").inference.predict(
        threshold_match_probability=0.9, warning_mode="never"
    )
    best = f"""
        with best as (select unique_id_l ours_row, unique_id_r theirs_row,
            row_number() over (partition by unique_id_l order by match_weight desc, unique_id_r) here,
            row_number() over (partition by unique_id_r order by match_weight desc, unique_id_l) there
            from {scored.physical_name})
        select ours_row, theirs_row from best where here = 1 and there = 1
    """
    return connection.sql(best).to_arrow_table()


def _levels(column: str, within: tuple[int, int]) -> Any:
    """Near, less near, and all else, with how often each is seen of a true pair and of a chance one."""
    apart = f'abs("{column}_l" - "{column}_r")'
    near, far = (f"{apart} <= {most}" for most in within)
    rows = [
        {"sql_condition": near, "label_for_charts": "near", "m_probability": 0.9, "u_probability": 0.001},
        {"sql_condition": far, "label_for_charts": "less near", "m_probability": 0.099, "u_probability": 0.009},
        {"sql_condition": "ELSE", "label_for_charts": "else", "m_probability": 0.001, "u_probability": 0.99},
    ]
    return {"output_column_name": column, "comparison_levels": rows}


PEERS: dict[str, Callable[[Path, Path], pa.Table]] = {
    "duckdb-asof": duckdb_as_of,
    "duckdb-range": duckdb_range,
    "polars": polars_as_of,
    "pandas": pandas_as_of,
    "splink": splink_linkage,
}
_MODULE = {"duckdb-asof": "duckdb", "duckdb-range": "duckdb"}


def main(name: str, ours: Path, theirs: Path, pairs: Path) -> None:
    """Import first, then work by the clock; then write the pairs."""
    __import__(_MODULE.get(name, name))
    found, spent = spend(lambda: PEERS[name](ours, theirs))
    pq.write_table(found, pairs)
    tell(spent)


if __name__ == "__main__":
    main(sys.argv[1], *(Path(each) for each in sys.argv[2:5]))
