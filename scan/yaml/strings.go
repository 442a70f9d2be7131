package yaml

import (
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
)

// powershellClient matches what asks for a URL in PowerShell and nowhere else.
var powershellClient = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\bInvoke-(?:RestMethod|WebRequest)\b|\b(?:irm|iwr)\s+[-\w('"$]|\bNew-Object\s+(?:-TypeName\s+)?['"]?(?:System\.)?Net\.WebClient\b|\[(?:System\.)?Net\.(?:WebRequest|HttpWebRequest|WebClient)\]::|\bStart-BitsTransfer\b`)
})

// codeStart matches how PowerShell begins, and sentences don't.
var codeStart = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*(?:[$(\[&'"@{#]|(?i:Invoke-\w+|New-Object|Start-BitsTransfer|irm|iwr)\b\s*[-\w('"$]|(?i:[a-z]+-[a-z]+)\s+[-$('"]|(?i:powershell|pwsh)(?:\.exe)?\s+-|(?i:try|do)\s*\{|(?i:if|while|foreach|function|param)\s*\()`)
})

// isPowerShell reports whether a string is a script of PowerShell's that asks
// for something, though nothing says so.
func isPowerShell(value string) bool {
	return powershellClient().MatchString(value) && codeStart().MatchString(value)
}

// MayHoldScripts reports whether strings may hold more than lines tell: a client
// of PowerShell's, or the ends of lines as escapes.
func MayHoldScripts(t *scan.Text) bool {
	return strings.Contains(t.Body, `\n`) || powershellClient().MatchString(t.Body)
}

// maxStrings bounds the documents that are taken to pieces for their strings:
// there are large ones that nobody has written.
const maxStrings = 1 << 20

// Strings returns those strings of a document of no known kind of which more can
// be told than of the file's lines: scripts in which the metadata service is asked,
// strings of several lines, and what is for people. It takes no document to pieces of over 1 MiB.
func Strings(t *scan.Text) (texts []*scan.Text) {
	if len(t.Body) > maxStrings {
		return nil
	}
	docs, err := Parse(t)
	if err != nil {
		return nil
	}
	for _, left := range Left(docs) {
		if left.Lang == scan.Shell { // only a key says so
			left.Lang = scan.Plain
		}
		if left.Lang != scan.Plain || strings.Contains(left.Body, "\n") {
			texts = append(texts, left)
		}
	}
	return texts
}
