#!/bin/sh
# A release for several platforms: each tag is an index, and all the rest is as with one.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/release_lib.sh"
start_registry

# A base for both; the application is for another platform first, so that nothing is this machine's by chance.
mkdir "$work/base" && printf 'FROM scratch\nARG TARGETARCH\nLABEL for=$TARGETARCH\nCOPY Dockerfile /etc/$TARGETARCH\n' >"$work/base/Dockerfile"
want 0 '' "$OCIBUILD" build --platform linux/arm64,linux/amd64 --push -t "$registry/base:1" "$work/base"
make_repository "$work/repo"
cat >ocibuild.yaml <<Y
registries:
  - http://$registry
images:
  runtime:
    platforms: [linux/arm64, linux/amd64]
  app:
    platforms: [linux/arm64, linux/amd64]
    annotations: {com.example:key: value}
Y
commit platforms

say "the runtime, then the application: indexes under every tag"
want 0 '' release runtime
want 0 '' release app
digest=$(digest_of "$registry/app:latest")
skopeo inspect --tls-verify=false --raw "docker://$registry/app:latest" >"$work/index"
same "$(jq -r '[.manifests[].platform.architecture] | join(" ")' "$work/index")" 'arm64 amd64' "platforms of the tag"
version=$(git rev-parse --short=7 HEAD)
same "$(digest_of "$registry/app:$version")" "$digest" "the version's tag"
same "$(annotation "$registry/app:latest" org.opencontainers.image.revision)" "$(git rev-parse HEAD)" "the index's commit"
same "$(annotation "$registry/app:latest" com.example:key)" value "the index's own annotation"
skopeo copy -q --all --src-tls-verify=false "docker://$registry/app:latest" "oci:$work/app:x"
for arch in arm64 amd64; do
	skopeo inspect --override-arch $arch --config "oci:$work/app:x" >"$work/config"
	same "$(jq -r '.config.Labels.for' "$work/config")" $arch "the base of the image for $arch"
	runtime=$(jq -r ".manifests[] | select(.platform.architecture == \"$arch\").digest" "$work/index")
	same "$(skopeo inspect --tls-verify=false --raw "docker://$registry/app@$runtime" | jq -r '.annotations["org.opencontainers.image.revision"]')" \
		"$(git rev-parse HEAD)" "the commit of the image for $arch"
done

say "again: nothing to do, from this store and from an empty one"
want 0 '' release app
same "$(digest_of "$registry/app:latest")" "$digest" "the same commit again"
want 0 '' env OCIBUILD_STORE="$work/store2" "$OCIBUILD" release app --force
same "$(digest_of "$registry/app:latest")" "$digest" "the same commit elsewhere"

say "a new commit moves latest, and an old one does not move it back"
echo two >app/main
commit two
want 0 '' release app
new=$(digest_of "$registry/app:latest")
[ "$new" != "$digest" ] || fail "latest has not moved"
git checkout -q HEAD~1
want 0 '' release app --force
same "$(digest_of "$registry/app:latest")" "$new" "latest after an old commit"
whole
