//go:build unix

package test

import (
	"errors"
	"os"
	"testing"
)

// The client that most programs for OpenAI's API are made with, against
// `tegata serve` on the role of the imitated instance.
func TestOpenAIClient(t *testing.T) {
	t.Parallel()
	requireBox(t)
	requireProgram(t, "node")
	if _, err := os.Stat("js/node_modules/openai"); err != nil {
		require(t, errors.New("the packages of test/js are not installed: npm ci --prefix test/js"))
	}
	run(t, "sandbox", "--", "node", "js/openai.mjs", tegata).wants(t, 0,
		"models: true\n",
		"whole: 手形 jp.anthropic.claude-sonnet-4-6 stop\n",
		"streamed: piece by piece to the end true true\n",
		"tool: get_weather true tool_calls\n",
		"result: true stop\n",
		"cancelled: true\n",
		"dead model: NotFoundError 404 TG6014 null\n",
		"wrong key: AuthenticationError 401 ",
		"two answers: BadRequestError 400 null n\n",
		"ended: 0\n",
		"key in the log: false\n",
	)
}
