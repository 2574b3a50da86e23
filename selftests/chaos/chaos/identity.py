# SPDX-License-Identifier: MIT
"""Identities out of names: secret = SHA-256(mesh|node), as the reference's harness
makes them (spec 17 §1), and what follows from a secret (spec 01)."""
import hashlib
import ipaddress
from dataclasses import dataclass

# secp256k1: y^2 = x^3 + 7 over the integers modulo P; G generates the group.
P = 2**256 - 2**32 - 977
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


@dataclass(frozen=True)
class Identity:
    secret: str  # 64 hex digits
    npub: str
    addr: str  # node_addr, 32 hex digits
    ip6: str


def add(a, b):
    """Sum of two points; None is the point at infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    total = None
    while k:
        if k & 1:
            total = add(total, point)
        point = add(point, point)
        k >>= 1
    return total


def polymod(values):
    chk = 1
    for value in values:
        top = chk >> 25
        chk = (chk & 0x1FFFFFF) << 5 ^ value
        for i, g in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            chk ^= g if top >> i & 1 else 0
    return chk


def bech32(hrp, data):
    """BIP 173 text of 32 bytes."""
    bits = int.from_bytes(data, "big") << 4  # 52 groups of five: four bits of padding
    words = [bits >> 5 * i & 31 for i in reversed(range(52))]
    head = [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp]
    check = polymod(head + words + [0] * 6) ^ 1
    words += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return hrp + "1" + "".join(BECH32[w] for w in words)


def identity(mesh, name):
    secret = hashlib.sha256(f"{mesh}|{name}".encode()).digest()
    x = multiply(int.from_bytes(secret, "big"), G)[0].to_bytes(32, "big")
    addr = hashlib.sha256(x).digest()[:16]
    ip6 = ipaddress.IPv6Address(b"\xfd" + addr[:15])
    return Identity(secret.hex(), bech32("npub", x), addr.hex(), str(ip6))
