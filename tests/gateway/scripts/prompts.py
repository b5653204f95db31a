"""A prompt: registered twice, given an alias, loaded, filled in, found, tagged, and a version taken away."""

import mlflow

new = mlflow.__version__ >= "3"
prompts = mlflow.genai if new else mlflow
first = prompts.register_prompt(name="sommelier", template="Which wine goes with {{ dish }}?", commit_message="The first.")
second = prompts.register_prompt(
    name="sommelier",
    template="You know wine.\nWhich one goes with {{ dish }}?",
    commit_message="A role.",
    **({"tags": {"author": "ada"}} if new else {"version_metadata": {"author": "ada"}}),
)
assert (int(first.version), int(second.version)) == (1, 2)
assert prompts.load_prompt("sommelier", version=1).format(dish="fish") == "Which wine goes with fish?"
assert prompts.load_prompt("prompts:/sommelier/2").template == second.template
prompts.set_prompt_alias("sommelier", alias="live", version=2)
assert prompts.load_prompt("prompts:/sommelier@live").template == second.template
prompts.set_prompt_alias("sommelier", alias="live", version=1)
assert int(prompts.load_prompt("prompts:/sommelier@live").version) == 1

if new:
    chat = [{"role": "system", "content": "You know wine."}, {"role": "user", "content": "{{ dish }}"}]
    asked = {"type": "object", "properties": {"wine": {"type": "string"}}}
    mlflow.genai.register_prompt(name="chat", template=chat, response_format=asked, tags={"author": "ada"})
    loaded = mlflow.genai.load_prompt("prompts:/chat@latest")
    assert loaded.template == chat and loaded.response_format == asked and loaded.tags["author"] == "ada"
    assert [item.name for item in mlflow.genai.search_prompts()] == ["chat", "sommelier"]
    assert [item.name for item in mlflow.genai.search_prompts("name = 'chat'")] == ["chat"]
    mlflow.MlflowClient().delete_prompt_version("sommelier", "2")
else:
    mlflow.delete_prompt("sommelier", 2)
assert mlflow.MlflowClient().search_registered_models("name = 'sommelier'") == []
