#!/bin/sh
# The main job from a fresh copy of the tree, as an ordinary user, and its images before other judges:
# Skopeo, a registry, umoci, crun, Podman, GNU tar and bsdtar.
. "$(dirname "$0")/lib.sh"
need skopeo umoci jq curl tar bsdtar mmdebstrap git

copy=$work/clone
mkdir "$copy"
(cd "$source_dir" && git ls-files -z | xargs -0 tar -cf - --ignore-failed-read) | tar -C "$copy" -xf -
user=$(id -un)
as_user() { "$@"; }
if [ "$(id -u)" = 0 ]; then
	need newuidmap
	user=ocibuild-test
	id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/sh "$user"
	chown -R "$user:" "$copy"
	as_user() { runuser -u "$user" -- "$@"; }
fi
free_port() { shuf -i 20000-29999 -n 1; }

say "quickstart as $user"
port=$(free_port)
as_user env -u OCIBUILD_STORE PORT="$port" HOME="$copy" "$copy/examples/quickstart.sh" >"$work/quickstart.log" 2>&1 ||
	{ tail -n 50 "$work/quickstart.log"; fail "quickstart"; }
sed -n '/^== run the application/,$p' "$work/quickstart.log"
grep -q 'GET /health: {"status":"ok"' "$work/quickstart.log" || fail "the application is not healthy"
grep -q '<h1>It runs</h1>' "$work/quickstart.log" || fail "there is no page"

layout=$copy/out/quickstart/images
program=$copy/out/quickstart/compiled/bin/ocibuild
store=$copy/out/quickstart/store
# For the other tests.
[ ! -s "$copy/out/quickstart/base.tar" ] || cp "$copy/out/quickstart/base.tar" "$source_dir/out/python-base.tar"
ocibuild() { as_user env OCIBUILD_STORE="$store" "$program" "$@"; }

say "again: everything is cached"
as_user env OCIBUILD_STORE="$store" "$program" build -f "$copy/build/Dockerfile.app" -t app:latest --progress plain \
	"$copy/examples/webapp" 2>"$work/again"
grep -q CACHED "$work/again" || { cat "$work/again"; fail "nothing was cached"; }
! grep -q DONE.*COPY "$work/again"

say "Skopeo, both ways through a registry"
start_registry
for name in runtime app; do
	skopeo inspect "oci:$layout:$name" >"$work/$name.json" || fail "skopeo inspect $name"
	skopeo copy -q --dest-tls-verify=false "oci:$layout:$name" "docker://$registry/theirs/$name:1"
	ocibuild push -q "$name" "$registry/ours/$name:1"
	skopeo copy -q --src-tls-verify=false "docker://$registry/ours/$name:1" "oci:$work/back:$name"
	ours=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/ours/$name:1")
	theirs=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/theirs/$name:1")
	[ "$ours" = "$theirs" ] || fail "$name: $ours pushed by us, $theirs by skopeo"
done
[ "$(jq -r '.Layers | length' "$work/app.json")" -gt "$(jq -r '.Layers | length' "$work/runtime.json")" ] ||
	fail "app has no layers of its own"
"$OCIBUILD" pull -q "$registry/theirs/app:1" >/dev/null || fail "pull of what skopeo pushed"

say "every layer lists cleanly"
for blob in $(skopeo inspect --raw "oci:$layout:app" | jq -r '.layers[].digest'); do
	file=$layout/blobs/sha256/${blob#sha256:}
	tar -tvzf "$file" >"$work/gnu.list" 2>"$work/gnu.err" || fail "GNU tar: $blob"
	bsdtar -tvf "$file" >"$work/bsd.list" 2>"$work/bsd.err" || fail "bsdtar: $blob"
	[ ! -s "$work/gnu.err" ] || { cat "$work/gnu.err"; fail "GNU tar complains of $blob"; }
	[ ! -s "$work/bsd.err" ] || { cat "$work/bsd.err"; fail "bsdtar complains of $blob"; }
	[ "$(wc -l <"$work/gnu.list")" = "$(wc -l <"$work/bsd.list")" ] || fail "the lists differ: $blob"
done

say "umoci unpacks the tree that was built"
if [ "$(id -u)" = 0 ]; then
	umoci unpack --image "$layout:app" "$work/bundle" >"$work/umoci" 2>&1 || { cat "$work/umoci"; fail "umoci"; }
	[ "$(stat -c '%u:%g %a' "$work/bundle/rootfs/config")" = "10001:10001 750" ] ||
		fail "/config is $(stat -c '%u:%g %a' "$work/bundle/rootfs/config")"
	cmp "$source_dir/examples/webapp/app/main.py" "$work/bundle/rootfs/srv/webapp/app/main.py"
	[ "$(stat -c %a "$work/bundle/rootfs/srv/webapp/start.sh")" = 755 ] || fail "mode of start.sh"
fi

# answers PORT: is the application healthy there?
answers() {
	for _ in $(seq 100); do
		curl -sf --noproxy '*' "http://127.0.0.1:$1/health" 2>/dev/null | grep -q '"status":"ok"' && return
		sleep 0.2
	done
	return 1
}

if [ "$(id -u)" = 0 ]; then
	say "crun starts it"
	need crun
	port=$(free_port)
	jq --arg port "PORT=$port" '.process.terminal=false | .process.env += [$port] | .process.rlimits=[]
		| .linux.namespaces |= map(select(.type!="network"))' "$work/bundle/config.json" >"$work/config.json"
	cp "$work/config.json" "$work/bundle/config.json"
	# crun refuses a mixture of cgroup versions, so it gets a view with the second alone.
	(cd "$work/bundle" && exec unshare --mount sh -c 'umount -R -l /sys/fs/cgroup
		mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec crun "$@"' sh \
		--root "$work/crun" --cgroup-manager=disabled run "ocibuild-$$") >"$work/crun.log" 2>&1 &
	background="$background $!"
	answers "$port" || { cat "$work/crun.log"; fail "crun"; }
	crun --root "$work/crun" kill "ocibuild-$$" KILL 2>/dev/null || :

	say "Podman loads an archive and starts it"
	need podman
	OCIBUILD_STORE=$store "$OCIBUILD" copy -q app "docker-archive:$work/app.tar" >/dev/null || fail "docker-archive"
	chmod a+r "$work/app.tar"
	podman_() { podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver overlay --runtime runc "$@"; }
	podman_ load -q -i "$work/app.tar" >"$work/podman.log" 2>&1 || { cat "$work/podman.log"; fail "podman load"; }
	image=$(sed -n 's/^Loaded image[^:]*: *//p' "$work/podman.log" | head -n 1)
	port=$(free_port)
	podman_ run --rm --name "ocibuild-$$" --network host --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 \
		-e "PORT=$port" "$image" >"$work/podman.log" 2>&1 &
	background="$background $!"
	answers "$port" || { cat "$work/podman.log"; fail "podman run"; }
	podman_ kill "ocibuild-$$" >/dev/null 2>&1 || :
fi
ocibuild fsck || fail "the store is not whole"
say "the main job is done, and the judges agree"
