#!/bin/sh
# kill -9 at random moments of a build: the next build succeeds, gives the same image, leaves no litter.
#   KILLS   how many (default 50)
. "$(dirname "$0")/lib.sh"
need_run
busybox_base

export SOURCE_DATE_EPOCH=1700000000
mkdir "$work/context"
cd "$work/context"
for i in $(seq 40); do head -c 50000 /dev/urandom >"file$i"; done
cat >Dockerfile <<'D'
FROM busybox AS one
RUN i=0; while [ $i -lt 30 ]; do echo $i >/one$i; i=$((i+1)); done
FROM busybox
WORKDIR /srv
COPY . .
RUN dd if=/dev/zero of=/big bs=1024 count=3000 2>/dev/null; rm /etc/group
COPY --from=one /one5 /from-one
RUN chown 1000:1000 /srv/file1 && sleep 0.05
D
cp -r "$OCIBUILD_STORE" "$work/base-store"
build() { "$OCIBUILD" build -q -t kill:test . 2>"$work/build.log"; }

begin=$(date +%s%N)
wanted=$(build) || { cat "$work/build.log"; fail "the undisturbed build"; }
length=$((($(date +%s%N) - begin) / 1000))
say "undisturbed: $wanted in $((length / 1000)) ms"

litter() {
	find "$OCIBUILD_STORE/tmp" -mindepth 1 2>/dev/null | head -n 5
	pgrep -f "ocibuild-worker.*$work" || :
	grep -F "$work" /proc/mounts || :
}

for i in $(seq "${KILLS:-50}"); do
	rm -rf "$OCIBUILD_STORE" 2>/dev/null ||
		unshare --user --map-root-user --map-auto rm -rf "$OCIBUILD_STORE"
	cp -r "$work/base-store" "$OCIBUILD_STORE"
	delay=$(awk -v max="$length" -v seed="$i$$" 'BEGIN { srand(seed); printf "%.6f", rand() * max / 1000000 }')
	"$OCIBUILD" build -q -t kill:test . >/dev/null 2>&1 &
	victim=$!
	sleep "$delay"
	kill -9 "$victim" 2>/dev/null || :
	wait "$victim" 2>/dev/null || :
	got=$(build) || { cat "$work/build.log"; fail "the build after a kill at $delay s"; }
	[ "$got" = "$wanted" ] || fail "after a kill at $delay s: $got instead of $wanted"
	left=$(litter)
	[ -z "$left" ] || fail "litter after a kill at $delay s: $left"
	whole
done
say "${KILLS:-50} kills survived"
