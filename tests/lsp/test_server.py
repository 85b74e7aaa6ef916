"""The language server, driven over stdio with the capabilities of real editors, on the examples."""

from __future__ import annotations

from tests.lsp.client import EXAMPLES, Editor

STRAWBERRY = EXAMPLES / "strawberry.py"


async def test_values_stand_where_the_code_is(editor: Editor) -> None:
    uri = editor.open(STRAWBERRY)
    traced = await editor.command("cwm.trace", uri=uri)
    assert traced["call"] == 'how_many("strawberry", "r")'
    assert traced["end"]["reason"] == "returned"
    hints = await editor.hints(uri)
    assert "count = 0" in hints[editor.line(uri, "count = 0")]
    assert "→" in hints[editor.line(uri, "for char in word")]
    hover = await editor.hover(uri, "count += 1", "count")
    assert "predicted" in hover
    assert "Nothing was run" in hover
