package doctor

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"tegata/internal/report"
)

func containerChecks() []Check {
	return []Check{
		{
			Name: "containers", Unknown: "TG7001", Run: checkContainers,
			Title: title("containers and their ports", "コンテナとポート"),
		},
	}
}

// inContainer knows the control groups of docker, containerd, podman and
// Kubernetes: each ends in the container's id of 64 hexadecimal digits.
var inContainer = pattern(`[0-9a-f]{64}`)

// forwarders are the programs that listen on the host for a container.
var forwarders = []string{"docker-proxy", "rootlessport", "conmon", "pasta", "slirp4netns", "nerdctl", "rootlesskit"}

func (p Process) inContainer() bool { return inContainer().MatchString(p.Cgroup) }

// checkContainers compares the ports of the compose file with the processes
// that listen on them.
func checkContainers(_ context.Context, h *Host, _ Facts) Outcome {
	if h.Processes == nil {
		return skip("processes can't be seen here")
	}
	all, err := h.Processes()
	if err != nil {
		return skip("processes can't be seen here", told("error", err.Error(), "%s"))
	}
	ports, n := h.publishedPorts(), countContainers(all)
	if len(ports) == 0 && n == 0 {
		return skip("there are no containers and no compose file with ports here")
	}
	facts := []report.Field{told("processes_in_containers", strconv.Itoa(n), "%s processes run in containers")}
	var missing []report.Field
	for _, p := range ports {
		owner, ok := listener(all, p.port)
		if !ok {
			missing = append(missing, told("no_listener", fmt.Sprintf("%s:%d", p.service, p.port), "%s"))
			continue
		}
		if !owner.inContainer() && !slices.Contains(forwarders, owner.Name) {
			return warn(found("TG7001", map[string]string{
				"origin": p.origin, "service": p.service, "port": strconv.Itoa(p.port),
				"process": owner.Name, "pid": strconv.Itoa(owner.PID),
			}), facts...)
		}
		facts = append(facts, told("listener", fmt.Sprintf("%s:%d", p.service, p.port), "%s is open"))
	}
	if missing != nil {
		return skip("nothing listens on a port of the compose file", missing...)
	}
	return pass(facts...)
}

func countContainers(all []Process) int {
	n := 0
	for _, p := range all {
		if p.inContainer() {
			n++
		}
	}
	return n
}

// listener returns who listens on a port; a container's own process before
// its forwarder does not matter, since both are fine.
func listener(all []Process, port int) (Process, bool) {
	i := slices.IndexFunc(all, func(p Process) bool { return slices.Contains(p.Ports, port) })
	if i < 0 {
		return Process{}, false
	}
	return all[i], true
}
