"""``python validate_crate.py CRATE CACHE CONTEXT PROFILE``: RO-Crate's validator without a network, in a process that alone sees it.

The JSON-LD context that the crate names is put into the validator's own cache, from the copy that the package rocrate brings.
"""

import io
import json
import sys
from pathlib import Path

from requests.adapters import HTTPAdapter
from requests_cache import CachedSession
from urllib3 import HTTPResponse

ADDRESS = "https://w3id.org/ro/crate/1.1/context"


class Local(HTTPAdapter):
    """Answers each request with one file."""

    def __init__(self, data):
        super().__init__()
        self.data = data

    def send(self, request, **kwargs):
        headers = {"Content-Type": "application/ld+json"}
        raw = HTTPResponse(
            io.BytesIO(self.data),
            headers=headers,
            status=200,
            preload_content=False,
            request_url=request.url,
            request_method="GET",
        )
        return self.build_response(request, raw)


def main(crate, cache, context, profile):
    with CachedSession(cache_name=cache, backend="sqlite", expire_after=-1) as session:
        session.mount("https://", Local(Path(context).read_bytes()))
        session.get(ADDRESS)
    from rocrate_validator.models import Severity, ValidationSettings
    from rocrate_validator.services import validate

    settings = ValidationSettings(
        rocrate_uri=crate, profile_identifier=profile, requirement_severity=Severity.RECOMMENDED, cache_path=cache, offline=True,
        abort_on_first=False,
    )  # fmt: skip
    result = validate(settings)
    issues = [
        [issue.severity.name, issue.check.identifier, str(issue.message), str(issue.violatingEntity)]
        for issue in result.get_issues()
    ]
    print(json.dumps(issues))


if __name__ == "__main__":
    main(*sys.argv[1:])
