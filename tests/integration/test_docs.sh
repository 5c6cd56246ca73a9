#!/bin/sh
# The commands in docs/, executed as a reader would paste them: in a fresh home, with a registry that wants
# a password. The runtime image is a small one (busybox instead of Python), or this would take minutes; the
# real one is built by test_quickstart.sh and test_workflows.sh.
. "$(dirname "$0")/lib.sh"
need python3 git curl htpasswd
need_run
case $("$OCIBUILD" help) in
*'  release '*) ;;
*) skip "this ocibuild has no release" ;;
esac

bin=$(dirname "$OCIBUILD")
export PATH="$bin:$PATH"
export GIT_AUTHOR_NAME=reader GIT_AUTHOR_EMAIL=reader@example.org GIT_COMMITTER_NAME=reader \
	GIT_COMMITTER_EMAIL=reader@example.org
start_registry 'reader:pa55word'
export DOCKER_USERNAME=reader DOCKER_PASSWORD=pa55word

# What the reader has cloned to ~/src/ocibuild.
clone=$HOME/src/ocibuild
mkdir -p "$clone"
cp -r "$source_dir/examples" "$source_dir/build" "$clone/"
cat >"$clone/build/Dockerfile.runtime" <<'DOCKERFILE'
FROM busybox
RUN echo 'app:x:10001:10001::/home/app:/bin/sh' >>/etc/passwd && echo 'app:x:10001:' >>/etc/group
WORKDIR /srv/webapp
DOCKERFILE
port=$(shuf -i 20000-29999 -n 1)
cat >"$clone/examples/webapp/start.sh" <<SCRIPT
#!/bin/sh
mkdir -p /tmp/www
echo '{"status":"ok"}' >/tmp/www/health
echo '<h1>It runs</h1>' >/tmp/www/index.html
busybox httpd -f -p "0.0.0.0:\${PORT:-$port}" -h /tmp/www &
trap 'kill %1; exit' TERM INT
wait
SCRIPT

# read_doc NAME STORE: what comes after the guide finds the repository that the guide made.
read_doc() {
	say "$1"
	export OCIBUILD_STORE="$work/$2" DOCKER_REGISTRY_URL="$registry/$2"
	busybox_base
	# Port 8000 may be taken here.
	sed "s/\b8000\b/$port/g" "$source_dir/docs/$1.md" >"$work/$1.md"
	python3 "$source_dir/tests/integration/run_docs.py" "$work/$1.md" || fail "docs/$1.md"
}
cd "$HOME"
read_doc guide reader
cd "$HOME/webapp"
read_doc local-testing reader
git clean -fdxq
read_doc troubleshooting unlucky
git clean -fdxq
read_doc secrets reader
say "ok"
