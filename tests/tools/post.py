"""Post to control endpoints of stand-ins: stdin holds a JSON list of ``url`` and ``body``, and they are sent in order."""

from __future__ import annotations

import json
import sys
import urllib.request

if __name__ == "__main__":
    for post in json.load(sys.stdin):
        body = json.dumps(post["body"]).encode()
        request = urllib.request.Request(post["url"], body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
