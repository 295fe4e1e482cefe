"""The floor: the same keys with nothing but boto3, in one process. ``python floor.py INVENTORY``."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
from botocore.exceptions import ClientError


def main() -> None:
    hosts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["all"]["hosts"].values()
    work = []
    for host in hosts:
        session = boto3.session.Session(profile_name=host["cmk_aws_profile"])
        work += [(session.client("kms", region_name=one["region"]), one["arn"]) for one in host["arns"]]

    def enable(one: tuple[object, str]) -> str:
        kms, arn = one
        try:
            kms.enable_key(KeyId=arn)  # type: ignore[attr-defined]
        except ClientError as error:
            return f"{arn}: {error}"
        return ""

    with ThreadPoolExecutor(max_workers=10) as pool:
        for problem in filter(None, pool.map(enable, work)):
            print(problem)


if __name__ == "__main__":
    main()
