#!/bin/sh
# Make a base for the runtime image from Debian's packages alone: what python:3.11-slim-bookworm is for this
# job, where Docker Hub cannot be had. A root file system tarball, for `ocibuild import`.
#
#   python-base.sh FILE.tar
#   DEBIAN_MIRROR   where the packages come from (default: http://deb.debian.org/debian)
set -eu
file=$1
mmdebstrap --quiet --format=tar --variant=minbase --include=python3,python3-pip,python3-venv,ca-certificates \
	bookworm "$file.part" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
mv "$file.part" "$file"
