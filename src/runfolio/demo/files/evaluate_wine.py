"""The model in Production on wines that it has not seen, beside the first version."""

from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

import runfolio

SEED = 2  # the registered models were trained on the other 30 % of this split

if __name__ == "__main__":
    wines = load_wine(as_frame=True).frame.rename(columns={"target": "cultivar"})
    _, unseen = train_test_split(wines, test_size=0.7, random_state=SEED, stratify=wines["cultivar"])
    runfolio.set_experiment("wine-evaluations")
    with runfolio.start_run(
        run_name="production-on-unseen", description="What is in Production, on wines it was not trained on."
    ):
        runfolio.evaluate(
            "models:/wine-cultivar/Production",
            runfolio.data.from_pandas(unseen, targets="cultivar", name="wine-unseen"),
            model_type="classifier",
            baseline_model="models:/wine-cultivar/1",
            slices=["alcohol", "proline > 750", "proline <= 750"],
            evaluator_config={"slice_metric": "accuracy_score", "log_plots": False},
        )
    print("1/1", flush=True)
