"""Validates what standard input names, with the validators of each format; prints what they say, as JSON.

Input: {"ocsf": [lines], "stix": [bundles], "sigma": [documents]}, each a text.
"""
import json
import sys


def of_ocsf(lines, release):
    import jsonschema
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=release))
    validators = {}
    found = []
    for line in lines:
        event = json.loads(line)
        if event["metadata"]["version"] != release:
            found.append("another release")
        profiles = event["metadata"].get("profiles", [])
        key = (event["class_uid"], *profiles)
        if key not in validators:
            name = schema.lookup_class_name_from_uid(class_uid=event["class_uid"])
            of_class = schema.get_class_schema(class_name=name, profiles=profiles)
            validators[key] = jsonschema.Draft202012Validator(of_class)
        for error in validators[key].iter_errors(event):
            found.append("/".join(map(str, error.absolute_path)) + ": " + error.message[:300])
        for path, value in whole_numbers(event):
            if not -(2**63) <= value < 2**63:
                found.append(f"{path}: {value} is no long_t")
    return found


def whole_numbers(value, path=""):
    if isinstance(value, dict):
        for name, one in value.items():
            yield from whole_numbers(one, f"{path}/{name}")
    elif isinstance(value, list):
        for one in value:
            yield from whole_numbers(one, path)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path, value


def of_stix(bundles):
    import stix2
    from stix2validator import ValidationOptions, validate_string

    found = []
    for bundle in bundles:
        result = validate_string(bundle, ValidationOptions(version="2.1"))
        found += [str(error)[:300] for error in result.errors]
        # The reader of another program; the ids of addresses and traffic must be those that it makes itself.
        try:
            objects = stix2.parse(bundle, allow_custom=False).objects
        except Exception as error:
            found.append(str(error)[:300])
            continue
        for one in objects:
            if one.type not in ("ipv4-addr", "ipv6-addr", "network-traffic"):
                continue
            plain = json.loads(one.serialize())
            del plain["id"]
            made = stix2.parse(plain, version="2.1").id
            if made != one.id:
                found.append(f"{one.id}: its id should be {made}")
    return found


def of_sigma(documents):
    from sigma.collection import SigmaCollection
    from sigma.validation import SigmaValidator
    from sigma.validators.core import validators

    # Those of ATT&CK and D3FEND ask the network.
    plain = [one for name, one in validators.items() if "attack" not in name and "d3" not in name]
    found = []
    for text in documents:
        rules = SigmaCollection.from_yaml(text, collect_errors=True)
        found += [str(error) for error in rules.errors]
        for rule in rules.rules:
            found += [str(error) for error in rule.errors]
        found += [str(issue)[:300] for issue in SigmaValidator(plain).validate_rules(rules.rules)]
    return found


asked = json.load(sys.stdin)
json.dump(
    {
        "ocsf": of_ocsf(asked.get("ocsf", []), asked.get("release")),
        "stix": of_stix(asked.get("stix", [])),
        "sigma": of_sigma(asked.get("sigma", [])),
    },
    sys.stdout,
)
