"""What can be read of settings that have faults, so that the rules can speak of the rest in the same go."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, cast

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from console.settings.faults import section_of
from console.settings.rules import UnreadError


class Partial:
    """One section as it was given; reading a key that has a fault, or that is missing, raises UnreadError."""

    def __init__(self, model: type[BaseModel], given: Mapping[str, Any], faulty: Iterable[Sequence[str]]) -> None:
        """Keep what was given. Shape: `faulty` names the keys with a fault, from this section on."""
        self._model = model
        self._given = given
        self._faulty = tuple(tuple(place) for place in faulty)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  settings have many types
        """Return a value, or a section of values; the default where none was given."""
        field = self._model.model_fields.get(name)
        if field is None:
            raise AttributeError(name)
        below = [place[1:] for place in self._faulty if place[:1] == (name,)]
        section, value = section_of(field.annotation), self._given.get(name)
        if section is not None and isinstance(value, Mapping) and () not in below:
            return Partial(section, value, below)
        if below or (name not in self._given and field.is_required()):
            raise UnreadError(name)
        return _parsed(field, value) if name in self._given else field.get_default(call_default_factory=True)


def joined(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two nested mappings as one, in which what stands above wins."""
    both = {**below, **above}
    shared = [name for name in both if isinstance(below.get(name), Mapping) and isinstance(above.get(name), Mapping)]
    return {**both, **{name: joined(below[name], above[name]) for name in shared}}


def _parsed(field: FieldInfo, value: object) -> object:
    return TypeAdapter(cast("type[object]", Annotated[field.annotation, field])).validate_python(value)
