"""Names of models: what is here or at an endpoint, and TECHNIQUE/MODEL or TECHNIQUE-N/MODEL in front of it.

Only names in this list are answered. A name from the network never becomes a path, a download or an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assay.core import UnknownName
from assay.core.home import Home
from assay.models import DEFAULT_MODEL, KNOWN, locate
from assay.serve.problems import Problem
from assay.serve.upstreams import Upstreams
from assay.workbench.organisms import Trained
from assay.workbench.techniques import all_techniques

ENDPOINT = "openai/"
"""What the lab puts before the name of an endpoint's model; may be left out here."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a name stands for."""

    model: str
    technique: str = ""
    """Empty: the bare model."""
    settings: tuple[str, ...] = ()
    """NAME=VALUE."""


class Names:
    """The names known now: endpoints and finished organisms come and go."""

    def __init__(self, home: Home, default: str, upstreams: Upstreams) -> None:
        self._home = home
        self._trained = Trained(home.organisms)
        self._default = default
        self._upstreams = upstreams

    @property
    def default(self) -> str:
        """The model techniques are listed with."""
        endpoints = self._upstreams.models()
        return self._default.removeprefix(ENDPOINT) or (endpoints[0] if endpoints else DEFAULT_MODEL)

    def models(self) -> list[str]:
        """Bare models, the default first."""
        here = [one.name for one in KNOWN if not one.encodes and locate(one, self._home) is not None]
        return list(dict.fromkeys([self.default, *self._upstreams.models(), *here, *self._trained.writers()]))

    def _is_model(self, name: str) -> bool:
        """Whether it is in the list; what is on disk is looked through only where nothing else has the name."""
        return name == self.default or name in self._upstreams.models() or name in self.models()

    def listed(self) -> list[str]:
        """What a front end shows: every model, and every technique with the default one."""
        return [*self.models(), *(f"{technique}/{self.default}" for technique in all_techniques())]

    def find(self, name: str) -> Named:
        """What the name stands for; `Problem` 404, with the nearest known names, where it stands for nothing."""
        name = name.removeprefix(ENDPOINT)
        if self._is_model(name):
            return Named(name)
        head, slash, model = name.partition("/")
        technique, settings = technique_called(head)
        model = model.removeprefix(ENDPOINT)
        if slash and technique and self._is_model(model):
            return Named(model, technique, settings)
        known = [f"{head}/{one}" for one in self.models()] if technique else self.listed()
        error = UnknownName("model", name, known, hint="See them all at /v1/models.")
        raise Problem(404, str(error), code="model_not_found")


def technique_called(text: str) -> tuple[str, tuple[str, ...]]:
    """The technique of that name and its settings: a number behind it is its n. Empty where there is none."""
    known = all_techniques()
    if text in known:
        return text, ()
    match = re.fullmatch(r"(.+)-([0-9]{1,6})", text)
    if match and match[1] in known:
        return match[1], (f"n={match[2]}",)
    return "", ()
