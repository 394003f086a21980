// Light-gateway stands in for OpenClaw where a test needs many pods and none of them has to chat: a few megabytes
// instead of a gigabyte. It answers OpenClaw's probes, and /v1/models to whoever presents the slot's token, so that
// an operator can tell a pod that got the right credentials from one that did not.
package main

import (
	"crypto/subtle"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	token := os.Getenv("OPENCLAW_GATEWAY_TOKEN")
	if token == "" {
		log.Fatal("OPENCLAW_GATEWAY_TOKEN is not set")
	}
	server := &http.Server{Addr: ":18789", Handler: handler(token)}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

func handler(token string) http.Handler {
	mux := http.NewServeMux()
	for path, body := range map[string]string{
		"/healthz":  `{"ok":true,"status":"live"}`,
		"/startupz": `{"ok":true,"status":"started"}`,
		"/readyz":   `{"ready":true}`,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, body) })
	}
	mux.HandleFunc("/v1/models", func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get("Authorization")
		if subtle.ConstantTimeCompare([]byte(given), []byte("Bearer "+token)) != 1 {
			answer(w, http.StatusUnauthorized, `{"error":{"message":"Unauthorized","type":"unauthorized"}}`)
			return
		}
		answer(w, http.StatusOK, `{"object":"list","data":[{"id":"openclaw","object":"model"}]}`)
	})
	return mux
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}
