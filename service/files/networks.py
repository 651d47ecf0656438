"""Writing a network as GraphML or GEXF, node by node and follow by follow.

XML 1.0 cannot hold some characters, not even escaped: in texts U+FFFD stands for each of them. An id that holds one
cannot be written; `writable` says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TextIO, get_args
from xml.sax.saxutils import escape, quoteattr

from service.files.tables import ColumnType, joined

NetworkFormat = Literal["graphml", "gexf"]
NETWORK_FORMATS: tuple[NetworkFormat, ...] = get_args(NetworkFormat)

KEYS_MARK = "Entourage: ids are whole keys"
"""How the description of a GEXF file begins whose ids are `network:id`; a GraphML file says `keys` of its graph."""

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TYPES: dict[ColumnType, str] = {"boolean": "boolean", "integer": "long", "number": "double"}
"""Types of attributes, in both formats alike; all others are written as text."""


class Look(NamedTuple):
    """How a node is drawn."""

    x: float
    y: float
    size: float
    colour: tuple[int, int, int]


def writable(text: str) -> bool:
    """Whether XML can hold a text as it is."""
    return _NO_XML.search(text) is None


def _text(value: Any) -> str:
    """A value as text, not escaped yet."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        value = joined(value)
    return _NO_XML.sub("\ufffd", value) if isinstance(value, str) else repr(value)


def _content(value: Any) -> str:
    return escape(_text(value), {"\r": "&#13;"})


def _quoted(value: Any) -> str:
    return quoteattr(_text(value))


class GraphmlFile:
    """A GraphML file under way: all nodes, then all follows, then `end`.

    Args:
        file: to write to.
        node_columns: types of attributes of nodes.
        about: attributes of the graph; `keys` (true) is added.
    """

    def __init__(self, file: TextIO, node_columns: Mapping[str, ColumnType], about: Mapping[str, Any]) -> None:
        self._write = file.write
        graph = {"keys": True, **{name: value for name, value in about.items() if value is not None}}
        self._write(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<graphml xmlns="http://graphml.graphdrawing.org/xmlns" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation='
            '"http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">\n'
        )
        for name, value in graph.items():
            type_ = "boolean" if isinstance(value, bool) else "long" if isinstance(value, int) else "string"
            self._key("graph", name, type_)
        for name, column in node_columns.items():
            self._key("node", name, _TYPES.get(column, "string"))
        self._key("edge", "weight", "double")
        self._key("edge", "at", "string")
        self._write('<graph edgedefault="directed">\n')
        for name, value in graph.items():
            self._write(f'<data key="{name}">{_content(value)}</data>\n')

    def _key(self, of: str, name: str, type_: str) -> None:
        self._write(f'<key id="{name}" for="{of}" attr.name="{name}" attr.type="{type_}"/>\n')

    def node(self, key: str, label: str, attributes: Mapping[str, Any], look: Look | None) -> None:  # noqa: ARG002
        """Write a node; what is None is left out. GraphML says neither labels nor how nodes look."""
        data = "".join(
            f'<data key="{name}">{_content(value)}</data>' for name, value in attributes.items() if value is not None
        )
        self._write(f"<node id={_quoted(key)}>{data}</node>\n")

    def edge(self, source: str, target: str, weight: float, at: str | None) -> None:
        """Write a follow; `at` is RFC 3339 text, None where unknown."""
        when = "" if at is None else f'<data key="at">{at}</data>'
        ends = f"source={_quoted(source)} target={_quoted(target)}"
        self._write(f'<edge {ends}><data key="weight">{weight!r}</data>{when}</edge>\n')

    def end(self) -> None:
        """Write what comes after the last follow."""
        self._write("</graph>\n</graphml>\n")


class GexfFile:
    """A GEXF 1.2 file under way: all nodes, then all follows, then `end`.

    Args:
        file: to write to.
        node_columns: types of attributes of nodes.
        about: what the description says of the graph.
    """

    def __init__(self, file: TextIO, node_columns: Mapping[str, ColumnType], about: Mapping[str, Any]) -> None:
        self._write = file.write
        self._edges = 0
        said = "; ".join(f"{name} {_text(value)}" for name, value in about.items() if value is not None)
        columns = "".join(
            f'<attribute id="{name}" title="{name}" type="{_TYPES.get(column, "string")}"/>\n'
            for name, column in node_columns.items()
        )
        self._write(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<gexf xmlns="http://www.gexf.net/1.2draft" xmlns:viz="http://www.gexf.net/1.2draft/viz" version="1.2">\n'
            f"<meta><creator>Entourage</creator><description>{_content(f'{KEYS_MARK}; {said}')}</description></meta>\n"
            '<graph defaultedgetype="directed" mode="static">\n'
            f'<attributes class="node">\n{columns}</attributes>\n'
            '<attributes class="edge"><attribute id="at" title="at" type="string"/></attributes>\n'
            "<nodes>\n"
        )

    def node(self, key: str, label: str, attributes: Mapping[str, Any], look: Look | None) -> None:
        """Write a node; what is None is left out."""
        values = "".join(
            f'<attvalue for="{name}" value={_quoted(value)}/>'
            for name, value in attributes.items()
            if value is not None
        )
        drawn = ""
        if look is not None:
            red, green, blue = look.colour
            drawn = (
                f'<viz:color r="{red}" g="{green}" b="{blue}"/>'
                f'<viz:position x="{look.x!r}" y="{look.y!r}" z="0.0"/><viz:size value="{look.size!r}"/>'
            )
        self._write(f"<node id={_quoted(key)} label={_quoted(label)}><attvalues>{values}</attvalues>{drawn}</node>\n")

    def edge(self, source: str, target: str, weight: float, at: str | None) -> None:
        """Write a follow; `at` is RFC 3339 text, None where unknown."""
        if not self._edges:
            self._write("</nodes>\n<edges>\n")
        when = "" if at is None else f'<attvalues><attvalue for="at" value="{at}"/></attvalues>'
        ends = f"source={_quoted(source)} target={_quoted(target)}"
        self._write(f'<edge id="{self._edges}" {ends} weight="{weight!r}">{when}</edge>\n')
        self._edges += 1

    def end(self) -> None:
        """Write what comes after the last follow."""
        self._write(
            "</edges>\n</graph>\n</gexf>\n" if self._edges else "</nodes>\n<edges></edges>\n</graph>\n</gexf>\n"
        )


def network_file(
    file_format: NetworkFormat, file: TextIO, node_columns: Mapping[str, ColumnType], about: Mapping[str, Any]
) -> GraphmlFile | GexfFile:
    """Begin a network file of a format."""
    return (GraphmlFile if file_format == "graphml" else GexfFile)(file, node_columns, about)
