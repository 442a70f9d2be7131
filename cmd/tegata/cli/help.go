package cli

import (
	"context"
	"embed"
	"io"

	"tegata/internal/message"
)

//go:embed help
var helpFiles embed.FS

func runHelp(_ context.Context, s *session) error {
	args, err := s.parse(s.flags())
	if err != nil {
		return err
	}
	topic := "tegata"
	if len(args) > 0 {
		topic = args[0]
	}
	if len(args) > 1 {
		return usagef("help explains one command at a time")
	}
	return s.printHelp(s.Stdout, topic)
}

func (s *session) printHelp(w io.Writer, topic string) error {
	if topic == "" || topic == "help" {
		topic = "tegata"
	}
	text, err := helpText(s.lang, topic)
	if err != nil {
		return unknownCommand(topic)
	}
	_, err = io.WriteString(w, text)
	return err
}

// helpText returns the help of a command, or of all for "tegata".
func helpText(l message.Lang, topic string) (string, error) {
	text, err := helpFiles.ReadFile("help/" + string(l) + "/" + topic + ".txt")
	return string(text), err
}
