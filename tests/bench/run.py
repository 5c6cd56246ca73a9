#!/usr/bin/env python3
"""Time ocibuild and its peers side by side on the workloads of the design, and print the ratios.

    tests/bench/run.py [--ocibuild PROGRAM] [--runs N] [--only REGEX] [--peers buildah,docker] [--json FILE]

Nothing is checked here: machines are noisy, so each workload is run in turn by every builder, N times,
and the medians and the ratio to each peer are printed. Buildah needs root (chroot isolation, overlay);
Docker's BuildKit is used when dockerd can be started (root) or DOCKER_HOST is set. A peer that cannot
run is left out, and that is said.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REGISTRY_YML = """version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {root}}}, delete: {{enabled: true}}}}
http: {{addr: 127.0.0.1:{port}}}
"""


def call(argv, env=None, cwd=None, quiet=True):
    """Run to the end: (seconds, peak MB of the largest process in it). Raises on failure."""
    begin = time.monotonic()
    full = dict(os.environ, **(env or {}))
    process = subprocess.Popen(argv, env=full, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begin
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit {process.returncode}\n{output.decode(errors='replace')[-1500:]}")
    if not quiet:
        sys.stdout.buffer.write(output)
    return seconds, usage.ru_maxrss / 1024


class Ocibuild:
    name = "ocibuild"

    def __init__(self, work, program):
        self.program, self.store = program, work / "ocibuild-store"

    def available(self):
        return None if os.access(self.program, os.X_OK) else f"no {self.program}"

    def run(self, *args):
        return call([self.program, "--store", str(self.store), *args])

    def build(self, context, tag, dockerfile=None):
        file = ["-f", str(dockerfile)] if dockerfile else []
        return self.run("build", "-q", *file, "-t", tag, str(context))

    def push(self, tag, name):
        return self.run("push", "-q", tag, name)

    def load_base(self, tar, tag):
        self.run("import", str(tar), tag)

    def forget(self):
        shutil.rmtree(self.store, ignore_errors=True)

    def pull(self, name):
        return self.run("pull", "-q", name)

    def close(self):
        self.forget()


class Buildah:
    name = "buildah"

    def __init__(self, work, _program):
        self.root = work / "buildah"
        self.options = ["--root", str(self.root / "root"), "--runroot", str(self.root / "run"),
                        "--storage-driver", "overlay"]

    def available(self):
        if not shutil.which("buildah"):
            return "not installed"
        return None if os.geteuid() == 0 else "only measured as root"

    def run(self, *args):
        return call(["buildah", *self.options, *args], env={"BUILDAH_ISOLATION": "chroot"})

    def build(self, context, tag, dockerfile=None):
        file = ["-f", str(dockerfile)] if dockerfile else []
        return self.run("bud", "-q", "--layers", "--tls-verify=false", *file, "-t", tag, str(context))

    def push(self, tag, name):
        return self.run("push", "-q", "--tls-verify=false", tag, f"docker://{name}")

    def load_base(self, tar, tag):
        with tempfile.TemporaryDirectory() as folder:
            os.link(tar, f"{folder}/base.tar") if os.stat(folder).st_dev == os.stat(tar).st_dev \
                else shutil.copy(tar, f"{folder}/base.tar")
            pathlib.Path(folder, "Dockerfile").write_text("FROM scratch\nADD base.tar /\nCMD [\"/bin/sh\"]\n")
            self.build(folder, tag)

    def forget(self):
        if self.root.exists():
            subprocess.run(["buildah", *self.options, "rm", "-a"], capture_output=True)
            subprocess.run(["buildah", *self.options, "rmi", "-a", "-f"], capture_output=True)

    def pull(self, name):
        return self.run("pull", "-q", "--tls-verify=false", name)

    def close(self):
        self.forget()


class Docker:
    name = "docker"

    def __init__(self, work, _program):
        self.work, self.daemon, self.host = work / "docker", None, os.environ.get("DOCKER_HOST")
        self.client = "/usr/bin/docker" if os.path.exists("/usr/bin/docker") else "docker"

    def available(self):
        if self.host:
            return None
        if os.geteuid() != 0 or not shutil.which("dockerd") or not shutil.which(self.client):
            return "needs root and Debian's docker.io"
        self.work.mkdir()
        socket = self.work / "d.sock"
        log = open(self.work / "log", "w")
        self.daemon = subprocess.Popen(
            ["dockerd", "--data-root", str(self.work / "root"), "--exec-root", str(self.work / "exec"),
             "--pidfile", str(self.work / "pid"), "-H", f"unix://{socket}", "--storage-driver", "overlay2",
             "--iptables=false", "--bridge=none"], stdout=log, stderr=log)
        self.host = f"unix://{socket}"
        for _ in range(150):
            if subprocess.run([self.client, "info"], env=dict(os.environ, DOCKER_HOST=self.host),
                              capture_output=True).returncode == 0:
                return None
            time.sleep(0.1)
        return f"dockerd did not start: {(self.work / 'log').read_text()[-300:]}"

    def run(self, *args):
        return call([self.client, *args], env={"DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "1"})

    def build(self, context, tag, dockerfile=None):
        file = ["-f", str(dockerfile)] if dockerfile else []
        return self.run("build", "-q", "--network", "host", *file, "-t", tag, str(context))

    def push(self, tag, name):
        self.run("tag", tag, name)
        return self.run("push", "-q", name)

    def load_base(self, tar, tag):
        self.run("import", "-c", 'CMD ["/bin/sh"]', str(tar), tag)

    def forget(self):
        subprocess.run([self.client, "system", "prune", "-af"], capture_output=True,
                       env=dict(os.environ, DOCKER_HOST=self.host))
        subprocess.run([self.client, "builder", "prune", "-af"], capture_output=True,
                       env=dict(os.environ, DOCKER_HOST=self.host))

    def pull(self, name):
        return self.run("pull", "-q", name)

    def close(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait()


def make_rootfs(work):
    """A small root file system with the machine's static busybox."""
    root = work / "rootfs"
    for folder in ("bin", "etc", "tmp", "root"):
        (root / folder).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    for applet in ("sh", "echo", "true", "touch", "cat"):
        (root / "bin" / applet).symlink_to("busybox")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    subprocess.run(["tar", "-C", root, "--owner=0", "--group=0", "-cf", work / "base.tar", "."], check=True)
    return work / "base.tar"


def make_many_files(folder, count, total):
    """count files, total bytes, neither all alike nor incompressible."""
    size = total // count
    text = (b"%08d some line of text that a program or a library might hold\n" * 100)
    for number in range(count):
        place = folder / f"d{number // 1000:03d}" / f"e{number // 100 % 10}"
        if number % 100 == 0:
            place.mkdir(parents=True, exist_ok=True)
        body = (text % ((number,) * 100))[:size // 2] + os.urandom(64).hex().encode() * (size // 256 + 1)
        (place / f"f{number:06d}").write_bytes(body[:size])


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="ocibuild-bench-", dir="/var/tmp"))
        self.base = make_rootfs(self.work)
        self.results = {}
        self.registry = None
        wanted = ["ocibuild", *filter(None, options.peers.split(","))]
        self.tools = []
        for kind in (Ocibuild, Buildah, Docker):
            if kind.name not in wanted:
                continue
            tool = kind(self.work, options.ocibuild)
            reason = tool.available()
            if reason:
                print(f"{kind.name} is left out: {reason}")
                continue
            self.tools.append(tool)

    def measure(self, name, prepare, work):
        """prepare(tool, i) is not timed, work(tool, i) is; tools take turns."""
        if not re.search(self.options.only, name):
            return
        figures = {tool.name: [] for tool in self.tools}
        peak = {tool.name: 0.0 for tool in self.tools}
        for i in range(self.options.runs):
            for tool in self.tools:
                try:
                    if prepare:
                        prepare(tool, i)
                    seconds, memory = work(tool, i)
                except (RuntimeError, NotImplementedError) as reason:
                    print(f"{name}: {tool.name}: {reason}")
                    continue
                figures[tool.name].append(seconds)
                peak[tool.name] = max(peak[tool.name], memory)
        self.report(name, figures, peak)

    def report(self, name, figures, peak):
        medians = {tool: statistics.median(runs) for tool, runs in figures.items() if runs}
        self.results[name] = {tool: {"median": median, "runs": figures[tool], "peak_mb": peak[tool]}
                              for tool, median in medians.items()}
        ours = medians.get("ocibuild")
        line = f"{name:44s}"
        for tool, median in medians.items():
            line += f"  {tool} {median:7.3f} s"
            if tool == "ocibuild":
                line += f" ({peak[tool]:.0f} MB)"
            elif ours:
                line += f" ({median / ours:.1f}x)"
        print(line, flush=True)

    def context(self, name, dockerfile, files=()):
        folder = self.work / name
        folder.mkdir()
        (folder / "Dockerfile").write_text(dockerfile)
        for path, text in files:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return folder

    def start_registry(self):
        port = 5990
        config = self.work / "registry.yml"
        config.write_text(REGISTRY_YML.format(root=self.work / "registry", port=port))
        self.registry = subprocess.Popen(["docker-registry", "serve", str(config)],
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        return f"127.0.0.1:{port}"

    def trivial_runs(self):
        for tool in self.tools:
            tool.load_base(self.base, "bench-base")
        runs = self.context("runs", "FROM bench-base\n")

        def fresh(tool, i):
            lines = [f"RUN echo {tool.name} {i} {number} >/f{number}" for number in range(20)]
            (runs / "Dockerfile").write_text("\n".join(["FROM bench-base", *lines, ""]))

        self.measure("20 trivial RUNs", fresh, lambda tool, i: tool.build(runs, "bench-runs"))

    def mounts(self):
        """What a mount adds to a step: 20 RUNs without, and 20 with one of each kind. Ours only: peers
        have other command lines for it."""
        ours = self.tools[0]
        ours.load_base(self.base, "bench-base")
        folder = self.context("mounts", "FROM bench-base\n", [("file", "x\n")])
        (self.work / "secret").write_text("s3cret\n")
        kinds = {
            "no mounts": ("", []),
            "a cache": ("--mount=type=cache,target=/c ", []),
            "a secret": ("--mount=type=secret,id=s,required ", ["--secret", f"id=s,src={self.work}/secret"]),
            "a tmpfs": ("--mount=type=tmpfs,target=/t ", []),
            "a bind": ("--mount=target=/b ", []),
        }
        agent = os.environ.get("SSH_AUTH_SOCK")
        if agent:
            kinds["an ssh agent"] = ("--mount=type=ssh,required ", ["--ssh", "default"])
        for name, (mount, options) in kinds.items():
            def fresh(tool, i):
                lines = [f"RUN {mount}echo {name} {i} {number} >/f{number}" for number in range(20)]
                (folder / "Dockerfile").write_text("\n".join(["FROM bench-base", *lines, ""]))

            def build(tool, _i):
                return tool.run("build", "-q", *options, "-t", "bench-mounts", str(folder))

            every, self.tools = self.tools, [ours]
            self.measure(f"20 RUNs with {name}", fresh, build)
            self.tools = every

    def application(self):
        for tool in self.tools:
            tool.load_base(self.base, "bench-runtime")
        files = [(f"app/module{i}.py", f"print({i})\n" * 50) for i in range(100)]
        folder = self.context("application", "FROM bench-runtime\nCOPY app/ /srv/app/\nCOPY start.sh /srv/\n"
                              "EXPOSE 8000\nCMD [\"/srv/start.sh\"]\n", [*files, ("start.sh", "#!/bin/sh\n")])
        for tool in self.tools:
            tool.build(folder, "bench-app")
        self.measure("application image, nothing changed", None, lambda tool, i: tool.build(folder, "bench-app"))

        def change(tool, i):
            (folder / "app/module7.py").write_text(f"print('{tool.name} {i} {time.time()}')\n")

        self.measure("application image, one file changed", change, lambda tool, i: tool.build(folder, "bench-app"))

    def many_files(self):
        folder = self.context("many", "FROM scratch\nCOPY tree/ /tree/\n")
        make_many_files(folder / "tree", 100000, 534_000_000)

        def change(tool, i):
            (folder / "tree" / "changed").write_text(f"{tool.name} {i}")

        self.measure("COPY of 100,000 files, 534 MB, one changed", change,
                     lambda tool, i: tool.build(folder, "bench-many"))

        def forget(tool, i):
            tool.forget()

        self.measure("COPY of 100,000 files, 534 MB, cold", forget, lambda tool, i: tool.build(folder, "bench-many"))
        self.measure("the same again, nothing changed", None, lambda tool, i: tool.build(folder, "bench-many"))

    def big_pull(self):
        where = self.start_registry()
        ours = self.tools[0]
        folder = self.context("big", "FROM scratch\nCOPY tree/ /tree/\n")
        make_many_files(folder / "tree", 9000, 900_000_000)
        ours.build(folder, "bench-big")
        ours.push("bench-big", f"{where}/bench/big:1")
        cold = self.context("cold", f"FROM {where}/bench/big:1\nCOPY file /srv/file\nCMD [\"/srv/file\"]\n", [("file", "x\n")])

        def forget(tool, i):
            tool.forget()

        self.measure("application image, nothing local, pushed", forget, lambda tool, i: (
            tool.build(cold, "bench-cold")[0] + tool.push("bench-cold", f"{where}/bench/{tool.name}:1")[0], 0.0))
        self.measure("pull of 900 MB", forget, lambda tool, i: tool.pull(f"{where}/bench/big:1"))

    def close(self):
        for tool in self.tools:
            tool.close()
        if self.registry:
            self.registry.terminate()
        shutil.rmtree(self.work, ignore_errors=True)


def main():
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    parser = argparse.ArgumentParser()
    parser.add_argument("--ocibuild", default=str(root / "out/release/bin/ocibuild"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--workloads", default="trivial_runs,mounts,application,many_files,big_pull")
    parser.add_argument("--peers", default="buildah,docker")
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    bench = Bench(options)
    try:
        for workload in options.workloads.split(","):
            getattr(bench, workload)()
    finally:
        bench.close()
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(bench.results, indent=1) + "\n")


main()
