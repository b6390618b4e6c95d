// What Go's net/http says: go_clients '[["fin", "http://..."], ...]'; a JSON line for each failure.
package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

func ask(url string, times int) error {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	client := &http.Client{Transport: transport, Timeout: time.Second}
	for i := 0; i < times; i++ {
		response, err := client.Post(url, "text/plain", strings.NewReader("x"))
		if err != nil {
			return err
		}
		_, err = io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func main() {
	var asked [][]string
	if err := json.Unmarshal([]byte(os.Args[1]), &asked); err != nil {
		panic(err)
	}
	for _, pair := range asked {
		times := 1
		if pair[0] == "second" {
			times = 2
		}
		if err := ask(pair[1], times); err != nil {
			now := time.Now().Format("2006/01/02 15:04:05")
			said := []string{fmt.Sprintf("%s request failed: %v", now, err), err.Error()}
			line, _ := json.Marshal(map[string]any{"program": "go", "way": pair[0], "said": said})
			fmt.Println(string(line))
		}
	}
}
