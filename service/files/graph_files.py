"""GraphML, GEXF and Pajek: nodes and edges of a graph file as lines of accounts and of follows, read as they come.

A line is what NDJSON would say of a node or an edge. Beside its attributes it has `@element`, which tells where it
stands in the file, and `@id`, or `@source` and `@target`. An edge without direction is two lines.

A file is read twice: first to its end, so that nothing of one that is malformed is used, and so that names of
attributes are known wherever they stand. Of a Pajek file the labels are held, of others nothing that grows with it.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal
from xml.parsers import expat

from service.errors import UnreadableFile
from service.files.lines import (
    ELEMENT,
    MAX_LINE_BYTES,
    STANDARD_INPUT,
    Line,
    TextStream,
    beginning,
    bounded,
    open_lines,
)
from service.files.networks import KEYS_MARK

Part = Literal["nodes", "edges"]

GRAPH_FORMATS = ("graphml", "gexf", "pajek")
_PARTS: dict[str, Part] = {"accounts": "nodes", "follows": "edges", "opt_outs": "nodes"}
GRAPH_KINDS = (*_PARTS,)
"""Kinds of lines that graph files hold: of nodes accounts, and opt-outs where one says so; of edges follows."""

OPTED_OUT = "opted_out"
MOST_COLUMNS = 2_000
MOST_DEPTH = 500
MOST_NAMES = 10_000
MOST_NAME_CHARACTERS = 256
MOST_CHARACTERS_OF_NAMES = 1 << 20
MOST_TAG_BYTES = 1 << 20
HEAD_BYTES = 1 << 12

_CALLED = {"graphml": "GraphML", "gexf": "GEXF", "pajek": "Pajek"}
_ENDINGS = {".graphml": "graphml", ".gexf": "gexf", ".net": "pajek"}
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(graphml|gexf)[\s>/]")
_NOT_OPTED_OUT = ("", "false", "no", "0")


@dataclass
class Element:
    """A node or an edge as it stands in a file.

    Attributes:
        part: what it is.
        called: what it is called in reports: node, edge, hyperedge.
        number: which one it is, from 1.
        line: where it begins.
        ends: the id of a node; source and target of an edge. None where the file does not say.
        directed: whether an edge has a direction.
        attributes: what is said of it, by key; `names` of the survey say what that means.
        size: of the attributes, in bytes.
    """

    part: Part
    called: str
    number: int
    line: int
    ends: tuple[str | None, ...]
    directed: bool = True
    attributes: dict[str, str] = field(default_factory=dict)
    size: int = 0

    def say(self, key: str, value: str) -> None:
        """Add an attribute; of what is too long for a line no more than that is kept."""
        self.size += len(key) + len(value)
        if self.size <= MAX_LINE_BYTES:
            self.attributes[key] = value


@dataclass
class Survey:
    """What a graph file holds, all in all.

    Attributes:
        nodes, edges: how many there are.
        undirected: edges without direction.
        keys: whether it says itself that its ids are whole keys, `network:id`.
        names: names of attributes by key, of nodes and of edges.
        defaults: values of attributes where an element does not say otherwise, by key.
        seen: keys of attributes that occur, and whether any says more than the element's own id.
    """

    nodes: int = 0
    edges: int = 0
    undirected: int = 0
    keys: bool = False
    names: dict[Part, dict[str, str]] = field(default_factory=lambda: {"nodes": {}, "edges": {}})
    defaults: dict[Part, dict[str, str]] = field(default_factory=lambda: {"nodes": {}, "edges": {}})
    seen: dict[Part, dict[str, bool]] = field(default_factory=lambda: {"nodes": {}, "edges": {}})

    def attributes(self, element: Element) -> dict[str, str]:
        """What is said of an element, by names of attributes; what XML itself says (`@weight`) comes before all."""
        names, said = self.names[element.part], element.attributes
        found = {names.get(key, key): value for key, value in self.defaults[element.part].items()}
        found.update((names.get(key, key), value) for key, value in said.items() if not key.startswith("@"))
        found.update((key[1:], value) for key, value in said.items() if key.startswith("@"))
        if element.part == "nodes" and found.get("label") == element.ends[0]:
            found.pop("label", None)
        return found

    def columns(self, part: Part) -> list[str]:
        """Names of the attributes that occur."""
        seen = {**dict.fromkeys(self.defaults[part], True), **self.seen[part]}
        named = [
            (key[1:] if key.startswith("@") else self.names[part].get(key, key), says) for key, says in seen.items()
        ]
        return list(dict.fromkeys(name for name, says in named if says or name != "label"))

    @property
    def kinds(self) -> list[str]:
        """Kinds of lines that are there."""
        opt_outs = self.nodes and OPTED_OUT in map(_plain, self.columns("nodes"))
        there = {"accounts": self.nodes, "follows": self.edges, "opt_outs": opt_outs}
        return [kind for kind in GRAPH_KINDS if there[kind]]

    def described(self, file_format: str) -> str:
        """Say what was found."""
        said = f"{_CALLED[file_format]}: {self.nodes:,} nodes and {self.edges:,} edges."
        if self.undirected:
            said += f" {self.undirected:,} of the edges have no direction: each is two follows, one each way."
        return said + (" Its ids are whole keys, as it says itself." if self.keys else "")


def graph_format(path: Path) -> str | None:
    """Return which format of graph files a file has, by its ending or else its beginning; None for none of them."""
    if path == STANDARD_INPUT or not path.is_file():
        return None
    ending = (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    text = beginning(path, HEAD_BYTES).replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")  # of UTF-16, too
    if text.startswith(b"<"):
        root = _ROOT.search(text)
        return None if root is None else root[1].decode()
    first = next((line for line in text.lower().splitlines() if line.strip() and not line.startswith(b"%")), b"")
    return "pajek" if first.startswith((b"*vertices", b"*network")) else None


def survey_graph(path: Path, file_format: str, *, name: str | None = None, most_expanded: int | None = None) -> Survey:
    """Read a graph file to its end, and return what it holds; the last one is remembered: its kinds are read in turn.

    Raises:
        UnreadableFile: it cannot be read, is malformed, or of a form that is not read; the line is named.
        ExpandsTooFar: it expands to more than it may.
    """
    try:
        status = path.stat()
        state = (status.st_ino, status.st_mtime_ns, status.st_size)
    except (OSError, ValueError):  # opening it says why
        state = None
    return _surveyed(path, file_format, name, most_expanded, state)


@lru_cache(maxsize=1)
def _surveyed(
    path: Path,
    file_format: str,
    name: str | None,
    most_expanded: int | None,
    state: tuple[int, int, int] | None,  # noqa: ARG001 - a file that was written anew is another one
) -> Survey:
    with open_lines(path, "csv", name=name, most_expanded=most_expanded) as stream:
        if stream.total_bytes is None or not isinstance(stream, TextStream):
            raise UnreadableFile(
                f"{stream.name} is a graph file that comes through a pipe, and graph files are read twice; save it to "
                "a file and import that."
            )
        survey = Survey()
        for one in _READERS[file_format](stream, survey).elements():
            seen = survey.seen[one.part]
            for key, value in one.attributes.items():
                if len(key) > MOST_NAME_CHARACTERS:
                    raise _wrong(stream, one.line, _LONG_NAME)
                seen[key] = seen.get(key, False) or value != one.ends[0]
            if len(seen) > MOST_COLUMNS:
                raise UnreadableFile(f"The {one.part} of {stream.name} have more than {MOST_COLUMNS:,} attributes.")
            if one.part == "nodes":
                survey.nodes += 1
            else:
                survey.edges += 1
                survey.undirected += not one.directed
        return survey


@contextmanager
def open_graph_file(
    path: Path, file_format: str, kind: str, *, name: str | None = None, most_expanded: int | None = None
) -> Iterator[GraphStream]:
    """Open a graph file to read those of its elements as lines that hold a kind, one of `GRAPH_KINDS`.

    Raises:
        UnreadableFile: it cannot be read, is malformed, or of a form that is not read; the line is named.
        ExpandsTooFar: it expands to more than it may.
    """
    survey = survey_graph(path, file_format, name=name, most_expanded=most_expanded)
    with open_lines(path, "csv", name=name, most_expanded=most_expanded) as stream:
        assert isinstance(stream, TextStream)  # noqa: S101 - it was said to be no Parquet
        yield GraphStream(stream, survey, _READERS[file_format], kind)


class GraphStream:
    """The nodes or the edges of a graph file as NDJSON lines, numbered from 1.

    Attributes:
        name: what to call the file in messages.
        total_bytes: its size on disk.
        columns: names of its columns.
        fields: which column holds a field, as the format says it; a label is a handle where there is none.
        keys: whether its ids are whole keys.
    """

    def __init__(self, stream: TextStream, survey: Survey, reader: type[_Reader], kind: str) -> None:
        self.name = stream.name
        self.total_bytes = stream.total_bytes
        self._stream = stream
        self._survey = survey
        self._reader = reader
        self._kind = kind
        self._part = part = _PARTS[kind]
        self._ends = ("@id",) if part == "nodes" else ("@source", "@target")
        attributes = [one for one in survey.columns(part) if not one.startswith("@")]
        if part == "nodes":  # who opted out is a kind of its own
            attributes = [one for one in attributes if (_plain(one) == OPTED_OUT) == (kind == "opt_outs")]
        self._column = {one: one for one in attributes}
        for usual in ("weight", "at") if part == "edges" else ():  # capitals do not matter, as of columns of CSV
            if usual not in attributes:
                self._column.update((one, usual) for one in attributes if _plain(one) == usual)
        self.columns: Sequence[str] | None = [*self._ends, *dict.fromkeys(self._column.values())]
        self.fields: Mapping[str, str] = {"follower": "@source", "followee": "@target"}
        if part == "nodes":
            self.fields = {"account": "@id"}
            if "label" in attributes and "handle" not in map(_plain, attributes):
                self.fields = {"account": "@id", "handle": "label"}
        self.keys = survey.keys

    @property
    def read_bytes(self) -> int:
        """How many bytes of the file on disk were read so far."""
        return self._stream.read_bytes

    def __iter__(self) -> Iterator[Line]:
        """Yield a line for each element, two for an edge without direction that is no loop.

        Raises:
            UnreadableFile: reading failed on the way.
        """
        number = 0
        known = Survey(names=self._survey.names, defaults=self._survey.defaults)
        for one in self._reader(self._stream, known).elements():
            if one.part != self._part:
                continue
            both = not one.directed and None not in one.ends and one.ends[0] != one.ends[1]
            for ends in (one.ends, one.ends[::-1]) if both else (one.ends,):
                number += 1
                yield self._line(number, one, ends)

    def _line(self, number: int, one: Element, ends: tuple[str | None, ...]) -> Line:
        said: dict[str, str] = {ELEMENT: f"{one.called} {one.number}, line {one.line}"}
        said.update((name, end) for name, end in zip(self._ends, ends, strict=True) if end is not None)
        for name, value in self._survey.attributes(one).items():
            if name in self._column:
                said.setdefault(self._column[name], value)
        data = json.dumps(said, ensure_ascii=False).encode()
        whole = one.size <= MAX_LINE_BYTES
        skip = None
        if self._kind == "opt_outs" and whole:
            stays = all(_plain(said.get(column, "")) in _NOT_OPTED_OUT for column in self._column.values())
            skip = "not opted out" if stays else None
        return bounded(number, data, skip, whole=whole)


def _plain(name: str) -> str:
    return name.strip().lower()


# --- readers ------------------------------------------------------------------------------------------------------


class _Reader(ABC):
    """Finds the elements of a file; what it learns of the file as a whole goes into the survey."""

    def __init__(self, stream: TextStream, survey: Survey) -> None:
        self._stream = stream
        self._survey = survey
        self._counts = {"nodes": 0, "edges": 0}

    @abstractmethod
    def elements(self) -> Iterator[Element]:
        """Yield each node and edge. Raises UnreadableFile."""

    def _element(self, part: Part, line: int, *ends: str | None, directed: bool = True, called: str = "") -> Element:
        self._counts[part] += 1
        return Element(part, called or part[:-1], self._counts[part], line, ends, directed)

    def _wrong(self, line: int, what: str) -> UnreadableFile:
        return _wrong(self._stream, line, what)


_LONG_NAME = f"an attribute has a name or id longer than {MOST_NAME_CHARACTERS} characters."


def _wrong(stream: TextStream, line: int, what: str) -> UnreadableFile:
    return UnreadableFile(f"Line {line:,} of {stream.name}: {what}", line=line)


class _XmlReader(_Reader):
    """What GraphML and GEXF have in common: they say things about whatever is open.

    A tag of another namespace is no tag of the format. The root gives the namespace.
    """

    root: ClassVar[str]
    directions: ClassVar[str]

    def __init__(self, stream: TextStream, survey: Survey) -> None:
        super().__init__(stream, survey)
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartNamespaceDeclHandler = self._named
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._namespace = ""
        self._names: set[str] = set()  # the parser keeps them, too
        self._characters_of_names = 0
        self._default_bytes: dict[Part, int] = {"nodes": 0, "edges": 0}
        self._path: list[str] = []
        self._open: list[Element | None] = []  # what is being said something about; None: a graph
        self._directed: list[bool] = []  # of the graphs that are open
        self._done: list[Element] = []
        self._text: list[str] | None = None
        self._characters_left = 0

    def elements(self) -> Iterator[Element]:
        fed = 0
        for block in self._stream.pieces(lambda: self._line):
            self._parse(block, False)
            fed += len(block)
            if fed - self._parser.CurrentByteIndex > MOST_TAG_BYTES + len(block):
                raise self._wrong(self._line, f"a tag is longer than {MOST_TAG_BYTES:,} bytes.")
            yield from self._done
            self._done.clear()
        self._parse(b"", True)
        yield from self._done

    @property
    def _line(self) -> int:
        return self._parser.CurrentLineNumber

    def _parse(self, data: bytes, last: bool) -> None:
        try:
            self._parser.Parse(data, last)
        except expat.ExpatError as error:
            raise self._wrong(error.lineno, f"this is no well-formed XML ({expat.ErrorString(error.code)}).") from None
        except (ValueError, LookupError):  # an encoding that is not known
            raise self._wrong(self._line, "its encoding cannot be read; save it as UTF-8.") from None

    def _doctype(self, *said: object) -> None:  # noqa: ARG002 - called by expat
        raise self._wrong(
            self._line,
            "the file declares a document type (<!DOCTYPE ...>), which could make it expand without end or lead to "
            "other files; it is not read. Take the declaration out.",
        )

    def _named(self, *names: str | None) -> None:
        for name in names:
            if name is not None and name not in self._names:
                self._names.add(name)
                self._characters_of_names += len(name)
        if len(self._names) > MOST_NAMES or self._characters_of_names > MOST_CHARACTERS_OF_NAMES:
            raise self._wrong(
                self._line,
                f"there are more than {MOST_NAMES:,} names of tags and their attributes, or with more than "
                f"{MOST_CHARACTERS_OF_NAMES:,} characters.",
            )

    def _start(self, tag: str, said: dict[str, str]) -> None:
        self._named(tag, *said)
        namespace, _, name = tag.rpartition(" ")
        if not self._path:
            if name != self.root:
                raise self._wrong(self._line, f"its outermost tag is <{name[:40]}> and not <{self.root}>.")
            self._namespace = namespace
        if len(self._path) >= MOST_DEPTH:
            raise self._wrong(self._line, f"tags stand more than {MOST_DEPTH} deep in each other.")
        if namespace != self._namespace:
            name = ""
        self._path.append(name)
        self._text = None
        if name == "graph":
            self._directed.append(said.get(self.directions) == "directed")
            self._open.append(None)
        elif name == "node":
            self._open.append(self._element("nodes", self._line, said.get("id")))
            self._say_of_xml(said, "id")
        elif name == "edge":
            directed = self._is_directed(said)
            ends = said.get("source"), said.get("target")
            self._open.append(self._element("edges", self._line, *ends, directed=directed))
            self._say_of_xml(said, "id", "source", "target", "type", "directed", "sourceport", "targetport")
        elif name == "hyperedge":  # it has more ends than two, or other ones
            self._open.append(self._element("edges", self._line, None, None, called="hyperedge"))
        elif name:
            self._started(name, said)

    def _end(self, tag: str) -> None:  # noqa: ARG002 - called by expat
        name = self._path.pop()
        text, self._text = self._text, None
        if name == "graph":
            self._directed.pop()
            self._open.pop()
        elif name in ("node", "edge", "hyperedge"):
            element = self._open.pop()
            if element is not None:
                self._done.append(element)
        elif text is not None:
            self._said(name, "".join(text))

    def _say_of_xml(self, said: dict[str, str], *known: str) -> None:
        element = self._open[-1]
        assert element is not None  # noqa: S101 - it was opened just now
        for key, value in said.items():
            if key not in known and " " not in key:
                element.say(f"@{key}", value)

    def _take_text(self) -> None:
        """Have the text of the tag that is open gathered."""
        self._text, self._characters_left = [], MAX_LINE_BYTES + 1

    def _characters(self, text: str) -> None:
        if self._text is not None and self._characters_left > 0:
            self._text.append(text[: self._characters_left])
            self._characters_left -= len(text)

    @property
    def _parent(self) -> str:
        """What the tag stands in that is open."""
        return self._path[-2] if len(self._path) > 1 else ""

    def _default(self, part: Part, key: str, text: str) -> None:
        """Take what each element says that does not say otherwise: too much of it would make a small file large."""
        self._survey.defaults[part][key] = text
        self._default_bytes[part] += len(text.encode())
        if self._default_bytes[part] > MAX_LINE_BYTES:
            raise self._wrong(self._line, f"defaults of {part} come to more than {MAX_LINE_BYTES:,} bytes.")

    def _declare(self, part: Part, key: str, name: str) -> None:
        if max(len(key), len(name)) > MOST_NAME_CHARACTERS:
            raise self._wrong(self._line, _LONG_NAME)
        self._survey.names[part][key] = name
        if len(self._survey.names[part]) > MOST_COLUMNS:
            raise self._wrong(self._line, f"more than {MOST_COLUMNS:,} attributes are declared.")

    def _is_directed(self, said: dict[str, str]) -> bool:
        raise NotImplementedError

    def _started(self, name: str, said: dict[str, str]) -> None:
        raise NotImplementedError

    def _said(self, name: str, text: str) -> None:
        """Take the text of a tag for which it was gathered."""
        raise NotImplementedError


class _GraphML(_XmlReader):
    root = "graphml"
    directions = "edgedefault"

    def __init__(self, stream: TextStream, survey: Survey) -> None:
        super().__init__(stream, survey)
        self._key = ""
        self._for: tuple[Part, ...] = ()
        self._says_keys: str | None = None

    def _is_directed(self, said: dict[str, str]) -> bool:
        default = self._directed[-1] if self._directed else False
        return {"true": True, "1": True, "false": False, "0": False}.get(said.get("directed", ""), default)

    def _started(self, name: str, said: dict[str, str]) -> None:
        if name == "key":
            self._key = said.get("id", "")
            whose = said.get("for", "all")
            parts: dict[str, tuple[Part, ...]] = {"node": ("nodes",), "edge": ("edges",), "all": ("nodes", "edges")}
            self._for = parts.get(whose, ())
            called = said.get("attr.name") or said.get("yfiles.type") or self._key
            for part in self._for:
                self._declare(part, self._key, called)
            if whose in ("graph", "all") and called == "keys":
                self._says_keys = self._key
        elif name == "data" and self._parent in ("node", "edge", "hyperedge", "graph"):
            self._key = said.get("key", "")
            self._take_text()
        elif name == "default" and self._parent == "key":
            self._take_text()

    def _said(self, name: str, text: str) -> None:
        if name == "default":
            for part in self._for:
                self._default(part, self._key, text)
        elif self._open[-1] is not None:
            self._open[-1].say(self._key, text)
        elif len(self._open) == 1 and self._key == self._says_keys:
            self._survey.keys = text.strip().lower() == "true"


class _Gexf(_XmlReader):
    root = "gexf"
    directions = "defaultedgetype"

    def __init__(self, stream: TextStream, survey: Survey) -> None:
        super().__init__(stream, survey)
        self._key = ""
        self._for: Part | None = None

    def _is_directed(self, said: dict[str, str]) -> bool:
        default = self._directed[-1] if self._directed else False
        return {"directed": True, "undirected": False, "mutual": False}.get(said.get("type", ""), default)

    def _started(self, name: str, said: dict[str, str]) -> None:
        if name == "attributes":
            parts: dict[str, Part] = {"node": "nodes", "edge": "edges"}
            self._for = parts.get(said.get("class", ""))
        elif name == "attribute" and self._for is not None:
            self._key = said.get("id", "")
            self._declare(self._for, self._key, said.get("title") or self._key)
        elif name == "default" and self._for is not None and self._parent == "attribute":
            self._take_text()
        elif name == "attvalue" and self._open and self._open[-1] is not None:
            self._open[-1].say(said.get("for", said.get("id", "")), said.get("value", ""))
        elif name == "description" and self._parent == "meta":
            self._take_text()

    def _said(self, name: str, text: str) -> None:
        if name == "default" and self._for is not None:
            self._default(self._for, self._key, text)
        elif name == "description":
            self._survey.keys = text.lstrip().startswith(KEYS_MARK)


class _Pajek(_Reader):
    """A Pajek network: numbered vertices with labels, then arcs (directed) and edges (undirected)."""

    _WORD = re.compile(r'\s*(?:"([^"]*)"|([^\s"]++))(?!\S)')
    _RELATION = re.compile(r"\S+\s*:\s*(\S+)")
    _NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)

    def __init__(self, stream: TextStream, survey: Survey) -> None:
        super().__init__(stream, survey)
        self._labels: dict[str, str] = {}
        self._numbers: dict[str, str] = {}
        self._vertices = -1
        self._relation: str | None = None

    def elements(self) -> Iterator[Element]:
        section = ""
        for line in self._stream:
            if not line.whole:
                raise self._wrong(line.number, f"it is longer than {MAX_LINE_BYTES:,} bytes.")
            try:
                text = line.data.decode().strip()
            except UnicodeDecodeError:
                raise self._wrong(line.number, "it is not UTF-8; save the file as UTF-8.") from None
            if not text or text.startswith(("%", "/*")):
                continue
            if text.startswith("*"):
                section = self._section(line.number, text)
                continue
            words = self._words(line.number, text)
            if section == "*vertices":
                yield self._vertex(line.number, words)
            elif section in ("*arcs", "*edges"):
                yield self._tie(line.number, words, section == "*arcs")
            elif section in ("*arcslist", "*edgeslist"):
                for other in words[1:]:
                    ends = self._label(words[0]), self._label(other)
                    yield self._element("edges", line.number, *ends, directed=section == "*arcslist")
            else:
                raise self._wrong(line.number, "it stands before *Vertices, which begins a Pajek network.")
        if self._vertices < 0:
            raise UnreadableFile(f"{self._stream.name} has no *Vertices, which begins a Pajek network.")

    def _words(self, line: int, text: str) -> list[str]:
        if '"' not in text:
            return text.split()
        words: list[str] = []
        at = 0
        while at < len(text):
            found = self._WORD.match(text, at)
            if found is None:
                raise self._wrong(
                    line,
                    "its quotes do not match: one begins and one ends a text with spaces, and none can stand in it.",
                )
            words.append(found[1] or found[2] or "")
            at = found.end()
        return words

    def _section(self, line: int, text: str) -> str:
        section, *words = text.lower().split()
        if section == "*vertices":
            if self._vertices >= 0:
                raise self._wrong(line, "a second network begins; save each as a file of its own.")
            # Longer than any number of vertices, and int() refuses very long numbers.
            if not words or len(words[0]) > 12 or not (words[0].isascii() and words[0].isdigit()):
                raise self._wrong(line, "*Vertices does not say how many there are.")
            self._vertices = int(words[0])
        elif section == "*network":
            if self._vertices >= 0:
                raise self._wrong(line, "a second network begins; save each as a file of its own.")
        elif section not in ("*arcs", "*edges", "*arcslist", "*edgeslist"):
            raise self._wrong(
                line,
                f"{section[:40]} is not read; of a Pajek file *Vertices, *Arcs, *Edges, *Arcslist and *Edgeslist are. "
                "Save the network as one of these.",
            )
        elif self._vertices < 0:
            raise self._wrong(line, "it stands before *Vertices, which begins a Pajek network.")
        else:
            found = self._RELATION.match(text)
            relation = "1" if found is None else found[1]
            if self._relation not in (None, relation):
                raise self._wrong(
                    line, f"a second relation begins ({relation[:40]}); save each as a file of its own, of follows one."
                )
            self._relation = relation
        return section

    def _vertex(self, line: int, words: list[str]) -> Element:
        number, label, rest = words[0], (words[1] if len(words) > 1 else words[0]).strip(), words[2:]
        if number in self._labels:
            raise self._wrong(line, f"vertex {number[:40]} is there twice.")
        if label in self._numbers:
            raise self._wrong(
                line,
                f"its label {label[:40]!r} is that of vertex {self._numbers[label][:40]}, too; accounts are told apart "
                "by labels: give each its own.",
            )
        self._labels[number], self._numbers[label] = label, number
        element = self._element("nodes", line, label)
        while rest and self._NUMBER.fullmatch(rest[0]):  # where it is drawn
            rest = rest[1:]
        self._say_pairs(element, rest[len(rest) % 2 :])  # what is left over is its shape
        return element

    def _tie(self, line: int, words: list[str], directed: bool) -> Element:
        ends = [self._label(one) for one in words[:2]]
        element = self._element("edges", line, *ends, *[None] * (2 - len(ends)), directed=directed)
        rest = words[2:]
        if rest and self._NUMBER.fullmatch(rest[0]):
            element.say("weight", rest[0])
            rest = rest[1:]
        self._say_pairs(element, rest)
        return element

    def _label(self, number: str) -> str | None:
        """The label of a vertex; one without a line of its own is called by its number."""
        plain = number.isascii() and number.isdigit() and len(number) <= 12
        if number not in self._labels and plain and 1 <= int(number) <= self._vertices and number not in self._numbers:
            return number
        return self._labels.get(number)

    def _say_pairs(self, element: Element, words: list[str]) -> None:
        for name, value in zip(words[::2], words[1::2], strict=False):
            element.say(name, value)


_READERS: dict[str, type[_Reader]] = {"graphml": _GraphML, "gexf": _Gexf, "pajek": _Pajek}
