"""Run uv with the index, certificate and proxy settings of pip, which uv does not read by itself.

``python tests/tools/pip_settings.py uv pip install ...`` runs uv. ``python tests/tools/pip_settings.py --file`` prints the
settings as a pip.conf, for a pip that runs without this environment and home. It needs nothing but Python and its pip.
"""

from __future__ import annotations

import ast
import os
import ssl
import subprocess
import sys
import typing as t
from collections.abc import Iterable, Mapping
from pathlib import Path

# Later sections win, as in pip: for `pip install`, its own section comes after the global section.
_SECTIONS: t.Final = ("global", "install", ":env:")
# Settings of pip that are one value, and the variables of uv that mean the same.
_SAME: t.Final = {
    "index-url": ("UV_DEFAULT_INDEX",),
    "cert": ("SSL_CERT_FILE",),
    "client-cert": ("SSL_CLIENT_CERT",),
    "proxy": ("HTTP_PROXY", "HTTPS_PROXY"),
    "keyring-provider": ("UV_KEYRING_PROVIDER",),
    "default-timeout": ("UV_HTTP_TIMEOUT",),
    "timeout": ("UV_HTTP_TIMEOUT",),
}
# Settings of pip that are lists, the variable of uv, and what separates its entries.
_LISTS: t.Final = {
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
}
# pip reads these too, if it has no setting of its own.
_BUNDLES: t.Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# Of these, a setting of uv has older names as well.
_OLDER: t.Final = {
    "UV_DEFAULT_INDEX": ("UV_INDEX_URL",),
    "UV_INDEX": ("UV_EXTRA_INDEX_URL",),
    "UV_SYSTEM_CERTS": ("UV_NATIVE_TLS",),
    "HTTP_PROXY": ("http_proxy", "ALL_PROXY", "all_proxy"),
    "HTTPS_PROXY": ("https_proxy", "ALL_PROXY", "all_proxy"),
}
# pip's own setting comes before what is meant for every program.
_PIP_FIRST: t.Final = ("SSL_CERT_FILE", "SSL_CLIENT_CERT", "HTTP_PROXY", "HTTPS_PROXY")


def read_settings(listing: str) -> dict[str, str]:
    """Read what ``pip config list`` prints: the value of each setting that holds for an installation."""
    by_section: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listing.splitlines():
        name, separator, value = line.partition("=")
        section, _dot, key = name.partition(".")
        if separator and section in by_section:
            by_section[section][key] = str(ast.literal_eval(value))
    return {key: value for section in _SECTIONS for key, value in by_section[section].items()}


def translate(settings: Mapping[str, str], environ: Mapping[str, str], *, has_system_store: bool) -> dict[str, str]:
    """Return the variables to add to the environment of uv. A setting that the user made for uv itself stays."""
    wanted = {variable: settings[key] for key, variables in _SAME.items() if key in settings for variable in variables}
    for key, (variable, separator) in _LISTS.items():
        if entries := [entry for entry in settings.get(key, "").split() if _exists(entry)]:
            wanted[variable] = separator.join(entries)
    if "UV_INDEX" in wanted:
        # As pip does: the pinned version from whichever index has it. The hashes say that it is the right file.
        wanted["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if not environ.get("SSL_CERT_FILE") and (bundle := _first(_BUNDLES, environ)):
        wanted.setdefault("SSL_CERT_FILE", bundle)
    if has_system_store:
        wanted["UV_SYSTEM_CERTS"] = "true"
    return {variable: value for variable, value in wanted.items() if _is_open(variable, environ)}


def _first(names: Iterable[str], environ: Mapping[str, str]) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")


def _exists(entry: str) -> bool:
    """Say whether a local folder exists; pip ignores one that does not, and uv stops at it."""
    return not entry.startswith(("/", "file:///")) or Path(entry.removeprefix("file://")).exists()


def _is_open(variable: str, environ: Mapping[str, str]) -> bool:
    return variable in _PIP_FIRST or not any(environ.get(name) for name in (variable, *_OLDER.get(variable, ())))


def write_file(settings: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """Write the settings as a pip.conf, with the certificates that the environment names for every program."""
    bundle = _first(("SSL_CERT_FILE", *_BUNDLES), environ)
    lines = {**({"cert": bundle} if bundle else {}), **settings}
    return "\n".join(["[global]", *(f"{key} = {' '.join(value.split())}" for key, value in sorted(lines.items())), ""])


def _has_system_store() -> bool:
    paths = ssl.get_default_verify_paths()
    folder = Path(paths.capath) if paths.capath else None
    return bool(paths.cafile) or bool(folder and folder.is_dir() and any(folder.iterdir()))


def main(arguments: list[str]) -> None:
    """Print the pip.conf, or become the command with uv's settings."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    settings = read_settings(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if arguments == ["--file"]:
        print(write_file(settings, os.environ), end="")
        return
    added = translate(settings, os.environ, has_system_store=_has_system_store())
    os.execvpe(arguments[0], arguments, {**os.environ, **added})


if __name__ == "__main__":
    main(sys.argv[1:])
