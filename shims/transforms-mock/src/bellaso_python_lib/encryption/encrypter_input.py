"""``EncrypterInput``: a Cipher licence as a parameter."""

from transforms._names import module_getattr
from transforms.api._remote import RemoteInput


class EncrypterInput(RemoteInput):
    """A Cipher licence, by path or RID."""

    kind = "cipher_encrypter"
    service = "Foundry's Cipher service"


__all__ = ["EncrypterInput"]

__getattr__ = module_getattr("bellaso_python_lib.encryption.encrypter_input", __all__)
