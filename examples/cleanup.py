"""The guide's clean-up with its import changed; ``runfolio runs delete --filter … --older-than 90d`` does the same in one command."""

from datetime import datetime, timedelta

from runfolio.tracking import MlflowClient

client = MlflowClient()

cutoff = datetime.now() - timedelta(days=90)
deleted = 0
for exp in client.search_experiments():
    runs = client.search_runs(
        experiment_ids=[exp.experiment_id], filter_string=f"attributes.start_time < {int(cutoff.timestamp() * 1000)}"
    )
    for run in runs:
        if run.info.status == "FINISHED":
            client.delete_run(run.info.run_id)
            deleted += 1
            print(f"Deleted run {run.info.run_id} from {exp.name}")

print(f"Cleanup completed. Deleted {deleted} old runs.")
