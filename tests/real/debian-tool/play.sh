image --build-arg EXTRA_PACKAGES=less
says 'usage: tool' "$OCIBUILD" run "real/$name"
says '[{"capital":"Oslo"}]' "$OCIBUILD" run "real/$name" capital Norway
says '[{"total":"6"}]' sh -c 'printf "n\n1\n2\n3\n" |
	"$1" run -i "$2" ask "select cast(sum(n) as text) as total from input"' sh "$OCIBUILD" "real/$name"
want 64 "what is 'that'?" "$OCIBUILD" run "real/$name" that
# Who builds on it brings tables along.
mkdir "$work/child"
echo a,b >"$work/child/own.csv"
printf 'FROM real/%s\n' "$name" | "$OCIBUILD" build -q -f - -t "real/$name:child" "$work/child" >/dev/null
says a,b "$OCIBUILD" run --entrypoint cat "real/$name:child" /usr/share/tool/own.csv
