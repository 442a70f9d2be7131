// The chat page as people use it.
import assert from "node:assert/strict";
import { serve } from "./servers.mjs";
import { ended, noteGrowth, visit } from "./visitor.mjs";


/** What the server has of an answer, as it was written. */
async function stored(visitor, id) {
	return (await visitor.context.request.get(`${visitor.server.url}/m/${id}/text`)).text();
}

export function chat(server) {
	visit("Japanese by composition", server, composition, { locale: "ja-JP" });
	visit("stop and ask again", server, stopAndAgain);
	visit("reload in mid-stream", server, reload);
	visit("two tabs", server, twoTabs);
	visit("closed tab", server, closedTab);
	visit("hidden tab", server, hiddenTab);
	visit("killed server", () => serve("--addr", "127.0.0.1:8339"), killedServer);
	visit("language and theme", server, preferences);
	visit("keys", server, keys);
	visit("list", server, list);
	visit("copy", server, copy, { permissions: ["clipboard-read", "clipboard-write"] });
	visit("model and system prompt", server, settings);
	visit("phone", server, phone, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
	visit("without scripts", server, plain, { javaScriptEnabled: false });
}

/** Enter ends a composition and sends nothing; the next one sends. */
async function composition(visitor) {
	const { page } = visitor;
	const posts = [];
	page.on("request", (request) => request.method() === "POST" && posts.push(new URL(request.url()).pathname));
	await visitor.goto("/");
	assert.equal(await page.getAttribute("html", "lang"), "ja");
	const cdp = await visitor.context.newCDPSession(page);
	const compose = (text) => cdp.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
	const enter = (code) => cdp.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Enter", code: "Enter", windowsVirtualKeyCode: code });
	await page.evaluate(() => {
		window.composed = [];
		for (const type of ["compositionstart", "compositionend", "keydown"]) {
			addEventListener(type, (e) => window.composed.push(`${e.type} ${e.isComposing ?? ""} ${e.keyCode ?? ""}`.trim()), true);
		}
	});
	await page.focus("#ask");
	for (const text of ["い", "いん", "いんす", "いんすたんす"]) await compose(text);
	await enter(13); // Chromium: within the composition
	await cdp.send("Input.insertText", { text: "インスタンスの役割を長く説明してください" });
	await enter(229); // Safari: after it, with the code of a key that the input method took
	assert.deepEqual(posts, []);
	assert.equal(await page.inputValue("#ask"), "インスタンスの役割を長く説明してください");
	const events = await page.evaluate(() => window.composed);
	assert.ok(events.some((e) => e.startsWith("compositionstart")) && events.includes("keydown true 13"), String(events));

	await page.press("#ask", "Enter");
	const answer = page.locator('#thread article[data-role="assistant"]');
	await answer.waitFor();
	const lengths = await noteGrowth(page);
	await page.waitForFunction(() => window.lengths.length >= 5);
	assert.deepEqual(posts, ["/c"]);
	await page.click("#stop");
	const text = await ended(answer, "stopped");
	const seen = await lengths();
	assert.ok(seen.every((n, i) => i === 0 || n > seen[i - 1] - 20), `it shrank: ${seen}`); // by the marks that become markup
	assert.match(text, /インスタンスの役割を長く説明してください/);
	assert.match(await answer.locator(".meta").innerText(), /\d/);
	assert.equal(await page.inputValue("#ask"), "");
}

async function stopAndAgain(visitor) {
	const { page } = visitor;
	await visitor.goto("/");
	const first = await visitor.ask("Tell me at length about roles.");
	await page.waitForFunction(() => document.querySelector('[data-state="running"] .body')?.textContent.length > 80);
	await page.click("#stop");
	const kept = await ended(first, "stopped");
	assert.ok(kept.length > 80 && kept.length < 4000, `${kept.length} characters are kept`);
	await page.waitForSelector("#stop-form", { state: "detached" });
	await page.reload();
	assert.equal(await page.locator('article[data-role="assistant"] .body').innerText(), kept);

	await page.click("form.again button");
	await page.waitForSelector('article[data-role="assistant"][data-state="running"]');
	assert.equal(await page.locator('article[data-role="assistant"]').count(), 1);
	await page.focus("#ask");
	await page.keyboard.press("Escape");
	await page.waitForSelector('article[data-role="assistant"][data-state="stopped"]');
	assert.equal(await page.locator("#thread article").count(), 2);
	await visitor.ask("And a short one?").then((answer) => ended(answer));
	assert.equal(await page.locator("form.again").count(), 1);
}

async function reload(visitor) {
	const { page } = visitor;
	await visitor.goto("/");
	await visitor.ask("What happens on a reload, at length?");
	const longerThan = (n) => page.waitForFunction((n) => document.querySelector('article[data-state="running"] .body')?.textContent.length > n, n);
	for (const length of [100, 300, 500]) {
		await longerThan(length);
		await page.reload();
	}
	const lengths = await noteGrowth(page);
	await page.waitForFunction(() => window.lengths.length >= 3);
	await page.click("#stop");
	const answer = page.locator('#thread article[data-role="assistant"]');
	await ended(answer, "stopped");
	assert.ok((await lengths())[0] > 500);
	const live = await answer.locator(".body").innerHTML();
	await page.reload();
	const bare = (html) => html.replaceAll(/<button.*?<\/button>| (tabindex|role|aria-label)="[^"]*"/gs, "");
	assert.equal(bare(await answer.locator(".body").innerHTML()), bare(live));
	assert.equal(await page.locator("#thread article").count(), 2);
}

async function twoTabs(visitor) {
	const { page, context } = visitor;
	await visitor.goto("/");
	const mine = await visitor.ask("Who sees this, and at length?");
	const other = await context.newPage();
	await other.goto(page.url());
	const growth = await Promise.all([noteGrowth(page), noteGrowth(other)]);
	await other.waitForFunction(() => window.lengths.length >= 5);
	await other.click("#stop");
	const theirs = other.locator('#thread article[data-role="assistant"]');
	const texts = await Promise.all([ended(mine, "stopped"), ended(theirs, "stopped")]);
	assert.equal(texts[0], texts[1]);
	for (const lengths of growth) assert.ok((await lengths()).length >= 4);

	await visitor.ask("A second question", other);
	await ended(page.locator('#thread article[data-role="assistant"]').nth(1));
	const thread = (p) => p.locator("#thread").innerText();
	await other.waitForSelector("#stop-form", { state: "detached" });
	assert.equal(await thread(page), await thread(other));
	assert.equal(await page.locator("#thread article").count(), 4);
}

/** The server owns a running answer: it ends also where nobody looks. */
async function closedTab(visitor) {
	const { context, page } = visitor;
	await visitor.goto("/");
	await visitor.ask("Does it go on?");
	const url = page.url();
	await page.close();
	const later = await context.newPage();
	await later.goto(url);
	const answer = later.locator('#thread article[data-role="assistant"]');
	await ended(answer);
	const id = (await answer.getAttribute("id")).slice("m-".length);
	assert.match(await stored(visitor, id), /Does it go on\?/);
}

/** A tab that nobody sees holds no connection, and catches up when it is seen. */
async function hiddenTab(visitor) {
	const { page } = visitor;
	const seen = (hidden) =>
		page.evaluate((hidden) => {
			Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
			document.dispatchEvent(new Event("visibilitychange"));
		}, hidden);
	const length = () => page.evaluate(() => document.querySelector('article[data-state="running"] .body').textContent.length);
	await visitor.goto("/");
	const answer = await visitor.ask("Do you speak at length to nobody?");
	const closed = page.waitForEvent("requestfailed", (request) => request.url().includes("/events"));
	await seen(true);
	await closed;
	const before = await length();
	const id = (await answer.getAttribute("id")).slice("m-".length);
	while ((await stored(visitor, id)).length < before + 200);
	assert.equal(await length(), before);
	await seen(false);
	await page.waitForFunction((n) => document.querySelector('article[data-state="running"] .body').textContent.length > n + 150, before);
	await page.click("#stop");
	await ended(answer, "stopped");
}

/** A page outlives its server: it says so, and goes on with the next one. */
async function killedServer(visitor) {
	const { page, server } = visitor;
	await visitor.signIn();
	await visitor.goto("/");
	const answer = await visitor.ask("What is left of this, at length?");
	await page.waitForFunction(() => document.querySelector('[data-state="running"] .body')?.textContent.length > 500);
	visitor.expect(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET/);
	await server.kill();
	await page.waitForSelector("#lost:not([hidden])");
	await page.click("#stop");
	await page.waitForSelector("#notice .problem");
	await page.fill("#ask", "written while it was away");
	server.start();
	await page.waitForSelector("#lost", { state: "hidden" });
	assert.ok((await ended(answer, "interrupted")).length > 100);
	await page.click("#send");
	const next = page.locator('#thread article[data-role="assistant"]').nth(1);
	assert.match(await ended(next), /written while it was away/);
	assert.equal(await page.locator("#notice .problem").count(), 0);
}

async function preferences(visitor) {
	const { page } = visitor;
	await visitor.goto("/");
	await page.fill("#ask", "a draft that stays");
	await page.click('#language button[value="ja"]');
	await page.waitForSelector('html[lang="ja"]');
	await page.waitForLoadState();
	assert.equal(await page.inputValue("#ask"), "a draft that stays");
	const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
	const colours = [];
	for (const theme of ["light", "dark"]) {
		const saved = page.waitForResponse((r) => r.url().endsWith("/preferences"));
		await page.click(`#theme button[value="${theme}"]`);
		await page.waitForSelector(`html[data-theme="${theme}"]`);
		colours.push(await background());
		await saved;
	}
	assert.notEqual(colours[0], colours[1]);
	assert.equal(await page.inputValue("#ask"), "a draft that stays");
	await page.reload();
	assert.equal(await background(), colours[1]);
	assert.equal(await page.getAttribute("html", "lang"), "ja");
	assert.equal(await page.inputValue("#ask"), "a draft that stays");
	await page.click('#language button[value="en"]');
	await page.waitForSelector('html[lang="en"]');
}

async function keys(visitor) {
	const { page } = visitor;
	const focused = (id) => page.waitForFunction((id) => document.activeElement?.id === id, id);
	await visitor.goto("/");
	await focused("ask");
	await page.keyboard.press("Control+k");
	await focused("q");
	await page.focus(".brand");
	await page.keyboard.press("/");
	await focused("ask");
	await page.keyboard.type("one");
	await page.keyboard.press("Shift+Enter");
	await page.keyboard.type("two");
	assert.equal(await page.inputValue("#ask"), "one\ntwo");
	await page.keyboard.press("Enter");
	await ended(page.locator('#thread article[data-role="assistant"]'));
	await page.focus("#ask");
	await page.keyboard.press("ArrowUp");
	assert.equal(await page.inputValue("#ask"), "one\ntwo");
	await page.fill("#ask", " \n ");
	await page.keyboard.press("Enter");
	assert.equal(await page.locator("#thread article").count(), 2);
}

async function list(visitor) {
	const { page } = visitor;
	await visitor.goto("/");
	await ended(await visitor.ask("京都の宿場について教えてください"));
	const id = page.url().split("/").pop();
	const line = page.locator(`#conversations li[data-id="${id}"]`);
	await line.locator("summary").click();
	await line.locator("input[name=title]").fill("Post towns <b>& more</b>");
	await line.locator(".rename").click();
	await page.waitForFunction(() => document.querySelector(".title h1").textContent === "Post towns <b>& more</b>");

	await page.fill("#q", "都の宿場");
	await page.waitForFunction((id) => {
		const lines = [...document.querySelectorAll("#conversations li[data-id]")];
		return lines.length === 1 && lines[0].dataset.id === id;
	}, id);
	await page.fill("#q", "ない言葉\"'%_*");
	await page.waitForSelector("#conversations li[data-id]", { state: "detached" });
	await page.fill("#q", "");
	await line.waitFor();

	await line.locator("summary").click();
	await line.locator(".delete").click();
	assert.equal(await line.count(), 1, "the first press only asks");
	await line.locator(".delete").click();
	await page.waitForURL(`${visitor.server.url}/`);
	assert.equal(await line.count(), 0);
	visitor.expect(/status of 404/);
	assert.equal((await visitor.goto(`/c/${id}`)).status(), 404);
}

async function copy(visitor) {
	const { page } = visitor;
	const pasted = () => page.evaluate(() => navigator.clipboard.readText());
	await visitor.goto("/");
	const answer = await visitor.ask("repeat after me: # Head\n\n```sh\necho \"hi\" && ls\n```\n\nend");
	await ended(answer);
	await answer.locator(".copy").click();
	await answer.locator(".copy.did").waitFor();
	assert.equal((await pasted()).trim(), "# Head\n\n```sh\necho \"hi\" && ls\n```\n\nend");
	await answer.locator(".copy-code").click();
	await answer.locator(".copy-code.did").waitFor();
	assert.equal(await pasted(), 'echo "hi" && ls');
}

async function settings(visitor) {
	const { page } = visitor;
	await visitor.goto("/");
	const models = await page.$$eval("#model option", (options) => options.map((o) => ({ id: o.value, area: o.dataset.area, off: o.disabled, text: o.textContent })));
	assert.ok(models.some((m) => m.area === "jp" && !m.off && /stays in Japan/.test(m.text)), JSON.stringify(models));
	assert.ok(models.some((m) => m.off && m.text.length > 10), "one can't be called, and says why");
	const other = models.find((m) => !m.off && m.id !== "" && !m.id.includes("sonnet-4-6")).id;
	await page.selectOption("#model", other);
	await page.click("#settings summary");
	await page.fill("#system", "Be brief.");
	await page.click("#main");
	const answer = await visitor.ask("Which model are you?");
	await ended(answer);
	assert.equal(await answer.locator(".by").getAttribute("title"), other);
	await page.reload();
	assert.equal(await page.inputValue("#model"), other);
	assert.equal(await page.inputValue("#system"), "Be brief.");
}

async function phone(visitor) {
	const { page } = visitor;
	await visitor.goto("/");
	const question = "repeat after me: | a | b |\n|---|---|\n| " + "wide ".repeat(40) + "| x |\n\n`" + "y".repeat(200) + "`\n\n" + "z".repeat(300);
	await page.fill("#ask", question);
	await page.tap("#send");
	await ended(page.locator('#thread article[data-role="assistant"]'));
	const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
	assert.ok((await overflow()) <= 0, `${await overflow()} px too wide`);
	assert.equal(await page.isVisible("#conversations"), false);
	await page.tap(".menu");
	await page.waitForSelector("#conversations li.current", { state: "visible" });
	await page.tap("#side .close");
	await page.waitForSelector("#conversations", { state: "hidden" });
	await visitor.goto("/doctor");
	assert.ok((await overflow()) <= 0, `the Doctor page is ${await overflow()} px too wide`);
}

/** Forms and links alone: ask, watch, stop, ask again, rename, delete. */
async function plain(visitor) {
	const { page } = visitor;
	const answer = page.locator('#thread article[data-role="assistant"]');
	await visitor.goto("/");
	await page.fill("#ask", "Without scripts, at length?");
	await page.click("#send");
	assert.match(page.url(), /\/c\/\w+$/);
	await page.click("#stop");
	assert.equal(await answer.getAttribute("data-state"), "stopped");
	await page.fill("#ask", "A short one");
	await page.click("#send");
	await answer.nth(1).and(page.locator('[data-state="done"]')).waitFor(); // the page fetches itself again
	await page.click("form.again button");
	await answer.nth(1).and(page.locator('[data-state="done"]')).waitFor();
	assert.equal(await page.locator("#thread article").count(), 4);
	await page.fill("#q", "scripts, at");
	await page.press("#q", "Enter");
	await page.waitForSelector(".hits a");
	await page.click(".hits a");
	const line = page.locator("#conversations li.current");
	await line.locator("summary").click();
	await line.locator("input[name=title]").fill("Renamed without scripts");
	await line.locator(".rename").click();
	assert.equal(await page.locator("h1").last().innerText(), "Renamed without scripts");
	await page.click('#theme button[value="dark"]');
	assert.equal(await page.getAttribute("html", "data-theme"), "dark");
	await line.locator("summary").click();
	await line.locator(".delete").click();
	assert.equal(page.url(), `${visitor.server.url}/`);
	await page.click("#chain");
	assert.ok(await page.locator("#doctor [data-check]").count());
}
