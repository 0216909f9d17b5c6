"""The lineage of a version as a graph: Mermaid's language, or one HTML page."""

from collections.abc import Iterator
from dataclasses import dataclass

from graft.pages import environment, style
from graft.registry.lineage import DataOutput
from graft.registry.lineage_text import to_text
from graft.registry.lineage_versions import VersionLineage
from graft.tracking.place import AFTER_REGISTRATION

SHORT = 12
"""Digits of an md5 in Mermaid's nodes."""


@dataclass(frozen=True)
class Stage:
    """A stage with what it reads and writes."""

    name: str
    inputs: list[str]
    outputs: list[DataOutput]


def to_stages(known: VersionLineage) -> list[Stage]:
    """The stages of dvc.lock, each after those whose outputs it reads.

    Digests of code are left out, and the stages without other outputs that they need.
    """
    stages = known.lineage.lock.get("stages", {})
    outputs = known.lineage.outputs
    waiting = {
        name: Stage(
            name,
            [d["path"] for d in facts.get("deps", ()) if not _is_code(d["path"])],
            [one for one in outputs if one.stage == name],
        )
        for name, facts in stages.items()
        if name not in ("code", "preflight", AFTER_REGISTRATION)
    }
    ordered: list[Stage] = []
    while waiting:
        pending = {out.path for stage in waiting.values() for out in stage.outputs}
        ready = [s for s in waiting.values() if not pending & {*s.inputs}]
        for stage in ready or list(waiting.values()):
            ordered.append(waiting.pop(stage.name))
    return ordered


def to_mermaid(known: VersionLineage) -> str:
    """A flowchart from the sources to the version.

    https://mermaid.js.org/syntax/flowchart.html; GitHub renders it in Markdown.
    """
    return "\n".join(["flowchart LR", *_nodes(known), *_edges(known), ""])


def to_page(known: VersionLineage) -> str:
    """The page; equal lineages give equal bytes."""
    template = environment("graft.registry").get_template("lineage.html.jinja")
    used = {path for stage in to_stages(known) for path in stage.inputs}
    return template.render(
        known=known,
        text=to_text(known).partition("\n\n")[0],
        stages=to_stages(known),
        sources=[o for o in known.lineage.outputs if not o.stage and o.path in used],
        style=style(),
    )


def _is_code(path: str) -> bool:
    return path.startswith(("data/code", "data/preflight", "src/"))


def _nodes(known: VersionLineage) -> Iterator[str]:
    lineage, version = known.lineage, known.version
    used = {path for stage in to_stages(known) for path in stage.inputs}
    for one in lineage.outputs:
        if one.path in used:
            yield f'  d_{_key(one.path)}[("{one.path}<br/>{one.md5[:SHORT]}")]'
    for stage in to_stages(known):
        yield f'  stage_{_key(stage.name)}["{stage.name}"]'
    base = f"{lineage.base}@{lineage.base_revision}"
    yield f'  base[/"{_plain(base)}"/]'
    aliases = "".join(f"<br/>@{_plain(alias)}" for alias in version.aliases)
    commit = lineage.commit[:SHORT] or "unknown"
    yield f'  commit(["commit {commit}"])'
    yield f'  version{{{{"{_plain(version.name)} {version.version}{aliases}"}}}}'


def _edges(known: VersionLineage) -> Iterator[str]:
    used = {path for stage in to_stages(known) for path in stage.inputs}
    for stage in to_stages(known):
        node = f"stage_{_key(stage.name)}"
        yield from (f"  d_{_key(path)} --> {node}" for path in stage.inputs)
        for one in stage.outputs:
            if one.path in used:
                yield f"  {node} --> d_{_key(one.path)}"
    names = {stage.name for stage in to_stages(known)}
    for name in ("train", "generate"):
        if name in names:
            yield f"  base --> stage_{name}"
    last = [f"stage_{n}" for n in ("evaluate", "generate", "train") if n in names]
    yield from (f"  {(*last, 'base')[0]} --> version", "  commit -.-> version")


def _key(path: str) -> str:
    """A part of a node's name: letters, digits and underscores."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in path)


def _plain(text: str) -> str:
    """Text without the characters that end a label."""
    return text.replace('"', "'").replace("<", "‹").replace(">", "›")
