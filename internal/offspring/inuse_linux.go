package offspring

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// InUse returns those of the directories below which a living process works, or has
// a file open or mapped, except for the given processes. It sees processes whose
// descriptors it may read.
func InUse(directories []string, except map[int]bool) (map[string]bool, error) {
	real := make(map[string]string)
	for _, d := range directories {
		path, err := filepath.EvalSymlinks(d)
		if errors.Is(err, fs.ErrNotExist) { // nobody can have it open by its name
			continue
		}
		if err != nil {
			return nil, err
		}
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
		real[d] = path
	}
	pids, err := allProcesses()
	if err != nil {
		return nil, err
	}
	used := make(map[string]bool)
	for _, pid := range pids {
		if except[pid] {
			continue
		}
		for _, file := range openBy(pid) {
			for d, path := range real {
				used[d] = used[d] || file == path || strings.HasPrefix(file, path+"/")
			}
		}
	}
	return used, nil
}

// openBy lists what a process has open or mapped, and where it works. What cannot be
// read is left out: it may have ended.
func openBy(pid int) []string {
	proc := fmt.Sprintf("/proc/%d/", pid)
	links := []string{proc + "cwd", proc + "root", proc + "exe"}
	for _, directory := range []string{"fd", "map_files"} {
		entries, _ := os.ReadDir(proc + directory)
		for _, e := range entries {
			links = append(links, proc+directory+"/"+e.Name())
		}
	}
	var files []string
	for _, link := range links {
		if file, err := os.Readlink(link); err == nil && strings.HasPrefix(file, "/") {
			files = append(files, strings.TrimSuffix(file, " (deleted)"))
		}
	}
	return files
}
