talk() { python3 "$real/$name/talk.py" "$@"; } # talk PORT LINE…: what the server says to each line
for tag in tiny full; do
	image --target "$tag" --build-arg CFLAGS=-Os
	arguments=$port serve
	says '+PONG +OK +red wine -ERR' talk "$port" PING 'SET colour red wine' 'GET colour' 'GET nothing'
	stop_server
done
# The sources were mounted only, and what make wrote is nowhere.
inside 'check passed' '[ ! -e /src ]; cat /check.log'
[ -z "$(find "$real/$name" -name '*.o' -o -name store -o -name tests)" ] || fail "make wrote into the context"
