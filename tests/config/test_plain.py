"""Settings as plain values: tables of a kind say which, and what is unusual is told with it."""

import json

import pytest

from morphorl.config.errors import SettingError
from morphorl.config.fields import FRACTION, setting
from morphorl.config.kinds import source_hash
from morphorl.config.plain import from_dict, to_dict, unusual
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.gierer_meinhardt import GiererMeinhardt
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.guidance.modulated import Modulated
from morphorl.dynamics.pde.gierer_meinhardt import PRESETS
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.ppo.settings import Settings


class Own(ReactionDiffusion):
    """A system of someone's own."""

    scent: float = setting(0.5, FRACTION)
    """How much of it there is."""


OWN = f"{Own.__module__}:Own"


def test_tables_of_a_kind_name_it_first_and_others_name_none():
    plain = to_dict(Settings(dynamics=GiererMeinhardt()))
    assert next(iter(plain["dynamics"])) == "kind"
    assert plain["dynamics"]["kind"] == "gierer_meinhardt"
    assert "kind" not in plain["dynamics"]["equation"]
    assert "kind" not in plain["ppo"]
    assert (plain["guidance"]["kind"], plain["memory"]["kind"]) == ("blind", "none")


@pytest.mark.parametrize(
    "settings",
    [
        Settings(dynamics=GiererMeinhardt(equation=PRESETS["stripes"]), guidance=Modulated(0.1, sensitivity=-2.0)),
        Settings(dynamics=Own(scent=0.25, coupling="ring")),
    ],
    ids=["ours", "one's own"],
)
def test_there_and_back_through_json_is_the_same(settings):
    assert from_dict(Settings, json.loads(json.dumps(to_dict(settings)))) == settings


def test_what_a_table_leaves_out_is_as_usual_its_kind_too():
    made = from_dict(Settings, {"dynamics": {"coupling": "ring"}, "guidance": {"kind": "modulated"}})
    assert made == Settings(dynamics=ReactionDiffusion(coupling="ring"), guidance=Modulated())


def test_a_module_in_place_of_its_table_is_kept():
    system = GiererMeinhardt(sites=16)
    assert from_dict(Settings, {"dynamics": system}).dynamics is system


def test_of_the_usual_kind_what_differs_is_unusual_and_of_another_kind_what_differs_from_its_own_defaults():
    assert unusual(Settings(), Settings()) == {}
    assert unusual(Settings(guidance=Blind(0.1)), Settings()) == {"guidance": {"strength": 0.1}}
    assert unusual(Settings(guidance=Modulated(0.1)), Settings()) == {
        "guidance": {"kind": "modulated", "strength": 0.1}
    }
    lines = Settings(dynamics=GiererMeinhardt(equation=PRESETS["stripes"]))
    assert unusual(lines, Settings()) == {
        "dynamics": {"kind": "gierer_meinhardt", "equation": unusual(PRESETS["stripes"], PRESETS["spots"])}
    }


def test_a_kind_of_ones_own_is_unusual_with_its_source():
    assert unusual(Settings(dynamics=Own(scent=0.25)), Settings()) == {
        "dynamics": {"kind": OWN, "source": source_hash(Own), "scent": 0.25}
    }


def test_what_is_unusual_makes_the_same_settings_again():
    for settings in (Settings(guidance=Modulated(0.1)), Settings(dynamics=GiererMeinhardt(time=5.0))):
        assert from_dict(Settings, unusual(settings, Settings())) == settings


REFUSED = [
    ({"kind": OWN, "scent": 2.0}, r"^dynamics.scent = 2.0: must be a number from 0 to 1\.$"),
    ({"kind": OWN, "scnt": 0.1}, r"^dynamics.scnt: no such setting; must be one of .* Did you mean 'scent'\?$"),
    ({"scent": 0.1}, "^dynamics.scent: no such setting; must be one of"),
    ({"kind": "blind"}, "^dynamics.kind = 'blind': must be one of"),
]


@pytest.mark.parametrize(("values", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_settings_of_a_kind_of_ones_own_are_refused_by_name(values, message):
    with pytest.raises(SettingError, match=message):
        from_dict(Settings, {"dynamics": values})


def test_a_table_by_itself_is_named_as_asked():
    with pytest.raises(SettingError, match=r"^memory.redraw = 0.5: must be 0 where memory.reset is 'episode'"):
        from_dict(Dynamics, {"kind": "echo_state", "redraw": 0.5}, "memory.")
