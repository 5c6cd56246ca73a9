#!/usr/bin/env python3
"""A job of a .gitlab-ci.yml as one shell script, as GitLab's runner makes it: variables, the caches, before_script,
script, and the caches again.

gitlab_job.py FILE JOB CACHE. CACHE is a directory that stands for the runner's cache. Values may name variables of
the environment, as GitLab's do. Keys that only say when and where the job runs are known and left alone; every
other key is an error.
"""

import pathlib
import shlex
import sys

import yaml

LEFT_ALONE = {"image", "stage", "resource_group", "rules"}
KNOWN = LEFT_ALONE | {"extends", "variables", "cache", "before_script", "script"}


def only(mapping, known, what):
    unknown = set(mapping) - known
    if unknown:
        sys.exit(f"{what}: not understood: {', '.join(sorted(unknown))}")


def restore(archive):
    yield f"[ ! -e {archive} ] || tar -xf {archive}"


def save(archive, paths):
    yield f"there=; for path in {shlex.join(paths)}; do [ ! -e $path ] || there=\"$there $path\"; done"
    yield f"[ -z \"$there\" ] || tar -cf {archive} $there"


def main():
    path, name, service = sys.argv[1:]
    jobs = yaml.safe_load(pathlib.Path(path).read_text())
    job = jobs[name]
    if "extends" in job:
        job = {**jobs[job["extends"]], **job}
    only(job, KNOWN, name)
    lines = ["set -e", f"CI_JOB_NAME={name}"]
    lines += [f'export {key}="{value}"' for key, value in job.get("variables", {}).items()]
    after = ['cd "$CI_PROJECT_DIR"']
    for cache in job.get("cache", []):
        only(cache, {"key", "paths"}, "cache")
        archive = f'{shlex.quote(service)}/"{cache["key"]}".tar'
        lines += restore(archive)
        after += save(archive, cache["paths"])
    print("\n".join([*lines, *job.get("before_script", []), *job["script"], *after]))


main()
