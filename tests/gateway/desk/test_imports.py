"""Can a clerk bring a file, see what it would become, map it, import it, and deal with what was left out?"""

import re
import time
from html import unescape
from pathlib import Path

import httpx
import pytest

from gateway.composition import Gateway
from ledger.store.engine import reading
from ledger.store.imports import list_imports
from tests.gateway.desk.clerk import Clerk, form_of
from tests.gateway.disputed import Served
from tests.scenarios.gateways import CN_T

pytestmark = pytest.mark.chain
HEADING = "a_number,b_number,start,duration_ms,trunk"
GOOD = "+8613900000001,+442070000001,2026-11-02T08:00:00Z,60000,gb-b-out"
BAD = "+8613900000002,=cmd|calc,2026-11-02T09:00:00Z,61000,gb-b-out"
UNKNOWN = "+8613900000003,+442070000003,2026-11-02T10:00:00Z,62000,nobody"
FOREIGN = "Caller Nr;Dest;Begin;Len;Trunk Group\n+8613900000009;+442070000009;02.11.2026 08:00:00;75;gb-b-out\n"


@pytest.fixture(scope="module")
def cn(served: Served) -> Clerk:
    return Clerk(served.apps[CN_T])


def bring(clerk: Clerk, name: str, text: str) -> str:
    """Drop a file; the address where it waits."""
    fields = form_of(clerk.get("/desk/imports").text, "/desk/imports")
    answer = clerk.browser.post(
        "/desk/imports", headers={"Origin": clerk.origin}, data=fields, files={"file": (name, text.encode())}
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def ended(clerk: Clerk, path: str) -> str:
    """The page once nothing is being read any more."""
    for _ in range(500):
        page = clerk.get(path).text
        if "<progress" not in page and "is being read" not in page:
            return page
        time.sleep(0.02)
    raise AssertionError(page)


def imported(clerk: Clerk, name: str, text: str) -> str:
    """Bring a file and import it; the page of the import."""
    waits = bring(clerk, name, text)
    ended(clerk, waits)
    assert clerk.submit(waits, f"{waits}/import").status_code == 303
    assert re.search(r"\d (record is|records are) in\.", ended(clerk, waits))
    return latest(clerk)


def latest(clerk: Clerk) -> str:
    gateway: Gateway = clerk.browser.app.state.gateway
    with reading(gateway.engine) as connection:
        return f"/desk/imports/{list_imports(connection)[0].id}"


def test_a_stranger_brings_nothing(served: Served, cn: Clerk) -> None:
    answer = cn.browser.post("/desk/imports", headers={"Cookie": ""}, files={"file": ("x.csv", b"x")})

    assert answer.status_code == 401
    assert not list((served[CN_T].settings.work_path / "staged").glob("*/staged.json"))


def test_an_empty_file_and_one_of_no_known_kind_are_told_so_with_what_to_do(cn: Clerk) -> None:
    fields = form_of(cn.get("/desk/imports").text, "/desk/imports")
    empty: httpx.Response = cn.browser.post(
        "/desk/imports", headers={"Origin": cn.origin}, data=fields, files={"file": ("x.csv", b"")}
    )
    waits = bring(cn, "odd.csv", "just some words\nand more of them\n")
    unknown = ended(cn, waits)
    chinese = cn.get(f"{waits}?lang=zh").text
    away = cn.submit(waits, f"{waits}/away")  # it has no columns to map, and other tests follow every link

    assert away.status_code == 303
    assert "没有适合该文件的预设格式" in chinese
    assert "下一步： 请在页面上映射列" in chinese
    assert (empty.status_code, "the file is empty" in empty.text) == (422, True)
    assert "no preset fits the file" in unknown
    assert "Map its columns" in unknown


def test_a_file_is_tried_before_anything_is_kept_and_imported_once(served: Served, cn: Clerk) -> None:
    waits = bring(cn, "november.csv", "\n".join([HEADING, GOOD, BAD, ""]))
    tried = ended(cn, waits)
    with reading(served[CN_T].engine) as connection:
        before = len(list_imports(connection))

    assert "% sure" in tried
    assert "Nothing is kept yet" in tried
    assert "GB-B" in tried
    assert "=cmd|calc" in tried
    answers = [cn.submit(waits, f"{waits}/import")]
    page = ended(cn, waits)
    with reading(served[CN_T].engine) as connection:
        found = list_imports(connection)

    assert answers[0].status_code == 303
    assert "1 record is in" in page
    assert (len(found), found[0].file_name, found[0].accepted, found[0].quarantined) == (
        before + 1,
        "november.csv",
        1,
        1,
    )


def test_what_was_left_out_comes_back_as_it_was_with_line_and_reason(cn: Clerk) -> None:
    path = imported(cn, "left.csv", "\n".join([HEADING, GOOD.replace("08:00", "08:01"), BAD, UNKNOWN, ""]))
    rows = cn.get(f"{path}/quarantine")
    table = cn.get(f"{path}?export=quarantined&format=csv")

    lines = rows.text.splitlines()
    assert lines[0] == f"{HEADING},gsc_line,gsc_reason"
    assert lines[1].startswith(f"{BAD},3,")
    assert lines[2].startswith(f"{UNKNOWN},4,")
    assert 'filename="left-quarantine.csv"' in rows.headers["content-disposition"]
    assert len(table.text.splitlines()) == 3


def test_quarantined_rows_are_read_again_once_somebody_says_whose_the_trunk_is(cn: Clerk) -> None:
    path = imported(cn, "again.csv", "\n".join([HEADING, GOOD.replace("08:00", "08:02"), UNKNOWN, ""]))
    refused = cn.submit(path, f"{path}/replay", what="do", preset="csv")
    told = ended(cn, path)
    cn.submit(path, f"{path}/replay", what="try", preset="csv", partner="GB-B", direction="out")
    tried = ended(cn, path)
    cn.submit(path, f"{path}/replay", what="do", preset="csv", partner="GB-B", direction="out")
    page = ended(cn, path)

    assert refused.status_code == 303
    assert "none of the 1 rows can be read" in told
    assert "This is what it would become" in tried
    assert "1 of these rows came in later, 0 are still left out" in page
    assert "read again" in cn.get(latest(cn)).text


def test_a_file_of_no_known_preset_is_mapped_tried_and_imported(served: Served, cn: Clerk) -> None:
    waits = bring(cn, "foreign.csv", FOREIGN)
    ended(cn, waits)
    editor = f"{waits}/mapping"
    guessed = cn.get(editor).text
    chosen = "column-0=a_party&column-1=b_party&column-2=start&column-3=quantity&column-4=route"
    page = f"{editor}?usage=voice&{chosen}&dates=dmy&unit=s&name=foreign"
    proposed = cn.get(page).text
    fields = form_of(proposed, editor)
    toml = unescape(proposed.split("<textarea")[1].split(">", 1)[1].split("</textarea>")[0])
    saved = cn.post(editor, fields | {"toml": toml})
    tried = ended(cn, waits)

    assert "No heading tells which column this is:" in guessed
    assert "<strong>quantity</strong>." in guessed
    assert "--map" not in guessed, "a page says what to do on the page"
    assert "02.11.2026 08:00:00" in guessed, "the first rows stand beside"
    assert "100 % of 1 row read so" in proposed
    assert saved.status_code == 303, saved.text
    assert (served[CN_T].settings.mappings_path / "foreign.toml").is_file()
    assert "mapping:foreign" in tried
    assert "Nothing is kept yet" in tried
    assert cn.submit(waits, f"{waits}/import").status_code == 303
    assert "1 record is in" in ended(cn, waits)


@pytest.mark.parametrize("name", ["../../evil", "", "UPPER", "x" * 41])
def test_a_mapping_is_saved_under_a_plain_name_only(served: Served, cn: Clerk, name: str) -> None:
    waits = bring(cn, "named.csv", FOREIGN.replace("0009", "0008"))
    ended(cn, waits)
    editor = f"{waits}/mapping"
    before = sorted(Path(served[CN_T].settings.home).rglob("*.toml"))
    answer = cn.post(
        editor, {"csrf": form_of(cn.get("/desk/imports").text, "/desk/imports")["csrf"], "name": name, "toml": "x"}
    )

    assert answer.status_code == 422
    assert sorted(Path(served[CN_T].settings.home).rglob("*.toml")) == before


def test_a_file_that_is_not_wanted_is_put_away(cn: Clerk) -> None:
    waits = bring(cn, "unwanted.csv", "\n".join([HEADING, GOOD.replace("08:00", "08:09"), ""]))
    ended(cn, waits)

    assert cn.submit(waits, f"{waits}/away").status_code == 303
    assert cn.get(waits).status_code == 404
