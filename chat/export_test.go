package chat

// Held returns how many answers, conversations and watchers of lists an engine
// knows of.
func (e *Engine) Held() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.running) + len(e.threads) + len(e.lists)
}
