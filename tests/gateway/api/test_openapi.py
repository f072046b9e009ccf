"""Does the document say how every write can be tried, and repeated without being done twice?"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.api.app import build_app
from gateway.composition import Gateway
from tests.gateway.homes import lonely_gateway

LOGIN = "a session is drawn anew each time, and what opens one is told once and kept nowhere"
OF_BYTES = "bytes of which nothing comes before they are staged: stage?dryRun=true tries them"
NEITHER = {
    "post_challenge": LOGIN,
    "post_session": LOGIN,
    "delete_session": LOGIN,
    "post_link": LOGIN,
    "post_grant": LOGIN,
    "delete_grant": "taking a grant back twice takes it back; that of a code must not wait for a second thought",
    "append_intake": f"{OF_BYTES}; Upload-Offset makes a repeat nothing",
}
NOT_TRIED = {"begin_intake": OF_BYTES}
NOT_KEYED = {"stage_intake": "a repeat is the same job, whatever its key"}


@pytest.fixture
def document(tmp_path: Path) -> Iterator[Mapping[str, Any]]:
    gateway: Gateway = lonely_gateway(tmp_path)
    yield build_app(gateway).openapi()
    gateway.close()


def writes(document: Mapping[str, Any]) -> Iterator[tuple[str, set[str]]]:
    """Each write of ours with the names of its parameters; /peer is between gateways, whose structs bear nonces."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if path.startswith("/v1/") and method in ("post", "put", "patch", "delete"):
                yield operation["operationId"], {each["name"] for each in operation.get("parameters", [])}


def test_every_write_can_be_tried_and_is_done_once_under_a_key_or_is_named_here_with_its_reason(
    document: Mapping[str, Any],
) -> None:
    found = dict(writes(document))

    not_tried = {name for name, takes in found.items() if "dryRun" not in takes}
    not_keyed = {name for name, takes in found.items() if "Idempotency-Key" not in takes}
    assert len(found) > 40
    assert not_tried == NEITHER.keys() | NOT_TRIED.keys()
    assert not_keyed == NEITHER.keys() | NOT_KEYED.keys()


def test_every_link_leads_to_an_operation_and_a_parameter_of_its(document: Mapping[str, Any]) -> None:
    operations = {
        operation["operationId"]: operation for item in document["paths"].values() for operation in item.values()
    }
    links = [
        link
        for operation in operations.values()
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]

    assert len(links) > 30
    for link in links:
        taken = {each["name"] for each in operations[link["operationId"]]["parameters"]}
        assert link["parameters"].keys() <= taken


def test_every_list_comes_by_page_or_is_named_here_with_its_reason(document: Mapping[str, Any]) -> None:
    whole = {"grants": "as many as an operator gives by hand"}
    lists = {
        item["get"]["operationId"]: item["get"]
        for item in document["paths"].values()
        if "get" in item and _answer_of(item["get"]).get("type") == "array"
    }

    assert len(lists) > 18
    assert {"list_usageIntake", "list_webhook", "list_usage"} <= lists.keys()
    for name in lists.keys() - whole.keys():
        takes = {each["name"] for each in lists[name]["parameters"]}
        assert takes > {"limit", "cursor", "fields"}, name
        assert lists[name]["responses"]["200"]["headers"].keys() == {"X-Total-Count", "X-Result-Count", "Link"}, name
    assert whole.keys() <= lists.keys()


def _answer_of(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of what comes as JSON; a table that may come as a file of another form is no list."""
    content = operation["responses"].get("200", {}).get("content", {})
    if content.keys() != {"application/json"}:
        return {}
    schema: Mapping[str, Any] = content["application/json"]["schema"]
    return schema
