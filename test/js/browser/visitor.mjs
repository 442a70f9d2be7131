// A visitor is a browser profile of its own whose every step is watched: what
// a page may never do, whatever a model said, fails the test that made it do so.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { test } from "./run.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser;

export async function openBrowser() {
	browser = await chromium.launch({
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		args: [
			"--no-sandbox", // the box is one, and Chromium can't build its own in it
			"--disable-gpu",
			"--disable-quic",
			"--disable-background-networking",
			"--disable-component-update",
			"--disable-sync",
			"--renderer-process-limit=2", // starting one costs more than most tests
			"--host-resolver-rules=MAP *.test 127.0.0.1",
		],
	});
}

export async function closeBrowser() {
	await browser?.close();
}

/** Notes in a page what its policy has refused, and what a payload did. */
function noteViolations() {
	addEventListener("securitypolicyviolation", (e) => {
		window.tegataNote(`policy: ${e.violatedDirective} refused ${e.blockedURI} (${e.sample})`);
	});
	Object.defineProperty(window, "__xss", { set: (value) => window.tegataNote(`ran: ${value}`) });
}

export class Visitor {
	/** Opens a profile. `server` is the only one that its pages may speak with. */
	static async open(server, options = {}) {
		const visitor = new Visitor();
		visitor.server = server;
		visitor.wrong = [];
		visitor.expected = [];
		visitor.context = await browser.newContext({
			viewport: { width: 1440, height: 900 },
			locale: "en-US",
			reducedMotion: "reduce",
			storageState: server.state,
			...options,
		});
		visitor.context.setDefaultTimeout(30_000);
		await visitor.context.exposeFunction("tegataNote", (what) => visitor.wrong.push(what));
		await visitor.context.addInitScript(noteViolations);
		visitor.context.on("page", (page) => visitor.watch(page));
		visitor.page = await visitor.context.newPage();
		return visitor;
	}

	watch(page) {
		const note = (what) => this.wrong.push(what);
		page.on("dialog", (dialog) => (note(`dialog: ${dialog.message()}`), dialog.dismiss()));
		page.on("pageerror", (error) => note(`error: ${error}`));
		page.on("popup", (popup) => note(`window: ${popup.url()}`));
		page.on("console", (message) => {
			if (["error", "warning"].includes(message.type())) note(`console: ${message.text()} (${message.location().url})`);
		});
		page.on("request", (request) => {
			const url = request.url();
			if (!url.startsWith(`${this.server.url}/`) && !url.startsWith("data:")) note(`request: ${url}`);
		});
	}

	/** Says that something that would be wrong elsewhere belongs to this test. */
	expect(...patterns) {
		this.expected.push(...patterns);
	}

	/** Goes to a path of the server. */
	goto(path, page = this.page) {
		return page.goto(this.server.url + path);
	}

	/** Signs in with the link of the server, and keeps what later visitors need. */
	async signIn() {
		await this.page.goto(this.server.link);
		await this.page.click("#sign-in button");
		await this.page.waitForURL((url) => !url.pathname.endsWith("/sign-in"));
		this.server.state = await this.context.storageState();
	}

	/** Asks a question and returns the article of the answer. */
	async ask(text, page = this.page) {
		const before = await page.locator('#thread article[data-role="assistant"]').count();
		await page.fill("#ask", text);
		await page.click("#send");
		const answer = page.locator('#thread article[data-role="assistant"]').nth(before);
		await answer.waitFor();
		return answer;
	}

	/** Fails if axe finds something serious on a page. */
	async accessible(what, page = this.page) {
		await page.evaluate(() => Promise.all(document.getAnimations().map((a) => a.finished.catch(() => {})))); // colours on their way are nobody's
		await page.evaluate(axe);
		const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
		for (const v of violations.filter((v) => ["serious", "critical"].includes(v.impact))) {
			const places = v.nodes.map((node) => `${node.target}: ${node.failureSummary.replaceAll("\n", " ")}`);
			this.wrong.push(`axe on ${what}: ${v.id}, ${v.help}\n  ${places.slice(0, 4).join("\n  ")}`);
		}
	}

	/** Closes the profile; fails if anything was wrong in it. */
	async close() {
		await this.context.close();
		const unexpected = this.wrong.filter((what) => !this.expected.some((pattern) => pattern.test(what)));
		assert.deepEqual(unexpected, []);
	}
}

/** What an answer's article tells once it has ended. */
export async function ended(answer, state = "done") {
	await answer.page().waitForFunction(([id, state]) => document.getElementById(id)?.dataset.state === state, [await answer.getAttribute("id"), state]);
	return answer.locator(".body").innerText();
}

/** Has a page note how long the text of its last answer becomes. */
export async function noteGrowth(page) {
	await page.evaluate(() => {
		window.lengths = [];
		new MutationObserver(() => {
			const running = document.querySelector('#thread article[data-state="running"] .body');
			if (running && running.textContent.length !== window.lengths.at(-1)) window.lengths.push(running.textContent.length);
		}).observe(document.body, { childList: true, subtree: true, characterData: true });
	});
	return () => page.evaluate(() => window.lengths);
}

/** Marks a page, so that a reload is noticed. */
export async function mark(page) {
	await page.evaluate(() => (window.marked = true));
	return () => page.evaluate(() => window.marked === true);
}

/** Adds a test with a visitor of a server. */
export function visit(name, server, run, options) {
	test(name, async () => {
		const visitor = await Visitor.open(await server(), options);
		try {
			await run(visitor);
		} finally {
			await visitor.close();
		}
	});
}
