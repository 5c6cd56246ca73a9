// Serves the page, and says what it is.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
)

var commit = "none"

func main() {
	http.Handle("/", http.FileServer(http.Dir(filepath.Join(os.Getenv("DASH_HOME"), "public"))))
	http.HandleFunc("/api/health", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s from %s as %d\n", os.Getenv("GREETING"), commit, os.Getuid())
	})
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
