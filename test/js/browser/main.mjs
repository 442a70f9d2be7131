// The page in a browser: node main.mjs [PATTERN], in a box, with the binary
// under test in TEGATA_BINARY and the browser in CHROMIUM.
import { access } from "./access.mjs";
import { chat } from "./chat.mjs";
import { doctor } from "./doctor.mjs";
import { runTests } from "./run.mjs";
import { demo, stopServers } from "./servers.mjs";
import { strangers } from "./strangers.mjs";
import { Visitor, closeBrowser, openBrowser } from "./visitor.mjs";

/** Starts a server once, when it is first wanted, and signs in there. */
function once(start) {
	let server;
	return () => (server ??= start().then(signedIn));
}

async function signedIn(server) {
	const visitor = await Visitor.open(server);
	await visitor.signIn();
	await visitor.context.close();
	return server;
}

const shared = once(demo);
doctor(() => demo("1ms").then(signedIn)); // one each, because what breaks there breaks for all
chat(shared);
access(shared);
strangers(once(() => demo("1ms")), shared);

try {
	await openBrowser();
	await runTests(new RegExp(process.argv[2] ?? ""), 4);
} finally {
	await closeBrowser();
	await stopServers();
}
