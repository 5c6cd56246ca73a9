image
mkdir "$work/sql"
echo "create table planets as select * from (values ('Mars'), ('Venus')) as t(name);" >"$work/sql/planets.sql"
chmod -R a+rX "$work/sql"
want 1 'POSTGRES_PASSWORD: is needed' "$OCIBUILD" run "real/$name"
serve -v "$work/sql:/docker-entrypoint-initdb.d:ro" -e POSTGRES_PASSWORD=tellnobody -e PGPORT="$port"
ask() {
	"$OCIBUILD" run -e PGPASSWORD="$1" "real/$name" psql -h 127.0.0.1 -p "$port" -U postgres -At \
		-c "select string_agg(name, '+' order by name) || current_setting('server_version_num')::int / 10000 from planets"
}
for _ in $(seq 50); do
	ask tellnobody >"$work/psql" 2>&1 && break
	sleep 0.3
done
grep -qx 'Mars+Venus15' "$work/psql" || { cat "$work/psql" "$work/$name.log"; fail "the database does not answer"; }
! ask wrong >"$work/psql" 2>&1 || fail "a wrong password is let in"
[ "$("$OCIBUILD" inspect --config "real/$name" | jq -r '.config.StopSignal')" = SIGINT ] || fail "STOPSIGNAL"
