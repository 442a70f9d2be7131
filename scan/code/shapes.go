package code

import (
	"regexp"
	"strings"
	"sync"
)

// A shape is one way of asking for a URL. The callee "requests.get" is that
// name; ".openStream" is a method of whatever; "*.get" is one of something that
// looks like an HTTP client.
type shape struct {
	callee string
	role   role
	arg    int // which argument is the URL; receiver for what the method is called on
}

type role uint8

const (
	asks     role = iota
	builds        // a request that something else sends
	connects      // to a host; the path comes with a later call
	runs          // a command
)

const receiver = -1

// shapes returns what the HTTP clients of a language look like.
func shapes(lang string) []shape {
	switch lang {
	case "python":
		return append(pythonShapes(), verbs("*", "get", "put", "post", "head", "fetch")...)
	case "go":
		return goShapes()
	case "javascript":
		return javaScriptShapes()
	case "java":
		return javaShapes()
	case "csharp":
		return cSharpShapes()
	case "ruby":
		return rubyShapes()
	case "php":
		return phpShapes()
	}
	return otherShapes()
}

// verbs makes shapes of the methods of one client.
func verbs(client string, methods ...string) (out []shape) {
	for _, m := range methods {
		out = append(out, shape{callee: client + "." + m})
	}
	return out
}

func pythonShapes() []shape {
	out := verbs("requests", "get", "head", "put", "post", "options")
	out = append(out, verbs("httpx", "get", "head", "put", "post", "stream")...)
	return append(out, []shape{
		{"requests.request", asks, 1}, {"httpx.request", asks, 1}, {".urlopen", asks, 0}, {".urlretrieve", asks, 0}, {"urllib.urlopen", asks, 0},
		{".Request", builds, 0}, {".URLopener.open", asks, 0}, {"grequests.get", asks, 0}, {"treq.get", asks, 0}, {".getPage", asks, 0},
		{".HTTPConnection", connects, 0}, {".HTTPSConnection", connects, 0}, {".HTTPConnectionPool", connects, 0},
		{"*.request", asks, 1}, {"*.urlopen", asks, 1}, {".putrequest", asks, 1}, {"*.open", asks, 0}, {".Http.request", asks, 0}, {".url_open", asks, 0}, {".open_url", asks, 0}, {".fetch_url", asks, 1}, {".readurl", asks, 0}, {".read_file_or_url", asks, 0},
		{".setopt", builds, 1}, {"wget.download", asks, 0}, {".HTTPRequest", builds, 0},
		{"os.system", runs, 0}, {"os.popen", runs, 0}, {"os.popen2", runs, 0}, {"os.popen3", runs, 0}, {"commands.getoutput", runs, 0}, {"commands.getstatusoutput", runs, 0},
		{"subprocess.run", runs, 0}, {"subprocess.call", runs, 0}, {"subprocess.check_output", runs, 0}, {"subprocess.check_call", runs, 0}, {"subprocess.Popen", runs, 0}, {"subprocess.getoutput", runs, 0}, {"subprocess.getstatusoutput", runs, 0},
		{".Popen", runs, 0}, {".check_output", runs, 0}, {".create_subprocess_shell", runs, 0}, {".create_subprocess_exec", runs, 0}, {"envoy.run", runs, 0}, {".exec_command", runs, 0}, {".run_command", runs, 0}, {"*.run", runs, 0}, {".sudo", runs, 0}, {".local", runs, 0},
	}...)
}

func goShapes() []shape {
	return append(verbs("http", "Get", "Head", "Post", "PostForm"), []shape{
		{"http.NewRequest", builds, 1}, {"http.NewRequestWithContext", builds, 2}, {".Get", asks, 0}, {".Head", asks, 0}, {".ReadUrl", asks, 0},
		{"exec.Command", runs, 0}, {"exec.CommandContext", runs, 1}, {".Command", runs, 0}, {".CombinedOutput", runs, 0}, {".Run", runs, 0}, {".Output", runs, 0}, {".Start", runs, 0},
	}...)
}

func javaScriptShapes() []shape {
	out := verbs("http", "get", "request")
	out = append(out, verbs("https", "get", "request")...)
	out = append(out, verbs("axios", "get", "head", "put", "post", "request")...)
	out = append(out, verbs("got", "get", "stream", "head")...)
	out = append(out, verbs("request", "get", "head", "put", "post", "getAsync")...)
	out = append(out, verbs("*", "get", "request", "head")...)
	return append(out, []shape{
		{"fetch", asks, 0}, {"axios", asks, 0}, {"got", asks, 0}, {"request", asks, 0}, {"rp", asks, 0}, {"needle", asks, 1}, {"needle.get", asks, 0}, {"superagent.get", asks, 0}, {"ky", asks, 0}, {"ky.get", asks, 0}, {"phin", asks, 0}, {"bent", asks, 0},
		{"urllib.request", asks, 0}, {"nodeFetch", asks, 0}, {"$.get", asks, 0}, {"$.ajax", asks, 0}, {".open", asks, 1}, {".fetch", asks, 0}, {"wreck.get", asks, 0}, {"Wreck.get", asks, 0},
		{"axios.create", connects, 0}, {"restify.createStringClient", connects, 0},
		{".exec", runs, 0}, {"exec", runs, 0}, {".execSync", runs, 0}, {"execSync", runs, 0}, {".spawn", runs, 0}, {"spawn", runs, 0}, {".spawnSync", runs, 0}, {"spawnSync", runs, 0}, {".execFile", runs, 0}, {".execFileSync", runs, 0}, {"execa", runs, 0}, {".addCommands", runs, 0}, {".addUserData", runs, 0},
	}...)
}

func javaShapes() []shape {
	return []shape{
		{".openStream", asks, receiver}, {".openConnection", asks, receiver}, {".getContent", asks, receiver}, {".readText", asks, receiver}, {".text", asks, receiver}, {".getText", asks, receiver}, {".bytes", asks, receiver},
		{".HttpGet", builds, 0}, {".HttpPut", builds, 0}, {".HttpHead", builds, 0}, {".GetMethod", builds, 0}, {".newBuilder", builds, 0}, {"*.uri", builds, 0}, {"*.url", builds, 0}, {".buildGetRequest", asks, 0},
		{".getForObject", asks, 0}, {".getForEntity", asks, 0}, {"*.exchange", asks, 0}, {"*.getAsString", asks, 0}, {".execute", asks, 0},
		{"Unirest.get", asks, 0}, {"Request.Get", asks, 0}, {"Request.get", asks, 0}, {"Jsoup.connect", asks, 0}, {"*.target", asks, 0}, {"*.resource", asks, 0}, {"IOUtils.toString", asks, 0}, {"Resources.toString", asks, 0}, {"Resources.asCharSource", asks, 0}, {"FileUtils.copyURLToFile", asks, 0},
		{"Source.fromURL", asks, 0}, {"Http.apply", asks, 0}, {"Http", asks, 0}, {"HttpRequest", asks, 0}, {"*.get", asks, 0}, {"*.readEndpoint", asks, 0}, {".readResource", asks, 0}, {"WS.url", asks, 0}, {"requests.get", asks, 0},
		{"RestClient.create", connects, 0}, {"WebClient.create", connects, 0}, {".baseUrl", connects, 0},
		{".exec", runs, 0}, {".ProcessBuilder", runs, 0}, {"ProcessBuilder", runs, 0}, {"sh", runs, 0}, {"Process", runs, 0}, {".command", runs, 0}, {".sh", runs, 0}, {".execute", runs, receiver},
	}
}

func cSharpShapes() []shape {
	var out []shape
	for _, m := range []string{"GetStringAsync", "GetAsync", "GetStreamAsync", "GetByteArrayAsync", "GetFromJsonAsync", "PutAsync", "DownloadString", "DownloadStringTaskAsync", "DownloadStringAsync", "DownloadData", "DownloadDataTaskAsync", "DownloadFile", "OpenRead", "OpenReadTaskAsync", "GetJsonAsync"} {
		out = append(out, shape{callee: "." + m})
	}
	return append(out, []shape{
		{"WebRequest.Create", builds, 0}, {"HttpWebRequest.Create", builds, 0}, {"WebRequest.CreateHttp", builds, 0}, {".HttpRequestMessage", builds, 1}, {".RestRequest", builds, 0}, {".GetStringAsync", asks, receiver}, {".GetAsync", asks, receiver},
		{"*.Get", asks, 0}, {"*.Execute", asks, 0}, {"*.ExecuteAsync", asks, 0},
		{".HttpClient", connects, 0}, {".RestClient", connects, 0}, {"Process.Start", runs, 0}, {".ProcessStartInfo", runs, 0},
	}...)
}

func rubyShapes() []shape {
	out := verbs("Net.HTTP", "get", "get_response", "get_print", "put", "head")
	for _, client := range []string{"HTTParty", "RestClient", "Faraday", "Excon", "Typhoeus", "HTTP", "HTTPClient", "Curl"} {
		out = append(out, verbs(client, "get", "head", "put")...)
	}
	return append(out, []shape{
		{"URI.open", asks, 0}, {"Kernel.open", asks, 0}, {"open", asks, 0}, {"eat", asks, 0}, {"OpenURI.open_uri", asks, 0}, {".open_uri", asks, 0}, {".read", asks, receiver}, {".open", asks, receiver},
		{"Net.HTTP.start", connects, 0}, {"Net.HTTP.new", connects, 0}, {"Faraday.new", connects, 0}, {"Excon.new", connects, 0}, {"HTTPClient.new", connects, 0}, {"RestClient.Resource.new", connects, 0},
		{"HTTP.Get.new", builds, 0}, {"HTTP.Put.new", builds, 0}, {"HTTP.Head.new", builds, 0}, {"RestClient.Request.execute", asks, 0}, {"Curl.Easy.perform", asks, 0}, {"Curl.Easy.new", builds, 0}, {"Chef.HTTP.Simple.new", connects, 0}, {"Chef.HTTP.new", connects, 0},
		{"*.get", asks, 0}, {"*.request_get", asks, 0}, {"*.get_response", asks, 0}, {"*.get2", asks, 0}, {"*.request", asks, 0}, {"*.head", asks, 0}, {"*.send_request", asks, 1}, {".get_content", asks, 0}, {".fetch_url", asks, 0},
		{"system", runs, 0}, {"exec", runs, 0}, {"spawn", runs, 0}, {".popen", runs, 0}, {".popen3", runs, 0}, {".capture2", runs, 0}, {".capture3", runs, 0}, {".capture2e", runs, 0}, {".shell_out", runs, 0}, {"shell_out", runs, 0}, {"shell_out!", runs, 0}, {".shell_out!", runs, 0}, {"run", runs, 0}, {"sudo", runs, 0}, {"execute", runs, 0}, {"command", runs, 0}, {"capture", runs, 0},
		{"source", asks, 0}, {"Typhoeus.Request.new", asks, 0}, {"setcode", runs, 0}, {"Resolution.exec", runs, 0}, {".exec", runs, 0}, {".execute", runs, 0}, {"sh", runs, 0}, {"code", runs, 0}, {"inline", runs, 0}, {"not_if", runs, 0}, {"only_if", runs, 0}, {".Mixlib.ShellOut.new", runs, 0}, {"ShellOut.new", runs, 0}, {".run_command", runs, 0}, {".ssh", runs, 0}, {".exec!", runs, 0},
	}...)
}

func phpShapes() []shape {
	return []shape{
		{"file_get_contents", asks, 0}, {"fopen", asks, 0}, {"file", asks, 0}, {"readfile", asks, 0}, {"curl_init", builds, 0}, {"curl_setopt", builds, 2}, {"curl_setopt_array", builds, 1}, {"get_headers", asks, 0}, {"simplexml_load_file", asks, 0}, {"copy", asks, 0}, {"fsockopen", connects, 0},
		{"wp_remote_get", asks, 0}, {"wp_remote_request", asks, 0}, {"wp_remote_head", asks, 0}, {"drupal_http_request", asks, 0}, {"Http.get", asks, 0}, {"Requests.get", asks, 0}, {"*.get", asks, 0}, {"*.request", asks, 1}, {"HttpClient.create", connects, 0}, {".Client", connects, 0}, {".Request", builds, 1}, {"*.getAsync", asks, 0}, {"*.fetch", asks, 0},
		{"shell_exec", runs, 0}, {"exec", runs, 0}, {"system", runs, 0}, {"passthru", runs, 0}, {"popen", runs, 0}, {"proc_open", runs, 0}, {".fromShellCommandline", runs, 0}, {".Process", runs, 0},
	}
}

// otherShapes are those of Perl, Lua, Rust, and C.
func otherShapes() []shape {
	return []shape{
		{"get", asks, 0}, {"getprint", asks, 0}, {"getstore", asks, 0}, {"head", asks, 0}, {"LWP.Simple.get", asks, 0}, {"*.get", asks, 0}, {"HTTP.Request.new", builds, 1}, {"HTTP.Request", builds, 1}, {"GET", builds, 0},
		{"http.request", asks, 0}, {".request_uri", asks, 0}, {"reqwest.get", asks, 0}, {"blocking.get", asks, 0}, {"ureq.get", asks, 0}, {"surf.get", asks, 0}, {"attohttpc.get", asks, 0},
		{"curl_easy_setopt", builds, 2}, {".Get", asks, 0}, {".httpGet", asks, 0}, {"http_get", asks, 0}, {"curl_get", asks, 0},
		{"system", runs, 0}, {"popen", runs, 0}, {"exec", runs, 0}, {"os.execute", runs, 0}, {"io.popen", runs, 0}, {".new", runs, 0}, {".args", runs, 0}, {".arg", runs, 0}, {"qx", runs, 0},
	}
}

// shapesOf returns the shapes that a call may have.
func (p *program) shapesOf(c *call) (out []shape) {
	last := c.last()
	for _, s := range p.known[last] {
		switch head, _, _ := strings.Cut(s.callee, "."); {
		case head == "":
			if c.name == s.callee[1:] || strings.HasSuffix(c.name, s.callee) || len(c.receiver) > 0 && !strings.Contains(s.callee[1:], ".") {
				out = append(out, s)
			}
		case head == "*":
			if len(c.receiver) > 0 && p.client(c) {
				out = append(out, s)
			}
		case c.name == s.callee && len(c.receiver) > 0 == strings.Contains(s.callee, "."), strings.HasSuffix(c.name, "."+s.callee) && strings.Contains(s.callee, "."):
			out = append(out, s)
		}
	}
	if len(out) == 0 && makesClient().MatchString(last) {
		out = append(out, shape{callee: last, role: connects})
	}
	return out
}

// makesClient matches the names of functions of somebody's own that make a
// client for a URL.
var makesClient = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(create|new|make|build|get)_?(http|https|rest|web|url)?_?client$`)
})

var clientName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(http|sess|client|request|axios|agent|conn|rest|web|curl|browser|pool|opener|requester|guzzle|excon|typhoeus|patron|mechanize|httparty|^s$|^c$|^h$|^ua$|^lwp$|^r$|builder|fetch|faraday|resource)`)
})

var standIn = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(mock|stub|nock|fake|expect|assert|responses|httpretty|webmock|wiremock|aioresponses|respx|vcr|ssrf)`)
})

// client reports whether what a method is called on looks like an HTTP client.
func (p *program) client(c *call) bool {
	for _, t := range c.receiver {
		if t.kind == word && standIn().MatchString(t.s) {
			return false
		}
		if is(t, "(") {
			break // what is called on a client may be named so: .expectStatus(200)
		}
	}
	for _, t := range c.receiver {
		if t.kind != word {
			continue
		}
		if clientName().MatchString(t.s) {
			return true
		}
		for _, a := range p.sets[t.s] {
			if !a.key && len(a.value) > 0 && len(a.value) < 60 {
				for _, v := range a.value {
					if v.kind == word && clientName().MatchString(v.s) {
						return true
					}
				}
			}
		}
	}
	return false
}
