#!/bin/sh
# Run another integration test as an ordinary user: test_as_user.sh SCRIPT. As root it makes the user.
set -eu
script=$1
folder=$(cd "$(dirname "$0")" && pwd)
if [ "$(id -u)" != 0 ]; then
	exec "$folder/$script"
fi
command -v newuidmap >/dev/null || { echo "SKIPPED: no newuidmap"; exit 77; }
user=ocibuild-test
id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/sh "$user"
# The checkout may lie where the user cannot go: give it a copy of the tests and the programs.
copy=$(mktemp -d /var/tmp/ocibuild-user-XXXXXX)
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy/bin" "$copy/tests"
bin=$(dirname "$OCIBUILD")
cp "$bin/ocibuild" "$bin/ocibuild-worker" "$copy/bin/"
cp -P "$bin"/../lib/libocibuild.so* "$copy/bin/"
cp -r "$folder" "$copy/tests/integration"
cp -r "$folder/../../examples" "$folder/../../build" "$folder/../../docs" "$copy/"
case $script in
../real/*)
	mkdir "$copy/out"
	cp -r "$folder/../real" "$copy/tests/"
	# What was made from the network is not made again.
	for made in python-base.tar real-bases; do
		[ ! -e "$folder/../../out/$made" ] || cp -r "$folder/../../out/$made" "$copy/out/"
	done
	;;
esac
chmod -R a+rX "$copy"
cd "$copy/tests/integration"
runuser -u "$user" -- env -i PATH="$PATH" LD_LIBRARY_PATH="$copy/bin" OCIBUILD="$copy/bin/ocibuild" \
	KILLS="${KILLS:-}" "$copy/tests/integration/$script"
