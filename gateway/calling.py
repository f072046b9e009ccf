"""How does a program ask a gateway, and how does it hear a refusal? HTTP, tokens, pages and problems."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import httpx

from gateway.signing import Signer
from ledger.errors import GscError, Unavailable

Json = Mapping[str, Any]
PAGE = "1000"
TRIES = 5


class GatewayRefused(GscError):
    """The gateway answered with a problem document; `members` are its members."""

    slug, status = "gateway-refused", 409

    def __init__(self, problem: Json) -> None:
        known = {"type", "title", "status", "detail", "expected", "got", "todo"}
        super().__init__(
            str(problem.get("detail", "refused")),
            expected=problem.get("expected"),
            got=problem.get("got"),
            todo=str(problem.get("todo", "")),
        )
        self.problem = problem
        self.members = {name: value for name, value in problem.items() if name not in known}

    @property
    def problem_slug(self) -> str:
        """ "credit-line-exceeded"."""
        return str(self.problem.get("type", "")).rsplit("/", 1)[-1]

    @property
    def problem_status(self) -> int:
        return int(self.problem.get("status", 0))


class Caller:
    """One carrier's gateway, as somebody who is logged in. Not shared between threads."""

    def __init__(self, url: str, who: str | Signer, *, timeout_seconds: float = 300.0) -> None:
        """`who` is a bearer token, or the carrier's signer, which logs in. Raises GatewayRefused, Unavailable."""
        self.url = url
        self.signer = None if isinstance(who, str) else who
        headers = {"Authorization": f"Bearer {who if isinstance(who, str) else _token_of(url, who)}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout_seconds, trust_env=False)

    @classmethod
    def of_home(cls, home: Path, url: str | None = None) -> Self:
        """The client of a carrier's home folder on this machine."""
        from gateway.settings import load_settings

        settings = load_settings(home)
        listen = settings.listen
        return cls(url or f"http://{listen.host}:{listen.port}", settings.token_path.read_text("ascii").strip())

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        """One request and its answer. Raises GatewayRefused, Unavailable."""
        return self._answer(lambda: self._http.request(method, path, **body))

    def _post(self, path: str, body: Json | None, dry_run: bool, key: str | None = None) -> Json:
        headers = {"Idempotency-Key": key} if key else {}
        answer: Json = self._answer(
            lambda: self._http.post(path, json=body, params=_dry(dry_run), headers=headers)
        ).json()
        return answer

    def _change(self, method: str, seen: str, path: str, body: Json | None, dry_run: bool) -> Json:
        """A change on whatever state there is: looked at again while it changes under our hands."""
        for tried in range(TRIES):
            etag = self._answer(lambda: self._http.get(seen)).headers["ETag"]
            headers = {"If-Match": etag}
            try:
                answer: Json = self._answer(
                    partial(self._http.request, method, path, json=body, params=_dry(dry_run), headers=headers)
                ).json()
            except GatewayRefused as refusal:
                if refusal.problem_slug != "precondition-failed" or tried == TRIES - 1:
                    raise
            else:
                return answer
        raise AssertionError("the last try answers or raises")

    def _get(self, path: str, **query: str | None) -> Json:
        answer: Json = self._answer(lambda: self._http.get(path, params=_given(query))).json()
        return answer

    def _list(self, path: str, **query: str | None) -> Sequence[Json]:
        """Every page."""
        found: list[Json] = []
        page = self._answer(lambda: self._http.get(path, params=_given(query) | {"limit": PAGE}))
        while True:
            found += page.json()
            if "next" not in page.links:
                return found
            page = self._answer(partial(self._http.get, page.links["next"]["url"]))

    def _answer(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        try:
            response = send()
        except httpx.HTTPError as error:
            raise Unavailable("the gateway does not answer", got=f"{self._http.base_url}: {error}") from None
        if response.status_code >= 400:
            raise GatewayRefused(response.json())
        return response


def _given(query: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in query.items() if value is not None}


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "true"} if dry_run else {}


def _token_of(url: str, signer: Signer) -> str:
    from gateway.login import log_in_as

    return str(log_in_as(signer, signer.carrier, signer.carrier, url)["token"])
