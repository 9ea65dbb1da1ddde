"""Answers held against the service's model, as botocore has it."""

JSON_TYPES = {
    "string": str, "boolean": bool, "integer": int, "long": int, "double": (int, float), "float": (int, float),
    "timestamp": (int, float), "list": list, "map": dict, "structure": dict, "blob": str,
}


def undocumented(value, shape, path=""):
    """What an answer has that `shape` has not, or has otherwise: where, and what."""
    wanted = JSON_TYPES[shape.type_name]
    if not isinstance(value, wanted) or isinstance(value, bool) and shape.type_name != "boolean":
        yield path, f"is {value!r:.60}, not a {shape.type_name}"
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield path, f"is {value!r:.60}, none of {shape.enum}"
    elif shape.type_name == "structure":
        names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for name, inner in value.items():
            if name not in names:
                yield f"{path}.{name}", "is not in the model"
            else:
                yield from undocumented(inner, names[name], f"{path}.{name}")
        yield from ((f"{path}.{name}", "is required") for name in shape.required_members if name not in value)
    elif shape.type_name == "list":
        for inner in value:
            yield from undocumented(inner, shape.member, path + "[]")
    elif shape.type_name == "map":
        for inner in value.values():
            yield from undocumented(inner, shape.value, path + "{}")
