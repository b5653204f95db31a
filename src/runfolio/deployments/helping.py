"""What a target says of itself: ``runfolio deployments help -t TARGET``."""

from __future__ import annotations

from runfolio.deployments.client import Target

RECORD = "true or false: leave a record in the folio"


def help_text(client: type[Target], form: str, about: str, more: str = "") -> str:
    """Write the help of a target.

    Parameters
    ----------
    client : type of Target
    form : str
        How its URI is written.
    about : str
        One sentence.
    more : str, optional
    """
    keys = {**client.keys, "record": f"{RECORD}; {str(client.recorded).lower()} by default"}
    wide = max(len(key) for key in keys)
    lines = [f"{client.name}: {about}", "", f"Target: {form}", "", "Config (-C KEY=VALUE):"]
    lines += [f"  {key:{wide}}  {text}" for key, text in sorted(keys.items())]
    return "\n".join([*lines, *(["", more] if more else []), ""])
