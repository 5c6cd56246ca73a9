#!/usr/bin/env python3
"""Play a workflow of GitHub Actions: read its steps from the YAML files and execute them in order.

play_workflow.py PLAN.json, where the plan says

  repository   a bare git repository, which has the workflow in it
  workflow     the file's name in .github/workflows
  event        push or workflow_dispatch
  branch       the branch that was pushed, or that the workflow was started on
  before       push: the branch's commit before it; empty: the branch is new
  inputs       workflow_dispatch: values of inputs
  vars, secrets   the repository's
  runner       a directory that is made and becomes the machine: home, temporary files, work tree
  cache        a directory that stands for the service behind actions/cache
  run_id       a number
  environment  names of variables that the machine has from here

Steps with 'run:' are executed by bash as GitHub does it. Of actions it knows those in the repository
(composite ones), actions/checkout and actions/cache; everything else, and every key that it does not
understand, is an error, so that nothing is passed over unseen. It ends with the first failing step.
A secret that appears in the output is an error too: GitHub would mask it, but nobody should rely on that.

Status: 0 played, 1 a step failed or the workflow is wrong, 3 the event does not start this workflow.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

import yaml

from expressions import evaluate, expand

JOB_KEYS = {"runs-on", "timeout-minutes", "steps"}
WORKFLOW_KEYS = {"name", True, "permissions", "concurrency", "jobs"}  # YAML 1.1 reads 'on' as true
STEP_KEYS = {"name", "id", "if", "uses", "with", "env", "run", "shell", "working-directory"}
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # what git compares a new branch with
SHELLS = {None: ["bash", "-e"], "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"], "sh": ["sh", "-e"]}


def stop(message):
    print(f"play_workflow: {message}")
    sys.exit(1)


def only(mapping, known, what):
    unknown = set(mapping) - known
    if unknown:
        stop(f"{what}: not understood: {', '.join(map(str, unknown))}")


def git(where, *args):
    return subprocess.run(["git", "-C", where, *args], check=True, capture_output=True, text=True).stdout.strip()


# --- does the event start the workflow? ---


def matches(pattern, path):
    """A filter pattern: '*' stops at '/', '**' does not, and '**/' may stand for nothing."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.fullmatch("".join(known.get(part, re.escape(part)) for part in parts), path) is not None


def is_started(workflow, plan):
    events = workflow[True]
    if plan["event"] not in events:
        return False
    filters = events[plan["event"]] or {}
    if plan["event"] == "workflow_dispatch":
        only((plan.get("inputs") or {}), set(filters.get("inputs", {})), "inputs")
        return True
    only(filters, {"branches", "paths-ignore"}, "on.push")
    if not any(matches(pattern, plan["branch"]) for pattern in filters.get("branches", ["**"])):
        return False
    changed = git(plan["repository"], "diff", "--name-only", plan["before"] or EMPTY_TREE, plan["branch"]).splitlines()
    return not all(any(matches(p, path) for p in filters.get("paths-ignore", [])) for path in changed)


# --- the machine ---


class Runner:
    def __init__(self, plan):
        self.plan = plan
        root = pathlib.Path(plan["runner"])
        self.home, self.temp, self.workspace = root / "home", root / "temp", root / "work"
        for folder in (self.home, self.temp, self.workspace):
            folder.mkdir(parents=True)
        self.branch_commit = git(plan["repository"], "rev-parse", plan["branch"])
        self.path, self.env, self.after, self.numbers = [], {}, [], 0
        self.summary = root / "summary.md"
        self.log = open(root / "log", "w", encoding="utf-8")
        kept = {name: os.environ[name] for name in plan.get("environment", []) if name in os.environ}
        self.base = {
            **kept, "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_SHA": self.branch_commit,
            "GITHUB_REF": f"refs/heads/{plan['branch']}", "GITHUB_REF_NAME": plan["branch"],
            "GITHUB_EVENT_NAME": plan["event"], "GITHUB_REPOSITORY": "team/webapp",
            "GITHUB_SERVER_URL": "https://git.example", "GITHUB_RUN_ID": str(plan["run_id"]),
            "GITHUB_WORKSPACE": str(self.workspace), "RUNNER_TEMP": str(self.temp), "RUNNER_OS": "Linux",
            "HOME": str(self.home), "GITHUB_STEP_SUMMARY": str(self.summary),
        }

    def say(self, line):
        for name, secret in self.plan.get("secrets", {}).items():
            if name.endswith("PASSWORD") and secret.strip() and secret.strip() in line:
                stop(f"the secret {name} is in the output")
        print(line, flush=True)
        self.log.write(line + "\n")

    def contexts(self, inputs, steps):
        github = {"ref": self.base["GITHUB_REF"], "ref_name": self.plan["branch"], "sha": self.branch_commit,
                  "event_name": self.plan["event"], "run_id": self.plan["run_id"], "run_attempt": 1}
        return {"github": github, "inputs": inputs, "secrets": self.plan.get("secrets", {}),
                "vars": self.plan.get("vars", {}), "steps": steps, "env": self.env,
                "runner": {"os": "Linux", "temp": str(self.temp)}}

    def file_command(self, name):
        self.numbers += 1
        path = self.temp / f"_{name}_{self.numbers}"
        path.touch()
        return path

    def execute(self, step, env, contexts):
        """A 'run:' step. Returns its outputs."""
        script = self.file_command("script")
        script.write_text(expand(step["run"], contexts))
        files = {name: self.file_command(name) for name in ("output", "env", "path")}
        place = self.workspace / expand(step.get("working-directory", "."), contexts)
        full = {**self.base, **self.env, **env, **{f"GITHUB_{n.upper()}": str(p) for n, p in files.items()},
                "PATH": ":".join(self.path + [os.environ["PATH"]])}
        with subprocess.Popen([*SHELLS[step.get("shell")], str(script)], cwd=place, env=full, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              errors="replace") as process:
            for line in process.stdout:
                self.say(line.rstrip("\n"))
        if process.returncode:
            stop(f"step '{step.get('name', step['run'])}' ended with {process.returncode}")
        self.env.update(self.pairs(files["env"]))
        self.path[:0] = files["path"].read_text().split()
        return self.pairs(files["output"])

    @staticmethod
    def pairs(path):
        return dict(line.split("=", 1) for line in path.read_text().splitlines())

    # --- actions ---

    def checkout(self, values):
        only(values, {"ref", "fetch-depth", "persist-credentials"}, "actions/checkout")
        ref = values.get("ref") or self.base["GITHUB_REF"]
        depth = int(values.get("fetch-depth", 1))
        origin = "file://" + str(pathlib.Path(self.plan["repository"]).resolve())
        git(self.workspace, "init", "-q")
        git(self.workspace, "remote", "add", "origin", origin)
        short = ref.removeprefix("refs/heads/")
        git(self.workspace, "fetch", "-q", *([f"--depth={depth}"] if depth else []), "origin", short)
        git(self.workspace, "checkout", "-q", "-B", short, "FETCH_HEAD")

    def keep(self, values):
        """actions/cache: restore now, save at the end where the key was not there."""
        only(values, {"path", "key", "restore-keys"}, "actions/cache")
        paths = [self.home / path.strip().removeprefix("~/") for path in values["path"].split("\n") if path.strip()]
        service = pathlib.Path(self.plan["cache"])
        entry = service / values["key"]
        found = entry if entry.exists() else None
        for prefix in values.get("restore-keys", "").split():
            older = sorted(service.glob(f"{prefix}*"), key=lambda p: p.stat().st_mtime)
            found = found or (older[-1] if older else None)
        if found:
            subprocess.run(["tar", "-C", self.home, "-xf", found], check=True)
        if entry != found:
            self.after.append((entry, paths))
        self.say(f"cache '{values['key']}': {'restored from ' + found.name if found else 'not found'}")
        return {"cache-hit": "true" if entry == found else "false" if found else ""}

    def save(self):
        """As a user that is not root: what cannot be read would be missing, and tar fails."""
        for entry, paths in self.after:
            there = [str(path.relative_to(self.home)) for path in paths if path.exists()]
            subprocess.run(["tar", "-C", self.home, "-cf", f"{entry}.part", *there], check=True)
            os.rename(f"{entry}.part", entry)
            self.say(f"cache '{entry.name}': saved")

    def composite(self, folder, values):
        action = yaml.safe_load((folder / "action.yml").read_text())
        only(values, set(action["inputs"]), str(folder))
        inputs = {}
        for name, about in action["inputs"].items():
            if about.get("required") and name not in values:
                stop(f"{folder}: the input '{name}' is missing")
            inputs[name] = values.get(name) or about.get("default", "")
        if action["runs"]["using"] != "composite":
            stop(f"{folder}: only composite actions can be played")
        self.play(action["runs"]["steps"], inputs)

    def use(self, name, values):
        self.say(f"uses {name} with {json.dumps(values)}")
        if name.startswith("./"):
            return self.composite(self.workspace / name, values) or {}
        known = {"actions/checkout": self.checkout, "actions/cache": self.keep}
        action = name.split("@")[0]
        if action not in known or "@" not in name:
            stop(f"the action '{name}' is not known here")
        return known[action](values) or {}

    def play(self, steps, inputs):
        outputs = {}
        for step in steps:
            only(step, STEP_KEYS, "step")
            contexts = self.contexts(inputs, outputs)
            title = step.get("name") or step.get("uses") or step["run"].split("\n")[0]
            if "if" in step and not evaluate(step["if"], contexts):
                self.say(f"## skipped: {title}")
                continue
            self.say(f"## {title}")
            begin = time.monotonic()
            env = {key: expand(value, contexts) for key, value in step.get("env", {}).items()}
            if "uses" in step:
                got = self.use(step["uses"], {k: expand(v, contexts) for k, v in step.get("with", {}).items()})
            else:
                got = self.execute(step, env, contexts)
            outputs[step.get("id", len(outputs))] = {"outputs": got}
            self.say(f"## {time.monotonic() - begin:.1f} s: {title}")


def main():
    plan = json.loads(pathlib.Path(sys.argv[1]).read_text())
    text = git(plan["repository"], "show", f"{plan['branch']}:.github/workflows/{plan['workflow']}")
    workflow = yaml.safe_load(text)
    only(workflow, WORKFLOW_KEYS, plan["workflow"])
    if not is_started(workflow, plan):
        print(f"play_workflow: {plan['event']} does not start {plan['workflow']}")
        sys.exit(3)
    runner = Runner(plan)
    for job in workflow["jobs"].values():
        only(job, JOB_KEYS, "job")
        runner.play(job["steps"], (plan.get("inputs") or {}))
    runner.save()


main()
