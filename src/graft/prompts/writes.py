"""Whether a chat template only writes what messages say, and never looks into it.

What names and expressions carry is followed through the template's syntax tree; a use
that is not known to be harmless is taken for a look.
"""

# pylint: disable=too-many-branches,too-many-return-statements  # one case a syntax

from collections.abc import Iterable

from jinja2 import Environment
from jinja2 import nodes as n

from graft.prompts.kinds import (
    FILTERS,
    OF_TEXT,
    PLAIN,
    STRIPS,
    TEXT,
    TURN,
    TURNS,
    Generation,
    Kind,
    LooksError,
    either,
    is_bare,
    is_number,
    reading,
    stop_unless,
)
from graft.records import PLAIN_ROLES

_GIVEN = ("tools", "documents", "add_generation_prompt")


def only_writes(template: str, names: Iterable[str] = ()) -> bool:
    """Whether contents decide nothing but the text that stands in their places.

    This holds for system, user and assistant turns that say something, with no space
    at its edges, and have no other keys. `names`: what else the template is given.
    """
    environment = Environment(extensions=[Generation, "jinja2.ext.loopcontrols"])
    flow = _Flow([*names, *environment.globals, *_GIVEN])
    body = environment.parse(template).body
    known = None
    try:
        while known != flow.state():  # a name may be read above where it is set
            known = flow.state()
            flow.run(body)
    except LooksError:
        return False
    return True


class _Flow:
    """What names carry, in whatever scope and order they are set."""

    def __init__(self, plain: Iterable[str]) -> None:
        self._names = {**dict.fromkeys(plain, PLAIN), "messages": TURNS}
        self._spaces: set[str] = set()

    def state(self) -> object:
        """All that is known so far."""
        return dict(self._names), set(self._spaces)

    def run(self, body: Iterable[n.Node], *, marked: bool = False) -> None:
        """Follow statements. `marked`: within marks. Raises: LooksError."""
        for node in body:
            match node:
                case n.Output():
                    self._write(node.nodes)
                case n.Scope() if not marked:  # the library miscounts marks in marks
                    self.run(node.body, marked=True)
                case n.If():
                    self._branch(node, marked)
                case n.For(recursive=False):
                    over = self._need(node.iter, PLAIN, TURNS)
                    self._bind(node.target, TURN if over is TURNS else PLAIN)
                    if node.test:
                        self._ask(node.test)
                    self.run([*node.body, *node.else_], marked=marked)
                case n.Assign(
                    target=n.Name(name=name),
                    node=n.Call(node=n.Name(name="namespace"), args=[]) as call,
                ) if (
                    name not in self._names
                ):
                    stop_unless(not call.dyn_args and not call.dyn_kwargs)
                    self._spaces.add(name)
                    for item in call.kwargs:
                        self._set(f"{name}.{item.key}", self._kind(item.value))
                case n.Assign():
                    self._bind(node.target, self._kind(node.node))
                case _:
                    stop_unless(isinstance(node, n.Break | n.Continue))

    def _branch(self, node: n.If, marked: bool) -> None:
        for branch in [node, *node.elif_]:
            truth = self._ask(branch.test)
            if truth is not False:
                self.run(branch.body, marked=marked)
            if truth:
                return
        self.run(node.else_, marked=marked)

    def _bind(self, target: n.Node, kind: Kind) -> None:
        match target:
            case n.NSRef(name=name, attr=attr) if name in self._spaces:
                self._set(f"{name}.{attr}", kind)
            case n.Name(name=name) if name not in {"loop", *self._spaces}:
                self._set(name, kind)
            case n.Tuple(items=items) if kind is PLAIN:
                for item in items:
                    self._bind(item, PLAIN)
            case _:
                raise LooksError

    def _set(self, name: str, kind: Kind) -> None:
        self._names[name] = either(self._names.get(name, kind), kind)

    def _ask(self, node: n.Node) -> bool | None:
        """Follow a truth test, which may be of anything. Returns: its outcome, where
        that is sure."""
        match node:
            case n.Not(node=asked):
                truth = self._ask(asked)
                return None if truth is None else not truth
            case n.And(left=left, right=right) | n.Or(left=left, right=right):
                decisive = isinstance(node, n.Or)
                first = self._ask(left)
                if first is decisive:
                    return first
                second = self._ask(right)
                return second if second is decisive or second is first else None
        self._kind(node)
        match node:
            case n.Test(node=value, name=name) if self._key(value) == "content":
                return OF_TEXT[name]
            case n.Compare(
                expr=value, ops=[n.Operand(op="eq" | "ne" as op, expr=n.Const() as one)]
            ):
                never = self._key(value) == "role" and one.value not in PLAIN_ROLES
                return op == "ne" if never else None
            case n.Test(node=value, name="defined") | value:
                key = self._key(value)
                return None if key in {None, "role"} else key == "content"

    def _key(self, node: n.Node) -> str | None:
        """The key that is read of a message; None if it is no such reading."""
        found = reading(node)
        return found[1] if found and self._carries(found[0]) is TURN else None

    def _carries(self, base: n.Node) -> Kind | None:
        """The same as `_kind`, of what a key is read of: `loop` and spaces may be."""
        if isinstance(base, n.Name):
            return self._names.get(base.name)
        return self._kind(base)

    def _need(self, node: n.Node, *kinds: Kind) -> Kind:
        found = self._kind(node)
        stop_unless(found in kinds)
        return found

    def _write(self, parts: Iterable[n.Node]) -> Kind:
        kinds = [self._need(part, PLAIN, TEXT) for part in parts]
        return TEXT if TEXT in kinds else PLAIN

    def _kind(self, node: n.Node) -> Kind:
        if found := reading(node):
            return self._read(*found)
        match node:
            case n.Name(name=name):
                stop_unless(name not in {"loop", "namespace", *self._spaces})
                return self._names.get(name, PLAIN)
            case n.Getitem(node=base, arg=at) if self._kind(base) is TURNS:
                self._need(at, PLAIN)
                stop_unless(isinstance(at, n.Slice) or is_number(at))
                return TURNS if isinstance(at, n.Slice) else TURN
            case n.Add(left=left, right=right):
                return self._write([left, right])
            case n.Concat():
                return self._write(node.nodes)
            case n.And(left=left, right=right) | n.Or(left=left, right=right):
                return either(self._kind(left), self._kind(right))
            case n.Not():
                self._ask(node)
                return PLAIN
            case n.CondExpr(test=test, expr1=one, expr2=other):
                truth = self._ask(test)
                if truth is None and other:
                    return either(self._kind(one), self._kind(other))
                taken = other if truth is False else one
                return self._kind(taken) if taken else PLAIN
            case n.Compare(ops=[n.Operand(op="eq" | "ne", expr=n.Const() as const)]):
                blank = not str(const.value or "").strip()  # no content is
                self._need(node.expr, PLAIN, *[TEXT] * blank)
                return PLAIN
            case n.Compare(ops=[n.Operand(op="in" | "notin", expr=turn)]):
                self._need(turn, PLAIN, TURN)
                return self._need(node.expr, PLAIN)
            case n.Test(node=value, name=name) if is_bare(node) and name in OF_TEXT:
                self._kind(value)
                return PLAIN
            case n.Filter(node=n.Expr() as value, name=name) if is_bare(node):
                kind = self._kind(value)
                return FILTERS.get((kind, name)) or self._need(value, PLAIN)
            case n.Call(node=n.Getattr(node=said, attr=name)) if is_bare(node) and (
                name in STRIPS and self._carries(said) is TEXT
            ):
                return TEXT
            case n.Expr() | n.Helper():
                for child in node.iter_child_nodes():
                    self._need(child, PLAIN)
                return PLAIN
        raise LooksError

    def _read(self, base: n.Node, key: str) -> Kind:
        name = base.name if isinstance(base, n.Name) else ""
        if name == "loop":
            stop_unless(key not in {"previtem", "nextitem"})  # these are messages
            return PLAIN
        if name in self._spaces:
            return self._names.get(f"{name}.{key}", PLAIN)
        if self._need(base, PLAIN, TURN) is PLAIN:
            return PLAIN
        stop_unless(not hasattr(dict, key))
        return TEXT if key == "content" else PLAIN
