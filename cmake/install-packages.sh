#!/bin/sh
# Install what is missing, by the system's package manager, as root or through sudo.
#
#   install-packages.sh build        what compiles ocibuild and runs a RUN as an ordinary user
#   install-packages.sh test         also the test library, the sanitizers' friends and the judges
#
# Debian and Ubuntu are done; on Fedora and Alpine it says what to install, and stops if something is
# missing. Nothing is installed when everything is there.
set -eu

debian_build="gcc cmake ninja-build pkg-config libc6-dev libarchive-dev libzstd-dev zlib1g-dev libssl-dev
libcurl4-openssl-dev libjansson-dev libyaml-dev libseccomp-dev uidmap ca-certificates curl"
# ISA-L is there on some architectures only; without it zlib does the work.
debian_optional="libisal-dev"
debian_run="mmdebstrap debian-archive-keyring"
debian_test="g++ libcmocka-dev python3 clang clang-format libclang-rt-14-dev mandoc jq xz-utils bzip2 zstd
busybox-static qemu-user-static docker-registry apache2-utils openssl skopeo umoci crun runc podman buildah
libarchive-tools time strace git openssh-client python3-yaml shellcheck"
fedora="gcc cmake ninja-build pkgconf libarchive-devel libzstd-devel zlib-devel openssl-devel libcurl-devel
jansson-devel libyaml-devel libseccomp-devel isa-l-devel shadow-utils ca-certificates curl"
alpine="gcc musl-dev linux-headers cmake ninja pkgconf libarchive-dev zstd-dev zlib-dev openssl-dev curl-dev
jansson-dev yaml-dev libseccomp-dev isa-l-dev shadow-subids ca-certificates curl"

what=${1:-build}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "cannot become root to run: $*; install it by hand" >&2
		exit 1
	fi
}

missing_packages() {
	for package in "$@"; do
		dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' ||
			printf '%s ' "$package"
	done
}

install_debian() {
	wanted="$debian_build $debian_run"
	[ "$what" = test ] && wanted="$wanted $debian_test"
	# shellcheck disable=SC2086
	missing=$(missing_packages $wanted)
	# shellcheck disable=SC2086
	optional=$(missing_packages $debian_optional)
	[ -z "$missing$optional" ] && return
	echo "installing: $missing$optional"
	as_root apt-get update -qq
	for package in $optional; do
		apt-cache show "$package" >/dev/null 2>&1 && missing="$missing $package"
	done
	[ -z "$missing" ] && return
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing \
		>/dev/null
}

# Subordinate ids let an ordinary user build images with more than one owner. Users made before uidmap
# was installed have none.
give_ids() {
	user=$(id -un)
	[ "$(id -u)" = 0 ] && return
	grep -qE "^($user|$(id -u)):" /etc/subuid 2>/dev/null &&
		grep -qE "^($user|$(id -u)):" /etc/subgid 2>/dev/null && return
	echo "giving $user subordinate ids 524288-589823"
	as_root usermod --add-subuids 524288-589823 --add-subgids 524288-589823 "$user"
}

if command -v apt-get >/dev/null; then
	install_debian
	give_ids
elif command -v dnf >/dev/null; then
	rpm -q $fedora >/dev/null 2>&1 || { echo "please install: sudo dnf install" $fedora >&2; exit 1; }
elif command -v apk >/dev/null; then
	apk info -e $alpine >/dev/null 2>&1 || { echo "please install: apk add" $alpine >&2; exit 1; }
else
	echo "this script knows apt, dnf and apk; see README.md for what is needed" >&2
fi
