package process

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Disks lists where members' own file systems are mounted, of living clusters and of
// others.
func Disks() ([]string, error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var mounted []string
	lines := bufio.NewScanner(file)
	for lines.Scan() { // see proc_pid_mountinfo(5)
		before, after, ok := strings.Cut(lines.Text(), " - ")
		where, what := strings.Fields(before), strings.Fields(after)
		if ok && len(where) > 4 && len(what) > 1 && what[0] == "tmpfs" && what[1] == DiskSource {
			mounted = append(mounted, unescape(where[4]))
		}
	}
	return mounted, lines.Err()
}

// unescape undoes how mountinfo writes blanks and the like.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}

// RemoveDisk unmounts a file system that Disks has listed.
func RemoveDisk(path string) error {
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount %s: %w", path, err)
	}
	return nil
}
