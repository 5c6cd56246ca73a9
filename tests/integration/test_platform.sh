#!/bin/sh
# Images for other platforms and for several at once: bases, arguments, indexes, and what others make of them.
. "$(dirname "$0")/lib.sh"
need skopeo python3
case $(uname -m) in
x86_64) host=amd64 other=arm64 ;;
aarch64) host=arm64 other=amd64 ;;
*) skip "a machine of a kind that this test knows nothing of" ;;
esac
both=linux/$host,linux/$other

# field JSON-FILE EXPRESSION: of the document as d.
field() { python3 -c "import json,sys; d = json.load(open(sys.argv[1])); print($2)" "$1"; }
mkdir "$work/context" && cd "$work/context"
echo hello >file

say "one other platform: base, arguments and configuration are its own"
cat >Dockerfile <<'D'
FROM scratch AS base
ARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT BUILDPLATFORM
COPY file /base-$TARGETARCH
ENV FOR=$TARGETPLATFORM/$TARGETOS/$TARGETARCH/$TARGETVARIANT
LABEL on=$BUILDPLATFORM
D
want 0 '' "$OCIBUILD" build --platform linux/armhf -t arm .
"$OCIBUILD" inspect --config --platform linux/arm/v7 arm >"$work/config"
[ "$(field "$work/config" '",".join((d["architecture"], d["os"], d["variant"]))')" = arm,linux,v7 ] ||
	fail "the configuration says another platform"
grep -qF '"FOR=linux/arm/v7/linux/arm/v7"' "$work/config" || fail "the arguments say another platform"
grep -qF "\"on\":\"linux/$host\"" "$work/config" || fail "BUILDPLATFORM is not this machine's"
want 2 "platform 'no such'" "$OCIBUILD" build --platform 'no such' .
want 2 'unknown operating system or architecture' "$OCIBUILD" build --platform "$both,nonsense" .

say "several platforms: an index in the store"
want 0 'an index' "$OCIBUILD" build --platform "$both" -t base -t base:2 --metadata-file "$work/metadata" \
	--iidfile "$work/iid" --annotation 'index:a=b' --annotation "manifest[linux/$other]:c=d" .
index=$(cat "$work/iid")
[ "$(field "$work/metadata" 'd["containerimage.digest"]')" = "$index" ] || fail "the metadata has another digest"
field "$work/metadata" '"containerimage.config.digest" in d' | grep -q False || fail "an index has no configuration"
"$OCIBUILD" inspect --raw base >"$work/index"
[ "sha256:$(sha256sum <"$work/index" | cut -c1-64)" = "$index" ] || fail "inspect --raw is not the index"
[ "$(field "$work/index" '",".join(m["platform"]["os"] + "/" + m["platform"]["architecture"] for m in d["manifests"])')" = \
	"$both" ] || fail "the index has other platforms"
[ "$(field "$work/index" 'd["annotations"]["a"]')" = b ] || fail "the index has no annotation"
"$OCIBUILD" images | grep -q "^base:2 .*(index).*$both\$" || { "$OCIBUILD" images; fail "images does not show it"; }
for arch in $host $other; do
	"$OCIBUILD" inspect --platform "linux/$arch" base | grep -qF "FOR=linux/$arch/linux/$arch/" ||
		fail "inspect does not show the image for $arch"
	"$OCIBUILD" history --platform "linux/$arch" base | grep -qF "COPY file /base-$arch" ||
		fail "history does not show the image for $arch"
done
want 4 "there is no image for linux/s390x; there is linux/$host, linux/$other" \
	"$OCIBUILD" inspect --platform linux/s390x base
want 0 "[linux/$other 1/1]" "$OCIBUILD" build --platform "$both" --progress plain .

say "FROM an index of the store takes the image for the platform"
cat >Dockerfile <<D
FROM --platform=\$BUILDPLATFORM base AS tool
COPY file /tool
FROM base
ARG TARGETARCH
COPY --from=tool /base-$host /tool /from-tool/
COPY --from=base /base-* /from-base/
COPY file /child-\$TARGETARCH
D
rm -rf "$work/out"
want 0 "[linux/$host tool 2/2]" "$OCIBUILD" build --platform "$both" --progress plain -t child \
	-o "type=local,dest=$work/out" -o type=store -o "type=tar,dest=$work/out.tar" .
[ "$(grep -c "tool 2/2\] COPY" "$work/stderr")" = 1 ] || fail "what all platforms share was done more than once"
for arch in $host $other; do
	(cd "$work/out/linux_$arch" && ls "base-$arch" "child-$arch" "from-tool/base-$host" from-tool/tool "from-base/base-$arch") \
		>/dev/null || fail "the files for $arch are not there"
done
tar -tf "$work/out.tar" | grep -qx "linux_$other/child-$other" || fail "the tar has no folder for each platform"
want 2 'holds one platform' "$OCIBUILD" build --platform "$both" -o "type=docker,dest=$work/d.tar" .

say "nobody asked for a platform, and the base is for another one"
want 0 '' "$OCIBUILD" build --platform "linux/$other" -t "only-$other" .
printf 'FROM only-%s\nCOPY file /x\n' $other >Dockerfile.plain
want 0 'InvalidBaseImagePlatform' "$OCIBUILD" build -f Dockerfile.plain -t plain .
"$OCIBUILD" inspect --config plain | grep -q "\"architecture\":\"$other\"" || fail "the image is not for its base's platform"

say "layouts and archives, judged by Skopeo"
want 0 '' "$OCIBUILD" build --platform "$both" -t child -o "type=oci,dest=$work/child.tar" \
	-o "type=oci,dest=$work/layout,tar=false" .
skopeo copy -q --all "oci-archive:$work/child.tar" "oci:$work/theirs:x"
skopeo inspect --raw "oci:$work/theirs:x" >"$work/raw"
skopeo inspect --raw "oci:$work/layout:latest" | cmp - "$work/raw" || fail "layout and archive hold different indexes"
[ "$(skopeo inspect --override-arch $other --config "oci:$work/layout:latest" | tee "$work/config" | wc -c)" -gt 0 ] ||
	fail "Skopeo does not find the image for $other"
[ "$(field "$work/config" 'd["architecture"]')" = $other ] || fail "Skopeo finds another architecture"
want 0 '' "$OCIBUILD" copy --all "oci:$work/layout:latest" again
"$OCIBUILD" inspect --raw again | cmp - "$work/raw" || fail "copy --all changed the index"
want 0 '' "$OCIBUILD" copy --platform "linux/$other" "oci:$work/layout:latest" one
"$OCIBUILD" images | grep -q "^one:latest .*linux/$other\$" || fail "copy --platform did not take one image"
printf 'FROM laid\nARG TARGETARCH\nCOPY --from=laid /child-$TARGETARCH /seen\n' >Dockerfile.layout
want 0 '' "$OCIBUILD" build --platform "$both" -f Dockerfile.layout \
	--build-context "laid=oci-layout://$work/layout:latest" -o type=cacheonly .

say "registries"
start_registry
want 0 '' "$OCIBUILD" push child "$registry/app:1"
skopeo inspect --tls-verify=false --raw "docker://$registry/app:1" | cmp - "$work/raw" || fail "push does not push the index"
want 0 '' "$OCIBUILD" push --platform "linux/$other" child "$registry/app:other"
skopeo inspect --tls-verify=false --raw "docker://$registry/app:other" | grep -q '"layers"' || fail "push --platform pushes no image"
printf 'FROM %s/app:1\nARG TARGETARCH\nCOPY file /top-$TARGETARCH\n' "$registry" >Dockerfile.registry
want 0 "pushed $registry/top:1@sha256:" env OCIBUILD_STORE="$work/store2" "$OCIBUILD" build --platform "$both" \
	-f Dockerfile.registry -t "$registry/top:1" --push .
skopeo copy -q --all --src-tls-verify=false "docker://$registry/top:1" "oci:$work/top:1"
for arch in $host $other; do
	skopeo inspect --override-arch $arch --config "oci:$work/top:1" | grep -q "COPY file /child-$arch" ||
		fail "the image in the registry stands on another base"
done
want 0 '' env OCIBUILD_STORE="$work/store2" "$OCIBUILD" pull --all "$registry/app:1"
want 0 '' env OCIBUILD_STORE="$work/store2" "$OCIBUILD" fsck

say "names are taken away one by one"
want 0 '' "$OCIBUILD" rmi base:2
"$OCIBUILD" images | grep -q '^base:2 ' && fail "rmi left the name"
whole
