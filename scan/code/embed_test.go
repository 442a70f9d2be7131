package code

import (
	"strings"
	"testing"

	"tegata/internal/edit"
	"tegata/scan"
)

// What is written into a script in a string is what the shell gets.
func TestLayers(t *testing.T) {
	t.Parallel()
	const token = ` -H "a: $(curl -w '%{x}' \$y)" ${Z} #{q}`
	for _, tt := range []struct {
		path, src string
		fails     bool
	}{
		{"a.py", `os.system("curl -s http://169.254.169.254/latest/x")`, false},
		{"a.py", `os.system('curl -s http://169.254.169.254/latest/x')`, false},
		{"a.py", `os.system(r'curl -s http://169.254.169.254/latest/x')`, true},
		{"a.py", `os.system(f"curl -s http://{HOST}/latest/x")` + "\nHOST = '169.254.169.254'", false},
		{"a.py", `os.system("curl -s http://{}/latest/x".format("169.254.169.254"))`, false},
		{"a.py", `os.system("curl -s http://%s/latest/x" % "169.254.169.254")`, false},
		{"a.py", `os.system("""curl -s http://169.254.169.254/latest/x""")`, false},
		{"a.go", "exec.Command(`sh`, `-c`, `curl -s http://169.254.169.254/latest/x`)", false},
		{"a.go", `exec.Command("sh", "-c", fmt.Sprintf("curl -s http://%s/latest/x", "169.254.169.254"))`, false},
		{"a.js", "exec(`curl -s http://169.254.169.254/latest/x`)", false},
		{"a.rb", "`curl -s http://169.254.169.254/latest/x`", false},
		{"a.rb", "%x(curl -s http://169.254.169.254/latest/x)", false},
		{"a.rb", "%x{curl -s http://169.254.169.254/latest/x}", false},
		{"a.rb", "system <<~E\n  curl -s http://169.254.169.254/latest/x\nE\n", false},
		{"a.rb", "system <<'E'\ncurl -s http://169.254.169.254/latest/x\nE\n", true},
		{"a.php", `<?php shell_exec("curl -s http://169.254.169.254/latest/x");`, false},
		{"a.php", `<?php shell_exec('curl -s http://169.254.169.254/latest/x');`, false},
		{"a.cs", `Process.Start(@"curl -s http://169.254.169.254/latest/x");`, true},
		{"a.kt", `exec("curl -s http://169.254.169.254/latest/x")`, true},
	} {
		inner := script(t, tt.path, tt.src)
		i := strings.Index(inner.Body, "curl -s") + len("curl -s")
		e, err := inner.Edit(scan.Splice{At: scan.Span{Start: i, End: i}, Text: token})
		if err != nil {
			if !tt.fails {
				t.Errorf("%s: %v", tt.src, err)
			}
			continue
		}
		got, err := edit.Apply(tt.src, []edit.Edit{e})
		if err != nil {
			t.Fatal(err)
		}
		want := inner.Body[:i] + token + inner.Body[i:]
		if again := script(t, tt.path, got).Body; again != want && !tt.fails {
			t.Errorf("%s:\n%s says %q, want %q", tt.src, got, again, want)
		}
	}
}

func script(t *testing.T, path, src string) *scan.Text {
	t.Helper()
	texts := Detect(scan.File(path, language(path), []byte(src))).Texts
	if len(texts) != 1 {
		t.Fatalf("%s: %d scripts", src, len(texts))
	}
	return texts[0]
}

// Only what a shell runs can ask for the token within the command.
func TestShelled(t *testing.T) {
	t.Parallel()
	const command = "curl -s http://169.254.169.254/latest/x"
	for _, tt := range []struct {
		path, src string
		want      bool
	}{
		{"a.py", `os.system("` + command + `")`, true},
		{"a.py", `subprocess.check_output("` + command + `", shell=True)`, true},
		{"a.py", `subprocess.check_output(["` + command + `"], shell=True)`, true},
		{"a.py", `subprocess.check_output("` + command + ` | cat")`, true},
		{"a.php", `<?php $cmd = "` + command + ` || hostname"; $all = $cmd . $more; pdsh($hosts, $all);`, false},
		{"a.php", `<?php $cmd = "` + command + ` || hostname"; shell_exec($cmd . $more);`, true},
		{"a.py", `subprocess.check_output("` + command + `".split())`, false},
		{"a.py", "cmd = '" + command + "'\nsubprocess.check_output(shlex.split(cmd))", false},
		{"a.py", "cmd = '" + command + "'\nsubprocess.check_output(cmd, shell=True)", true},
		{"a.py", `run_command("` + command + `")`, false},
		{"a.py", "from fabric.api import run\nrun('" + command + "')", true},
		{"a.py", "from subprocess import run\nrun('" + command + "')", false},
		{"a.py", `run_over_ssh("` + command + `")`, true},
		{"a.js", "execSync('" + command + "')", true},
		{"a.js", "spawn('" + command + "', { shell: true })", true},
		{"a.js", "execa('" + command + "')", false},
		{"a.go", `exec.Command("sh", "-c", "` + command + `")`, true},
		{"a.go", `exec.Command("` + command + `")`, false},
		{"a.go", `session.Run("` + command + `")`, true},
		{"a.groovy", "sh(script: '" + command + "', returnStdout: true)", true},
		{"a.groovy", `"` + command + `".execute()`, false},
		{"A.java", `class A { void a() { Runtime.getRuntime().exec("` + command + `"); } }`, false},
		{"A.java", `class A { void a() { new ProcessBuilder("sh", "-c", "` + command + `").start(); } }`, true},
		{"a.rb", "execute 'x' do\n  command '" + command + "'\nend", true},
		{"a.pl", "system('" + command + "');", true},
	} {
		inner := script(t, tt.path, tt.src)
		if _, err := inner.Edit(scan.Splice{At: scan.Span{Start: 4, End: 4}, Text: " -f"}); (err == nil) != tt.want {
			t.Errorf("%s: %v", tt.src, err)
		}
	}
}
