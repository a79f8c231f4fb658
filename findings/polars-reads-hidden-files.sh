#!/usr/bin/env bash
# polars 2.1.0 reads a folder of Parquet files with everything in it, hidden files and folders too, and refuses the folder when
# one has another ending. pandas 3.1.1 and pyarrow 26.0.1 pass over names that begin with a dot, as Spark and Hive do.
# Seen on 2026-11-30. Here it decides that a folder of shards holds nothing but shards (crates/lineament-cli/src/shards/manifest.rs).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 pandas==3.1.1 pyarrow==26.0.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import os
import pandas as pd, polars as pl, pyarrow.dataset as ds

os.makedirs("faces/.hidden")
for number in range(2):
    pd.DataFrame({"path": [f"{number}.jpg"], "face": [1]}).to_parquet(f"faces/shard-{number:06}.parquet")
assert pl.read_parquet("faces").height == 2, "without a file in it, a hidden folder does no harm"
open("faces/.hidden/manifest.json", "w").write("{}")
assert len(pd.read_parquet("faces")) == 2
assert ds.dataset("faces").count_rows() == 2
try:
    pl.read_parquet("faces")
except pl.exceptions.InvalidOperationError as error:
    assert "different file extensions" in str(error), error
else:
    raise SystemExit("polars passes over hidden files now: the manifest may be one")
print("as seen: polars takes hidden files for tables, pandas and pyarrow do not")
PY
