package cli

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"tegata/doctor"
)

// processes lists the processes of this machine with the ports they listen
// on, as proc(5) tells. Of other users' processes the ports stay unknown
// unless we are root.
func processes() ([]doctor.Process, error) {
	dirs, _ := filepath.Glob("/proc/[0-9]*") // it fails for a wrong pattern only
	if len(dirs) == 0 {
		return nil, errors.New("list processes: nothing is in /proc")
	}
	listening := listeningSockets()
	var all []doctor.Process
	for _, dir := range dirs {
		name, err := os.ReadFile(dir + "/comm")
		if err != nil {
			continue // ended meanwhile
		}
		pid, _ := strconv.Atoi(filepath.Base(dir))
		all = append(all, doctor.Process{
			PID:    pid,
			Name:   strings.TrimSpace(string(name)),
			Cgroup: controlGroup(dir),
			Ports:  portsOf(dir, listening),
		})
	}
	return all, nil
}

// controlGroup returns the path in the unified hierarchy, or in the first
// one where there is none.
func controlGroup(dir string) string {
	text, _ := os.ReadFile(dir + "/cgroup")
	path := ""
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && (path == "" || fields[0] == "0") {
			path = fields[2]
		}
	}
	return path
}

// listeningSockets maps the name of a socket, as it stands in /proc/PID/fd,
// to the TCP port that it listens on.
func listeningSockets() map[string]int {
	const stateListen = "0A"
	ports := make(map[string]int)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			fields := strings.Fields(lines.Text())
			if len(fields) < 10 || fields[3] != stateListen {
				continue
			}
			_, port, _ := strings.Cut(fields[1], ":")
			if n, err := strconv.ParseUint(port, 16, 16); err == nil {
				ports["socket:["+fields[9]+"]"] = int(n)
			}
		}
		f.Close()
	}
	return ports
}

func portsOf(dir string, listening map[string]int) []int {
	files, _ := filepath.Glob(dir + "/fd/*")
	var ports []int
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil && listening[target] != 0 {
			ports = append(ports, listening[target])
		}
	}
	return ports
}
