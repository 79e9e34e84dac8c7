"""``DecrypterInput``: a Cipher licence as a parameter."""

from transforms._names import module_getattr
from transforms.api._remote import RemoteInput


class DecrypterInput(RemoteInput):
    """A Cipher licence, by path or RID."""

    kind = "cipher_decrypter"
    service = "Foundry's Cipher service"


__all__ = ["DecrypterInput"]

__getattr__ = module_getattr("bellaso_python_lib.decryption.decrypter_input", __all__)
