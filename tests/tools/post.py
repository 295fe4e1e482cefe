"""Send to control endpoints of stand-ins, in order: stdin holds a JSON list of ``url``, ``body`` and, unless POST, ``method``."""

from __future__ import annotations

import json
import sys
import urllib.request

if __name__ == "__main__":
    for post in json.load(sys.stdin):
        body = json.dumps(post["body"]).encode()
        method = post.get("method", "POST")
        request = urllib.request.Request(post["url"], body, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
