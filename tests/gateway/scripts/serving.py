"""A model of the registry, served by MLflow's own server, and asked over HTTP."""

import json
import socket
import subprocess
import sys
import time
import urllib.request

import mlflow
import mlflow.pyfunc
import pandas


class Doubles(mlflow.pyfunc.PythonModel):
    """Doubles what it is given."""

    def predict(self, context, model_input, params=None):
        return model_input * 2


mlflow.set_experiment("serving")
with mlflow.start_run(run_name="doubles"):
    place = {"artifact_path": "model"} if mlflow.__version__ < "3" else {"name": "model"}
    example = pandas.DataFrame({"x": [1.0, 2.0]})
    mlflow.pyfunc.log_model(python_model=Doubles(), input_example=example, registered_model_name="doubles", **place)
mlflow.MlflowClient().set_registered_model_alias("doubles", "live", "1")

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
asked = ["models", "serve", "-m", "models:/doubles@live", "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
server = subprocess.Popen([sys.executable, "-m", "mlflow", *asked])
try:
    for _ in range(1500):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5):
                break
        except OSError:
            assert server.poll() is None, "the server ended"
            time.sleep(0.2)
    body = json.dumps({"dataframe_split": {"columns": ["x"], "data": [[1.0], [21.0]]}}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.loads(answer.read())["predictions"] == [{"x": 2.0}, {"x": 42.0}]
finally:
    server.terminate()
    server.wait(30)
