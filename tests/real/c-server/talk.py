"""talk.py PORT LINE…: send each line, print the answers in one line. Waits until the server is there."""
import socket
import sys
import time

for attempt in range(100):
    try:
        server = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
        break
    except ConnectionRefusedError:
        time.sleep(0.1)
lines = server.makefile("rw", newline="\r\n")
answers = []
for line in sys.argv[2:]:
    lines.write(line + "\r\n")
    lines.flush()
    answers.append(lines.readline().strip())
print(" ".join(answers))
