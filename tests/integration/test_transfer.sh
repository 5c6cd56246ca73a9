#!/bin/sh
# Images as layouts and archives, in and out, judged by the tools that people have.
. "$(dirname "$0")/lib.sh"
need skopeo umoci
busybox_base

same_tree() { # same_tree LAYOUT:TAG
	rm -rf "$work/bundle"
	umoci unpack --rootless --image "$1" "$work/bundle" >/dev/null 2>&1 || fail "umoci does not unpack $1"
	diff -r --no-dereference "$work/rootfs" "$work/bundle/rootfs" || fail "$1 holds another tree"
}

say "a layout, ours and Skopeo's"
want 0 '' "$OCIBUILD" copy busybox "oci:$work/ours:one"
want 0 '' "$OCIBUILD" copy busybox "oci:$work/ours:two"
same_tree "$work/ours:one"
same_tree "$work/ours:two"
skopeo copy -q "oci:$work/ours:one" "oci:$work/theirs:1"
want 0 '' "$OCIBUILD" copy "oci:$work/theirs:1" from-layout:1
want 4 "'one'" "$OCIBUILD" copy "oci:$work/ours:three" x:1
want 4 'does not exist' "$OCIBUILD" copy "oci:$work/nowhere" x:1

say "archives, written by us and read by others"
want 0 '' "$OCIBUILD" copy busybox "oci-archive:$work/oci.tar:tag"
want 0 '' "$OCIBUILD" copy busybox "docker-archive:$work/docker.tar:name:tag"
skopeo copy -q "oci-archive:$work/oci.tar:tag" "oci:$work/check:a"
skopeo copy -q "docker-archive:$work/docker.tar" "oci:$work/check:b"
same_tree "$work/check:a"
same_tree "$work/check:b"
for archive in oci docker; do
	bsdtar -tf "$work/$archive.tar" >/dev/null || fail "bsdtar does not list $archive.tar"
	tar -tf "$work/$archive.tar" >/dev/null || fail "tar does not list $archive.tar"
done
want 0 '' "$OCIBUILD" copy busybox "oci-archive:$work/oci2.tar:tag"
cmp "$work/oci.tar" "$work/oci2.tar" || fail "the same image gives two archives"
if command -v podman >/dev/null && [ "$(id -u)" = 0 ]; then
	for archive in oci docker; do
		podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs \
			load -q -i "$work/$archive.tar" >"$work/loaded" 2>&1 ||
			{ cat "$work/loaded"; fail "podman does not load $archive.tar"; }
	done
	grep -q docker.io/library/name:tag "$work/loaded" || fail "podman does not know the name"
fi

say "archives, written by others and read by us"
skopeo copy -q "oci:$work/ours:one" "oci-archive:$work/theirs-oci.tar:tag"
skopeo copy -q "oci:$work/ours:one" "docker-archive:$work/theirs-docker.tar:name:tag"
gzip -k "$work/theirs-docker.tar"
for source in oci-archive:$work/theirs-oci.tar oci-archive:$work/theirs-oci.tar:tag \
	docker-archive:$work/theirs-docker.tar docker-archive:$work/theirs-docker.tar:name:tag \
	docker-archive:$work/theirs-docker.tar.gz; do
	want 0 '' "$OCIBUILD" copy "$source" "oci:$work/back:x"
	same_tree "$work/back:x"
done
want 4 'there is no image' "$OCIBUILD" copy "docker-archive:$work/theirs-docker.tar:other" x:1
want 4 'there is no' "$OCIBUILD" copy "docker-archive:$work/none.tar" x:1

say "damage is noticed"
blob=$(find "$work/theirs/blobs/sha256" -size +100k | head -1)
flip_byte "$blob" 5000
want 1 'sha256:' env OCIBUILD_STORE="$work/store2" "$OCIBUILD" copy "oci:$work/theirs:1" damaged:1
truncate -s 60000 "$work/theirs-docker.tar"
want 1 'archive' env OCIBUILD_STORE="$work/store2" "$OCIBUILD" copy "docker-archive:$work/theirs-docker.tar" damaged:1
OCIBUILD_STORE="$work/store2" "$OCIBUILD" images | grep -q damaged && fail "a damaged image has a name"

say "a configuration that claims another layer's id"
want 0 '' "$OCIBUILD" copy busybox "oci:$work/liar:1"
python3 - "$work/liar" <<'PY' || skip "no python3 on this machine"
import hashlib, json, pathlib, sys
root = pathlib.Path(sys.argv[1])
blobs = root / "blobs/sha256"
def put(document):
    data = json.dumps(document).encode()
    name = hashlib.sha256(data).hexdigest()
    (blobs / name).write_bytes(data)
    return {"digest": "sha256:" + name, "size": len(data)}
index = json.loads((root / "index.json").read_text())
manifest = json.loads((blobs / index["manifests"][0]["digest"][7:]).read_text())
config = json.loads((blobs / manifest["config"]["digest"][7:]).read_text())
config["rootfs"]["diff_ids"] = ["sha256:" + "1" * 64]
manifest["config"].update(put(config))
index["manifests"][0].update(put(manifest))
(root / "index.json").write_text(json.dumps(index))
PY
want 0 '' "$OCIBUILD" copy "oci:$work/liar:1" liar:1
if "$OCIBUILD" doctor >/dev/null 2>&1; then
	want 1 'and not diff id sha256:1111' "$OCIBUILD" run liar:1 true
fi

say "import: any packing, any order, one layer"
for how in 'cf a.tar --sort=name' 'czf b.tar' 'cJf c.tar' 'cf d.tar --format=pax'; do
	# shellcheck disable=SC2086
	(cd "$work" && set -- $how && tar -C rootfs --owner=0 --group=0 --numeric-owner "-$1" "$work/$2" ${3:-} .)
done
layer=
for archive in a b c d; do
	want 0 '' "$OCIBUILD" import "$work/$archive.tar" "imported:$archive"
	now=$("$OCIBUILD" inspect "imported:$archive" | grep -o '"diff_ids":\[[^]]*')
	[ -z "$layer" ] || [ "$layer" = "$now" ] || fail "$archive.tar gives another layer"
	layer=$now
done
want 0 '' sh -c '"$OCIBUILD" import - imported:stdin <"$0"' "$work/a.tar"
want 0 '' "$OCIBUILD" import --change 'CMD ["sh"]' --change 'ENV A=1 B="two words"' --change 'LABEL x=y' \
	--change 'EXPOSE 80/udp' --change 'USER 5' --change 'VOLUME /v' --change 'WORKDIR /w' \
	--change 'STOPSIGNAL SIGINT' --change 'ENTRYPOINT ["e"]' "$work/a.tar" changed:1
"$OCIBUILD" copy changed:1 "oci:$work/changed:1" >/dev/null 2>&1
skopeo inspect --config "oci:$work/changed:1" >"$work/config"
for text in '"B=two words"' '"80/udp"' '"x": "y"' '"/v"' '"/w"' '"SIGINT"' '"sh"' '"e"' '"User": "5"'; do
	grep -qF "$text" "$work/config" || { cat "$work/config"; fail "the config lacks $text"; }
done
want 3 'NONSENSE' "$OCIBUILD" import --change 'NONSENSE x' "$work/a.tar" x:1
want 3 'RUN x cannot be a change' "$OCIBUILD" import --change 'RUN x' "$work/a.tar" x:1
want 4 'no file' "$OCIBUILD" import "$work/none.tar" x:1
head -c 100000 /dev/urandom >"$work/noise"
want 1 'noise' "$OCIBUILD" import "$work/noise" x:1
head -c 50000 "$work/a.tar" >"$work/short.tar"
want 1 'short.tar' "$OCIBUILD" import "$work/short.tar" x:1

whole
say "ok"
