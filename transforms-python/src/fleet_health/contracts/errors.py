"""What can be wrong with a contract; every text names file, line and the way out.

ContractError                     a DefinitionError: file, line, problem, fix
|-- ContractMissingError          no such contract
|-- ContractSyntaxError           not YAML, or a key written twice
|-- ContractSchemaError           a key is missing, unknown or mistyped, a kind is unknown, a rule has no reason
`-- ContractAgreementError        a column that does not exist, an id used twice, a range that cannot hold, ...
"""

from __future__ import annotations

from fleet_health.definition_errors import DefinitionError


class ContractError(DefinitionError):
    """Root of all contract errors."""


class ContractMissingError(ContractError):
    """There is no such contract."""


class ContractSyntaxError(ContractError):
    """The file is not the YAML it should be."""


class ContractSchemaError(ContractError):
    """The YAML is fine, its keys or values are not."""


class ContractAgreementError(ContractError):
    """Keys and values are fine one by one, but they do not agree with each other."""
