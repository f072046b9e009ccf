"""Does a refusal speak the reader's language, as far as it has words, and does every word stand for one of the code?"""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.app import build_app
from gateway.api.problems import NotSignedIn
from gateway.composition import Gateway
from gateway.desk import refusing
from gateway.desk.refusing import refusals_of
from ledger.chain.bindings import AmountZero, CreditLineExceeded
from ledger.errors import Conflict, GscError, Malformed, PeriodStillOpen
from ledger.identity import AgreementId
from tests.gateway.desk.clerk import Clerk
from tests.gateway.homes import lonely_gateway

ROOT = Path(__file__).parents[3]
CHINESE = re.compile("[\u4e00-\u9fff]")
ZH, EN = refusals_of("zh"), refusals_of("en")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = lonely_gateway(tmp_path_factory.mktemp("refusing"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def clerk(gateway: Gateway) -> Clerk:
    return Clerk(build_app(gateway))


def sentences_of(code: str) -> set[str]:
    """Every text of a module, {} where it fills something in."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        if isinstance(node, ast.JoinedStr):
            found.add("".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values))
    return found


def classes() -> set[type[GscError]]:
    """Every refusal that the app knows."""
    found, waiting = set[type[GscError]](), [GscError]
    while waiting:
        kind = waiting.pop()
        if kind not in found and not kind.__module__.startswith("tests."):
            found.add(kind)
            waiting += kind.__subclasses__()
    return found


# THE CATALOGUE


def test_every_sentence_stands_for_one_that_the_code_says() -> None:
    code = [path for room in ("gateway", "ledger", "reconciliation") for path in (ROOT / room).rglob("*.py")]
    said = set[str]().union(*(sentences_of(path.read_text("utf-8")) for path in code))

    assert len(ZH.sentences) > 180
    assert sorted(ZH.sentences.keys() - said) == []
    assert "the file was eaten" not in said, "what no code says would be found"
    assert "{} lacks {}" in sentences_of("raise Malformed(f'{a.b} lacks {c:,}')")


def test_every_sentence_is_chinese_and_says_what_the_code_fills_in() -> None:
    for english, chinese in ZH.sentences.items():
        names = [name for _, name, _, _ in string.Formatter().parse(chinese) if name is not None]
        assert CHINESE.search(chinese), english
        assert sorted(names) == [str(at) for at in range(english.count("{}"))], english


def test_every_heading_is_of_a_class_and_every_class_has_one() -> None:
    known = classes()

    assert len(known) > 150
    assert ZH.headings.keys() <= {kind.slug for kind in known}
    assert all(CHINESE.search(ZH.heading_of(kind)) for kind in known)
    assert (ZH.heading_of(AmountZero), ZH.heading_of(NotSignedIn)) == ("合约拒绝", "尚未登录")
    assert EN.heading_of(NotSignedIn) == "Not signed in"


def test_a_sentence_that_stands_in_two_files_is_a_mistake_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "xx" / "refusals"
    folder.mkdir(parents=True)
    for name in ("one", "two"):
        (folder / f"{name}.toml").write_text('"the file is empty" = "x"\n')
    monkeypatch.setattr(refusing, "CATALOGUES", tmp_path)

    with pytest.raises(AssertionError, match=r"two\.toml repeats"):
        refusals_of.__wrapped__("xx")


# WHAT IS SAID


@given(st.text())
def test_english_is_as_the_code_says_it(text: str) -> None:
    assert EN.said(text) == EN.reason(text) == text
    assert EN.refusal(Malformed(text, expected=text, got=text, todo=text)).message == text


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60))
def test_what_the_catalogue_does_not_have_is_said_in_english(text: str) -> None:
    assert ZH.said(f"~{text}~") == f"~{text}~"


def test_a_sentence_with_things_filled_in_is_found_and_keeps_them() -> None:
    error = PeriodStillOpen(
        "records of 2026-10 are revealed once both sides have closed it",
        expected="closes of CN-T and GB-B",
        got="GB-B has not closed",
        todo="Close with `gsc close`, or wait for the partner.",
    )
    said = ZH.refusal(error)

    assert said.message == "2026-10 的记录须双方关账后才披露"
    assert (said.heading, said.expected, said.got) == ("账期尚未关闭", "CN-T 与 GB-B 的关账", "GB-B 尚未关账")
    assert (said.todo, said.status) == ("请用 `gsc close` 关账，或等待对方。", 409)
    assert ZH.said("a file of preset {0} does not say which way its traffic went") == (
        "预设格式 {0} 的文件没有说明话务方向"
    ), "braces in what is filled in are only text"


def test_what_is_filled_in_may_be_a_sentence_itself() -> None:
    assert ZH.said("GB-B's gateway refuses: this dispute is over") == "GB-B 的网关拒绝：该争议已结束"
    assert ZH.said("GB-B's gateway refuses: it rains") == "GB-B 的网关拒绝：it rains"


def test_a_contracts_refusal_is_said_where_the_outbox_keeps_it_as_one_text() -> None:
    refusal = CreditLineExceeded(AgreementId(bytes(32)), bytes(32), 12, 11)

    assert ZH.reason(str(refusal)).startswith("该申报会使付款方超出其信用额度 (")
    assert ZH.reason(str(refusal)).endswith("limit_micros=11)。请商定付款或提高额度；该批次在发件箱中等待。")
    assert ZH.reason("NodeRefused") == "NodeRefused"
    assert EN.reason(str(refusal)) == str(refusal)


def test_a_text_beyond_all_bounds_is_not_searched() -> None:
    long = "no agreement with " + "x" * 2_000
    assert ZH.said(long) == long


def test_absence_stays_absence() -> None:
    said = ZH.refusal(Conflict("this dispute is over"))
    assert (said.message, said.expected, said.got, said.todo) == ("该争议已结束", None, None, "")


# ON THE PAGES


def test_a_stranger_reads_in_chinese_that_nobody_is_logged_in(clerk: Clerk) -> None:
    page = clerk.browser.request("POST", "/desk/imports?lang=zh", headers={"Cookie": ""}).text

    assert "<h1>尚未登录</h1>" in page
    assert "尚未登录，或登录已过期" in page
    assert "<dt>应为</dt>" in page
    assert "下一步： 请用 `gsc login` 登录" in page
    assert 'href="/login?lang=zh"' in page
    assert 'href="/desk?lang=zh">总览</a>' in page


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/desk/statements/GB-B/foo", 422, "不是账期"),
        ("/desk/statements/XX-X/2026-10", 404, "与 XX-X 没有协议"),
        ("/desk/nowhere", 404, "结算台没有这个页面"),
    ],
)
def test_a_page_that_is_none_says_so_in_chinese_and_in_english_as_before(
    clerk: Clerk, path: str, status: int, said: str
) -> None:
    chinese, english = clerk.get(f"{path}?lang=zh"), clerk.get(f"{path}?lang=en")

    assert (chinese.status_code, english.status_code) == (status, status)
    assert said in chinese.text
    assert "Next:" in english.text or "Expected" in english.text
    assert said not in english.text


def test_a_file_that_cannot_be_read_says_why_in_chinese(clerk: Clerk) -> None:
    fields = {"csrf": re.findall(r'name="csrf" value="(\w+)"', clerk.get("/desk/imports").text)[0]}
    empty = clerk.browser.post(
        "/desk/imports?lang=zh", headers={"Origin": clerk.origin}, data=fields, files={"file": ("x.csv", b"")}
    )

    assert empty.status_code == 422
    assert all(
        each in empty.text for each in ("内容无法读取", "文件是空的", "话单文件", "没有内容", "请选择其他文件。")
    )
