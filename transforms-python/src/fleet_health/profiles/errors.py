"""What can be wrong with a profile; every text names file, line and the way out.

ProfileError                    a DefinitionError: file, line, problem, fix
|-- ProfileMissingError         no such file, or it cannot be read
|-- ProfileSyntaxError          not YAML, or a key written twice
|-- ProfileSchemaError          a key is missing, unknown or of the wrong type; a threshold without a reason
`-- ProfileReferenceError       a name that is not declared, declared twice, or a range that cannot hold
"""

from __future__ import annotations

from fleet_health.definition_errors import DefinitionError


class ProfileError(DefinitionError):
    """Root of all profile errors."""


class ProfileMissingError(ProfileError):
    """The file is not there."""


class ProfileSyntaxError(ProfileError):
    """The file is not the YAML it should be."""


class ProfileSchemaError(ProfileError):
    """The YAML is fine, its keys or values are not."""


class ProfileReferenceError(ProfileError):
    """Keys and values are fine one by one, but they do not agree with each other."""
