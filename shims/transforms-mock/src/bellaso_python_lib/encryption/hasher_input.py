"""``HasherInput``: a Cipher licence as a parameter."""

from transforms._names import module_getattr
from transforms.api._remote import RemoteInput


class HasherInput(RemoteInput):
    """A Cipher licence, by path or RID."""

    kind = "cipher_hasher"
    service = "Foundry's Cipher service"


__all__ = ["HasherInput"]

__getattr__ = module_getattr("bellaso_python_lib.encryption.hasher_input", __all__)
