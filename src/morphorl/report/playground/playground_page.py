"""The playground as one HTML file: settings, agents and scripts are in it, and it asks no network for anything."""

from pathlib import Path

from markupsafe import Markup

from morphorl import __version__
from morphorl.report.embedding import TEMPLATES, content_hash, embed, fill
from morphorl.report.html_data import Plain
from morphorl.report.playground import playground_data
from morphorl.report.scripts import bundle

HERE = Path(__file__).parent
NO_LIVE = "None of these agents is one that the page computes."


def page(agents: list[Plain], command: str, remarks: str = "") -> str:
    """The page as text.

    Args:
        agents: from `playground_data.shipped_agents` or `agents.of_folder`.
        command: what makes the page again.
        remarks: sentences about the agents.
    """
    engine, script = bundle(HERE / "engine.js"), bundle(HERE / "playground.js", without=HERE / "engine.js")
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8") + (HERE / "playground.css").read_text(encoding="utf-8")
    recorded = dict.fromkeys(f"{one['label']}: {one['why']}" for one in agents if one["recorded"])
    return fill(
        HERE / "playground.html",
        version=__version__,
        command=command,
        remarks=remarks,
        no_live=NO_LIVE,
        recorded="; ".join(recorded),
        data=embed(playground_data.shared() | {"agents": agents}),
        engine=Markup(engine),
        script=Markup(script),
        style=Markup(style),
        engine_hash=content_hash(engine),
        script_hash=content_hash(script),
        style_hash=content_hash(style),
    )
