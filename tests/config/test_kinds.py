"""Kinds: each name leads to its class, and no name runs code that nobody has trusted."""

import importlib
import sys

import pytest

from morphorl.config import trust
from morphorl.config.errors import SettingError
from morphorl.config.kinds import names, resolve, source_hash
from morphorl.config.plain import from_dict
from morphorl.config.trust import UntrustedError
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.guidance.base import Guidance
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.ppo.settings import Settings

SOURCE = """
from pathlib import Path

from morphorl.config.fields import FRACTION, setting
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion

(Path(__file__).parent / "imported").touch()

class Chemotaxis(ReactionDiffusion):
    scent: float = setting(0.5, FRACTION)

class Unrelated:
    pass
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A module of someone's own, which leaves a file behind when it is imported, and which nobody has trusted."""
    (tmp_path / "a_lab.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(trust, "TRUSTED", set())
    yield tmp_path
    sys.modules.pop("a_lab", None)


SYSTEMS = """bistable clock coloured_noise correlated_noise echo_state explored_pattern fast_weights gierer_meinhardt
independent_sines leaky_integrators none oscillator_ring previous_observation reaction_diffusion sign_flipped
stack state_dependent_noise together"""
RULES = "adaptive blind modulated none return_weighted stabilise three_factor win_stay"


@pytest.mark.parametrize(("base", "known"), [(Dynamics, SYSTEMS), (Guidance, RULES)])
def test_each_of_our_names_leads_to_a_class_of_that_name(base, known):
    assert names(base) == known.split()
    for name in names(base):
        cls = resolve(base, name)
        assert issubclass(cls, base)
        assert cls().kind == name
        assert cls.base() is base
        assert source_hash(cls) is None


def test_the_usual_ones_have_the_names_of_their_files():
    assert resolve(Dynamics, "reaction_diffusion") is ReactionDiffusion
    assert resolve(Guidance, "blind") is Blind


def test_a_trusted_name_leads_to_a_class_of_ones_own_and_back(lab):
    trust.trust("a_lab")
    cls = resolve(Dynamics, "a_lab:Chemotaxis")
    assert cls(scent=0.25).scent == 0.25
    assert cls().kind == "a_lab:Chemotaxis"
    assert (lab / "imported").exists()
    assert Settings(dynamics=cls()).digest != Settings().digest


def test_a_module_is_found_in_the_folder_where_the_command_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(trust, "TRUSTED", {"in_this_folder"})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in_this_folder.py").write_text(SOURCE)
    assert resolve(Dynamics, "in_this_folder:Chemotaxis").__name__ == "Chemotaxis"


@pytest.mark.parametrize("trusted", [(), ("a",), ("a_lab.rules",)])
def test_a_module_that_nobody_trusts_is_not_imported(lab, trusted):
    trust.trust(*trusted)
    with pytest.raises(UntrustedError, match=r"^kind = 'a_lab:Chemotaxis': .* say --trust a_lab\.$"):
        resolve(Dynamics, "a_lab:Chemotaxis")
    assert not (lab / "imported").exists()
    assert "a_lab" not in sys.modules


def test_to_trust_a_package_is_to_trust_what_is_inside_it(lab):
    (lab / "a_package").mkdir()
    (lab / "a_package" / "__init__.py").touch()
    (lab / "a_package" / "rules.py").write_text(SOURCE)
    trust.trust("a_package")
    assert resolve(Dynamics, "a_package.rules:Chemotaxis").__module__ == "a_package.rules"


def test_settings_that_name_a_module_that_nobody_trusts_are_refused_by_the_tables_name(lab):
    with pytest.raises(UntrustedError, match=r"^dynamics.kind = 'a_lab:Chemotaxis': .* say --trust a_lab\.$"):
        from_dict(Settings, {"dynamics": {"kind": "a_lab:Chemotaxis"}})
    assert not (lab / "imported").exists()


REFUSED = [
    (
        Dynamics,
        "a_labb:Chemotaxis",
        r"^kind = 'a_labb:Chemotaxis': the module 'a_labb' cannot be imported \(No module named 'a_labb'\); it must "
        r"lie in the folder where the command runs, or be installed\.$",
    ),
    (
        Dynamics,
        "a_lab:Chemotaxi",
        r"^kind = 'a_lab:Chemotaxi': a_lab has no Chemotaxi; must be one of its classes derived from Dynamics: "
        r"ReactionDiffusion, Chemotaxis\. Did you mean 'Chemotaxis'\?$",
    ),
    (Guidance, "a_lab:Rule", r": a_lab has no Rule; must be one of its classes derived from Guidance: it has none\.$"),
    (Dynamics, "a_lab:Unrelated", r"^kind = 'a_lab:Unrelated': Unrelated must be a class derived from Dynamics\.$"),
    (Dynamics, "a_lab:FRACTION", r"^kind = 'a_lab:FRACTION': FRACTION must be a class derived from Dynamics\.$"),
    (Guidance, "a_lab:Chemotaxis", r": Chemotaxis must be a class derived from Guidance\.$"),
    (
        Guidance,
        "blnd",
        r"^kind = 'blnd': must be one of .*, or MODULE:CLASS for one of your own\. Did you mean 'blind'\?$",
    ),
    (Dynamics, "blind", r"^kind = 'blind': must be one of .*reaction_diffusion"),
    (Dynamics, "base", "^kind = 'base': must be one of"),
]


@pytest.mark.parametrize(("base", "name", "message"), REFUSED, ids=lambda value: str(value)[:30])
def test_a_name_that_leads_nowhere_is_refused_in_a_sentence(lab, base, name, message):
    trust.trust("a_lab", "a_labb")
    with pytest.raises(SettingError, match=message):
        resolve(base, name)


def test_the_hash_of_a_class_follows_the_file_that_it_stands_in(lab):
    trust.trust("a_lab")
    more = "\nclass Heir(Chemotaxis):\n    pass\n"

    def hashes(source):
        (lab / "a_lab.py").write_text(source)
        sys.modules.pop("a_lab", None)
        importlib.invalidate_caches()
        return [source_hash(resolve(Dynamics, f"a_lab:{name}")) for name in ("Chemotaxis", "Heir")]

    before = hashes(SOURCE + more)
    assert None not in before
    assert before[0] != before[1]
    assert hashes(SOURCE + more) == before
    assert not set(hashes(SOURCE + more + "\nRATE = 2.0  # which a class may use\n")) & set(before)
    edited = hashes(SOURCE.replace("0.5, FRACTION", "0.125, FRACTION") + more)
    assert edited[0] != before[0]
    assert edited[1] != before[1]
    assert edited[0] != edited[1]
