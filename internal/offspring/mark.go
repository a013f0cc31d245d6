package offspring

import (
	"fmt"
	"os"
	"strings"
)

// Machine names this machine, as far as it can be told apart from others.
func Machine() (string, error) {
	name, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("how this machine is called: %w", err)
	}
	for _, file := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if text, err := os.ReadFile(file); err == nil {
			return strings.TrimSpace(string(text)) + "/" + name, nil
		}
	}
	return name, nil
}
