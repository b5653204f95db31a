"""A model mapped over the tables of Dask, Ray and Spark, each in processes of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import runfolio
from tests.serving.conftest import DEADLINE_S, Models

pytestmark = [pytest.mark.frameworks, pytest.mark.xdist_group("engines")]
PYSPARK = os.environ.get("RUNFOLIO_SPARK", "")
needs_spark = pytest.mark.skipif(
    not Path(PYSPARK, "pyspark").is_dir() or not (os.environ.get("JAVA_HOME") or shutil.which("java")),
    reason="NOT TESTED: RUNFOLIO_SPARK names no folder with pyspark, or there is no Java: bash .ci/test sees to both",
)

DASK = """
import json, sys
import dask.dataframe, pandas
import runfolio

if __name__ == "__main__":
    frame = pandas.read_csv("rows.csv")
    parts = dask.dataframe.from_pandas(frame, npartitions=4)
    made = runfolio.pyfunc.dask_predict(parts, sys.argv[1], trust=True).compute(scheduler="processes", num_workers=2)
    assert made.index.equals(frame.index)
    print(json.dumps(made.tolist()))
"""
RAY = """
import json, sys
import pandas, ray
import runfolio

ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
ray.data.DataContext.get_current().execution_options.preserve_order = True  # else batches come as they are ready
rows = ray.data.from_pandas(pandas.read_csv("rows.csv")).repartition(4)
made = runfolio.pyfunc.ray_predict(rows, sys.argv[1], trust=True).to_pandas()
print(json.dumps(made["prediction"].tolist()))
"""
SPARK = """
import json, sys, warnings
import pandas
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, struct
import runfolio

warnings.simplefilter("ignore")
frame = pandas.read_csv("rows.csv")
spark = (
    SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "2")
    .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1").getOrCreate()
)
rows = spark.createDataFrame(frame.assign(row=range(len(frame)))).repartition(3)
rows.createOrReplaceTempView("rows")
columns = [col(f"`{name}`") for name in frame.columns]


def of(called, **more):
    udf = runfolio.pyfunc.spark_udf(spark, sys.argv[1], trust=True, **more)
    made = rows.select("row", called(udf).alias("made")).toPandas()
    return made.sort_values("row")["made"].tolist()


def in_sql():
    spark.udf.register("model", runfolio.pyfunc.spark_udf(spark, sys.argv[1], "double", trust=True))
    made = spark.sql("SELECT row, model({}) AS made FROM rows ORDER BY row".format(", ".join(f"`{name}`" for name in frame.columns)))
    return made.toPandas()["made"].tolist()


print(json.dumps({
    "columns": of(lambda udf: udf(*columns)),
    "struct": of(lambda udf: udf(struct(*columns))),
    "nothing": of(lambda udf: udf()),
    "long": of(lambda udf: udf(*columns), result_type="long"),
    "text": of(lambda udf: udf(*columns), result_type="string"),
    "array": [list(cell) for cell in of(lambda udf: udf(*columns), result_type="array<double>")],
    "field": [cell["p"] for cell in of(lambda udf: udf(*columns), result_type="p double")],
    "sql": in_sql(),
}))
"""


def ran(script: str, model: str, frame: Any, folder: Path) -> Any:
    """Run a script with an engine on the path; return what it printed last, as JSON."""
    (folder / "map.py").write_text(script)
    frame.to_csv(folder / "rows.csv", index=False)
    env = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    if script is SPARK:
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [PYSPARK, os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "map.py", model]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=2 * DEADLINE_S, check=False, env=env)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def predicted(model: str, frame: Any) -> list[Any]:
    made: list[Any] = runfolio.pyfunc.load_model(model, trust=True).predict(frame).tolist()
    return made


def test_a_dask_frame_is_predicted_part_by_part(models: Models, tmp_path: Path) -> None:
    pytest.importorskip("dask.dataframe", reason="NOT TESTED: Dask is not installed: pip install 'dask[dataframe]'")
    made = ran(DASK, str(models["forest"]), models.frame, tmp_path)
    assert made == predicted(str(models["forest"]), models.frame)


def test_a_ray_dataset_is_predicted_batch_by_batch(models: Models, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="NOT TESTED: Ray is not installed: pip install 'ray'")
    made = ran(RAY, str(models["forest"]), models.frame, tmp_path)
    assert made == predicted(str(models["forest"]), models.frame)


@needs_spark
def test_a_spark_table_is_predicted_however_the_function_is_called(models: Models, tmp_path: Path) -> None:
    made = ran(SPARK, str(models["forest"]), models.frame, tmp_path)
    wanted = predicted(str(models["forest"]), models.frame)
    assert {name: made[name] for name in ("columns", "struct", "nothing", "long", "field", "sql")} == dict.fromkeys(
        ("columns", "struct", "nothing", "long", "field", "sql"), wanted
    )
    assert made["text"] == list(map(str, wanted))
    assert made["array"] == [[each] for each in wanted]
