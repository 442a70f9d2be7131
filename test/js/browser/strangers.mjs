// What others may not do: a model that writes markup, a page of another site,
// a name that leads here, and whoever is not signed in.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "./run.mjs";
import { serve } from "./servers.mjs";
import { Visitor, ended, visit } from "./visitor.mjs";

export function strangers(fast, shared) {
	const payloads = readFileSync(new URL("../../../web/testdata/xss.txt", import.meta.url), "utf8").split(/^---$/m).map((p) => p.trim());
	const groups = 4;
	for (let i = 0; i < groups; i++) {
		visit(`markup of a model ${i + 1}`, fast, (visitor) => markup(visitor, payloads.filter((_, n) => n % groups === i)));
	}
	visit("all markup at once", fast, (visitor) => markup(visitor, [payloads.join("\n\n")]));
	test("what a visitor notes", () => notes(shared));
	visit("another site", shared, anotherSite);
	visit("another name", shared, anotherName);
	test("signing in", signingIn);
	test("path prefix", pathPrefix);
}

/** Shows what a model said while it grows, and again from the store. */
async function markup(visitor, payloads) {
	const { page } = visitor;
	assert.ok(payloads.length > 0);
	await visitor.goto("/");
	for (const payload of payloads) {
		const answer = await visitor.ask(`repeat after me: ${payload}`);
		await ended(answer);
		await harmless(page, "article:nth-last-child(-n + 2) .body *");
	}
	for (const path of [new URL(page.url()).pathname, "/search?q=alert", "/"]) {
		await visitor.goto(path);
		await harmless(page, ".body *, #conversations *, .hits *");
	}
}

/** Pokes at what lies in the thread and in the list, and looks what it is. */
async function harmless(page, where) {
	const found = await page.evaluate((where) => {
		const allowed = /^(P|H[3-6]|EM|STRONG|DEL|HR|BLOCKQUOTE|UL|OL|LI|PRE|CODE|DIV|TABLE|THEAD|TBODY|TR|TH|TD|A|INPUT|BR|BUTTON|svg|use)$/;
		const ours = /^(A|SPAN|DETAILS|SUMMARY|FORM|INPUT|BUTTON|TIME|MARK|LI|svg|use)$/;
		const wrong = [];
		for (const e of document.querySelectorAll(where)) {
			const listed = e.closest("#conversations, .hits");
			if (!(listed ? ours : allowed).test(e.tagName)) wrong.push(e.outerHTML);
			for (const { name, value } of e.attributes) {
				if (/^on|^style$|^srcdoc$|^ping$/i.test(name) || (/^(form)?action$/.test(name) && !listed)) wrong.push(e.outerHTML);
				if (["href", "src"].includes(name) && !/^(https?:|mailto:|#|\/(c|search)\/)/.test(value)) wrong.push(e.outerHTML);
			}
			for (const type of ["mouseover", "pointerover", "focus", "toggle", "error", "load"]) e.dispatchEvent(new Event(type));
		}
		return wrong;
	}, where);
	assert.deepEqual(found, []);
}

/** A visitor notes each thing that must not happen: shown on a page without a policy, and on one with. */
async function notes(shared) {
	const visitor = await Visitor.open(await shared());
	const { page } = visitor;
	const body = `<img src=x onerror="window.__xss = 'handler'; alert('dialog')"><img src="http://evil.test/a.png">
		<button>low contrast</button><input><script>console.error("said"); setTimeout(() => { throw new Error("thrown") })</script>`;
	const show = (headers) => page.route(`${visitor.server.url}/shown`, (route) => route.fulfill({ contentType: "text/html", headers, body }), { times: 1 });
	await show({});
	await visitor.goto("/shown");
	await page.waitForFunction(() => document.images[0].complete);
	await visitor.accessible("a page");
	await show({ "Content-Security-Policy": "default-src 'none'" });
	await visitor.goto("/shown");
	const kinds = ["ran: handler", "dialog: dialog", "request: http://evil.test/a.png", "console: said", "error: Error: thrown", "axe on a page: label", "policy: script-src-elem", "policy: img-src"];
	for (const kind of kinds) {
		const noted = () => visitor.wrong.some((what) => what.startsWith(kind));
		for (const end = Date.now() + 10_000; !noted() && Date.now() < end; ) await page.waitForTimeout(10);
		assert.ok(noted(), `not noted: ${kind}\n${visitor.wrong.join("\n")}`);
	}
	visitor.expect(/./s);
	await visitor.close();
}

/** A page of another site, open in the same browser, gets nothing and changes nothing. */
async function anotherSite(visitor) {
	const { page, server } = visitor;
	const form = `<form method="post" action="${server.url}/c"><input name="text" value="from elsewhere"></form>`;
	const site = createServer((_, response) => response.setHeader("Content-Type", "text/html").end(form));
	await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
	try {
		visitor.expect(/^request: http:\/\/(127\.0\.0\.1|evil\.test):/, /^console: .*(CORS|403|Failed to load|favicon|frame)/s, /^policy: /);
		const { port } = site.address();
		for (const origin of [`http://127.0.0.1:${port}`, `http://evil.test:${port}`]) {
			await page.goto(`${origin}/`);
			const tries = await page.evaluate(async (url) => {
				const readable = async (path, options) => {
					try {
						const r = await fetch(url + path, { credentials: "include", ...options });
						return r.type !== "opaque" && r.ok;
					} catch {
						return false;
					}
				};
				const post = { method: "POST", body: new URLSearchParams({ text: "from elsewhere" }), mode: "no-cors" };
				return [await readable("/"), await readable("/search?q=a"), await readable("/c", post), await readable("/sign-out", post)];
			}, server.url);
			assert.deepEqual(tries, [false, false, false, false], origin);
			const [response] = await Promise.all([page.waitForNavigation(), page.evaluate(() => document.forms[0].submit())]);
			assert.equal(response.status(), 403, origin);
			await page.goto(`${origin}/`);
			const [frame] = await Promise.all([
				page.waitForEvent("framenavigated", (f) => f !== page.mainFrame() && f.url() !== "about:blank"),
				page.evaluate((url) => document.body.append(Object.assign(document.createElement("iframe"), { src: `${url}/doctor` })), server.url),
			]);
			assert.equal(await frame.locator("html[data-theme]").count(), 0, "it lets itself be framed");
		}
		await visitor.goto("/");
		assert.equal(await page.locator("#composer").count(), 1, "still signed in");
		assert.equal(await page.locator("#conversations", { hasText: "from elsewhere" }).count(), 0);
	} finally {
		site.close();
	}
}

/** A name of others that leads to this address (DNS rebinding) is refused. */
async function anotherName(visitor) {
	const { page, server } = visitor;
	visitor.expect(/^request: http:\/\/rebound\.test:/, /421/);
	const port = new URL(server.url).port;
	for (const path of ["/", "/sign-in", "/v1/models", "/ready"]) {
		const response = await page.goto(`http://rebound.test:${port}${path}`);
		assert.equal(response.status(), 421, path);
	}
}

/** By link, once; then by the password that was set; tries are counted. */
async function signingIn() {
	const server = await serve();
	const first = await Visitor.open(server);
	await first.page.goto(server.url + "/doctor");
	assert.match(first.page.url(), /\/sign-in\?next=/);
	await first.accessible("the sign-in page without a password");
	await first.signIn();
	const cookies = await first.context.cookies();
	assert.ok(cookies.some((c) => c.httpOnly && c.sameSite !== "None"), JSON.stringify(cookies));
	assert.match(first.page.url(), /\/password/, "whoever came by the link is asked for a password");
	await first.accessible("the password page");
	for (const id of ["#new", "#repeat"]) await first.page.fill(id, "correct horse battery");
	await first.page.click("#password button");
	await first.page.waitForSelector(".well");

	const second = await Visitor.open({ ...server, state: undefined }, { colorScheme: "dark" });
	second.expect(/status of 4(01|03|29)/);
	await second.page.goto(server.link);
	await second.page.click("#sign-in button");
	await second.page.waitForSelector(".wrong");
	await second.goto("/sign-in?next=%2Fdoctor");
	await second.page.fill("#pass", "wrong");
	await second.page.click("#sign-in button");
	await second.page.waitForSelector(".wrong");
	await second.accessible("a refused sign-in, dark");
	await second.page.fill("#pass", "correct horse battery");
	await second.page.click("#sign-in button");
	await second.page.waitForURL(`${server.url}/doctor`);
	await second.page.click("#sign-out button");
	await second.goto("/");
	assert.match(second.page.url(), /\/sign-in/);
	await first.page.reload();
	assert.match(first.page.url(), /\/password/, "the session that set the password stays");
	await first.close();
	await second.close();
	await server.stop();
}

/** Behind a proxy that gives it a path: every address keeps to that path. */
async function pathPrefix() {
	const server = await serve("--addr", "127.0.0.1:8338", "--public-url", "http://chat.test:8338/in/here");
	const visitor = await Visitor.open(server);
	await visitor.signIn();
	const { page } = visitor;
	await visitor.goto("/");
	assert.ok(await page.isVisible("#no-tls"));
	await ended(await visitor.ask("Are you here?"));
	assert.match(page.url(), /\/in\/here\/c\/\w+$/);
	await page.click('#language button[value="ja"]');
	await page.waitForSelector('html[lang="ja"]');
	await page.click("#chain");
	await page.waitForSelector("#doctor .verdict");
	await page.click(".brand");
	await page.waitForURL(`${server.url}/`);
	await page.click("#sign-out button");
	await page.waitForURL(/\/in\/here\/sign-in/);
	await visitor.close();
	await server.stop();
}
