"""Checks CloudFormation templates with cfn-lint, and commands with the AWS CLI's own parser and parameter check, without a call.

Reads {"templates": [text], "commands": [[word]]}; writes, for each template, what was found and what was read, and for each command the error, or the
service, operation and parameters that would be sent.
"""
import contextlib
import functools
import io
import json
import sys

import awscli.clidriver
from botocore.validate import ParamValidator
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from cfnlint.decode import decode_str

sent = []


def invoke(self, service, operation, parameters, _):
    """In place of the call: what would be sent, after the check that a call begins with."""
    shape = self._session.get_service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        raise ValueError(report.generate_report())
    sent.append({"service": service, "operation": operation, "parameters": parameters})
    return 0


awscli.clidriver.CLIOperationCaller.invoke = invoke


def check_template(text):
    found = [f"{match.rule.id} {match.message} at {match.path}" for match in lint(text, config=ManualArgs(regions=["us-east-1"]))]
    read, _ = decode_str(text)
    return {"found": found, "read": read}


@functools.cache
def driver_of(service, operation):
    """One for each operation: what some leave registered meets the next."""
    return awscli.clidriver.create_clidriver()


def check_command(words):
    sent.clear()
    driver = driver_of(*words[1:3])
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            driver.main(words[1:])
        except SystemExit:
            pass
    if len(sent) != 1:
        return {"error": errors.getvalue().strip()[-400:] or "nothing would be sent"}
    return {"error": None, **sent[0]}


def main():
    asked = json.load(sys.stdin)
    json.dump(
        {
            "templates": [check_template(text) for text in asked["templates"]],
            "commands": [check_command(words) for words in asked["commands"]],
        },
        sys.stdout,
    )


main()
