"""What can be wrong with settings, said in one line each that names the key and the remedy, and never a secret."""

from collections.abc import Sequence
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError


class SettingsFaultsError(Exception):
    """The settings cannot be used; `faults` holds one line each."""

    code = "settings_faults"

    def __init__(self, faults: Sequence[str]) -> None:
        """Keep the lines."""
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


def fault_lines(wrong: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return one line per fault that pydantic found; values are left out, they may be secrets."""
    lines: dict[str, None] = {}
    for error in wrong.errors(include_url=False, include_input=False):
        where = [str(part) for part in error["loc"] if part != "[key]"]
        section = _section(model, where) if error["type"] == "missing" else None
        for place in [[*where, name] for name in _required(section)] if section else [where]:
            lines[f"{named(place)}: {_said(error['type'], error['msg'], where=place, model=model)}"] = None
    return list(lines)


def named(where: Sequence[str]) -> str:
    """Return a key as it is written in the file and in the environment."""
    return f"{'.'.join(where)} (SALLYPORT_{'__'.join(where).upper()})"


def faulty_places(wrong: ValidationError) -> list[list[str]]:
    """Return the keys that pydantic found a fault in, section by section."""
    return [[str(part) for part in error["loc"]] for error in wrong.errors(include_url=False, include_input=False)]


def section_of(annotation: object) -> type[BaseModel] | None:
    """Return the section that a key of this type holds, or None where it holds a value."""
    arms: tuple[object, ...] = getattr(annotation, "__args__", (annotation,))
    return next((arm for arm in arms if isinstance(arm, type) and issubclass(arm, BaseModel)), None)


def _said(kind: str, message: str, *, where: Sequence[str], model: type[BaseModel]) -> str:
    """Return what is wrong and how to mend it."""
    if kind == "missing":
        return "is missing; set it in the settings file or in the environment."
    if kind == "extra_forbidden":
        close = get_close_matches(where[-1], _known(model, where[:-1]), n=1)
        return f"is not a setting; did you mean {close[0]}?" if close else "is not a setting; remove it."
    if kind == "too_short":
        return "is too short; use at least 32 characters, for example from 'openssl rand -hex 32'."
    said = message.removeprefix("Input ").removeprefix("Value ")
    return f"{said[:1].lower()}{said[1:]}."


def _known(model: type[BaseModel], sections: Sequence[str]) -> list[str]:
    """Return the keys that stand beside a wrong one."""
    section = _section(model, sections)
    return list(section.model_fields) if section else []


def _section(model: type[BaseModel], where: Sequence[str]) -> type[BaseModel] | None:
    """Return the section that a key leads to, or None when the key is a value or unknown."""
    found: type[BaseModel] | None = model
    for name in where:
        field = found.model_fields.get(name) if found else None
        found = section_of(field.annotation) if field else None
    return found


def _required(section: type[BaseModel]) -> list[str]:
    return [name for name, field in section.model_fields.items() if field.is_required()]
